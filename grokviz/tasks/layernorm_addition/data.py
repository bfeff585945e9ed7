"""All pairs as the tokens a, b and "=", the answers (a + b) mod p, and the split."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int

from grokviz.errors import InputError
from grokviz.tasks._pairs import ShuffledPairs


@dataclass(frozen=True)
class PairTokens(ShuffledPairs):
    """All p² pairs in lexicographic order, of which a share is trained on.

    Raises ``InputError`` for an even or too small p, and a share that leaves no pair on a side.
    """

    p: int = 97
    train_fraction: float = 0.4
    split_seed: int = 0

    examples = {"p": "97", "train-fraction": "0.4", "split-seed": "0"}  # noqa: RUF012

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.train_pairs_count < self.p**2:
            raise InputError(
                f"train-fraction = {self.train_fraction:g} leaves no pairs to train or to test on; "
                "give a number between 0 and 1, such as 0.4"
            )

    @cached_property
    def tokens(self) -> Int[np.ndarray, "pairs 3"]:
        """The input of every pair; the token of "=" is p."""
        a, b = self.numbers
        return np.stack([a, b, np.full_like(a, self.p)], axis=1)
