"""Addition of two numbers written in decimal digits, the most significant first.

Source: arXiv:2301.05217, appendix on other tasks (figures 21 to 23); thread, tweet 13.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from grokviz.errors import InputError
from grokviz.training.batch import Batch

PLUS, EQUALS = 10, 11


@dataclass(frozen=True)
class DigitAddition:
    """``x + y = z`` with ``digits`` digits in x and y and one more in z.

    The answer's digits are scored, each predicted from the token before it; the first of them is
    the carry out of the most significant place.
    """

    digits: int = 5

    def __post_init__(self) -> None:
        if self.digits < 1:
            raise InputError(f"digits = {self.digits} leaves nothing to add; give at least 1")

    @property
    def vocabulary(self) -> int:
        """Number of tokens: ten digits, "+" and "="."""
        return 12

    @property
    def context(self) -> int:
        """Number of positions: both numbers, two signs, the answer."""
        return 3 * self.digits + 3

    @property
    def read(self) -> int:
        """Number of tokens given to the model, without the last digit, which is only predicted."""
        return self.context - 1

    @property
    def outputs(self) -> int:
        """Number of classes: the ten digits."""
        return 10

    @property
    def scored(self) -> int:
        """Number of digits of the answer."""
        return self.digits + 1

    def sample(self, count: int, rng: np.random.Generator) -> Batch:
        """Sample ``count`` sums of numbers with uniform digits."""
        return self.of(
            rng.integers(0, 10, (count, self.digits)), rng.integers(0, 10, (count, self.digits))
        )

    def of(self, x: Int[np.ndarray, "n digits"], y: Int[np.ndarray, "n digits"]) -> Batch:
        """The sums of numbers given by their digits."""
        count = len(x)
        z, carry = np.zeros((count, self.scored), dtype=np.int64), np.zeros(count, dtype=np.int64)
        for place in range(self.digits - 1, -1, -1):
            carry, z[:, place + 1] = np.divmod(x[:, place] + y[:, place] + carry, 10)
        z[:, 0] = carry
        plus, equals = np.full((count, 1), PLUS), np.full((count, 1), EQUALS)
        tokens = np.concatenate([x, plus, y, equals, z], axis=1)
        first = 2 * self.digits + 1
        positions = np.broadcast_to(np.arange(first, first + self.scored), z.shape)
        return Batch(tokens, positions.copy(), z)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> DigitAddition:
        """The task of a run, by default with five digits."""
        return cls(int(settings.get("digits", 5)))
