"""The style a scene is drawn in: its theme, and lengths in ems, so that a layout fits all media."""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from grokviz.media.theme import Colours, Theme, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

_CURRENT: contextvars.ContextVar[Style | None] = contextvars.ContextVar("style", default=None)

NARROW = 40.0
"""A figure of fewer ems stacks its panels: a paper's column has 26, a slide 59."""


LOW = 0.8
"""A narrow figure lower than this share of its width keeps its panels beside one another."""


@dataclass(frozen=True)
class Margins:
    """Room around and between panels, in ems, for labels and ticks; ``vgap`` is ``gap`` if None."""

    left: float = 4.2
    right: float = 1.5
    bottom: float = 3.3
    top: float = 2.6
    gap: float = 5.5
    vgap: float | None = None


class MarginKeywords(TypedDict, total=False):
    """The fields of :class:`Margins` as keywords."""

    left: float
    right: float
    bottom: float
    top: float
    gap: float
    vgap: float | None


@dataclass(frozen=True)
class Label:
    """What a panel calls one of its curves or bands, and how it leaves the name out."""

    name: str
    colour: Any
    band: bool
    leave_out: Callable[[], None]


@dataclass(frozen=True)
class Style:
    """A theme, with the helpers that place panels and labels in it.

    Attributes:
        theme: colours, fonts and line widths.
        ghost: whether what comes after the moment shown is drawn too, faintly.
        labels: where panels note their names, for a legend that they share; None where each
            panel keeps its own.

    """

    theme: Theme
    ghost: bool = True
    labels: list[Label] | None = None

    @property
    def colours(self) -> Colours:
        """Colours by what they mean."""
        return self.theme.colours

    @property
    def slide(self) -> bool:
        """Whether this is for a screen rather than for paper."""
        return self.theme.medium == "slide"

    @property
    def line(self) -> float:
        """Width of a data line, in points."""
        return float(self.theme.rc["lines.linewidth"])

    @property
    def points(self) -> float:
        """Body type size, in points."""
        return self.theme.points

    @property
    def small(self) -> float:
        """The smallest type size used, in points; it can be read from the back row."""
        return float(self.theme.rc["xtick.labelsize"])

    def ems(self, figure: FigureBase) -> tuple[float, float]:
        """Width and height of a figure or subfigure, in ems of the body type."""
        em = self.points / 72 * figure.get_figure(root=True).dpi
        box: Any = figure.bbox  # type: ignore[attr-defined]  # figures and subfigures both have it
        return float(box.width / em), float(box.height / em)

    def narrow(self, figure: FigureBase) -> bool:
        """Whether panels go below one another."""
        return self.ems(figure)[0] < NARROW

    def stacks(self, figure: FigureBase) -> bool:
        """Whether :meth:`beside` puts panels below one another: in a narrow figure that is high.

        One that is low, such as half of a slide, has no room below.
        """
        wide, high = self.ems(figure)
        return self.narrow(figure) and high >= LOW * wide

    def panels(
        self,
        figure: FigureBase,
        widths: Sequence[float] = (1,),
        heights: Sequence[float] = (1,),
        **margins: Unpack[MarginKeywords],
    ) -> list[list[Axes]]:
        """A grid of axes whose margins and gaps are in ems; rows of columns.

        Args:
            figure: a Figure or SubFigure.
            widths, heights: relative sizes of the columns and rows.
            **margins: the fields of :class:`Margins`: ``left``, ``right``, ``bottom`` and
                ``top`` around all panels, ``gap`` between columns and ``vgap`` between rows.

        """
        wide, high = self.ems(figure)
        room = Margins(**margins)
        across = _spans(widths, room.left / wide, 1 - room.right / wide, room.gap / wide)
        vgap = room.gap if room.vgap is None else room.vgap
        down = _spans(heights, room.top / high, 1 - room.bottom / high, vgap / high)
        return [
            [figure.add_axes((x0, 1 - y1, x1 - x0, y1 - y0)) for x0, x1 in across]
            for y0, y1 in down
        ]

    def stack(
        self, figure: FigureBase, heights: Sequence[float], **margins: Unpack[MarginKeywords]
    ) -> list[Axes]:
        """Axes below one another, from above; ``margins`` are those of :meth:`panels`."""
        return [row[0] for row in self.panels(figure, heights=heights, **margins)]

    def beside(
        self,
        figure: FigureBase,
        widths: Sequence[float],
        heights: Sequence[float],
        **margins: Unpack[MarginKeywords],
    ) -> list[Axes]:
        """Axes beside one another in these widths; below in these heights, where that is better."""
        if self.stacks(figure):
            return self.stack(figure, heights, **margins)
        return self.panels(figure, widths, **margins)[0]

    def pixels(self, axes: Axes, points: float) -> float:
        """How many pixels so many points of type are."""
        return points / 72 * axes.figure.get_figure(root=True).dpi

    def note(
        self,
        axes: Axes,
        text: str,
        at: tuple[float, float],
        lift: tuple[float, float] = (0, 0),
        **kwargs: Any,
    ) -> Any:
        """Small text at a place in shares of the axes, lifted by ems of its type."""
        text_style: dict[str, Any] = {
            "xycoords": "axes fraction", "fontsize": self.small, "va": "baseline", **kwargs,
        }  # fmt: skip
        raised = (lift[0] * self.small, lift[1] * self.small)
        return axes.annotate(text, at, raised, textcoords="offset points", **text_style)

    def label(
        self, axes: Axes, x: float, y: float, text: str, *, lift: float = 0, **kwargs: Any
    ) -> Any:
        """Bold text on a line or a bar, in data coordinates, ``lift`` ems above them."""
        from matplotlib.patheffects import withStroke

        # a rim in the background's colour keeps it readable where a line passes
        rim = withStroke(linewidth=self.points / 5, foreground=self.colours.background)
        text_style: dict[str, Any] = {"fontsize": self.small, "fontweight": "bold", "ha": "center"}
        text_style = {**text_style, "va": "bottom", "path_effects": [rim], **kwargs}
        if not lift:
            return axes.text(x, y, text, **text_style)
        raised = (0, lift * self.small)
        return axes.annotate(text, (x, y), raised, textcoords="offset points", **text_style)


