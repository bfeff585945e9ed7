"""Frames of a figure in which little moves: draw once, then only what changes.

matplotlib draws everything again for every frame. Here the figure is drawn once
without what moves; a frame is that picture plus, in drawing order, the moving artists
and whatever lies above them in their axes. The result equals a full draw pixel for
pixel, which is not taken on trust:

* matplotlib marks what has changed as stale. Anything stale that was not listed as
  moving, any view limit or position that differs, and any artist that came or went
  makes the background be drawn anew for that frame.
* :func:`paint` compares sampled frames (first, middle and last at least) with full
  draws before it gives out a single one, and draws in full where they differ.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase
    from matplotlib.transforms import Bbox

log = logging.getLogger(__name__)

Frame = UInt8[np.ndarray, "height width 4"]

# so many frames in a row with a new background, and layers are slower than full draws
_PATIENCE = 8


class Painter:
    """Layered drawing of ``figure``, whose ``moving`` artists change between frames.

    ``moving`` may hold containers (of bars, say) and nested sequences. The figure gets
    an Agg canvas. Update the artists, then call :meth:`frame`.
    """

    def __init__(self, figure: Any, moving: Sequence[Any]) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        self.figure = figure
        self.moving: list[Artist] = list(_flat(moving))
        self.layered = True
        self.redrawn = 0
        self._canvas: Any = FigureCanvasAgg(figure)  # type: ignore[no-untyped-call]
        self._background: Any = None
        self._above: list[Artist] = []
        self._still: list[Artist] = []
        self._axes: list[Any] = []
        self._shape: Any = None
        self._in_a_row = 0
        self._told = False

    def frame(self) -> Frame:
        """The picture as the artists now stand; a copy that stays as it is."""
        if not self.layered:
            return self.full()
        if self._background is None:
            self._capture()
        elif reason := self._changed():
            self._recapture(reason)
            if not self.layered:
                return self.full()
        else:
            self._in_a_row = 0
        self._canvas.restore_region(self._background)
        renderer = self._canvas.get_renderer()
        for artist in self._above:
            artist.draw(renderer)
        return self._copy()

    def full(self) -> Frame:
        """The same picture by a full draw, for checking."""
        if self._background is not None and self._changed():
            self._background = None  # the draw below makes the change invisible to frame()
        self._canvas.draw()
        self._settle()
        return self._copy()

    def check(self) -> bool:
        """Whether :meth:`frame` equals :meth:`full` now, by hash."""
        layered = _digest(self.frame())
        return layered == _digest(self.full())

    def _copy(self) -> Frame:
        return np.array(self._canvas.buffer_rgba())

    def _capture(self) -> None:
        """Draw everything that lies below what moves, and keep it."""
        # a full draw first: layout, limits and titles find their place in it
        self._canvas.draw()
        self._above = _layers(self.figure, self.moving)
        with _animated([*self.moving, *self._above]):
            self._canvas.draw()
            self._background = self._canvas.copy_from_bbox(self.figure.bbox)
        hidden = {id(part) for a in (*self.moving, *self._above) for part in a.findobj()}
        self._still = [a for a in _leaves(self.figure) if id(a) not in hidden]
        self._axes = self.figure.findobj(_is_axes)
        self._settle()
        self._shape = self._arrangement()

    def _settle(self) -> None:
        """Mark what does not move as drawn, so that a change can be seen."""
        for artist in self._still:
            artist.stale = False

    def _changed(self) -> str:
        """What has changed beside the moving artists, in words; nothing if nothing has."""
        for artist in self._still:
            if artist.stale:
                return f"{artist} changed and is not listed as moving"
        if self._arrangement() != self._shape:
            return "limits, positions or artists changed"
        return ""

    def _arrangement(self) -> tuple[Any, ...]:
        """What decides where things are drawn: cheap to compare."""
        where: list[Any] = [self.figure.dpi, *self.figure.bbox.size]
        for axes in self._axes:
            where += [*axes.viewLim.extents, *axes.bbox.extents, axes.get_visible()]
            where += [axes.get_xscale(), axes.get_yscale()]
            where += axes.get_children()
        where += self.figure.get_children()
        where += [artist.get_zorder() for artist in self.moving]
        return tuple(where)

    def _recapture(self, reason: str) -> None:
        self.redrawn += 1
        self._in_a_row += 1
        if not self._told:
            log.warning("%s: the background is drawn anew for such frames", reason)
            self._told = True
        if self._in_a_row > _PATIENCE:
            log.warning("%s in every frame: drawing in full from here on", reason)
            self.layered = False
            return
        self._capture()


def paint(
    painter: Painter, frames: Sequence[Callable[[], object]], checks: int = 3
) -> Iterator[Frame]:
    """The picture after each of ``frames``, which set the artists' data.

    Each call must set all that its frame needs, whatever was drawn before, since
    ``checks`` of them (first, middle, last, evenly spread) are drawn both ways before
    the first frame is given out. Where they differ everything is drawn in full, and a
    warning is logged. A call that is the same object as the one before gives the same
    array again, so that a held picture costs nothing.
    """
    if painter.layered and frames:
        _prove(painter, frames, checks)
    last: Callable[[], object] | None = None
    picture: Frame | None = None
    for update in frames:
        if update is not last or picture is None:
            update()
            picture = painter.frame()
            last = update
        yield picture


def _prove(painter: Painter, frames: Sequence[Callable[[], object]], checks: int) -> None:
    """Compare sampled frames; on the first difference draw in full from here on.

    Each sample is reached from another frame's background, the first from the last's.
    """
    count = min(len(frames), max(3, checks))
    samples = sorted({round(i * (len(frames) - 1) / max(1, count - 1)) for i in range(count)})
    for i in [*samples[1:], samples[0]]:
        frames[i]()
        if not painter.check():
            log.warning("frame %d drawn in layers differs from a full draw: drawing in full", i)
            painter.layered = False
        if not painter.layered:
            return


def _flat(moving: Iterable[Any]) -> Iterator[Artist]:
    """Single artists of nested sequences and containers."""
    from matplotlib.artist import Artist

    for item in moving:
        if isinstance(item, Artist):
            yield item
        elif item is not None:
            yield from _flat(item.values() if isinstance(item, dict) else item)


def _digest(picture: Frame) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(picture).data, digest_size=16).digest()


def _is_axes(artist: Any) -> bool:
    from matplotlib.axes import Axes

    return isinstance(artist, Axes)


@contextlib.contextmanager
def _animated(artists: Iterable[Artist]) -> Iterator[None]:
    """matplotlib leaves animated artists out of a draw; here only inside the block."""
    before = [(artist, artist.get_animated()) for artist in artists]
    try:
        for artist, _ in before:
            artist.set_animated(True)
        yield
    finally:
        for artist, was in reversed(before):
            artist.set_animated(was)


def _leaves(figure: FigureBase) -> Iterator[Artist]:
    """Every artist that draws itself; figures and axes only pass staleness on."""
    from matplotlib.figure import FigureBase

    for artist in figure.findobj(include_self=False):
        if not isinstance(artist, FigureBase) and not _is_axes(artist):
            yield artist


def _layers(figure: FigureBase, moving: Sequence[Artist]) -> list[Artist]:
    """The moving artists and what lies above them, in drawing order.

    Within axes that is every artist after the first moving one, except texts and tick
    labels that stand wholly outside the axes. Outside, what is drawn later and overlaps axes in
    which something moves.
    """
    wanted = {id(artist) for artist in moving}
    # what has a moving part (a legend whose text changes) is drawn again as a whole
    wanted |= {id(owner) for owner in _leaves(figure) if wanted & {id(a) for a in owner.findobj()}}
    layers: list[Artist] = []
    _walk_figure(figure, wanted, layers, touched=[])
    return layers


def _walk_figure(figure: Any, wanted: set[int], layers: list[Artist], touched: list[Bbox]) -> None:
    from matplotlib.figure import FigureBase

    children = [a for a in figure.get_children() if a is not figure.patch]
    started = False
    for artist in sorted(children, key=lambda a: a.get_zorder()):
        if id(artist) in wanted:
            started = True
            layers.append(artist)
            touched.append(_extent(artist))
        elif _overlaps(artist, touched) and (started or touched):
            layers.append(artist)
        elif isinstance(artist, FigureBase):
            _walk_figure(artist, wanted, layers, touched)
        elif _is_axes(artist):
            _walk_axes(artist, wanted, layers, touched)


def _walk_axes(axes: Any, wanted: set[int], layers: list[Artist], touched: list[Bbox]) -> None:
    moving_here = False
    for artist in _drawn_by(axes):
        if id(artist) in wanted:
            moving_here = True
            layers.append(artist)
        elif moving_here and not _stands_outside(artist, axes):
            layers.append(artist)
        elif _is_axes(artist):
            before = len(layers)
            _walk_axes(artist, wanted, layers, touched)
            moving_here = moving_here or len(layers) > before
        elif _reaches(artist, touched):  # tick labels that stand in the axes beside them
            moving_here = True
            layers.append(artist)
    if moving_here:
        touched.append(axes.bbox.frozen())


def _drawn_by(axes: Any) -> list[Artist]:
    """What ``Axes.draw`` draws, in its order, without the patch behind it all."""
    hidden = {id(axes.patch)}
    if not (axes.axison and axes.get_frame_on()):
        hidden |= {id(spine) for spine in axes.spines.values()}
    if not axes.axison:
        hidden |= {id(axes.xaxis), id(axes.yaxis)}
    children = [a for a in axes.get_children() if id(a) not in hidden]
    return sorted(children, key=lambda a: a.get_zorder())


def _stands_outside(artist: Artist, axes: Axes) -> bool:
    """Whether a title, or tick labels without marks, cannot touch what moves inside."""
    from matplotlib.axis import Axis
    from matplotlib.text import Text

    if isinstance(artist, Axis):
        if any(_crosses(tick) for tick in (*artist.get_major_ticks(), *artist.get_minor_ticks())):
            return False
        box = artist.get_tightbbox()
        return box is None or not box.padded(2).overlaps(axes.bbox)
    if not isinstance(artist, Text):
        return False
    return not artist.get_text() or not _extent(artist).padded(2).overlaps(axes.bbox)


def _crosses(tick: Any) -> bool:
    """Whether a tick draws a grid line or a mark."""
    marks = (
        line.get_visible() and line.get_markersize() > 0
        for line in (tick.tick1line, tick.tick2line)
    )
    return bool(tick.gridline.get_visible() or any(marks))


def _reaches(artist: Artist, touched: Sequence[Bbox]) -> bool:
    """Whether a part of other axes, drawn later, covers something that moves."""
    if not touched or not artist.get_visible():
        return False
    box = artist.get_tightbbox()
    return box is not None and any(box.padded(-1).overlaps(other) for other in touched)


def _extent(artist: Artist) -> Bbox:
    return artist.get_window_extent().frozen()


def _overlaps(artist: Artist, touched: Sequence[Bbox]) -> bool:
    """Whether a later artist of the figure covers something that moves."""
    from matplotlib.figure import FigureBase

    if not touched or isinstance(artist, FigureBase) or not artist.get_visible():
        return False
    box = artist.bbox.frozen() if _is_axes(artist) else _extent(artist)  # type: ignore[attr-defined]
    # axes that only share an edge do not overlap
    return any(box.padded(-1).overlaps(other) for other in touched)
