"""Batches of sequences: tokens, scored positions and targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int


@dataclass(frozen=True, eq=False)
class Batch:
    """Sequences of one length, each scored at the same number of positions.

    ``targets[i, j]`` is the correct class at position ``positions[i, j]`` of ``tokens[i]``.
    """

    tokens: Int[np.ndarray, "batch pos"]
    positions: Int[np.ndarray, "batch scored"]
    targets: Int[np.ndarray, "batch scored"]

    def __len__(self) -> int:
        return len(self.tokens)


@runtime_checkable
class SampledData(Protocol):
    """A distribution from which sequences are sampled.

    Attributes:
        read: number of tokens given to the model, from each sequence's first on.
        scored: number of scored positions in each sequence.

    """

    @property
    def read(self) -> int:
        """Number of tokens given to the model."""

    @property
    def scored(self) -> int:
        """Number of scored positions."""

    def sample(self, count: int, rng: np.random.Generator) -> Batch:
        """Sample ``count`` fresh sequences."""
