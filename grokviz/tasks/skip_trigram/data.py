"""Skip trigrams: one key token among noise at a random position.

Source: the non-modular notebook of the grokking work; thread, claim on phase changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from grokviz.errors import InputError
from grokviz.training.batch import Batch

BEGIN, FINAL = 0, 1


@dataclass(frozen=True)
class SkipTrigram:
    """Token 0, then ``length`` tokens, then token 1, at which the answer is scored.

    The tokens between are noise (2 ... noise + 1), except for one key token (noise + 2 + m) at a
    uniformly random position; the answer is m.
    """

    noise: int = 10
    length: int = 40

    def __post_init__(self) -> None:
        if self.noise < 2 or self.length < 1:
            raise InputError(
                f"noise = {self.noise} and length = {self.length} leave nothing to find; "
                "give at least 2 noise tokens and a length of 1"
            )

    @property
    def vocabulary(self) -> int:
        """Number of tokens: beginning, end, noise tokens and as many key tokens."""
        return 2 + 2 * self.noise

    @property
    def context(self) -> int:
        """Number of positions, beginning and end included."""
        return self.length + 2

    @property
    def read(self) -> int:
        """Number of tokens given to the model, which is all."""
        return self.context

    @property
    def outputs(self) -> int:
        """Number of classes: one for each key token."""
        return self.noise

    @property
    def scored(self) -> int:
        """Number of scored positions: the last one."""
        return 1

    def sample(self, count: int, rng: np.random.Generator) -> Batch:
        """Sample ``count`` fresh sequences."""
        tokens = np.empty((count, self.context), dtype=np.int64)
        tokens[:, 0], tokens[:, -1] = BEGIN, FINAL
        tokens[:, 1:-1] = rng.integers(2, 2 + self.noise, (count, self.length))
        answers = rng.integers(0, self.noise, count)
        places = rng.integers(1, 1 + self.length, count)
        tokens[np.arange(count), places] = 2 + self.noise + answers
        last = np.full((count, 1), self.context - 1)
        return Batch(tokens, last, answers[:, None])

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> SkipTrigram:
        """The task of a run; missing settings have their published values."""
        names = ("noise", "length")
        return cls(**{name: int(settings[name]) for name in names if name in settings})
