"""What an artist has drawn, kept as the calls that it made of Agg, to be made again.

To draw a text, an axis or a bar, matplotlib lays out, places and looks up for much longer than
Agg then takes to fill pixels. An artist that has not changed makes the same calls again, and the
same calls give the same pixels.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.artist import Artist

Call = tuple[str, tuple[Any, ...], dict[str, Any]]
"""A method of Agg with what it was given."""


class Strokes:
    """Draws one artist, and repeats its calls of Agg as long as the artist does not change.

    matplotlib marks an artist as stale when one of its setters is called, with few exceptions. Of
    an artist that is known to move, what can be changed otherwise is compared too.
    """

    def __init__(self, artist: Artist, *, moves: bool) -> None:
        self.artist, self._moves = artist, moves
        self._parts: list[Artist] = artist.findobj()
        self._repeats = all(_tells(part) for part in self._parts)
        self._state: tuple[object, ...] | None = None
        self._calls: list[Call] | None = None

    def draw(self, renderer: Any) -> None:
        """Draw the artist by ``renderer`` (of matplotlib's Agg), by its calls if it is the same."""
        agg = getattr(renderer, "_renderer", None)
        if not self._repeats or agg is None:
            self.artist.draw(renderer)
            return
        # of one that moves all the time the state is not looked at
        stale = any(part.stale for part in self._parts)
        state = None if stale else self._now()
        if state is None or state != self._state:
            self._calls, self._state = None, state
            self.artist.draw(renderer)
        elif self._calls is None:
            self._listen(renderer, agg)
        else:
            for name, given, named in self._calls:
                getattr(agg, name)(*given, **named)
            return
        for part in self._parts:
            part.stale = False

    def forget(self) -> None:
        """Draw the artist anew next time, since something else has drawn it in the meantime."""
        self._calls = self._state = None

    def _now(self) -> tuple[object, ...]:
        """The state that is compared; of an artist that does not move none."""
        return tuple(_state(part) for part in self._parts) if self._moves else ()

    def _listen(self, renderer: Any, agg: Any) -> None:
        """Draw the artist, and keep the calls it makes."""
        heard = _Listener(agg)
        renderer._renderer = heard
        renderer._update_methods()
        try:
            self.artist.draw(renderer)
        finally:
            renderer._renderer = agg
            renderer._update_methods()
        self._calls = heard.calls


class _Listener:
    """An Agg that keeps what it is told to draw, and hands it on."""

    def __init__(self, agg: Any) -> None:
        self._agg = agg
        self.calls: list[Call] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._agg, name)
        return self._hear(name, method) if name.startswith("draw_") else method

    def _hear(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            options = {key: _snapshot(value) for key, value in named.items()}
            self.calls.append((name, tuple(map(_snapshot, given)), options))
            return method(*given, **named)

        return call


def _tells(artist: Artist) -> bool:
    """Whether an artist's setters, or `_state`, tell of all its changes."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.text import Annotation
    from matplotlib.transforms import Transform

    # a class of somebody else's may keep what it draws where nobody looks
    if not type(artist).__module__.startswith("matplotlib."):
        return False
    if isinstance(artist, Annotation):
        # an arrow, and a text beside another artist, go where that is
        return artist.arrow_patch is None and isinstance(artist.xycoords, (str, Transform))
    return not isinstance(artist, FancyArrowPatch)


def _state(artist: Artist) -> tuple[object, ...]:
    """What can be changed of an artist without its becoming stale."""
    from matplotlib.artist import Artist
    from matplotlib.collections import Collection, QuadMesh
    from matplotlib.image import AxesImage
    from matplotlib.patches import PathPatch
    from matplotlib.text import Annotation

    state: list[object] = [_digest(_matrix(Artist.get_transform(artist)))]
    if isinstance(artist, Annotation):
        state += [*artist.xy, *artist.xyann]
    elif isinstance(artist, PathPatch):
        state += [_digest(artist.get_path().vertices)]
    elif isinstance(artist, Collection):
        if not isinstance(artist, QuadMesh):  # whose paths would be made for nothing
            state += [_digest(path.vertices) for path in artist.get_paths() or ()]
        state += [_digest(artist.get_array()), _digest(artist.get_offsets())]
        state += [_digest(_matrix(artist.get_offset_transform())), repr(artist.get_linestyle())]
    elif isinstance(artist, AxesImage):
        state += [_digest(artist.get_array())]
    return tuple(state)


def _matrix(transform: Any) -> Any:
    """The affine part of a transform."""
    return transform.get_affine().get_matrix()


def _digest(values: Any) -> int:
    """A number that changes with the values, in place or not."""
    if values is None:
        return 0
    data, mask = np.ma.getdata(values), np.ma.getmask(values)
    return hash((data.shape, data.tobytes(), None if mask is np.ma.nomask else mask.tobytes()))


def _snapshot(value: Any) -> Any:
    """What Agg was given, safe from being changed afterwards."""
    from matplotlib.backend_bases import GraphicsContextBase
    from matplotlib.transforms import Transform

    if isinstance(value, GraphicsContextBase):
        return copy.copy(value)
    if isinstance(value, Transform):
        return value.frozen()
    return value.copy() if isinstance(value, np.ndarray) else value
