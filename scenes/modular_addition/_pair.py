"""One sum as the network computes it: its own logits, and what each key frequency adds to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from grokviz.dataset.numerics import ties
from grokviz.errors import InputError
from grokviz.scene import frequencies
from grokviz.tasks.modular_addition import fields

if TYPE_CHECKING:
    import xarray as xr

    from grokviz.scene.scene import Scene

FINE = 12
"""Points of a wave from one answer to the next."""


def pair_of(scene: Scene, data: xr.Dataset, a: int, b: int) -> tuple[int, int]:
    """The two numbers; those that are not chosen are meant for p = 113, and taken mod p.

    Raises :class:`InputError` for chosen ones that the network does not know.
    """
    p = data.sizes["residue"]
    if max(a, b) >= p and {"a", "b"} & set(scene.changed_options()):
        raise InputError(f"{scene.name}: a={a}, b={b} are not both below p={p}; give 0 to {p - 1}")
    return a % p, b % p


@dataclass(frozen=True)
class Pair:
    """A sum, in the network's own logits at the last checkpoint.

    Attributes:
        p, a, b: the modulus and the numbers.
        keys: the key frequencies, of which those ``shown`` have the highest waves.
        logits: the network's logits of all answers, less their mean.
        coefficients: what is to be multiplied by e^(2 pi i k c / p) for the wave of each of the
            keys over the answers c; its real part is the wave.

    """

    p: int
    a: int
    b: int
    keys: list[int]
    shown: list[int]
    logits: Float[np.ndarray, " residue"]
    coefficients: dict[int, complex]

    @classmethod
    def of(cls, data: xr.Dataset, a: int, b: int, most: int) -> Pair:
        """From a dataset with the tables of the last layer, with ``most`` waves shown."""
        logits = fields.pair_logits(data, a, b)
        if not np.isfinite(logits).all():
            raise InputError(
                "the logits of this run's last checkpoint are no numbers; draw another run, or "
                "cut this one with --epochs while it is analysed"
            )
        p, logits = len(logits), logits - logits.mean()
        keys = frequencies.key_frequencies(data)
        waves = 2 * np.fft.fft(logits) / p
        coefficients = {k: complex(waves[k]) for k in keys}
        sizes = np.array([abs(coefficients[k]) for k in keys])
        shown = sorted(keys[i] for i in ties.ordered(sizes)[:most]) if keys else []
        return cls(p, a, b, keys, shown, logits, coefficients)

    @property
    def answer(self) -> int:
        """a + b mod p."""
        return (self.a + self.b) % self.p

    @property
    def best(self) -> int:
        """The network's answer: the number with the highest logit."""
        return int(self.logits.argmax())

    def wave(self, k: int, c: np.ndarray) -> Float[np.ndarray, " answer"]:
        """What frequency ``k`` adds to the logits of answers, and between them."""
        turn = np.exp(2j * np.pi * k * np.asarray(c) / self.p)
        values: Float[np.ndarray, " answer"] = (self.coefficients[k] * turn).real
        return values

    def total(self, count: float | None = None) -> Float[np.ndarray, " residue"]:
        """The sum of the waves shown, or of the first ``count`` of them: the last one in part."""
        c, left = np.arange(self.p), float(len(self.shown) if count is None else count)
        total = np.zeros(self.p)
        for n, k in enumerate(self.shown):
            total = total + min(max(left - n, 0.0), 1.0) * self.wave(k, c)
        return total

    @property
    def share(self) -> float:
        """Share of the variance of these logits in the waves shown; 0 of logits that are equal."""
        whole = float(np.square(self.logits).sum())
        left = float(np.square(self.logits - self.total()).sum())
        return 1 - left / whole if whole > 0 else 0.0

    @property
    def rival(self) -> int:
        """The wrong answer at which the sum of the waves is highest."""
        total = self.total()
        total[self.answer] = -np.inf
        return int(total.argmax())

    @property
    def off(self) -> float:
        """How far the crest of the waves shown lies from the answer at most, as a share of a wave.

        Half a wave is a trough at the answer; 0 without waves.
        """
        turns = [
            self.coefficients[k] * np.exp(2j * np.pi * k * self.answer / self.p) for k in self.shown
        ]
        return max((abs(float(np.angle(turn))) / (2 * np.pi) for turn in turns), default=0.0)
