"""One neuron turns from noise into waves of one frequency.

Drawn alone by ``manim -qm scenes/modular_addition/films/neuron_wave.py NeuronWave``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import manim as mn
import numpy as np
from grokviz.scenes.modular_addition._neurons import own_share, shares_by_frequency
from grokviz.scenes.modular_addition.neuron_wave import WAVE

from grokviz.media.motion import FADE, MOVE
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
from grokviz.scene.spoken import percent
from grokviz.tasks.modular_addition import fields

TOP, LEFT, ROOM = 150, 140, 680
"""Pixel row and column of the map's corner, and its size."""
SPECTRUM, LOSSES = (960.0, 150.0, 1420.0, 610.0), (960.0, 705.0, 1792.0, 828.0)
"""Pixels of the transform and of the losses below it: left, top, right, bottom."""
KEY = 1456
"""Pixel column of what is said of the transform, at its right."""
TRAINING, AT_MOST = 26.0, 2.0
"""Seconds for training, and the most for one checkpoint: a film does not stand still."""
LARGEST, SEEN, INSET = 34.0, 1.2, 46.0
"""Pixels: radius of the strongest pair's dot, the smallest radius drawn, and the border."""
FAINT = 70
"""Opacity, of 255, of the columns that are yet to be filled."""
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
        self.whole = max(float(shares_by_frequency(self.field(int(self.moments[-1]))).max()), 1e-18)
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
        """Colours of the activations at a moment."""
        return self._coloured(self.field(i), float(self.field(i).max()))

    def _coloured(self, field: np.ndarray, most: float) -> np.ndarray:
        """Colours of a map; b goes upwards."""
        return coloured(field.T[::-1], 0, max(most, 1e-9), self.colours.sequential)

    def _show_spectrum(self, i: int, share: float = 1.0) -> None:
        """Draw a dot for each pair of frequencies in a and b, with area proportional to power.

        ``share`` is the share of the frequencies, from the lowest, that are shown.
        """
        shares = shares_by_frequency(self.field(i))
        # one scale for all moments: what has less power is smaller than what will be left
        radii = LARGEST * np.sqrt(shares / self.whole)
        radii[np.maximum(*np.indices(radii.shape)) > share * (self.p // 2)] = 0
        in_a, in_b = np.nonzero(radii > SEEN)
        x, y = self._column(in_a), self._row(in_b)
        own = np.isin(in_a, (0, self.k)) & np.isin(in_b, (0, self.k))
        for dots, which in ((self.others, ~own), (self.own, own)):
            dots.move_dots(np.stack([x, y], axis=1)[which], radii[in_a, in_b][which])
        self._name_frequency(shares)

    def _name_frequency(self, shares: np.ndarray) -> None:
        """Give the neuron's frequency its colour and number, once it is ahead of all others."""
        by_frequency = _by_frequency(shares)
        own = float(by_frequency[self.k - 1])
        ahead = own >= STANDS_OUT and own >= float(by_frequency.max())
        if ahead and not self.named:
            self.named = True
            self.own.set_fill(self.colour(self.k))
            for number in self.numbers:
                number.set_fill(opacity=1)

    def show_noise(self) -> None:
        """Introduce the maps at the first checkpoint."""
        first, muted, ink = int(self.moments[0]), self.colours.muted, self.colours.ink
        colours = self._map(first)
        self.map = Heat(colours.copy(), (LEFT, TOP), self.cell)
        none = np.zeros((0, 2))
        self.others = Dots(none, 1.0, muted)
        self.own = Dots(none, 1.0, muted)
        below, beside = SPECTRUM[3] + 46, SPECTRUM[0] - 16
        own = {"bold": True, "colour": self.colour(self.k)}
        self.numbers = [
            words(str(self.k), at=(self._column(self.k), below), **own),
            words(str(self.k), at=(beside, self._row(self.k) + 13), anchor="right", **own),
        ]
        for number in self.numbers:
            self.add(number.set_fill(opacity=0))
        frames = [_frame(self, (LEFT, TOP, LEFT + self.size, TOP + self.size)),
                  _frame(self, SPECTRUM)]  # fmt: skip
        names = [
            words("$a$", ink, at=(LEFT + self.size / 2, TOP + self.size + 38), px=40),
            words("$b$", ink, at=(LEFT - 34, TOP + self.size / 2), px=40),
            words("colour: activity", muted, px=SMALL, at=(LEFT + self.size, TOP + self.size + 38),
                  anchor="right"),
        ]  # fmt: skip
        self.show_moment(self.epochs[first], self.word)
        number = int(self.data["neuron"].values[self.at])
        when = ", before training" if self.epochs[first] == 0 else ""
        text = f"Neuron {number} of the MLP{when}: how active for each $a$ and $b$."

        def fill(share: float) -> None:
            shown = colours.copy()
            shown[:, max(round(share * self.p), 1) :, 3] = FAINT
            self.map.recolour(shown)

        fill(0.0)
        self.say(
            text, *map(mn.FadeIn, [frames[0], *names, self.map]),
            self.sweep(fill, self.map, run_time=self.reading(text), rate=mn.linear),
        )  # fmt: skip
        ends = [
            words("waves in $a$", ink, at=(KEY, below), px=SMALL, anchor="left"),
            *(words(str(k), muted, px=SMALL, at=(self._column(k), below))
              for k in (0, (self.p - 1) // 2) if self._apart(k)),
            *(words(str(k), muted, px=SMALL, at=(beside, self._row(k) + 11), anchor="right")
              for k in (0, (self.p - 1) // 2) if self._apart(k)),
            *(words(text, muted, px=SMALL, at=(KEY, y), anchor="left")
              for text, y in (("area of a dot:", 182), ("share of variance", 226))),
        ]  # fmt: skip
        upright = words("waves in $b$", ink, px=SMALL).rotate(np.pi / 2)
        upright.move_to(place(SPECTRUM[0] - 88, (SPECTRUM[1] + SPECTRUM[3]) / 2))
        text = "Its Fourier transform: a dot for each pair of waves."
        self._show_spectrum(first, 0.0)
        self.add(self.others, self.own)
        self.say(
            text, *map(mn.FadeIn, [frames[1], *ends, upright]),
            self.sweep(lambda share: self._show_spectrum(first, share), self.others, self.own,
                       run_time=self.reading(text)),
        )  # fmt: skip
        by_frequency = _by_frequency(shares_by_frequency(self.field(first)))
        k = 1 + int(by_frequency.argmax())
        text = (
            f"Its strongest frequency, {k}, is {percent(float(by_frequency.max()))} of the neuron."
        )
        self._circle_it(text, [(k, 0), (0, k), (k, k)], 0.8 * LARGEST)

    def _circle_it(
        self, text: str, pairs: list[tuple[int, int]], radius: float, name: Any = None
    ) -> list[Any]:
        """Draw rings around the dots of some pairs one after another, while a caption is read.

        They go away again unless they are named.
        """
        rings = [self._ring(*pair, radius) for pair in pairs]
        whole = [ring.points.copy() for ring in rings]

        def draw(share: float) -> None:
            for n, (ring, points) in enumerate(zip(rings, whole, strict=True)):
                part = np.clip(share * len(rings) - n, 0, 1)
                ring.points = points[: 4 * round(part * len(points) / 4)]

        draw(0.0)
        named = [] if name is None else [mn.FadeIn(name)]
        self.say(text, *named, self.sweep(draw, *rings, run_time=MOVE * self.reading(text)))
        if name is None:
            self.hold()
            self.play(*map(mn.FadeOut, rings), run_time=FADE)
        return rings

    def _column(self, k: Any) -> Any:
        """Pixel column of a frequency in a; 0 is the constant."""
        left, _, right, _ = SPECTRUM
        return left + INSET + (right - left - 2 * INSET) * k / (self.p // 2)

    def _row(self, k: Any) -> Any:
        """Pixel row of a frequency in b; 0 is the constant."""
        _, top, _, low = SPECTRUM
        return low - INSET - (low - top - 2 * INSET) * k / (self.p // 2)

    def _apart(self, k: int) -> bool:
        """Whether a number at an axis does not overlap the followed frequency."""
        return bool(abs(self._column(k) - self._column(self.k)) > 60)

    # --- the losses ---------------------------------------------------------------------

    def draw_losses(self) -> list[Any]:
        """Draw both losses below the transform; ``self.past`` are their parts up to that epoch."""
        losses = {name: curve for name, curve in panels.losses(self.data).items()
                  if curve.x.size}  # fmt: skip
        last = max(float(self.epochs[self.moments[-1]]), 1.0)
        self.past, self.curves, shapes = [], [], []
        values = np.concatenate([np.zeros(0), *(c.y[_shown(c, last)] for c in losses.values())])
        if not values.size:
            return shapes
        low, high = np.log10(values.min()) - 0.3, np.log10(values.max()) + 0.3
        plot = Plot(*LOSSES, (0, last), (low, high))
        for name, curve in losses.items():
            colour = self.colours.test if name == "test" else self.colours.train
            keep = _shown(curve, last)
            pixels = plot.pixels(np.stack([curve.x[keep], np.log10(curve.y[keep])], axis=1))
            self.curves.append((curve.x[keep], pixels))
            self.past.append(Line(pixels[:2], colour, 7))
            middle = pixels[np.abs(curve.x[keep] - last / 3).argmin(), 1] if keep.any() else 0.0
            # between the two, where they are far apart
            y = float(np.clip(middle + (48 if name == "test" else -20), plot.y0, plot.y1))
            shapes.append(words(f"{name} loss", colour, px=SMALL, bold=True, anchor="left",
                                at=(plot.x0 + 60, y)))  # fmt: skip
        shapes += self._epochs(plot, last)
        return [*shapes, *self.past]

    def _epochs(self, plot: Plot, last: float) -> list[Any]:
        """The first and the last epoch below the losses, and the axis's name."""
        y, muted = plot.y1 + 38, {"colour": self.colours.muted, "px": SMALL}
        return [
            words("0", at=(plot.x0, y), anchor="left", **muted),
            words(self.word, at=((plot.x0 + plot.x1) / 2, y), **muted),
            words(spaced(last), at=(plot.x1, y), anchor="right", **muted),
        ]

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
        """What is said of each phase, with the share of the neuron's frequency at its end."""
        if len(self.moments) == 1:
            return ["There is no other checkpoint."]
        if len(stops) != 3:
            return ["Training goes on."]
        ends = [int(np.searchsorted(self.epochs[self.moments], stop, side="right")) - 1
                for stop in stops]  # fmt: skip
        shares = [own_share(self.field(int(self.moments[i])), self.k) for i in (*ends, -1)]
        early, before, after = (percent(share) for share in shares[:3])
        third = f"As the test loss falls, frequency {self.k} becomes {after} of the neuron."
        return [
            "Training begins, and first it memorises.",
            f"While the test loss stays high, frequency {self.k} grows from {early} to {before}."
            if shares[1] > shares[0]
            else f"Frequency {self.k} is {before} of the neuron.",
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
            # losses are known between checkpoints too
            for line, (x, pixels) in zip(self.past, self.curves, strict=True):
                line.move_line(pixels[: max(int(np.searchsorted(x, epoch, side="right")), 2)])
            if i != shown[0]:
                shown[0] = i
                self.map.recolour(self._map(i))
                self._show_spectrum(i)
                self.show_moment(self.epochs[i], self.word)

        self.play(
            self.sweep(
                show,
                self.map,
                self.others,
                self.own,
                *self.numbers,
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
        pairs = [(k, 0), (0, k), (k, k)]
        text = f"Of {dots} dots, those of frequency {k} are {share:.1%} of the neuron."
        ringed = self._beside("ringed", share, 300, bold=True)
        rings = self._circle_it(text, pairs, 1.15 * LARGEST, ringed)
        if share < WAVE:
            return
        field = self.field(last)
        most, shown = float(field.max()), np.full(field.shape, float(field.mean()))
        parts = [np.zeros(field.shape), *(self._part(field, *pair) for pair in pairs)]
        # the last step is what the waves leave of the neuron
        parts.append(field - shown - sum(parts))
        texts = [
            "Take it apart: without its waves it is flat.",
            "The waves of $a$ alone are stripes ...",
            "... those of $b$ alone cross them ...",
            "... and their products, from which the sum of the angles is made.",
            f"Whole again: {share:.1%} of the neuron is waves of frequency {k}.",
        ]
        each = shares_by_frequency(field)
        kinds = zip(("waves in $a$", "waves in $b$", "products"), pairs, strict=True)
        rows = [self._beside(text, float(each[pair]), 346 + 46 * n)
                for n, (text, pair) in enumerate(kinds)]  # fmt: skip
        before = field
        for n, (text, part) in enumerate(zip(texts, parts, strict=True)):
            after = shown + part
            lit = {1: 0, 2: 1, 3: 2}.get(n)

            def turn(passed: float, one: Any = before, two: Any = after) -> None:
                self.map.recolour(self._coloured(one + passed * (two - one), most))

            new = [] if lit is None else [mn.FadeIn(rows[lit])]
            self.say(text, *new, self.sweep(turn, self.map, run_time=0.75 * self.reading(text)), *(
                ring.animate.set_stroke(opacity=1.0 if i == lit or n == 4 else 0.15)
                for i, ring in enumerate(rings)
            ))  # fmt: skip
            before = shown = after

    def _beside(self, text: str, share: float, y: float, *, bold: bool = False) -> Any:
        """A row beside the transform: what is ringed, and its share of the variance."""
        colour = self.colour(self.k) if bold else self.colours.ink
        return mn.VGroup(
            words(text, colour, px=SMALL, bold=bold, at=(KEY, y), anchor="left"),
            words(f"{share:.1%}", colour, px=SMALL, bold=bold, at=(1792, y), anchor="right"),
        )

    def _part(self, field: np.ndarray, in_a: int, in_b: int) -> np.ndarray:
        """What the waves of a frequency in a times those of one in b give a map; 0 is constant."""
        transform, only = np.fft.fft2(field), np.zeros(field.shape)
        for one in {in_a, -in_a}:
            for two in {in_b, -in_b}:
                only[one, two] = 1
        part: np.ndarray = np.fft.ifft2(transform * only).real
        return part

    def _ring(self, in_a: int, in_b: int, radius: float) -> Any:
        """A circle around the dot of a frequency in a and one in b; 0 is the constant."""
        angles = np.linspace(0, 2 * np.pi, 65)
        around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        centre = np.array([self._column(in_a), self._row(in_b)])
        return Line(centre + radius * around, self.colours.ink, 6)


def _by_frequency(shares: np.ndarray) -> np.ndarray:
    """Share of each frequency from 1 on: in a alone, in b alone and in both."""
    by_frequency: np.ndarray = shares[1:, 0] + shares[0, 1:] + np.diag(shares)[1:]
    return by_frequency


def _frame(scene: FilmScene, box: tuple[float, float, float, float]) -> Line:
    """A faint rectangle around a box: left, top, right, bottom."""
    left, top, right, low = box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1
    corners = [(left, top), (right, top), (right, low), (left, low), (left, top)]
    return Line(np.array(corners, dtype=float), scene.colours.grid, 2)


def _shown(curve: Any, last: float) -> np.ndarray:
    """Which points of a loss can be drawn: up to the film's last epoch, and above 0."""
    shown: np.ndarray = (curve.x <= last) & (curve.y > 0) & np.isfinite(curve.y)
    return shown
