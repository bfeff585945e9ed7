"""From noise to circles.

Drawn alone by ``manim -qm scenes/modular_addition/films/waves_to_circles.py WavesToCircles``.
"""

from __future__ import annotations

from typing import Any

import manim as mn
import numpy as np
from grokviz.scenes.any.films._axes import Axes, Growing, finite

from grokviz.media.motion import FADE, MOVE
from grokviz.scene import clock as clocks
from grokviz.scene import panels
from grokviz.scene.films.toolkit import SMALL, Dots, FilmScene, Heat, Line, coloured, words
from grokviz.tasks.modular_addition.formulas.embedding import plane_bases

TOP, LEFT = 176, 330
"""Pixel row and column of the first strip of waves."""
FAINT = 70
"""Opacity, of 255, of the columns that are yet to be filled."""
TRAINING, AT_MOST = 24.0, 2.0
"""Seconds for training, and the most for one checkpoint: a film does not stand still."""


class WavesToCircles(FilmScene):
    """The embedding, from the stored matrix to circles."""

    film = "waves-to-circles"

    def construct(self) -> None:
        """Play the four sections in order."""
        self.p = self.data.sizes["residue"]
        self.frequencies = self.options.frequencies(self.data)
        self.k = self.options.followed(self.data)
        self.planes = {
            k: self.data["embedding_plane"].sel(embedded_frequency=k).values.astype(float)
            for k in self.frequencies
        }
        self.wide = max(1260 // self.p, 1)
        self.high = 660 // (2 * len(self.frequencies) + 2)
        self.leaving: list[Any] = []
        self.show_last_moment()
        self.section("stored")
        self.show_matrix()
        self.section("waves", *self.leaving)
        self.show_waves()
        self.section("wind", *self.leaving)
        self.wind_one()
        self.section("training", *self.leaving)
        self.go_through_training()

    # --- the stored matrix ------------------------------------------------------------

    def show_matrix(self) -> None:
        """Show all weights of the embedding, one column per number."""
        matrix, ink = self.data["embedding_matrix"].values, self.colours.ink
        rows, size = len(matrix), max(690 // len(matrix), 1)
        across = 1300 // self.p
        corner = (960 - across * self.p / 2, 150.0)
        limit = float(np.quantile(np.abs(matrix), 0.995))
        image = Heat(
            coloured(matrix, -limit, limit, self.colours.diverging), corner, (across, size)
        )
        below = corner[1] + size * rows + 42
        names = [
            words("0", ink, px=SMALL, at=(corner[0] + across / 2, below)),
            words("the numbers", ink, px=SMALL, at=(960, below)),
            words(str(self.p - 1), ink, px=SMALL, at=(corner[0] + across * self.p, below)),
            words(f"{rows} weights", ink, px=SMALL).rotate(np.pi / 2),
        ]
        names[3].move_to(image.get_left()).shift(0.28 * mn.LEFT)
        text = f"The embedding as it is stored: {rows} weights for each number."
        cells = coloured(matrix, -limit, limit, self.colours.diverging)

        def fill(share: float) -> None:
            shown = cells.copy()
            shown[:, max(round(share * self.p), 1) :, 3] = FAINT
            image.recolour(shown)

        fill(0.0)
        self.say(text, *map(mn.FadeIn, [image, *names]),
                 self.sweep(fill, image, run_time=self.reading(text), rate=mn.linear))  # fmt: skip
        low = corner[1] + size * rows
        pointer = Line(np.array([[corner[0], corner[1]], [corner[0], low]]), ink, 6)

        def pass_by(share: float) -> None:
            x = corner[0] + share * across * self.p
            pointer.move_line(np.array([[x, corner[1] - 6], [x, low + 6]]))

        self.add(pointer)
        text = "No order is to be seen in it."
        self.say(text, self.sweep(pass_by, pointer, run_time=self.reading(text)))
        self.play(mn.FadeOut(pointer), run_time=FADE)
        self.image, self.limit = image, limit
        self.leaving = names

    # --- along its waves -----------------------------------------------------------------

    def show_waves(self) -> None:
        """Show a pair of strips for each frequency, then sort them by it."""
        self.strips, self.names = {}, []
        for n, k in enumerate(self.frequencies):
            y = self._row(n)
            self.strips[k] = Heat(self._strip(k, 0.0), (LEFT, y), (self.wide, self.high))
            self.names.append(
                words(f"{k}", self.colour(k), px=36, bold=True,
                      at=(LEFT - 40, y + self.high + 13), anchor="right")
            )  # fmt: skip
        self._turn_the_matrix()
        count, share = 2 * len(self.frequencies), self.options.share(self.data)
        head = words("frequency", self.colours.muted, px=SMALL, at=(LEFT - 40, TOP - 14),
                     anchor="right")  # fmt: skip
        text = (
            f"These {count}, two of each frequency, hold {share:.1%} of its variance."
            if len(self.frequencies) > 1 else
            f"These two, a cosine and a sine, hold {share:.1%} of its variance."
        )  # fmt: skip
        pairs = zip(self.strips.values(), self.names, strict=True)
        self.say(
            text, mn.FadeOut(self.image), mn.FadeIn(head),
            mn.LaggedStart(*(mn.FadeIn(mn.Group(*pair)) for pair in pairs), lag_ratio=0.7,
                           run_time=MOVE * self.reading(text)),
        )  # fmt: skip

        def sort(share: float) -> None:
            for k, strip in self.strips.items():
                strip.recolour(self._strip(k, share))

        text = "Now sort the numbers: by how far around each wave they are."
        strips = list(self.strips.values())
        self.say(text, self.sweep(sort, *strips, run_time=self.reading(text)))
        sort(1.0)
        rings = self.options.open_circles(self.data, -1)
        text = (
            "Each pair is one turn of a cosine and of a sine."
            if len(rings) == len(self.frequencies) else
            f"One turn of a cosine and of a sine: {_listed(rings)}."
        )  # fmt: skip
        low = self._row(len(self.frequencies) - 1) + 2 * self.high
        pointer = Line(np.array([[LEFT, TOP - 8], [LEFT, low + 8]]), self.colours.ink, 5)

        def pass_by(share: float) -> None:
            x = LEFT + share * self.wide * self.p
            pointer.move_line(np.array([[x, TOP - 8], [x, low + 8]]))

        self.add(pointer)
        self.say(text, self.sweep(pass_by, pointer, run_time=self.reading(text), rate=mn.linear))
        self.play(mn.FadeOut(pointer), run_time=FADE)
        self.leaving = [head, *(name for k, name in zip(self.frequencies, self.names, strict=True)
                             if k != self.k)]  # fmt: skip
        self.leaving += [strip for k, strip in self.strips.items() if k != self.k]

    def _turn_the_matrix(self) -> None:
        """Fade from the matrix to the same weights along the waves' directions, then all others."""
        matrix = self.data["embedding_matrix"].values.astype(float)
        waves = np.concatenate([self.planes[k][-1].T for k in self.frequencies])[: len(matrix)]
        bases = np.concatenate(list(plane_bases(matrix, self.frequencies)), axis=1)
        others = np.linalg.qr(bases, mode="complete")[0][:, len(waves) :]
        turned = np.concatenate([waves, others.T @ matrix])

        def turn(share: float) -> None:
            shown = matrix + share * (turned - matrix)
            self.image.recolour(coloured(shown, -self.limit, self.limit, self.colours.diverging))

        text = f"Along other directions, {len(waves)} of its {len(matrix)} rows are waves."
        self.say(text, self.sweep(turn, self.image, run_time=self.reading(text)))

    def _row(self, n: int) -> float:
        """Pixel row of a pair of strips."""
        return TOP + n * (2 * self.high + self.high * 2 / len(self.frequencies))

    def _order(self, k: int) -> np.ndarray:
        """The numbers in their order on the circle."""
        return np.argsort(np.arange(self.p) * k % self.p, kind="stable")

    def _strip(self, k: int, share: float) -> np.ndarray:
        """Colours of a frequency's pair, with its columns sorted by ``share``, 0 to 1."""
        pair = self.planes[k][-1].T
        limit = float(np.abs(pair).max())
        rank = np.argsort(self._order(k), kind="stable")
        at = np.rint((1 - share) * np.arange(self.p) + share * rank).astype(int)
        shown = np.zeros((2, self.p))
        shown[:, at] = pair
        return coloured(shown, -limit, limit, self.colours.diverging)

    # --- a pair is a circle ------------------------------------------------------------------

    def wind_one(self) -> None:
        """Turn one pair's columns into points: cosine as x, sine as y."""
        colour, muted, ink = self.colour(self.k), self.colours.muted, self.colours.ink
        strip, name = self.strips[self.k], self.names[self.frequencies.index(self.k)]
        to_top = TOP - self._row(self.frequencies.index(self.k))
        shift = mn.DOWN * to_top / 135
        points = self.planes[self.k][-1][self._order(self.k)]
        radius, centre = 225.0, np.array([960.0, 600.0])
        scale = radius / np.linalg.norm(points, axis=1).mean()
        pixels = centre + scale * points * [1, -1]
        angles = np.linspace(0, 2 * np.pi, 129)
        ring = Line(centre + radius * np.stack([np.cos(angles), np.sin(angles)], 1),
                    self.colours.grid, 3)  # fmt: skip
        cross = [Line(centre + 1.25 * radius * np.array(e), self.colours.grid, 3)
                 for e in ([[-1, 0], [1, 0]], [[0, -1], [0, 1]])]  # fmt: skip
        named = [
            words("cosine", muted, px=SMALL, at=(960 + 1.32 * radius, 610), anchor="left"),
            words("sine", muted, px=SMALL, at=(960, 600 - 1.32 * radius)),
            words("cosine", muted, px=SMALL, at=(LEFT + self.wide * self.p + 20, TOP + 40),
                  anchor="left"),
            words("sine", muted, px=SMALL, at=(LEFT + self.wide * self.p + 20,
                                               TOP + self.high + 40), anchor="left"),
        ]  # fmt: skip
        self.say(
            f"Take the pair of frequency {self.k}: cosine across, sine upwards.",
            strip.animate(run_time=2.0).shift(shift), name.animate(run_time=2.0).shift(shift),
            mn.LaggedStart(*map(mn.FadeIn, [ring, *cross, *named]), run_time=3.0),
        )  # fmt: skip
        dots = Dots(pixels[:1], 8, colour)
        pointer = self._pointer(0)
        trace = Line(pixels[:2], ink, 3)

        def wind(share: float) -> None:
            n = round(share * (self.p - 1))
            dots.move_dots(pixels[: n + 1])
            trace.move_line(np.stack([centre, pixels[n]]))
            pointer.move_line(self._pointer_ends(n))

        wind(0.0)
        self.add(dots, pointer, trace)
        self.say(
            "Column by column, every number finds its place on a circle.",
            self.sweep(wind, dots, pointer, trace, run_time=6, rate=mn.linear),
        )  # fmt: skip
        self.play(mn.FadeOut(pointer), mn.FadeOut(trace), run_time=FADE)
        self.leaving = [strip, name, ring, *cross, *named, dots]

    def _pointer_ends(self, n: int) -> np.ndarray:
        x = LEFT + (n + 0.5) * self.wide
        return np.array([[x, TOP - 8], [x, TOP + 2 * self.high + 8]])

    def _pointer(self, n: int) -> Line:
        return Line(self._pointer_ends(n), self.colours.ink, 4)

    # --- training ---------------------------------------------------------------------------

    def go_through_training(self) -> None:
        """Show all circles, from the first checkpoint on."""
        epochs = self.data["epoch"].values
        shown = np.flatnonzero(epochs <= panels.horizon(self.data))
        columns = min(3, len(self.frequencies))
        rows = -(-len(self.frequencies) // columns)
        limit = max(float(np.quantile(np.linalg.norm(p[shown], axis=-1), 0.995, axis=-1).max())
                    for p in self.planes.values())  # fmt: skip
        radius = 158.0 if rows > 1 else 200.0
        centres = [
            np.array([744 + (i % columns - (columns - 1) / 2) * 430,
                      (348 if rows > 1 else 560) + (i // columns) * 372])
            for i in range(len(self.frequencies))
        ]  # fmt: skip
        scale = radius / limit

        def places(k: int, centre: np.ndarray, i: int) -> np.ndarray:
            pixels: np.ndarray = centre + scale * self.planes[k][i] * [1, -1]
            return pixels

        groups = list(zip(self.frequencies, centres, strict=True))
        dots = [Dots(places(k, c, int(shown[0])), 6.5, self.colour(k)) for k, c in groups]
        names = [words(f"frequency {k}", self.colour(k), px=SMALL, bold=True,
                       at=(float(c[0]), float(c[1]) - radius - 14)) for k, c in groups]  # fmt: skip

        losses, furniture = self._test_loss(float(epochs[shown[-1]]))

        def show(i: int) -> None:
            for curve in losses:
                curve.until(epochs[i])
            for one, (k, c) in zip(dots, groups, strict=True):
                one.move_dots(places(k, c, i))
            self.show_moment(epochs[i], clocks.word(self.data))

        show(int(shown[0]))
        when = "Before training" if epochs[shown[0]] == 0 else "At the first checkpoint"
        rings = self.options.open_circles(self.data, int(shown[0]))
        lie = "the numbers lie anywhere" if not rings else f"these are circles: {_listed(rings)}"
        first = [places(k, c, int(shown[0])) for k, c in groups]

        def spread(share: float) -> None:
            for one, where, (_, c) in zip(dots, first, groups, strict=True):
                one.move_dots(c + share * (where - c))

        text = f"{when}, in the same planes, {lie}."
        self.add(*dots, *(curve.line for curve in losses))
        self.say(text, *map(mn.FadeIn, [*names, *furniture]),
                 self.sweep(spread, *dots, run_time=0.6 * self.reading(text)))  # fmt: skip
        if len(shown) > 1:
            self._through(shown, [*dots, *(curve.line for curve in losses)], show)
        last = [places(k, c, int(shown[-1]))[self._order(k)] for k, c in groups]
        widest = max(np.linalg.norm(where - c, axis=1).max()
                     for where, (_, c) in zip(last, groups, strict=True))  # fmt: skip
        idle = [k for k in self.frequencies if k not in self.keys]
        if self.keys and 0 < len(idle) < len(self.frequencies):
            text = f"The network computes with all of these but {_listed(idle)}."
            rows_of = zip(self.frequencies, dots, names, strict=True)
            moving = []
            for k, cloud, name in rows_of:
                if k in idle:
                    grey = words(f"frequency {k}: not used", self.colours.muted, px=SMALL)
                    grey.move_to(name)
                    moving += [cloud.animate(run_time=self.reading(text)).set_color(
                        self.colours.faint), mn.FadeOut(name), mn.FadeIn(grey)]  # fmt: skip
            self.say(text, *moving)
        traces = [Line(where[:2], self.colours.faint if k in idle else self.colour(k), 3)
                  for k, where in zip(self.frequencies, last, strict=True)]  # fmt: skip

        def look_closer(share: float) -> None:
            closer, traced = min(2 * share, 1.0), max(2 * share - 1, 0.0)
            scale = 1 + closer * (0.95 * radius / widest - 1)
            for one, line, where, (_, c) in zip(dots, traces, last, groups, strict=True):
                pixels = c + scale * (where - c)
                one.move_dots(pixels, 6.5 - 1.5 * closer)
                stop = round(traced * len(pixels)) + 1
                line.move_line(np.concatenate([pixels, pixels[:1]])[:stop])

        self.add(*traces)
        rings = len(self.options.open_circles(self.data, int(shown[-1])))
        count = _circles(rings, len(self.frequencies))
        text = f"Each number joined to the next along its wave: {count}."
        self.say(text, self.sweep(look_closer, *dots, *traces, run_time=MOVE * self.reading(text)))

    def _test_loss(self, end: float) -> tuple[list[Growing], list[Any]]:
        """The test loss beside the circles, and its axes; nothing where none was recorded."""
        x, y = finite(self.data["tested_epoch"].values, self.data["logged_test_loss"].values)
        keep = (x <= end) & (y > 0)
        if keep.sum() < 2 or end <= 0:
            return [], []
        x, y = x[keep], y[keep]
        low, high = float(y.min()) / 3, 3 * float(y.max())
        axes = Axes(self, (1520, 240, 1792, 560), (0, end), (low, high), log="y")
        up = {v: f"{v:g}" for v in (1000.0, 1.0, 0.001) if low < v < high}
        furniture = axes.furniture({}, up)
        muted = {"colour": self.colours.muted, "px": SMALL}
        furniture += [
            words("0", at=(1520, 602), anchor="left", **muted),
            words(clocks.spaced(end), at=(1792, 602), anchor="right", **muted),
            words(clocks.word(self.data), at=(1656, 644), **muted),
        ]
        furniture.append(words("test loss", self.colours.test, px=SMALL, bold=True,
                               at=(1792, 214), anchor="right"))  # fmt: skip
        return [Growing(axes, x, y, self.colours.test, 6)], furniture

    def _sentences(self, shown: np.ndarray, stops: list[float]) -> list[str]:
        """What is said of each phase: which circles are open at its end."""
        if len(stops) != 3:
            return ["Training goes on."]
        epochs, count = self.data["epoch"].values, len(self.frequencies)
        ends = [int(np.searchsorted(epochs, stop, side="right")) - 1 for stop in stops]
        rings = [self.options.open_circles(self.data, i) for i in (*ends, int(shown[-1]))]
        first = "and no circle opens" if not rings[0] else f"and circles open: {_listed(rings[0])}"
        second = "The test loss is still high, and the clouds are still clouds."
        if rings[1]:
            into = "opens into a ring" if len(rings[1]) == 1 else "open into rings"
            second = f"The test loss is still high while {_listed(rings[1])} {into}."
        third = (
            "all of them become" if len(rings[2]) == count else f"{len(rings[2])} of {count} are"
        )
        last = (
            "From here on they stay."
            if rings[3] == rings[2]
            else (f"At last {len(rings[3])} of {count} are round.")
        )
        return [
            f"First the network memorises, {first}.",
            second,
            f"As it falls, {third} round.",
            last,
        ]

    def _through(self, shown: np.ndarray, dots: list[Any], show: Any) -> None:
        """Show every checkpoint, phase by phase."""
        values = self.data["epoch"].values[shown]
        ends = clocks.phase_ends(self.data)
        stops = [] if ends is None else [float(e) for e in ends if values[0] < e < values[-1]]
        sentences = self._sentences(shown, stops)
        shares = list(clocks.SHARES) if len(stops) == 3 else [1.0]
        start = values[0]
        for text, share, stop in zip(sentences, shares, [*stops, values[-1]], strict=True):
            inside = shown[(values >= start) & (values <= stop)]
            times = self.data["epoch"].values[inside]
            self.say(text)

            def move(share: float, inside: Any = inside, times: Any = times) -> None:
                epoch = times[0] + share * (times[-1] - times[0]) + 1e-6
                show(int(inside[max(int(np.searchsorted(times, epoch, side="right")) - 1, 0)]))

            seconds = min(share * TRAINING, AT_MOST * len(inside))
            if seconds:
                self.play(self.sweep(move, *dots, run_time=seconds, rate=mn.linear))
            start = stop


def _circles(rings: int, clouds: int) -> str:
    """How many of the clouds are circles, in words."""
    if rings < clouds:
        return f"{rings} of {clouds} are circles"
    many = {1: "a circle", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
    return many[clouds] + " circles" * (clouds > 1)


def _listed(frequencies: list[int]) -> str:
    """Frequencies in words: frequency 52; frequencies 14 and 52; none."""
    names = [str(k) for k in frequencies]
    if len(names) < 2:
        return f"frequency {names[0]}" if names else "none"
    return f"frequencies {', '.join(names[:-1])} and {names[-1]}"
