from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, PathPatch
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from grokviz.media import Painter

UNIT = np.array([[0.1, 0.1], [0.5, 0.8], [0.9, 0.2]])
Change = Callable[[Any], object]


def text(axes: Any) -> Artist:
    return axes.text(0.5, 0.5, "one")


def annotation(axes: Any) -> Artist:
    return axes.annotate("here", (0.2, 0.2), (4, 4), textcoords="offset points")


def arrow(axes: Any) -> Artist:
    return axes.annotate("here", (0.2, 0.2), (0.6, 0.6), arrowprops={"arrowstyle": "->"})


def path(axes: Any) -> Artist:
    return axes.add_patch(PathPatch(Path(UNIT.copy())))


def strip(axes: Any) -> Artist:
    return axes.fill_between([0, 1], [0, 0], [0.5, 0.9])


def dots(axes: Any) -> Artist:
    return axes.scatter(*UNIT.T, c=[0, 1, 2])


def segments(axes: Any) -> Artist:
    return axes.add_collection(LineCollection([UNIT], linewidths=3))


def mesh(axes: Any) -> Artist:
    return axes.pcolormesh([0, 0.5, 1], [0, 0.5, 1], [[0, 1], [2, 3]])


def image(axes: Any) -> Artist:
    return axes.imshow(np.arange(4.0).reshape(2, 2), extent=(0, 1, 0, 1), aspect="auto")


def turned(axes: Any) -> Artist:
    (line,) = axes.plot(*UNIT.T)
    line.turn = Affine2D()
    line.set_transform(line.turn + axes.transData)
    return line


def in_place(values: Any) -> None:
    values[0] += 0.3


CHANGES: dict[str, tuple[Callable[[Any], Artist], Change]] = {
    "another text": (text, lambda a: a.set_text("two")),
    "where an annotation points": (annotation, lambda a: setattr(a, "xy", (0.7, 0.7))),
    "where its text stands": (annotation, lambda a: setattr(a, "xyann", (9, 40))),
    "the end of an arrow": (arrow, lambda a: setattr(a, "xy", (0.7, 0.2))),
    "the path of a patch": (path, lambda a: a.set_path(Path(UNIT[:, ::-1]))),
    "its vertices in place": (path, lambda a: in_place(a.get_path().vertices)),
    "the edge of a strip in place": (strip, lambda a: in_place(a.get_paths()[0].vertices)),
    "the places of dots": (dots, lambda a: a.set_offsets(UNIT[:, ::-1])),
    "one place in place": (dots, lambda a: in_place(a.get_offsets())),
    "the values of dots": (dots, lambda a: a.set_array([2, 0, 1])),
    "dashes": (segments, lambda a: a.set_linestyle("--")),
    "the values of a mesh": (mesh, lambda a: a.set_array([[3, 0], [1, 2]])),
    "those of an image in place": (image, lambda a: in_place(a.get_array())),
    "colours": (image, lambda a: a.set_cmap("magma")),
    "a transform in place": (turned, lambda a: a.turn.rotate_deg(20)),
}


def built(make: Callable[[Any], Artist]) -> tuple[Painter, Any]:
    figure = Figure(figsize=(3.2, 2.0), dpi=50)
    axes = figure.subplots()
    artist = make(axes)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.plot([0, 1], [1, 0], zorder=5)
    return Painter(figure, [artist]), artist


def calls(painter: Painter) -> list[bool]:
    """Of each layer, whether its calls are kept."""
    return [layer._calls is not None for layer in painter._above]


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_drawn(change: str) -> None:
    make, apply = CHANGES[change]
    painter, artist = built(make)
    still = [painter.frame() for _ in range(5)][-1]
    np.testing.assert_array_equal(still, painter.full())
    apply(artist)
    changed = painter.frame()
    assert (changed != still).any()
    assert painter.redrawn == 0
    np.testing.assert_array_equal(changed, painter.full())
    for _ in range(4):
        np.testing.assert_array_equal(changed, painter.frame())


@pytest.mark.parametrize("change", CHANGES)
def test_a_full_draw_in_between_hides_no_change(change: str) -> None:
    make, apply = CHANGES[change]
    painter, artist = built(make)
    for _ in range(4):
        painter.frame()
    apply(artist)
    np.testing.assert_array_equal(painter.full(), painter.frame())


@pytest.mark.parametrize("make", [text, annotation, path, dots, mesh, image, turned])
def test_what_stands_still_is_not_drawn_again(
    make: Callable[[Any], Artist], monkeypatch: pytest.MonkeyPatch
) -> None:
    painter, _ = built(make)
    for _ in range(4):
        drawn = painter.frame()
    assert all(calls(painter))
    for layer in painter._above:
        monkeypatch.setattr(layer.artist, "draw", lambda renderer: pytest.fail("drawn"))
    np.testing.assert_array_equal(painter.frame(), drawn)


def test_what_follows_another_artist_is_drawn_each_time() -> None:
    painter, _ = built(arrow)
    other, _ = built(lambda axes: axes.add_patch(FancyArrowPatch((0.1, 0.1), (0.9, 0.9))))
    for one in (painter, other):
        for _ in range(4):
            one.frame()
        assert not calls(one)[0]


def test_somebody_elses_artist_is_drawn_each_time() -> None:
    class Blinking(Artist):
        level = 0.0

        def draw(self, renderer: Any) -> None:
            from matplotlib.patches import Rectangle

            box = Rectangle((0, 0), 40, 40, facecolor=str(self.level))
            box.set_figure(self.figure)
            box.draw(renderer)

    painter, artist = built(lambda axes: axes.add_artist(Blinking()))
    for level in (0.0, 0.2, 0.9, 0.5):
        artist.level = level
        np.testing.assert_array_equal(painter.frame(), painter.full())


def test_a_filter_is_repeated() -> None:
    def brighter(picture: Any, dpi: float) -> tuple[Any, int, int]:
        return picture * (0.5, 0.9, 0.7, 1), 3, 2

    painter, artist = built(text)
    artist.set_agg_filter(brighter)
    for _ in range(4):
        np.testing.assert_array_equal(painter.frame(), painter.full())
