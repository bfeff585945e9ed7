"""Random tokens with a repeated subsequence, which an induction head can predict.

Source: arXiv:2301.05217, appendix on other tasks (figures 24 and 25); thread, tweets 2 and 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from grokviz.errors import InputError
from grokviz.training.batch import Batch

BEGIN = 0


@dataclass(frozen=True)
class RepeatedSubsequence:
    """Token 0, then random tokens, with ``repeats`` copies of one random subsequence.

    The positions after the first token are divided equally among the copies, and each copy starts
    at a random place in its share. All positions of the copies but the first are scored, except
    the last of each copy: there the next token follows from an earlier copy. Other tokens are
    sampled from 1 ... vocabulary - 1, so that token 0 is only at the beginning.

    Raises ``InputError`` if the copies do not fit.
    """

    vocabulary: int = 128
    length: int = 85
    subsequence: int = 16
    repeats: int = 3

    def __post_init__(self) -> None:
        if self.vocabulary < 2 or self.repeats < 2 or self.subsequence < 2:
            raise InputError(
                "a repeated subsequence needs at least 2 tokens, 2 repeats and a subsequence of 2; "
                "give vocabulary=128, repeats=3, subsequence=16"
            )
        if self.subsequence > self.share:
            least = 1 + self.repeats * self.subsequence
            raise InputError(
                f"{self.repeats} repeats of {self.subsequence} tokens have no room in a sequence "
                f"of {self.length}; give a length of at least {least}, or fewer repeats"
            )

    @property
    def share(self) -> int:
        """Number of positions available to each copy."""
        return (self.length - 1) // self.repeats

    @property
    def context(self) -> int:
        """Number of positions."""
        return self.length

    @property
    def read(self) -> int:
        """Number of tokens given to the model, without the last, which is not scored."""
        return self.length - 1

    @property
    def outputs(self) -> int:
        """Number of classes: every token."""
        return self.vocabulary

    @property
    def scored(self) -> int:
        """Number of scored positions in each sequence."""
        return (self.repeats - 1) * (self.subsequence - 1)

    def sample(self, count: int, rng: np.random.Generator) -> Batch:
        """Sample ``count`` fresh sequences."""
        tokens = rng.integers(1, self.vocabulary, (count, self.length))
        tokens[:, 0] = BEGIN
        repeated = rng.integers(1, self.vocabulary, (count, self.subsequence))
        starts = self.starts(count, rng)
        rows = np.arange(count)[:, None]
        steps = np.arange(self.subsequence)
        for start in starts.T:
            tokens[rows, start[:, None] + steps] = repeated
        positions = (starts[:, 1:, None] + steps[:-1]).reshape(count, self.scored)
        return Batch(tokens, positions, tokens[rows, positions + 1])

    def starts(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Sample the first position of each copy, shape (count, repeats)."""
        first = 1 + self.share * np.arange(self.repeats)
        return first + rng.integers(0, self.share - self.subsequence + 1, (count, self.repeats))

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> RepeatedSubsequence:
        """The task of a run; missing settings have their published values."""
        names = ("vocabulary", "length", "subsequence", "repeats")
        return cls(**{name: int(settings[name]) for name in names if name in settings})
