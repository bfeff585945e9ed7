"""Lengths in ems, panels, and labels that do not touch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from grokviz.media import page, screen
from grokviz.media.theme import theme
from grokviz.scene import drawing_in, style
from grokviz.scene.layout import pushed_apart
from grokviz.scene.style import NARROW

SIZES = [("paper", 5.5, 3.0, 300), ("paper", 3.25, 3.0, 100), ("slide", 19.2, 10.8, 100)]


@pytest.mark.parametrize(("medium", "wide", "high", "dpi"), SIZES)
def test_panels_keep_their_margins_in_ems(medium: str, wide: float, high: float, dpi: int) -> None:
    with drawing_in(theme("light", medium)) as chosen:
        figure = Figure(figsize=(wide, high), dpi=dpi)
        em = chosen.points / 72  # inches
        assert chosen.ems(figure) == pytest.approx((wide / em, high / em))
        grid = chosen.panels(figure, (2, 1), (1, 1), right=1.5, gap=5.5, vgap=4.0)
    assert [len(row) for row in grid] == [2, 2]
    (a, b), (c, d) = [[axes.get_position() for axes in row] for row in grid]
    assert a.x0 * wide / em == pytest.approx(4.2)
    assert (1 - b.x1) * wide / em == pytest.approx(1.5)
    assert (1 - a.y1) * high / em == pytest.approx(2.6)
    assert c.y0 * high / em == pytest.approx(3.3)
    assert (b.x0 - a.x1) * wide / em == pytest.approx(5.5)
    assert (a.y0 - c.y1) * high / em == pytest.approx(4.0)
    assert a.width == pytest.approx(2 * b.width)
    assert a.height == pytest.approx(d.height)


def test_panels_of_a_subfigure_are_measured_in_it() -> None:
    figure = Figure(figsize=(8, 4), dpi=100)
    left, right = figure.subfigures(1, 2)
    whole, half = style().ems(figure), style().ems(left)
    assert half == pytest.approx((whole[0] / 2, whole[1]))
    axes = style().panels(right)[0][0]
    assert axes.get_position().x0 * half[0] == pytest.approx(4.2)


def test_no_room_still_gives_axes() -> None:
    figure = Figure(figsize=(0.5, 0.5), dpi=100)
    axes = style().panels(figure, widths=(1, 1))[0]
    assert all(a.get_position().width > 0 for a in axes)


def test_a_column_of_a_paper_is_narrow_and_a_slide_is_not() -> None:
    narrow = {}
    for venue, columns in [("icml", 1), ("icml", 2), ("iclr", 1), ("nature", 1), ("nature", 2)]:
        paper = theme("light", "paper")
        size = page(venue, columns, 2.0, paper)
        with drawing_in(paper.sized(size.points)) as chosen:
            narrow[venue, columns] = chosen.narrow(Figure(figsize=size.inches, dpi=size.dpi))
    assert narrow == {
        ("icml", 1): True, ("icml", 2): False, ("iclr", 1): False, ("nature", 1): True,
        ("nature", 2): False,
    }  # fmt: skip
    for size in ((854, 480), (1920, 1080), (3840, 2160)):
        with drawing_in(theme("light", "slide")) as chosen:
            made = screen(*size)
            ems = chosen.ems(Figure(figsize=made.inches, dpi=made.dpi))
        assert ems[0] > NARROW
        assert ems[0] == pytest.approx(19.2 * 72 / 23.4, rel=0.01)


def test_the_look_is_in_force_only_inside_its_block() -> None:
    assert not style().slide
    with drawing_in(theme("dark", "slide")) as outer:
        assert style() is outer
        assert outer.slide
        with drawing_in(theme("light", "paper")):
            assert not style().slide
        assert style() is outer
        with pytest.raises(RuntimeError), drawing_in(theme("light", "paper")):
            raise RuntimeError
        assert style() is outer
    assert not style().slide


labels = st.lists(
    st.tuples(st.floats(-5, 15, allow_nan=False), st.floats(0.01, 2)), min_size=1, max_size=12
).map(lambda rows: ([w for w, _ in sorted(rows)], [s for _, s in rows]))


@given(labels)
def test_labels_never_touch_keep_their_order_and_stay_inside(drawn: object) -> None:
    wanted, widths = drawn  # type: ignore[misc]
    low, high = 0.0, 10.0
    centres = pushed_apart(wanted, widths, low, high)
    starts = [c - w / 2 for c, w in zip(centres, widths, strict=True)]
    stops = [c + w / 2 for c, w in zip(centres, widths, strict=True)]
    for stop, start in zip(stops, starts[1:], strict=False):
        assert stop <= start + 1e-9
    assert starts[0] >= low - 1e-9
    if sum(widths) <= high - low:
        assert stops[-1] <= high + 1e-9


@given(st.lists(st.integers(1, 18), min_size=1, max_size=8, unique=True).map(sorted))
def test_labels_with_room_stay_where_they_are_wanted(places: list[int]) -> None:
    wanted = [place / 2 for place in places]
    assert pushed_apart(wanted, [0.4] * len(wanted), 0, 10) == pytest.approx(wanted)


def test_neighbours_part_evenly_and_stay_off_the_ends() -> None:
    assert pushed_apart([4, 4], [1, 1], 0, 10) == [3.5, 4.5]
    assert pushed_apart([0.1, 0.2], [1, 1], 0, 10) == [0.5, 1.5]
    assert pushed_apart([9.9, 9.95], [1, 1], 0, 10) == [8.5, 9.5]
    assert pushed_apart([], [], 0, 10) == []
    assert pushed_apart([2.0], [30], 0, 10) == [15.0]  # no room at all: from the left end on
