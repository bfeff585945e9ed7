"""All pairs (a, b) as two tokens without "=", the answers (a + b) mod p, and a split.

Source: arXiv:2306.17844, section 2; its code splits by a shuffle without a seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int

from grokviz.errors import InputError
from grokviz.tasks._pairs import ShuffledPairs


@dataclass(frozen=True)
class TwoTokenPairs(ShuffledPairs):
    """All p² pairs in lexicographic order, of which a share ``train_fraction`` is trained on.

    Raises ``InputError`` for an even or too small p, and a share that leaves no pair to train on
    or to test on.
    """

    p: int = 59
    train_fraction: float = 0.8
    split_seed: int = 0

    examples = {"p": "59", "train-fraction": "0.8", "split-seed": "0"}  # noqa: RUF012

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.train_fraction < 1 or not 0 < self.train_pairs_count < self.p**2:
            raise InputError(
                f"train-fraction = {self.train_fraction:g} leaves no pairs to train or to test on; "
                "give a number between 0 and 1, such as 0.8"
            )

    @cached_property
    def tokens(self) -> Int[np.ndarray, "pairs 2"]:
        """The input ``[a, b]`` of every pair a * p + b."""
        return np.ascontiguousarray(self.numbers.T)
