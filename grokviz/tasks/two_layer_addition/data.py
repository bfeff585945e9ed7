"""All pairs (a, b), the answers (a + b) mod p, and the published split.

Source: arXiv:2602.16849 and its code; a share of 1 trains on all pairs.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Int

from grokviz.errors import InputError
from grokviz.tasks._pairs import SplitPairs


@dataclass(frozen=True)
class PairSums(SplitPairs):
    """All p² pairs in lexicographic order, of which a share ``train_fraction`` is trained on.

    Raises ``InputError`` for an even or too small p, and a share that leaves no pair to train on.
    """

    p: int = 23
    train_fraction: float = 0.75
    split_seed: int = 42

    examples = {"p": "23", "train-fraction": "0.75", "split-seed": "42"}  # noqa: RUF012

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.train_fraction <= 1 or not self.train_pairs_count:
            raise InputError(
                f"train-fraction = {self.train_fraction:g} leaves no pairs to train on; give a "
                "number above 0, up to 1"
            )

    @cached_property
    def numbers(self) -> Int[np.ndarray, "2 pairs"]:
        """The a and the b of every pair a * p + b."""
        return np.stack(np.divmod(np.arange(self.p**2), self.p))

    @cached_property
    def targets(self) -> Int[np.ndarray, " pairs"]:
        """(a + b) mod p of every pair."""
        sums: np.ndarray = self.numbers.sum(axis=0) % self.p
        return sums

    @cached_property
    def permutation(self) -> Int[np.ndarray, " pairs"]:
        """Pair numbers in the order of the split, training pairs first."""
        pairs = list(range(self.p**2))
        random.Random(self.split_seed).shuffle(pairs)
        return np.array(pairs)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> PairSums:
        """The pairs of a run, from its settings (``p``, ``train-fraction``, ``split-seed``).

        Raises ``InputError`` for settings that do not say which pairs were trained on.
        """
        values = cls.stated(settings)
        return cls(int(values["p"]), float(values["train-fraction"]), int(values["split-seed"]))
