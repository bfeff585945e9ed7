"""The runs and checkpoints of two-layer networks, as their measures see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Complex, Float, Int

from grokviz.dataset.checkpoint import Checkpoint, RunView
from grokviz.errors import InputError
from grokviz.tasks.two_layer_addition.data import PairSums
from grokviz.tasks.two_layer_addition.formulas import answers, lottery
from grokviz.tasks.two_layer_addition.formulas.waves import own_frequency, waves
from grokviz.tasks.two_layer_addition.weights import TwoLayerWeights


@dataclass
class TwoLayerCheckpoint(Checkpoint):
    """The weights of one epoch, and intermediates shared by several measures."""

    _logits: dict[str, Float[np.ndarray, "pairs residue"]] = field(
        default_factory=dict, init=False, repr=False
    )

    @cached_property
    def weights(self) -> TwoLayerWeights:
        """The state as checked weights in float64."""
        return TwoLayerWeights.of(self.state)

    @cached_property
    def waves(self) -> Complex[np.ndarray, "layer neuron frequency"]:
        """Magnitude and phase of each neuron at every frequency, in each layer."""
        return waves(self.weights.layers)

    @cached_property
    def frequency(self) -> Int[np.ndarray, " neuron"]:
        """Each neuron's frequency, by its first layer."""
        return own_frequency(self.waves[:-1])

    def logits(self, activation: str) -> Float[np.ndarray, "pairs residue"]:
        """The logits of all pairs, computed once."""
        if activation not in self._logits:
            self._logits[activation] = answers.all_logits(self.weights, activation)
        return self._logits[activation]


@dataclass
class TwoLayerRun(RunView):
    """Everything that is constant along a run of a two-layer network."""

    checkpoint_type = TwoLayerCheckpoint

    @classmethod
    def check_model(cls, state: Mapping[str, np.ndarray], settings: Mapping[str, Any]) -> None:
        """Raise InputError unless it is a whole model, of the run's p where that is known."""
        p = TwoLayerWeights.of(state).p
        if settings.get("p", p) != p:
            raise InputError(
                f"the model has {p} answers, so p is {p} and not {settings['p']}; give that"
            )

    @cached_property
    def p(self) -> int:
        """The number of residues."""
        return int(self.last.weights.p)

    @cached_property
    def activation(self) -> str:
        """What a neuron computes; ReLU where the run does not say it."""
        return str(self.settings.get("activation", "relu"))

    @cached_property
    def is_train(self) -> Bool[np.ndarray, " pairs"] | None:
        """The mask of training pairs, or None if the split is unknown."""
        return PairSums.trained_on(self, self.p, f"its weights have {self.p} answers")

    @cached_property
    def frequency(self) -> Int[np.ndarray, " neuron"]:
        """Each neuron's frequency at the last checkpoint."""
        final: Int[np.ndarray, " neuron"] = self.last.frequency
        return final

    @cached_property
    def has_start(self) -> bool:
        """Whether the first checkpoint is of the initial weights."""
        return self.has_weights and int(self.first.epoch) == 0

    @cached_property
    def crossing_times(self) -> Float[np.ndarray, "neuron frequency"]:
        """When each wave would be large, if alone, from the initial weights; infinite for never.

        NaN for a run without initial weights.
        """
        if not self.has_start:
            return np.full((self.last.weights.width, self.p // 2), np.nan)
        first = self.first
        return lottery.crossing_times(first.waves, self.p, summed=first.weights.summed)
