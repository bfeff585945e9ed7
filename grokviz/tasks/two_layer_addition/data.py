"""All pairs (a, b), the answers (a + b) mod p, and the published split.

Source: arXiv:2602.16849 and its code; a share of 1 trains on all pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

from grokviz.errors import InputError
from grokviz.tasks._pairs import ShuffledPairs


@dataclass(frozen=True)
class PairSums(ShuffledPairs):
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
