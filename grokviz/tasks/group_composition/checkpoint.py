"""The runs and checkpoints of networks that compose elements, as their measures see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from grokviz.dataset.checkpoint import Checkpoint, RunView
from grokviz.errors import InputError
from grokviz.tasks.group_composition.data import EXAMPLES, GroupPairs
from grokviz.tasks.group_composition.formulas import answers, cosets
from grokviz.tasks.group_composition.formulas.groups import Group, group
from grokviz.tasks.group_composition.weights import GroupWeights, MLPWeights, weights_of

KEY = 0.005
"""The similarity with a character, at the end, above which its representation is a key one."""


@dataclass
class GroupCheckpoint(Checkpoint):
    """The weights of one epoch, and intermediates shared by several measures."""

    _similarities: dict[str, answers.Similarities] = field(
        default_factory=dict, init=False, repr=False
    )
    _ratios: dict[tuple[str, str], Float[np.ndarray, "subgroup neuron"]] = field(
        default_factory=dict, init=False, repr=False
    )

    @cached_property
    def weights(self) -> GroupWeights:
        """The state as checked weights in float64."""
        return weights_of(self.state)

    @cached_property
    def hidden(self) -> Float[np.ndarray, "pairs neuron"]:
        """The neurons after the ReLU, for every pair."""
        return self.weights.hidden()

    @cached_property
    def logits(self) -> Float[np.ndarray, "pairs order"]:
        """The logits of every pair."""
        return self.weights.logits(self.hidden)

    def similarities(self, of: Group) -> answers.Similarities:
        """How like each character the logits are, computed once."""
        if of.name not in self._similarities:
            self._similarities[of.name] = answers.similarities(self.logits, of)
        return self._similarities[of.name]

    def coset_ratios(self, of: Group, side: str, kind: str) -> Float[np.ndarray, "subgroup neuron"]:
        """The ratios of one side's neurons for the cosets of a kind, computed once."""
        if (side, kind) not in self._ratios:
            columns = self.weights.inputs[side]
            self._ratios[side, kind] = cosets.ratios(columns, of, kind)
        return self._ratios[side, kind]


@dataclass
class GroupRun(RunView):
    """Everything that is constant along a run of group composition."""

    checkpoint_type = GroupCheckpoint

    @classmethod
    def check_model(cls, state: Mapping[str, np.ndarray], settings: Mapping[str, Any]) -> None:
        """Raise InputError unless it is a whole model, of the run's group where that is known."""
        order = weights_of(state).order
        if "group" in settings:
            _check_order(group(str(settings["group"]), "lexicographic").order, order)

    @cached_property
    def group(self) -> Group:
        """The group, its elements in the run's order."""
        if "group" not in self.settings:
            raise InputError(
                f"{self.run.path} does not say its group; give it, for example "
                f"group={EXAMPLES['group']}"
            )
        elements = str(self.settings.get("elements", "generated"))
        of = group(str(self.settings["group"]), elements)
        if self.has_weights:
            _check_order(of.order, self.last.weights.order)
        return of

    @cached_property
    def is_mlp(self) -> bool:
        """Whether x and y have weights to the neurons of their own."""
        return isinstance(self.last.weights, MLPWeights)

    @cached_property
    def key(self) -> Bool[np.ndarray, " representation"]:
        """The key representations: those whose characters the last logits are like."""
        key: Bool[np.ndarray, " representation"] = self.last.similarities(self.group).cosines > KEY
        return key

    @cached_property
    def is_train(self) -> Bool[np.ndarray, " pairs"] | None:
        """The mask of training pairs, or None if the split is unknown."""
        known = {key.replace("_", "-"): value for key, value in self.settings.items()}
        if "train-fraction" not in known:
            return None
        return GroupPairs.from_settings({"split-seed": 0, **known}).is_train


def _check_order(stated: int, order: int) -> None:
    if stated != order:
        raise InputError(
            f"the model composes {order} elements and the group has {stated}; give the run's group"
        )
