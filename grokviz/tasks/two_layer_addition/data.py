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
from jaxtyping import Bool, Int

from grokviz.errors import InputError


@dataclass(frozen=True)
class PairSums:
    """All p² pairs in lexicographic order, of which a share ``train_fraction`` is trained on.

    Raises ``InputError`` for an even or too small p, and a share that leaves no pair to train on.
    """

    p: int = 23
    train_fraction: float = 0.75
    split_seed: int = 42

    def __post_init__(self) -> None:
        if self.p < 3 or self.p % 2 == 0:
            raise InputError(
                f"p = {self.p} cannot be used: the Fourier basis pairs a cosine with a sine for "
                "every frequency, which needs an odd p of at least 3, such as 23"
            )
        if not 0 < self.train_fraction <= 1 or not self.train_pairs_count:
            raise InputError(
                f"train-fraction = {self.train_fraction:g} leaves no pairs to train on; give a "
                "number above 0, up to 1"
            )

    @property
    def train_pairs_count(self) -> int:
        """Number of training pairs, rounded down as in the published code."""
        return int(self.train_fraction * self.p**2)

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
    def order(self) -> Int[np.ndarray, " pairs"]:
        """Pair numbers in the order of the split, training pairs first."""
        pairs = list(range(self.p**2))
        random.Random(self.split_seed).shuffle(pairs)
        return np.array(pairs)

    @cached_property
    def train(self) -> Int[np.ndarray, " train"]:
        """Numbers of the training pairs."""
        return self.order[: self.train_pairs_count]

    @cached_property
    def test(self) -> Int[np.ndarray, " test"]:
        """Numbers of the held-out pairs; none where all are trained on."""
        return self.order[self.train_pairs_count :]

    @cached_property
    def is_train(self) -> Bool[np.ndarray, " pairs"]:
        """Whether each pair is a training pair."""
        mask = np.zeros(self.p**2, dtype=bool)
        mask[self.train] = True
        return mask

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> PairSums:
        """The pairs of a run, from its settings (``p``, ``train-fraction``, ``split-seed``).

        Raises ``InputError`` for settings that do not say which pairs were trained on.
        """
        values = {key.replace("_", "-"): value for key, value in settings.items()}
        missing = [key for key in ("p", "train-fraction", "split-seed") if key not in values]
        if missing:
            raise InputError(f"the run does not say its {', '.join(missing)}")
        return cls(int(values["p"]), float(values["train-fraction"]), int(values["split-seed"]))
