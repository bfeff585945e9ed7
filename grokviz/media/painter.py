"""Layered drawing of the frames of a figure in which few artists move.

matplotlib redraws everything for every frame. Here the background, without the moving
artists, is drawn once; a frame is that picture plus, in drawing order, the moving artists
and everything above them in their axes, of which those that have not changed are not worked out
again (:mod:`grokviz.media.strokes`). The result equals a full draw pixel for pixel,
which is verified:

* matplotlib marks changed artists as stale. A stale artist that is not listed as moving, a
  different view limit or position, and an added or removed artist cause the background to
  be redrawn for that frame.
* :func:`paint` compares sampled frames (at least the first, middle and last) with full draws
  before it yields any, and falls back to full draws if they differ.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8

from grokviz.media.strokes import Strokes

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase
    from matplotlib.transforms import Bbox

log = logging.getLogger(__name__)

Frame = UInt8[np.ndarray, "height width 4"]

# after this many frames in a row with a new background, full draws are faster than layers
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
        self._above: list[Strokes] = []
        self._still: list[Artist] = []
        self._axes: list[Any] = []
        self._shape: Any = None
        self._recaptures = 0
        self._warned = False

    def frame(self) -> Frame:
        """The picture with the artists' current state, as a copy."""
        if not self.layered:
            return self.full()
        if self._background is None:
            self._capture()
        elif reason := self._change():
            self._recapture(reason)
            if not self.layered:
                return self.full()
        else:
            self._recaptures = 0
        self._canvas.restore_region(self._background)
        renderer = self._canvas.get_renderer()
        for layer in self._above:
            layer.draw(renderer)
        return self._copy()

    def full(self) -> Frame:
        """The same picture by a full draw, for comparison."""
        if self._background is not None and self._change():
            self._background = None  # the draw below makes the change invisible to frame()
        self._canvas.draw()
        self._settle()
        for layer in self._above:  # what was stale is not any more
            layer.forget()
        return self._copy()

    def check(self) -> bool:
        """Whether :meth:`frame` equals :meth:`full` now."""
        return np.array_equal(self.frame(), self.full())

    def _copy(self) -> Frame:
        return np.array(self._canvas.buffer_rgba())

    def _capture(self) -> None:
        """Draw and keep the background, everything below the moving artists."""
        # a full draw first, since it settles layout, limits and titles
        self._canvas.draw()
        above = _layers(self.figure, self.moving)
        with _animated([*self.moving, *above]):
            self._canvas.draw()
            self._background = self._canvas.copy_from_bbox(self.figure.bbox)
        moving = {id(artist) for artist in self.moving}
        self._above = [
            Strokes(artist, moves=not moving.isdisjoint(map(id, artist.findobj())))
            for artist in above
        ]
        hidden = {id(part) for a in (*self.moving, *above) for part in a.findobj()}
        self._still = [a for a in _leaves(self.figure) if id(a) not in hidden]
        self._axes = self.figure.findobj(_is_axes)
        self._settle()
        self._shape = self._arrangement()

    def _settle(self) -> None:
        """Mark still artists as drawn, so that a later change can be detected."""
        for artist in self._still:
            artist.stale = False

    def _change(self) -> str:
        """A description of a change outside the moving artists; empty if there is none."""
        for artist in self._still:
            if artist.stale:
                return f"{artist} changed and is not listed as moving"
        if self._arrangement() != self._shape:
            return "limits, positions or artists changed"
        return ""

    def _arrangement(self) -> tuple[Any, ...]:
        """The state that determines the layout, cheap to compare."""
        state: list[Any] = [self.figure.dpi, *self.figure.bbox.size]
        for axes in self._axes:
            state += [*axes.viewLim.extents, *axes.bbox.extents, axes.get_visible()]
            state += [axes.get_xscale(), axes.get_yscale()]
            state += axes.get_children()
        state += self.figure.get_children()
        state += [artist.get_zorder() for artist in self.moving]
        return tuple(state)

    def _recapture(self, reason: str) -> None:
        self.redrawn += 1
        self._recaptures += 1
        if not self._warned:
            log.info("%s: the background is drawn anew for such frames", reason)
            self._warned = True
        if self._recaptures > _PATIENCE:
            log.warning("%s in every frame: drawing in full from here on", reason)
            self.layered = False
            return
        self._capture()


def paint(
    painter: Painter, frames: Sequence[Callable[[], object]], checks: int = 3
) -> Iterator[Frame]:
    """Yield the picture after each of ``frames``, which set the artists' data.

    Each call must set everything that its frame needs, independently of earlier ones, since
    ``checks`` of them (first, middle, last, evenly spread; at least three, or 0 for none) are
    drawn both ways before the first frame is yielded. If they differ, everything is drawn in full
    and a warning is logged. A call that is the same object as the one before yields the same array
    again, so that a held picture costs nothing.
    """
    if painter.layered and frames and checks:
        _verify(painter, frames, checks)
    last: Callable[[], object] | None = None
    picture: Frame | None = None
    for update in frames:
        if update is not last or picture is None:
            update()
            picture = painter.frame()
            last = update
        yield picture