def chip(axes: Any, text: str, at: tuple[float, float], colour: Any, **kwargs: Any) -> Any:
    """Small text on a patch of the colour that it names."""
    current_style = style()
    patch = {"boxstyle": "square,pad=0.12", "facecolor": colour, "edgecolor": "none"}
    more: dict[str, Any] = {
        "fontsize": current_style.small, "color": current_style.colours.muted, "bbox": patch,
        **kwargs,
    }  # fmt: skip
    return axes.text(*at, text, **more)


def _spans(
    shares: Sequence[float], start: float, stop: float, gap: float
) -> list[tuple[float, float]]:
    room = max(stop - start - gap * (len(shares) - 1), 0.05)
    spans, at = [], start
    for share in shares:
        size = room * share / sum(shares)
        spans.append((at, at + size))
        at += size + gap
    return spans


@contextlib.contextmanager
def noting_labels() -> Iterator[list[Label]]:
    """Have what is drawn inside a ``with`` block note its names."""
    labels: list[Label] = []
    token = _CURRENT.set(dataclasses.replace(style(), labels=labels))
    try:
        yield labels
    finally:
        _CURRENT.reset(token)


def style() -> Style:
    """The style in force; outside :func:`drawing_in`, for layouts of one's own, light paper."""
    return _CURRENT.get() or Style(theme("light", "paper"))


@contextlib.contextmanager
def drawing_in(theme: Theme, *, ghost: bool = True) -> Iterator[Style]:
    """Draw in the style of ``theme`` inside a ``with`` block.

    Without its ``ghost`` the future is not drawn before it happens, as in films.
    """
    token = _CURRENT.set(Style(theme, ghost))
    try:
        with theme.applied():
            yield style()
    finally:
        _CURRENT.reset(token)
