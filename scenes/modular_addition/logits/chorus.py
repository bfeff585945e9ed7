"""All clocks of the network turn to one sum, and their waves agree at one answer alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims
from grokviz.scenes.modular_addition._motion import MOMENTS
from grokviz.scenes.modular_addition._pair import Pair, pair_of
from grokviz.scenes.modular_addition.logits._chorus import (
    Clocks,
    Column,
    Room,
    Sum,
    Waves,
    Words,
)

from grokviz.scene import Claim, Drawing, Scene, frequencies, option
from grokviz.scene.spoken import percent
from grokviz.tasks.modular_addition.fields import LAST_LAYER

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import FigureBase

MOST = 12
"""Waves shown one by one: as many as there are lines of text in their place."""

MADE_OF = 0.75
"""The logits are waves where these are at least so much of their variance."""

NEAR = 0.1
"""Crests this near the answer, in wavelengths, meet there."""


@dataclass(frozen=True)
class Chorus(Scene):
    """Clocks of all key frequencies, their waves over the answers, and the sum of these."""

    name = "chorus"
    title = "All waves agree at one number, the right answer"
    watch = "one wave after another is added; only one answer keeps growing"
    source = "thread, tweet 7; arXiv:2301.05217, section 3"
    needs = (
        *LAST_LAYER, "embedding_plane", "embedding_frequency_norm", "key_neurons",
        "logged_train_loss", "logged_test_loss",
    )  # fmt: skip
    clock = None
    checkpoint = "epoch"
    film_moments = MOMENTS
    aspect = 1.7
    narrow_aspect = 0.72

    a: int = option(27, "the first number")
    b: int = option(95, "the second number")
    most: int = option(MOST, "how many key frequencies to show, the highest waves first")

    def __post_init__(self) -> None:
        if self.a < 0 or self.b < 0:
            raise ValueError(f"a={self.a} and b={self.b} must not be negative")
        if not 1 <= self.most <= MOST:
            raise ValueError(f"most={self.most} is not possible; give 1 to {MOST}")

    def claim(self, data: xr.Dataset) -> Claim:
        """Whether the waves meet at the answer, and how far the next answer stays behind."""
        pair = self._pair(data)
        total, count = pair.total(), len(pair.shown)
        peak, second = float(total[pair.answer]), float(total[pair.rival])
        numbers = {"share": pair.share, "peak": peak, "second": second, "off": pair.off}
        right = pair.best == pair.answer and peak >= frequencies.LEAD * second > -np.inf
        if count > 1 and right and pair.share >= MADE_OF and pair.off <= NEAR:
            shown = _claims.some(count, len(pair.keys), "wave").capitalize()
            sentence = f"{shown} agree at one number: {pair.answer}"
            watch = (
                f"{pair.a} + {pair.b} mod {pair.p}: {peak:.0f} logits, at most {second:.0f} at "
                f"any other; the waves are {percent(pair.share)} of the variance"
            )
            return Claim(sentence, watch, numbers=numbers)
        some = _claims.waves(count) if count else "No wave"
        sentence = (
            f"{pair.a} + {pair.b} = {pair.answer} mod {pair.p}, the network says {pair.best}; "
            f"{some}: {percent(pair.share)} of the logits' variance"
        )
        return Claim.instead(sentence, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Clocks at the left, waves on one axis at the right, their sum below them."""
        pair = self._pair(data)
        room = Room.of(figure, len(pair.shown))
        sheet = figure.add_axes((0, 0, 1, 1))
        sheet.set(xlim=(0, room.wide), ylim=(0, room.high))
        sheet.axis("off")
        column = Column(sheet, room, pair)
        clocks = Clocks(sheet, room, pair, data)
        parts = [column, clocks, Waves(sheet, room, pair, data), Sum(sheet, room, pair)]
        return Drawing.of(*parts, Words(sheet, room, pair))

    def description(self, data: xr.Dataset, i: int) -> str:
        """The sum, what each wave adds at the answer, and what the sum leaves out."""
        pair = self._pair(data)
        total = pair.total()
        waves = ", ".join(
            f"{k}: {pair.wave(k, np.array([pair.answer]))[0]:.2g}" for k in pair.shown
        )
        if not pair.shown:
            waves = "none"
        return (
            f"{pair.a} + {pair.b} mod {pair.p} on the clocks of {len(pair.shown)} key frequencies, "
            f"whose hands point at {pair.answer}. What each adds to the logit of {pair.answer}: "
            f"{waves}. Their sum there is {total[pair.answer]:.3g} logits above the mean of all "
            f"answers, and at most {total[pair.rival]:.3g} elsewhere, at {pair.rival}. The "
            f"network's own highest logit is at {pair.best}; the waves shown are {pair.share:.1%} "
            "of the variance of its logits over the answers, and the rest is left out."
        )

    def definition(self, data: xr.Dataset) -> str:
        """What is drawn, what is left out, and the citation."""
        pair = self._pair(data)
        keys = len(pair.keys)
        some = "" if keys == len(pair.shown) else f", the {len(pair.shown)} highest of {keys},"
        return (
            f"Clocks: the embedding of the numbers in the plane of each key frequency{some} at the "
            f"last checkpoint, with hands at the angles of a, of b and of their sum. Waves: what "
            f"this frequency is of the network's own logits for {pair.a} + {pair.b} over all "
            f"{pair.p} answers c. Bars: the sum of these waves; dots: the logits themselves, less "
            f"their mean. Other frequencies are left out: {1 - pair.share:.1%} of the variance. "
            f"{after('section 3')}"
        )

    def _pair(self, data: xr.Dataset) -> Pair:
        return Pair.of(data, *pair_of(self, data, self.a, self.b), self.most)
