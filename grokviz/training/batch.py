"""What a network reads and is asked: tokens, the positions scored, and the right answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int


@dataclass(frozen=True, eq=False)
class Batch:
    """A number of sequences of one length, each scored at the same number of positions.

    ``targets[i, j]`` is the class that should be predicted at ``positions[i, j]`` of ``tokens[i]``.
    """

    tokens: Int[np.ndarray, "batch pos"]
    positions: Int[np.ndarray, "batch scored"]
    targets: Int[np.ndarray, "batch scored"]

    def __len__(self) -> int:
        return len(self.tokens)


@runtime_checkable
class SampledData(Protocol):
    """What sequences are drawn from.

    Attributes:
        read: tokens given to the model, of each sequence's first ones.
        scored: number of scored positions in each sequence.

    """

    @property
    def read(self) -> int:
        """Tokens given to the model."""

    @property
    def scored(self) -> int:
        """Scored positions."""

    def sample(self, count: int, rng: np.random.Generator) -> Batch:
        """``count`` fresh sequences."""
