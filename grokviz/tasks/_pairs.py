"""All pairs (a, b) of residues, and which of them are trained on: what tasks of addition share."""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from jaxtyping import Bool, Int

from grokviz.errors import InputError

if TYPE_CHECKING:
    from grokviz.dataset.checkpoint import RunView


@dataclass(frozen=True)
class SplitPairs:
    """All p² pairs in lexicographic order (number ``a * p + b``), of which a share is trained on.

    Raises ``InputError`` for an even or too small p.
    """

    p: int
    train_fraction: float
    split_seed: int

    examples: ClassVar[Mapping[str, str]]
    """Values of the settings that say the split, as a message names them."""

    def __post_init__(self) -> None:
        if self.p < 3 or self.p % 2 == 0:
            raise InputError(
                f"p = {self.p} cannot be used: the Fourier basis pairs a cosine with a sine for "
                f"every frequency, which needs an odd p of at least 3, such as {self.examples['p']}"
            )

    @property
    def train_pairs_count(self) -> int:
        """Number of training pairs, rounded down as in the published code."""
        return int(self.train_fraction * self.p**2)

    @property
    @abstractmethod
    def permutation(self) -> Int[np.ndarray, " pairs"]:
        """Pair numbers in the order of the split, training pairs first."""

    @cached_property
    def train(self) -> Int[np.ndarray, " train"]:
        """Numbers of the training pairs, in the order of the split."""
        return self.permutation[: self.train_pairs_count]

    @cached_property
    def test(self) -> Int[np.ndarray, " test"]:
        """Numbers of the test pairs, in the order of the split; none where all are trained on."""
        return self.permutation[self.train_pairs_count :]

    @cached_property
    def is_train(self) -> Bool[np.ndarray, " pairs"]:
        """Whether each pair is a training pair."""
        mask = np.zeros(self.p**2, dtype=bool)
        mask[self.train] = True
        return mask

    @classmethod
    def stated(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """A run's settings by their names with dashes.

        Raises ``InputError`` where they do not say which pairs were trained on.
        """
        values = {key.replace("_", "-"): value for key, value in settings.items()}
        missing = [key for key in cls.examples if key not in values]
        if missing:
            raise InputError(
                f"the run does not say its {', '.join(missing)}; "
                f"give it, for example {missing[0]}={cls.examples[missing[0]]}"
            )
        return values

    @classmethod
    @abstractmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """The pairs of a run, from its settings."""

    @classmethod
    def trained_on(cls, run: RunView, p: int, sizes: str) -> Bool[np.ndarray, " pairs"] | None:
        """The mask of training pairs of a run, or None if its settings do not say the split.

        Raises ``InputError`` where they say another p than its weights; ``sizes`` says what has
        this p there, as "its weights have 59 residues".
        """
        known = {"p": p, **{k.replace("_", "-"): v for k, v in run.settings.items()}}
        if "train-fraction" not in known:
            return None
        pairs = cls.from_settings({"split-seed": 0, **known})
        if pairs.p != p:
            raise InputError(
                f"{run.run.path} says p = {pairs.p}, but {sizes}; correct p where the run is "
                "recorded"
            )
        return pairs.is_train


@dataclass(frozen=True)
class ShuffledPairs(SplitPairs):
    """Pairs that are split by Python's own shuffle, and answered by their sums mod p."""

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
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """The pairs of a run, from its settings (``p``, ``train-fraction``, ``split-seed``).

        Raises ``InputError`` for settings that do not say which pairs were trained on.
        """
        values = cls.stated(settings)
        return cls(int(values["p"]), float(values["train-fraction"]), int(values["split-seed"]))
