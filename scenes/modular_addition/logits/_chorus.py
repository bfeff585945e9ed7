"""What chorus is drawn of: clocks, waves on one axis, their sum, and the light at the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.modular_addition._dials import Dial, answer_colour
from grokviz.scenes.modular_addition._light import LAYER, beam
from grokviz.scenes.modular_addition._motion import share_of, shot
from grokviz.scenes.modular_addition._pair import FINE, Pair

from grokviz.scene import frequencies, style
from grokviz.scene.bars import columns

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

WORDS = 10.6
"""Room for the words beside the sum, in ems."""

ASIDE = 1.2
"""Room at the right of the numbers, in ems."""

TURN_A, TURN_B = (0.04, 0.15), (0.18, 0.29)
SHRINK, ENTER = (0.32, 0.38), (0.38, 0.84)
STAND_UP, OWN = (0.84, 0.90), (0.92, 1.0)
"""When in the film the hands turn, the clocks make room, the waves enter, the answer lights up and
the dots come."""


@dataclass(frozen=True)
class Room:
    """Where everything stands, in ems.

    Attributes:
        wide, high: of the sheet.
        rows: the middle of each wave; ``pitch`` apart.
        clocks: the centres of the clocks, of this ``radius``.
        names: the right ends of the frequencies' numbers.
        across: the first and the last answer.
        sum: lower and upper edge of the sum.
        words: the left edge and the top of the words about it.

    """

    wide: float
    high: float
    rows: list[float]
    pitch: float
    clocks: list[tuple[float, float]]
    radius: float
    names: float
    across: tuple[float, float]
    sum: tuple[float, float]
    words: tuple[float, float]
    narrow: bool

    @classmethod
    def of(cls, figure: FigureBase, count: int) -> Room:
        """For so many waves."""
        wide, high = style().ems(figure)
        narrow, count = style().narrow(figure), max(count, 1)
        left = 4.2 if style().slide else 0.8
        foot = 2.6 if not narrow else 9.2
        share = 0.28 if not narrow else 0.24
        top = high - (0.9 if style().slide else 0.6)
        edge = foot + max(share * (high - foot), 5.0)
        # in two columns clocks are nearly as high as two rows
        two = count > 2 and not narrow
        share, most = (0.88, 5.0) if two else (0.46, 5.6 if not narrow else 2.6)
        pitch = min((top - edge - 1.2) / (count + 2 * share - 1), most)
        radius = share * pitch
        rows = [top - radius - n * pitch for n in range(count)]
        edge = max(edge, rows[-1] - radius - 2.4)
        aside = 2.1 * radius if two else 0.0
        clocks = [(left + radius + (aside if n % 2 else 0.0), y) for n, y in enumerate(rows)]
        names = left + 2 * radius + aside + (2.6 if not narrow else 2.0)
        if not narrow:  # the words about the sum stand at its left
            names = max(names, left + WORDS)
        start, words = names + 0.6, (left, edge - 0.9 if not narrow else 7.2)
        end = wide - (4.6 if not narrow else 1.4)
        return cls(wide, high, rows, pitch, clocks, radius, names, (start, end),
                   (foot, edge - 0.6), words, narrow)  # fmt: skip

    def in_a_row(self, n: int, count: int) -> tuple[float, float, float]:
        """Centre and radius of a large clock among so many, before there are waves."""
        left, right = self.words[0], self.wide - self.words[0]
        pitch = (right - left) / count
        low = self.words[1] + 0.8
        radius = min(0.42 * pitch, 0.36 * (self.high - low))
        return left + (n + 0.5) * pitch, 0.5 * (self.high + low) + 0.8, radius

    def x(self, c: Any, p: int) -> Any:
        """Where an answer stands."""
        start, stop = self.across
        return start + np.asarray(c) / max(p - 1, 1) * (stop - start)


class Column:
    """The light in which the right answer stands, from the first wave to the sum."""

    def __init__(self, sheet: Axes, room: Room, pair: Pair) -> None:
        high = room.rows[0] + 0.5 * room.pitch
        x = float(room.x(pair.answer, pair.p))
        self.moving = beam(sheet, x, (room.sum[0], high), 0.9)

    def update(self, i: int) -> None:
        light = shot(share_of(i), *STAND_UP)
        for patch in self.moving:
            patch.set_alpha(LAYER * light)


class Clocks:
    """A clock for each frequency, and its hands; large and in a row until the waves come."""

    def __init__(self, sheet: Axes, room: Room, pair: Pair, data: xr.Dataset) -> None:
        self.room, self.pair = room, pair
        self.dials = [
            Dial(sheet, data, k, at, room.radius / 1.12)
            for k, at in zip(pair.shown, room.clocks, strict=False)
        ]
        look: dict[str, Any] = {"ha": "right", "va": "center", "fontweight": "bold"}
        self.names = [sheet.text(0, 0, str(d.k), color=d.colour, **look) for d in self.dials]
        self.links: list[Any] = []
        for dial, y in zip(self.dials, room.rows, strict=False):
            ends = [dial.at[0] + 1.16 * dial.radius, room.names - 1.7]
            self.links += sheet.plot(ends, [y, y], color=dial.colour, lw=0.3 * style().line,
                                     zorder=1)  # fmt: skip
        if not pair.shown:
            frequencies.note_none(sheet)

    @property
    def moving(self) -> list[Any]:
        """The clocks, and their names."""
        dials = [artist for dial in self.dials for artist in dial.moving]
        return [*dials, *self.names, *self.links]

    def update(self, i: int) -> None:
        """Put the clocks where they are, and turn their hands."""
        now, pair = share_of(i), self.pair
        first, second = shot(now, *TURN_A), shot(now, *TURN_B)
        small = shot(now, *SHRINK)
        for n, dial in enumerate(self.dials):
            self._place(n, small)
            a, b = dial.angle(pair.a), dial.angle(pair.b)
            dial.show(dial.first, a if second > 0 else first * a)
            dial.show(dial.second, b if i == 0 else None)
            dial.show(dial.sum, a + second * b if second > 0 else None)
        for name in self.names:
            # on their way they would cross
            name.set_visible(small in (0.0, 1.0))
        for link in self.links:
            link.set_alpha(0.6 if small == 1 else 0.0)

    def _place(self, n: int, small: float) -> None:
        """Between its place in the row of large clocks and that beside its wave."""
        room, dial, y = self.room, self.dials[n], self.room.rows[n]
        x, large, radius = room.in_a_row(n, len(self.dials))
        there, here = np.array([x, large]), np.array(room.clocks[n])
        at = there + small * (here - there)
        dial.move((float(at[0]), float(at[1])), radius + small * (room.radius / 1.12 - radius))
        below = np.array([x + 0.8, large - 1.2 * radius - 0.9])
        name = below + small * (np.array([room.names, y]) - below)
        self.names[n].set_position((float(name[0]), float(name[1])))


class Waves:
    """What each frequency adds to the logits of all answers, and dots at the answers."""

    def __init__(self, sheet: Axes, room: Room, pair: Pair, data: xr.Dataset) -> None:
        current_style, colours = style(), style().colours
        self.room, self.pair = room, pair
        self.fine = np.linspace(0, pair.p - 1, FINE * (pair.p - 1) + 1)
        highest = max((abs(pair.coefficients[k]) for k in pair.shown), default=1.0)
        self.unit = 0.43 * room.pitch / max(highest, 1e-30)
        self.lines, self.dots, self.crests = [], [], []
        self.numbers, self.levels = [], []
        for k, y in zip(pair.shown, room.rows, strict=False):
            colour = frequencies.ink(k, data)
            self.levels += sheet.plot(room.across, [y, y], color=colours.grid, zorder=0.8,
                                      lw=0.4 * current_style.line)  # fmt: skip
            self.lines += sheet.plot([], [], color=colour, alpha=0.7,
                                     lw=0.45 * current_style.line, zorder=2)  # fmt: skip
            look: dict[str, Any] = {"color": colour, "mew": 0}
            size = 0.15 * current_style.points
            self.dots += sheet.plot([], [], "o", ms=size, zorder=3, **look)
            self.crests += sheet.plot([], [], "o", ms=3.2 * size, zorder=5, color=colour,
                                      mew=0.4 * current_style.line, mec=colours.ink)  # fmt: skip
            adds = float(pair.wave(k, np.array([pair.answer]))[0])
            number = sheet.text(room.wide - ASIDE, y, _signed(adds), va="center", ha="right",
                                color=colour, visible=not room.narrow)  # fmt: skip
            self.numbers.append(number)
        if not room.narrow and pair.shown:
            y = room.rows[0] + 0.5 * min(room.pitch, 3.4)
            self.levels.append(
                sheet.text(room.wide - ASIDE, y, f"at {pair.answer}", va="bottom", ha="right",
                           color=colours.muted)
            )  # fmt: skip

    @property
    def moving(self) -> list[Any]:
        return [*self.levels, *self.lines, *self.dots, *self.crests, *self.numbers]

    def update(self, i: int) -> None:
        count, pair, room = entered(i, len(self.pair.shown)), self.pair, self.room
        answers = np.arange(pair.p)
        for level in self.levels:
            level.set_visible(share_of(i) >= SHRINK[1])
        for n, (k, y) in enumerate(zip(pair.shown, room.rows, strict=False)):
            part = self.unit * min(max(count - n, 0.0), 1.0)
            shown = part > 0
            self.lines[n].set_data(room.x(self.fine, pair.p), y + part * pair.wave(k, self.fine))
            self.dots[n].set_data(room.x(answers, pair.p), y + part * pair.wave(k, answers))
            at = np.array([pair.answer])
            self.crests[n].set_data(room.x(at, pair.p), y + part * pair.wave(k, at))
            for artist in (self.lines[n], self.dots[n], self.crests[n]):
                artist.set_visible(shown)
            self.numbers[n].set_alpha(1.0 if count >= n + 1 else 0.0)


def entered(i: int, waves: int) -> float:
    """How many waves have entered at moment ``i``: the newest in part, eased."""
    start, stop = ENTER
    passed = min(max((share_of(i) - start) / (stop - start), 0.0), 1.0) * waves
    whole = int(passed)
    # a wave grows in two thirds of its time, and is looked at for the rest
    return whole + shot(passed - whole, 0.0, 0.66) if whole < waves else float(waves)


def _signed(logits: float) -> str:
    return f"{logits:+.1f}".replace("-", "\u2212")


class Sum:
    """Bars of the sum of the waves so far, and at the end dots of the network's own logits."""

    def __init__(self, sheet: Axes, room: Room, pair: Pair) -> None:
        from matplotlib.collections import PolyCollection

        current_style, colours = style(), style().colours
        self.room, self.pair = room, pair
        steps = [pair.total(n) for n in range(len(pair.shown) + 1)]
        both = np.concatenate([*steps, pair.logits])
        low, high = float(both.min()), max(float(both.max()), float(both.min()) + 1e-9)
        self.unit = (room.sum[1] - room.sum[0]) / (high - low)
        self.zero = room.sum[0] - low * self.unit
        self.place = room.x(np.arange(pair.p), pair.p)
        self.width = 0.72 * (room.across[1] - room.across[0]) / max(pair.p - 1, 1)
        self.bars: Any = PolyCollection([], facecolors=self._colours(), lw=0, zorder=1.8)
        sheet.add_collection(self.bars, autolim=False)
        self.frame: list[Any] = sheet.plot(
            room.across, [self.zero] * 2, color=colours.faint, lw=0.4 * current_style.line, zorder=1
        )
        size = 0.17 * current_style.points
        (self.own,) = sheet.plot([], [], "o", color=colours.ink, ms=size, mew=0, zorder=4)
        self._reached(sheet)
        y = self.zero + self.unit * float(pair.total()[pair.answer])
        right = pair.answer < 0.8 * pair.p
        x = float(self.place[pair.answer]) + (0.9 if right else -0.9)
        self.name = sheet.text(
            x, min(y, room.sum[1]), str(pair.answer), ha="left" if right else "right", va="top",
            fontsize=1.5 * current_style.points, fontweight="bold", color=answer_colour(), zorder=6,
        )  # fmt: skip
        self._ticks(sheet)

    def _reached(self, sheet: Axes) -> None:
        """How high the sum is at the answer, and at the next one."""
        pair, total, colours = self.pair, self.pair.total(), style().colours
        peak, second = (float(total[c]) for c in (pair.answer, pair.rival))
        high, low = (self.zero + self.unit * height for height in (peak, second))
        self.reached: list[Any] = sheet.plot(
            self.room.across, [low, low], ls=(0, (2, 3)), color=colours.muted,
            lw=0.35 * style().line, zorder=1.2,
        )  # fmt: skip
        if self.room.narrow or not pair.shown:
            return
        # the two stand apart even where they are equal
        high = max(high, low + 1.3) if high >= low else min(high, low - 1.3)
        look: dict[str, Any] = {"ha": "right", "va": "center"}
        x = self.room.wide - ASIDE
        self.reached += [
            sheet.text(x, high, _signed(peak), color=answer_colour(), fontweight="bold", **look),
            sheet.text(x, low, _signed(second), color=colours.muted, **look),
        ]
        right = pair.answer < 0.5 * pair.p
        self.reached.append(
            sheet.text(self.room.across[int(right)], low + 0.15, "the next best", va="bottom",
                       ha="right" if right else "left", color=colours.muted)
        )  # fmt: skip

    def _colours(self) -> list[str]:
        faces = [style().colours.faint] * self.pair.p
        faces[self.pair.answer] = answer_colour()
        return faces

    def _ticks(self, sheet: Axes) -> None:
        p, colours = self.pair.p, style().colours
        ends = sorted({0, p // 4, p // 2, 3 * p // 4, p - 1})
        near = 0.05 * p if not self.room.narrow else 0.1 * p
        look: dict[str, Any] = {"ha": "center", "va": "top", "fontsize": style().small}
        low = self.room.sum[0] - 0.35
        for c in ends:
            if abs(c - self.pair.answer) > near:
                self.frame.append(
                    sheet.text(self.place[c], low, str(c), color=colours.muted, **look)
                )
        here = sheet.text(self.place[self.pair.answer], low, str(self.pair.answer),
                          color=answer_colour(), fontweight="bold", **look)  # fmt: skip
        self.reached.append(here)

    @property
    def moving(self) -> list[Any]:
        return [*self.frame, self.bars, self.own, self.name, *self.reached]

    def update(self, i: int) -> None:
        now, pair = share_of(i), self.pair
        total = pair.total(entered(i, len(pair.shown)))
        heights = self.zero + self.unit * total
        self.bars.set_verts(columns(self.place, heights, self.width, self.zero))
        seen = round(shot(now, *OWN) * pair.p)
        self.own.set_data(self.place[:seen], self.zero + self.unit * pair.logits[:seen])
        for artist in self.frame:
            artist.set_visible(now >= SHRINK[1])
        for artist in (self.name, *self.reached):
            artist.set_visible(shot(now, *STAND_UP) > 0.5)


class Words:
    """What the bars are, and in the film what happens now."""

    def __init__(self, sheet: Axes, room: Room, pair: Pair) -> None:
        x, y = room.words
        self.pair = pair
        self.head = sheet.text(x, y, "", va="top", fontweight="bold")
        self.below = sheet.text(x, y - 1.7, "", va="top", color=style().colours.muted,
                                linespacing=1.3)  # fmt: skip
        self.narrow = room.narrow

    @property
    def moving(self) -> list[Any]:
        return [self.head, self.below]

    def update(self, i: int) -> None:
        head, below = self._at(i)
        self.head.set_text(head)
        if self.narrow:
            lines = below.split("\n")
            below = "\n".join("; ".join(lines[n : n + 2]) for n in range(0, len(lines), 2))
        self.below.set_text(below)

    def _at(self, i: int) -> tuple[str, str]:
        pair, now = self.pair, share_of(i)
        task, count = f"{pair.a} + {pair.b} = ?", len(pair.shown)
        if now < TURN_B[0]:
            return task, f"all hands turn\nto {pair.a}"
        if now < ENTER[0]:
            return task, f"and all of them\non by {pair.b}"
        if now < STAND_UP[0] and count:
            n = min(int(entered(i, count)) + 1, count)
            return f"{n} of {count} waves", "each is high where\nits hand points"
        task = f"{pair.a} + {pair.b} = {pair.answer}"
        if now < OWN[0]:
            return task, f"mod {pair.p}\nbars: the waves added up"
        return task, (
            f"mod {pair.p}\nbars: the waves added up\ndots: the network itself\n"
            f"not in waves: {1 - pair.share:.1%}"
        )
