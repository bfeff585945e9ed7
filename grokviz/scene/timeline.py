"""When a run memorised and when it generalised, in a picture's own time: no chart of its own.

:class:`Timeline` is a thin strip below a picture without a time axis, :class:`Turns` are lines
across a panel that has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from grokviz.media import typefaces
from grokviz.scene.layout import pushed_apart
from grokviz.scene.outcome import outcome
from grokviz.scene.phases import horizon
from grokviz.scene.style import style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

HEIGHT = 2.9
"""How many ems a strip takes at the bottom of a picture."""

LINE, WORDS = 0.72, 0.4
"""Where the strip's line is, as a share of its height, and how far below it the words are, in ems
of their type."""


class Turn(NamedTuple):
    """A turn of a run: at which epoch, what it is called, and its colour."""

    at: int
    name: str
    colour: str


def turns(data: xr.Dataset) -> list[Turn]:
    """When a run memorised and when it generalised, of a run that did, by its logged losses.

    By the rules of :class:`~grokviz.scene.outcome.Outcome`: a train and a test loss below 0.1.
    """
    run, colours = outcome(data), style().colours
    known = [(run.memorised, "memorised", colours.train)]
    if run.learned:
        known.append((run.generalised, "generalised", colours.test))
    return sorted(Turn(at, name, colour) for at, name, colour in known if at is not None)


class Timeline:
    """A thin line of the run along the bottom of a picture, with a light where it has come to.

    Attributes:
        axes: where it is drawn, as wide as the picture between its margins.
        data, clock: the dataset and the clock whose index it is moved by.

    """

    def __init__(
        self,
        figure: FigureBase,
        data: xr.Dataset,
        clock: str = "epoch",
        *,
        end: float | None = None,
        left: float = 4.2,
        right: float = 2.0,
    ) -> None:
        """Draw it in the lowest :data:`HEIGHT` ems, from the clock's first moment to ``end``.

        ``end`` is the horizon if None; ``left`` and ``right`` are margins in ems.
        """
        current_style, colours = style(), style().colours
        high = current_style.ems(figure)[1]
        self.axes: Axes = current_style.panels(
            figure, top=high - HEIGHT, bottom=0.0, left=left, right=right
        )[0][0]
        self.axes.axis("off")
        self.axes.set_ylim(0, 1)
        self.data, self.clock = data, clock
        self.moments = data[clock].values.astype(float)
        self.end = horizon(data, clock) if end is None else end
        width = current_style.line
        look: dict[str, Any] = {"solid_capstyle": "round", "clip_on": False}
        (self.track,) = self.axes.plot([], [], color=colours.rest, lw=0.5 * width, **look)
        (self.past,) = self.axes.plot([], [], color=colours.muted, lw=0.8 * width, **look)
        size = current_style.points
        self.marks: list[tuple[Turn, Any, Any]] = []
        for turn in turns(data):
            (dot,) = self.axes.plot(
                [turn.at], [LINE], "o", color=turn.colour, ms=0.42 * size, mew=0, zorder=4,
                clip_on=False,
            )  # fmt: skip
            text = current_style.note(
                self.axes, self._words(turn), (0, LINE), (0, -WORDS), va="top", ha="center",
                fontweight="bold", color=colours.words(turn.colour),
            )  # fmt: skip
            self.marks.append((turn, dot, text))
        self._lights = [
            self.axes.plot(
                [], [], "o", color=colours.answer, ms=share * size, mew=0, alpha=alpha, zorder=5,
                clip_on=False,
            )[0]
            for share, alpha in ((1.05, 0.22), (0.52, 1.0))
        ]  # fmt: skip
        self._end_at(self.end)

    @property
    def moving(self) -> list[Any]:
        """The past, the light, and the turns with their names."""
        marks = [artist for _, dot, text in self.marks for artist in (dot, text)]
        return [self.track, self.past, *marks, *self._lights]

    def update(self, i: int) -> None:
        """Put the light at index ``i``; a turn of the future is not shown where that is not."""
        now, last = self.moments[i], self.moments[-1]
        end = last if now > self.end else self.end
        if end != self.axes.get_xlim()[1]:
            self._end_at(end)
        self.past.set_data([self.moments[0], now], [LINE, LINE])
        for light in self._lights:
            light.set_data([now], [LINE])
        for turn, dot, text in self.marks:
            for artist in (dot, text):
                artist.set_visible(turn.at <= end and (style().ghost or bool(now >= turn.at)))

    def _words(self, turn: Turn) -> str:
        """Its name, with the moment where there is room for it."""
        if style().narrow(self.axes.figure):
            return turn.name
        return f"{turn.name} at {outcome(self.data).word} {turn.at:,}"

    def _end_at(self, end: float) -> None:
        first = float(self.moments[0])
        self.axes.set_xlim(first, max(end, first + 1))
        self.track.set_data([first, end], [LINE, LINE])
        em = style().pixels(self.axes, style().small) / self.axes.bbox.width
        shares = [(turn.at - first) / max(end - first, 1) for turn, _, _ in self.marks]
        widths = [em * (typefaces.width(text.get_text()) + 1.2) for _, _, text in self.marks]
        for (_, _, text), place in zip(self.marks, pushed_apart(shares, widths, 0, 1), strict=True):
            text.xy = (place, LINE)


class Turns:
    """Lines across a panel of curves over training where the run turned, named above it."""

    def __init__(
        self,
        axes: Axes,
        data: xr.Dataset,
        clock: str = "epoch",
        *,
        named: bool = True,
        at: Sequence[Turn] | None = None,
    ) -> None:
        """Draw them; without names where a panel beside it has them.

        ``at`` is which turns; those of :func:`turns` if None.
        """
        current_style = style()
        self.axes, self.moments = axes, data[clock].values.astype(float)
        self.marks: list[tuple[Turn, Any, Any]] = []
        for turn in turns(data) if at is None else at:
            line = axes.axvline(turn.at, color=turn.colour, lw=0.6 * current_style.line, zorder=2.5)
            text = current_style.note(
                axes, turn.name if named else "", (0, 1), (0, 0.4), ha="center", fontweight="bold",
                color=current_style.colours.words(turn.colour),
            )  # fmt: skip
            self.marks.append((turn, line, text))
        self.place()

    @property
    def moving(self) -> list[Any]:
        """The lines and their names."""
        return [artist for _, line, text in self.marks for artist in (line, text)]

    def place(self) -> None:
        """Put the names where the limits of the panel now have their lines, clear of each other."""
        em = style().pixels(self.axes, style().small) / self.axes.bbox.width
        across = self.axes.transData + self.axes.transAxes.inverted()
        shares = [float(across.transform((turn.at, 1.0))[0]) for turn, _, _ in self.marks]
        widths = [em * (typefaces.width(text.get_text()) + 1.0) for _, _, text in self.marks]
        for (_, _, text), place in zip(
            self.marks, pushed_apart(shares, widths, -em, 1 + 2 * em), strict=True
        ):
            text.xy = (place, 1)

    def update(self, i: int) -> None:
        """Show those that have come by index ``i``; where the future is drawn, all."""
        self.place()
        first, end = self.axes.get_xlim()
        for turn, line, text in self.marks:
            seen = first <= turn.at <= end and (style().ghost or bool(self.moments[i] >= turn.at))
            line.set_visible(seen)
            text.set_visible(seen)