def _verify(painter: Painter, frames: Sequence[Callable[[], object]], checks: int) -> None:
    """Compare sampled frames, and switch to full draws on the first difference.

    Each sample is drawn on another frame's background, the first on the last's.
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
    """Flatten nested sequences and containers of artists."""
    from matplotlib.artist import Artist

    for item in moving:
        if isinstance(item, Artist):
            yield item
        elif item is not None:
            yield from _flat(item.values() if isinstance(item, dict) else item)


def _is_axes(artist: Any) -> bool:
    from matplotlib.axes import Axes

    return isinstance(artist, Axes)


@contextlib.contextmanager
def _animated(artists: Iterable[Artist]) -> Iterator[None]:
    """Mark artists as animated within the block, so that matplotlib leaves them out of a draw."""
    before = [(artist, artist.get_animated()) for artist in artists]
    try:
        for artist, _ in before:
            artist.set_animated(True)
        yield
    finally:
        for artist, was in reversed(before):
            artist.set_animated(was)


def _leaves(figure: FigureBase) -> Iterator[Artist]:
    """All artists but figures and axes, which only propagate staleness."""
    from matplotlib.figure import FigureBase

    for artist in figure.findobj(include_self=False):
        if not isinstance(artist, FigureBase) and not _is_axes(artist):
            yield artist


def _layers(figure: FigureBase, moving: Sequence[Artist]) -> list[Artist]:
    """The moving artists and those above them, in drawing order.

    Within axes these are all artists after the first moving one, except texts and tick labels
    entirely outside the axes. Elsewhere they are artists that are drawn later and overlap axes
    in which something moves.
    """
    moving_ids = {id(artist) for artist in moving}
    # an artist with a moving part (a legend whose text changes) is redrawn completely
    moving_ids |= {
        id(owner) for owner in _leaves(figure) if moving_ids & {id(a) for a in owner.findobj()}
    }
    layers: list[Artist] = []
    _walk_figure(figure, moving_ids, layers, moving_boxes=[])
    return layers


def _walk_figure(
    figure: Any, moving_ids: set[int], layers: list[Artist], moving_boxes: list[Bbox]
) -> None:
    from matplotlib.figure import FigureBase

    children = [a for a in figure.get_children() if a is not figure.patch]
    is_above = False
    for artist in sorted(children, key=lambda a: a.get_zorder()):
        if id(artist) in moving_ids:
            is_above = True
            layers.append(artist)
            moving_boxes.append(_extent(artist))
        elif _overlaps(artist, moving_boxes) and (is_above or moving_boxes):
            layers.append(artist)
        elif isinstance(artist, FigureBase):
            _walk_figure(artist, moving_ids, layers, moving_boxes)
        elif _is_axes(artist):
            _walk_axes(artist, moving_ids, layers, moving_boxes)


def _walk_axes(
    axes: Any, moving_ids: set[int], layers: list[Artist], moving_boxes: list[Bbox]
) -> None:
    is_above = False
    for artist in _draw_order(axes):
        if id(artist) in moving_ids:
            is_above = True
            layers.append(artist)
        elif is_above and not _stands_outside(artist, axes):
            layers.append(artist)
        elif _is_axes(artist):
            before = len(layers)
            _walk_axes(artist, moving_ids, layers, moving_boxes)
            is_above = is_above or len(layers) > before
        elif _reaches(artist, moving_boxes):  # tick labels that reach into adjacent axes
            is_above = True
            layers.append(artist)
    if is_above:
        moving_boxes.append(axes.bbox.frozen())


def _draw_order(axes: Any) -> list[Artist]:
    """The artists that ``Axes.draw`` draws, in its order, without the background patch."""
    hidden = {id(axes.patch)}
    if not (axes.axison and axes.get_frame_on()):
        hidden |= {id(spine) for spine in axes.spines.values()}
    if not axes.axison:
        hidden |= {id(axes.xaxis), id(axes.yaxis)}
    children = [a for a in axes.get_children() if id(a) not in hidden]
    return sorted(children, key=lambda a: a.get_zorder())


def _stands_outside(artist: Artist, axes: Axes) -> bool:
    """Whether a text, or tick labels without marks, cannot overlap the inside of the axes."""
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


def _reaches(artist: Artist, moving_boxes: Sequence[Bbox]) -> bool:
    """Whether a later artist of other axes overlaps axes in which something moves."""
    if not moving_boxes or not artist.get_visible():
        return False
    box = artist.get_tightbbox()
    return box is not None and any(box.padded(-1).overlaps(other) for other in moving_boxes)


def _extent(artist: Artist) -> Bbox:
    return artist.get_window_extent().frozen()


def _overlaps(artist: Artist, moving_boxes: Sequence[Bbox]) -> bool:
    """Whether a later artist of the figure overlaps something that moves."""
    from matplotlib.figure import FigureBase

    if not moving_boxes or isinstance(artist, FigureBase) or not artist.get_visible():
        return False
    box = artist.bbox.frozen() if _is_axes(artist) else _extent(artist)  # type: ignore[attr-defined]
    # axes that only share an edge do not overlap
    return any(box.padded(-1).overlaps(other) for other in moving_boxes)
