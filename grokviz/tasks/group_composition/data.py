"""All pairs (x, y) of elements, the answers xy, and the published split.

Source: arXiv:2302.03025 and its code, which shuffles the pairs by torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from grokviz.errors import InputError
from grokviz.tasks.group_composition.formulas.groups import Group, group

EXAMPLES = {"group": "S5", "train-fraction": "0.4", "split-seed": "1"}
"""Values of the settings that say the split, as a message names them."""


@dataclass(frozen=True)
class GroupPairs:
    """All pairs in lexicographic order, number ``x * order + y``, of which a share is trained on.

    Raises ``InputError`` for a name that is no group's, and a share that leaves no pair to train
    or to test on.
    """

    name: str = "S5"
    elements: str = "generated"
    train_fraction: float = 0.4
    split_seed: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.train_count < self.group.order**2:
            raise InputError(
                f"train-fraction = {self.train_fraction:g} leaves no pairs to train or to test on; "
                "give a number between 0 and 1, such as 0.4"
            )
        if not 0 <= self.split_seed < 2**32:
            raise InputError(f"split-seed = {self.split_seed} is no seed; give 0 to 2^32 - 1")

    @property
    def group(self) -> Group:
        """The group."""
        return group(self.name, self.elements)

    @property
    def train_count(self) -> int:
        """Number of training pairs, rounded down as in the published code."""
        return int(self.train_fraction * self.group.order**2)

    @property
    def targets(self) -> Int[np.ndarray, " pairs"]:
        """xy of every pair."""
        return self.group.table.ravel()

    @cached_property
    def permutation(self) -> Int[np.ndarray, " pairs"]:
        """Pair numbers in the order of the split, training pairs first.

        It is that of ``torch.manual_seed`` and ``torch.randperm``, by numpy's Mersenne Twister.
        """
        count = self.group.order**2
        draws = np.random.RandomState(self.split_seed).randint(0, 2**32, count - 1, np.uint32)
        order = np.arange(count)
        for i, draw in enumerate(draws.tolist()):
            j = i + draw % (count - i)
            order[i], order[j] = order[j], order[i]
        return order

    @property
    def train(self) -> Int[np.ndarray, " train"]:
        """Numbers of the training pairs, in the order of the split."""
        return self.permutation[: self.train_count]

    @property
    def test(self) -> Int[np.ndarray, " test"]:
        """Numbers of the test pairs, in the order of the split."""
        return self.permutation[self.train_count :]

    @cached_property
    def is_train(self) -> Bool[np.ndarray, " pairs"]:
        """Whether each pair is a training pair."""
        mask = np.zeros(self.group.order**2, dtype=bool)
        mask[self.train] = True
        return mask

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> GroupPairs:
        """The pairs of a run, from its settings (``group``, ``train-fraction``, ``split-seed``).

        Raises ``InputError`` for settings that do not say which pairs were trained on.
        """
        values = {key.replace("_", "-"): value for key, value in settings.items()}
        missing = [key for key in EXAMPLES if key not in values]
        if missing:
            raise InputError(
                f"the run does not say its {', '.join(missing)}; "
                f"give it, for example {missing[0]}={EXAMPLES[missing[0]]}"
            )
        return cls(
            str(values["group"]),
            str(values.get("elements", "generated")),
            float(values["train-fraction"]),
            int(values["split-seed"]),
        )
