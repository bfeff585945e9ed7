"""One neuron turns from noise into a wave.

Drawn alone by ``manim -qm scenes/modular_addition/films/neuron_wave.py NeuronWave``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import manim as mn
import numpy as np
from grokviz.scenes.modular_addition._neurons import own_share, shares_by_frequency
from grokviz.scenes.modular_addition.neuron_wave import WAVE

from grokviz.scene import clock as clocks
from grokviz.scene import panels
from grokviz.scene.clock import spaced
from grokviz.scene.films.toolkit import (
    SMALL,
    Dots,
    FilmScene,
    Heat,
    Line,
    Plot,
    coloured,
    place,
    words,
)
from grokviz.tasks.modular_addition import fields

TOP, LEFT, RIGHT, ROOM = 190, 150, 1225, 570
"""Pixel row of both maps, their left columns, and their size."""
TRAINING, AT_MOST = 26.0, 2.0
"""Seconds for training, and the most for one checkpoint: a film does not stand still."""
LARGEST, SEEN, INSET = 17.0, 1.2, 20.0
"""Pixels: radius of the strongest pair's dot, the smallest radius drawn, and the border."""
STANDS_OUT = 0.1
"""Share of the variance from which on the neuron's frequency has its colour."""


class NeuronWave(FilmScene):
    """A neuron's map over (a, b), its Fourier transform, and the losses between them."""

    film = "neuron-wave"

    def construct(self) -> None:
        """Play the three sections in order."""
        self.p = self.data.sizes["row"] // 2
        self.cell = max(ROOM // self.p, 1)
        self.size = self.cell * self.p
        self.at = self.options.shown(self.data)
        self.k = int(self.data["neuron_frequency"].values[self.at])
        self.moments = self.options.moments(self.data)
        self.epochs = self.data["field_epoch"].values
        self.field = lru_cache(maxsize=8)(self._field)
        self.word, self.named, self.begun = clocks.word(self.data), False, False
        self.section("noise")
        self.show_noise()
        self.section("training")
        self.go_through_training()
        self.section("dots")
        self.name_the_dots()

    # --- the two maps --------------------------------------------------------------

    def _field(self, i: int) -> np.ndarray:
        field: np.ndarray = fields.activations(self.data, i)[self.at]
        return field

    def _map(self, i: int) -> np.ndarray:
        """Colours of the activations; b goes upwards."""
        field = self.field(i)
        return coloured(field.T[::-1], 0, max(float(field.max()), 1e-9), self.colours.sequential)

    def _show_spectrum(self, i: int) -> None:
        """Draw a dot for each pair of frequencies in a and b, with area proportional to power."""
        shares = shares_by_frequency(self.field(i))
        radii = LARGEST * np.sqrt(shares / max(float(shares.max()), 1e-18))
        in_a, in_b = np.nonzero(radii > SEEN)
        x, y = self._column(in_a), TOP + self.size - (self._column(in_b) - RIGHT)
        own = np.isin(in_a, (0, self.k)) & np.isin(in_b, (0, self.k))
        for dots, which in ((self.others, ~own), (self.own, own)):
            dots.move_dots(np.stack([x, y], axis=1)[which], radii[in_a, in_b][which])
        self._name_frequency(shares)

    def _name_frequency(self, shares: np.ndarray) -> None:
        """Give the neuron's frequency its colour and number, once it is ahead of all others."""
        by_frequency = shares[1:, 0] + shares[0, 1:] + np.diag(shares)[1:]
        own = float(by_frequency[self.k - 1])
        ahead = own >= STANDS_OUT and own >= float(by_frequency.max())
        if ahead and not self.named:
            self.named = True
            self.own.set_fill(self.colour(self.k))
            self.number.set_fill(self.colour(self.k), opacity=1)

    def show_noise(self) -> None:
        """Introduce the maps at the first checkpoint."""
        first, muted, ink = int(self.moments[0]), self.colours.muted, self.colours.ink
        self.map = Heat(self._map(first), (LEFT, TOP), self.cell)
        none = np.zeros((0, 2))
        self.others = Dots(none, 1.0, self.colours.rest)
        self.own = Dots(none, 1.0, self.colours.rest)
        below = TOP + self.size + 42
        self.number = words(str(self.k), self.colour(self.k), px=SMALL, bold=True,
                            at=(self._column(self.k), below))  # fmt: skip
        self.number.set_fill(opacity=0)
        self.add(self.number)
        self._show_spectrum(first)
        number = int(self.data["neuron"].values[self.at])
        frames = [self._frame(x) for x in (LEFT, RIGHT)]
        names = [
            words("a", ink, at=(LEFT + self.size / 2, below), px=SMALL),
            words("b", ink, at=(LEFT - 26, TOP + self.size / 2), px=SMALL),
        ]
        self.show_moment(self.epochs[first], self.word)
        when = ", before training" if self.epochs[first] == 0 else ""
        self.say(
            f"Neuron {number} of the MLP{when}: how active it is for each $a$ and $b$.",
            mn.FadeIn(self.map), *map(mn.FadeIn, [frames[0], *names]),
        )  # fmt: skip
        ends = [
            words("waves in a", ink, at=(RIGHT + self.size / 2, below), px=SMALL),
            *(words(str(k), muted, px=SMALL, at=(self._column(k), below))
              for k in (1, (self.p - 1) // 2) if self._apart(k)),
        ]  # fmt: skip
        upright = words("waves in b", ink, px=SMALL).rotate(np.pi / 2)
        upright.move_to(place(RIGHT - 30, TOP + self.size / 2))
        strongest = float(shares_by_frequency(self.field(first)).max())
        self.say(
            "Its Fourier transform: a dot for each pair of waves, as large as it is strong.\n"
            f"The strongest of them is {strongest:.0%} of the neuron.",
            *map(mn.FadeIn, [frames[1], self.others, self.own, *ends, upright]),
        )  # fmt: skip

    def _column(self, k: Any) -> Any:
        """Pixel column of a frequency; 0 is the constant."""
        return RIGHT + INSET + (self.size - 2 * INSET) * k / (self.p // 2)

    def _apart(self, k: int) -> bool:
        """Whether a number overlaps neither the axis's name nor the followed frequency."""
        centre = RIGHT + self.size / 2
        clear = abs(self._column(k) - centre) > 120
        return clear and (k == self.k or abs(self._column(k) - self._column(self.k)) > 60)

    def _frame(self, x: float) -> Line:
        left, top, right, low = x - 1, TOP - 1, x + self.size + 1, TOP + self.size + 1
        corners = [(left, top), (right, top), (right, low), (left, low), (left, top)]
        return Line(np.array(corners, dtype=float), self.colours.grid, 2)

    # --- the losses ---------------------------------------------------------------------

    def draw_losses(self) -> list[Any]:
        """Draw both losses between the maps; ``self.past`` are their parts up to that epoch."""
        losses = {name: curve for name, curve in panels.losses(self.data).items()
                  if curve.x.size}  # fmt: skip
        last = max(float(self.epochs[self.moments[-1]]), 1.0)
        self.past, self.curves, shapes = [], [], []
        values = np.concatenate([np.zeros(0), *(c.y[_shown(c, last)] for c in losses.values())])
        if not values.size:
            return shapes
        low, high = np.log10(values.min()) - 0.3, np.log10(values.max()) + 0.3
        plot = Plot(LEFT + self.size + 50, TOP + 90, RIGHT - 85, TOP + 480, (0, last), (low, high))
        for name, curve in losses.items():
            colour = self.colours.test if name == "test" else self.colours.train
            keep = _shown(curve, last)
            pixels = plot.pixels(np.stack([curve.x[keep], np.log10(curve.y[keep])], axis=1))
            self.curves.append((curve.x[keep], pixels))
            self.past.append(Line(pixels[:2], colour, 6))
            y = plot.y0 - 16 if name == "test" else plot.y1 + 40
            shapes.append(words(f"{name} loss", colour, px=SMALL, bold=True,
                                at=((plot.x0 + plot.x1) / 2, y)))  # fmt: skip
        return [*shapes, *self.past]

    # --- training ---------------------------------------------------------------------

    def go_through_training(self) -> None:
        """Show every stored checkpoint, phase by phase, with its share of variance."""
        values = self.epochs[self.moments]
        ends = clocks.phase_ends(self.data)
        stops = [] if ends is None else [float(e) for e in ends if values[0] < e < values[-1]]
        sentences = self._sentences(stops)
        maps = "Left: one neuron for every $a$ and $b$. Right: its waves."
        sentences[0] = self.first(
            sentences[0], f"{maps} First it memorises." if len(sentences) > 1 else maps
        )
        shares = list(clocks.SHARES) if len(stops) == 3 else [1.0]
        start = values[0]
        curves = map(mn.FadeIn, self.draw_losses())
        for text, share, stop in zip(sentences, shares, [*stops, values[-1]], strict=True):
            inside = self.moments[(values >= start) & (values <= stop)]
            self.say(text, *curves)
            curves = map(mn.FadeIn, ())
            self._through(inside, share * TRAINING)
            start = stop

    def _sentences(self, stops: list[float]) -> list[str]:
        """What is said of each phase, with the neuron's share of one wave at its end."""
        if len(self.moments) == 1:
            return ["There is no other checkpoint."]
        if len(stops) != 3:
            return ["Training goes on."]
        ends = [int(np.searchsorted(self.epochs[self.moments], stop, side="right")) - 1
                for stop in stops]  # fmt: skip
        shares = [own_share(self.field(int(self.moments[i])), self.k) for i in (*ends, -1)]
        before, after = (f"{share:.0%}" for share in shares[1:3])
        third = f"The test loss falls; the wave is {after} of the neuron."
        if shares[2] > shares[1]:
            third = f"The test loss falls, and the wave goes from {before} to {after}."
        return [
            "Training begins, and first it memorises.",
            f"While the test loss stays high, one frequency grows to {before} of the neuron."
            if shares[1] > shares[0]
            else f"One frequency is {before} of the neuron.",
            third,
            "The rest fades." if shares[3] > shares[2] else "It changes little from here on.",
        ]

    def _through(self, moments: np.ndarray, seconds: float) -> None:
        """Show each checkpoint for a time proportional to the distance to the next."""
        if not len(moments) or (len(moments) == 1 and self.begun):
            return
        self.begun = True
        seconds = min(seconds, AT_MOST * len(moments))
        values = self.epochs[moments]
        shown = [-1]

        def show(share: float) -> None:
            epoch = values[0] + share * (values[-1] - values[0])
            i = int(moments[max(int(np.searchsorted(values, epoch + 1e-6, side="right")) - 1, 0)])
            if i != shown[0]:
                shown[0] = i
                self.map.recolour(self._map(i))
                self._show_spectrum(i)
                self.show_moment(self.epochs[i], self.word)
                for line, (x, pixels) in zip(self.past, self.curves, strict=True):
                    stop = int(np.searchsorted(x, self.epochs[i], side="right"))
                    line.move_line(pixels[: max(stop, 2)])

        self.play(
            self.sweep(
                show,
                self.map,
                self.others,
                self.own,
                self.number,
                *self.past,
                run_time=seconds,
                rate=mn.linear,
            )
        )
        show(1.0)

    # --- what is left --------------------------------------------------------------------

    def name_the_dots(self) -> None:
        """Name the remaining dots, and their share of the neuron's variance."""
        last, k = int(self.moments[-1]), self.k
        share = own_share(self.field(last), k)
        dots = spaced((self.p // 2 + 1) ** 2 - 1)
        left = f"Of {dots} dots a few are left." if share >= WAVE else f"There are {dots} dots."
        self.say(f"{left}\nThose of frequency {k} are {share:.1%} of the neuron's variance.")
        if share < WAVE:
            return
        self.hold(0.5)
        a, b, both = self._ring(k, 0), self._ring(0, k), self._ring(k, k)
        self.say("The cosine and sine of $a$ alone, and those of $b$ alone ...",
                 mn.FadeIn(a), mn.FadeIn(b))  # fmt: skip
        self.hold(0.5)
        self.say(
            "... and their products, from which the sum of the angles is made.",
            mn.FadeIn(both),
        )  # fmt: skip
        self.hold(1.0)

    def _ring(self, in_a: int, in_b: int) -> Any:
        """A circle around the dot of a frequency in a and one in b; 0 is the constant."""
        x, y = self._column(in_a), TOP + self.size - (self._column(in_b) - RIGHT)
        angles = np.linspace(0, 2 * np.pi, 65)
        around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        return Line(np.array([x, y]) + 1.7 * LARGEST * around, self.colours.ink, 5)


def _shown(curve: Any, last: float) -> np.ndarray:
    """Which points of a loss can be drawn: up to the film's last epoch, and above 0."""
    shown: np.ndarray = (curve.x <= last) & (curve.y > 0) & np.isfinite(curve.y)
    return shown
