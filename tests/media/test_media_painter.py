from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from grokviz.media import Painter, paint
from grokviz.media.theme import theme

Built = tuple[Any, list[Any], Callable[[int], None]]
X = np.linspace(0.0, 1.0, 60)


def figure(**kwargs: Any) -> Any:
    return Figure(figsize=(3.2, 2.0), dpi=50, **kwargs)


def lines() -> Built:
    fig = figure()
    axes = fig.subplots()
    axes.set(xlim=(0, 1), ylim=(-1, 1), title="waves")
    axes.plot(X, np.cos(9 * X), zorder=1.5)
    (line,) = axes.plot(X, X)
    axes.plot(X, np.sin(9 * X), alpha=0.5, lw=5)  # lies above what moves
    axes.grid(True)
    return fig, [line], lambda i: line.set_ydata(np.sin(X * i))


def bars() -> Built:
    fig = figure()
    axes = fig.subplots()
    axes.set(xlim=(0, 9), ylim=(0, 1))

    def boxes(i: int) -> list[Any]:
        tall = np.abs(np.sin(np.arange(1, 9) * (i + 1)))
        return [[(k, 0), (k, h), (k + 0.8, h), (k + 0.8, 0)] for k, h in enumerate(tall)]

    made = PolyCollection(boxes(0), facecolors=["C0", "C1"])
    axes.add_collection(made)
    return fig, [made], lambda i: made.set_verts(boxes(i))


def containers() -> Built:
    fig = figure()
    axes = fig.subplots()
    made = axes.bar([1, 2, 3], [0.1, 0.2, 0.3])
    axes.set_ylim(0, 2)

    def update(i: int) -> None:
        for k, patch in enumerate(made):
            patch.set_height(0.1 * (1 + (i * (k + 2)) % 17))

    return fig, [made], update


def heatmap() -> Built:
    fig = figure()
    axes = fig.subplots()
    image = axes.imshow(np.zeros((9, 9)), vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    axes.set_ylabel("b")
    return fig, [image], lambda i: image.set_data(np.random.default_rng(i).random((9, 9)))


def heatmap_without_marks() -> Built:
    fig, moving, update = heatmap()
    fig.axes[0].grid(False)
    fig.axes[0].tick_params(length=0)
    return fig, moving, update


def log_axis() -> Built:
    fig = figure()
    left, right = fig.subplots(1, 2)
    for axes in (left, right):
        axes.set(yscale="log", xlim=(0, 1), ylim=(1e-8, 1e2))
        axes.plot(X, 10 ** (-8 * X))
    (dot,) = left.plot([0], [1], "o")
    rule = right.axvline(0)

    def update(i: int) -> None:
        x = (i % 50) / 50
        dot.set_data([x], [10 ** (-8 * x)])
        rule.set_xdata([x, x])

    return fig, [dot, rule], update


def subfigures() -> Built:
    fig = figure()
    left, right = fig.subfigures(1, 2)
    left.suptitle("left")
    one, two = left.subplots(2, 1)
    (line,) = one.plot(X, X)
    two.plot(X, X)
    other = right.subplots()
    (second,) = other.plot(X, 0 * X)
    other.set_ylim(-1, 1)
    said = right.text(0.5, 0.95, "epoch 0")

    def update(i: int) -> None:
        line.set_ydata(X ** (1 + i % 5))
        second.set_ydata(np.sin(i * X))
        said.set_text(f"epoch {i}")

    return fig, [line, [second], {"clock": said}], update


def texts() -> Built:
    fig = figure()
    axes = fig.subplots()
    axes.set(xlim=(0, 1), ylim=(0, 1), title="above")
    label = axes.text(0.5, 0.5, "x", ha="center", weight="bold")
    clock = fig.text(0.98, 0.9, "", ha="right", family="monospace")
    fig.text(0.02, 0.9, "a still one")

    def update(i: int) -> None:
        label.set_position(((i % 11) / 11, 0.5))
        clock.set_text(f"epoch {i * 100}")

    return fig, [label, clock], update


def legend_above() -> Built:
    fig = figure()
    axes = fig.subplots()
    (line,) = axes.plot(X, X, lw=8, label="moves")
    axes.plot(X, X, label="rests")
    axes.set_ylim(0, 1)
    axes.legend(loc="center", framealpha=0.6)
    return fig, [line], lambda i: line.set_ydata((X * (1 + i)) % 1)


def legend_text() -> Built:
    fig = figure()
    axes = fig.subplots()
    axes.plot(X, X, label="a long enough label")
    legend = axes.legend(loc="upper left")
    return fig, [legend.get_texts()[0]], lambda i: legend.get_texts()[0].set_text(f"now {i % 7}")


def twin_axes() -> Built:
    fig = figure()
    axes = fig.subplots()
    other = axes.twinx()
    (line,) = axes.plot(X, X, lw=6)
    other.plot(X, 1 - X, lw=6, color="C1")
    axes.set_ylim(0, 1)
    return fig, [line], lambda i: line.set_ydata(np.abs(np.sin(X * i)))


def inset() -> Built:
    fig = figure()
    axes = fig.subplots()
    axes.set_ylim(0, 1)
    (line,) = axes.plot(X, X, lw=6)
    small = axes.inset_axes([0.4, 0.4, 0.4, 0.4])
    (tiny,) = small.plot(X, X)
    small.set_ylim(0, 1)

    def update(i: int) -> None:
        line.set_ydata(np.abs(np.sin(X * i)))
        tiny.set_ydata(np.abs(np.cos(X * i)))

    return fig, [line, tiny], update


def over_figure_text() -> Built:
    fig = figure()
    axes = fig.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0, 1), ylim=(0, 1))
    (line,) = axes.plot(X, X, lw=9)
    fig.text(0.5, 0.5, "written over it", ha="center", size=20)
    return fig, [line], lambda i: line.set_ydata(np.abs(np.sin(X * i)))


def equal_aspect() -> Built:
    fig = figure()
    axes = fig.subplots()
    axes.set_aspect("equal")
    axes.axis("off")
    dots = axes.scatter(np.cos(X), np.sin(X), c=X)
    axes.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2))

    def update(i: int) -> None:
        dots.set_offsets(np.column_stack([np.cos(X * i), np.sin(X * i)]))
        dots.set_array(np.cos(X + i))

    return fig, [dots], update


KINDS = {
    build.__name__: build
    for build in (
        lines,
        bars,
        containers,
        heatmap,
        heatmap_without_marks,
        log_axis,
        subfigures,
        texts,
        legend_above,
        legend_text,
        twin_axes,
        inset,
        over_figure_text,
        equal_aspect,
    )
}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.integers(0, 200), min_size=2, max_size=4, unique=True), dark=st.booleans())
def test_layers_equal_full_draws(kind: str, steps: list[int], dark: bool) -> None:
    with theme("dark" if dark else "light", "paper").applied():
        fig, moving, update = KINDS[kind]()
        painter = Painter(fig, moving)
        for i in steps:
            update(i)
            drawn = painter.frame()
            expected = painter.full()
            np.testing.assert_array_equal(drawn, expected)
    assert painter.layered
    assert painter.redrawn == 0


@pytest.mark.parametrize("kind", KINDS)
def test_frames_do_change(kind: str) -> None:
    fig, moving, update = KINDS[kind]()
    painter = Painter(fig, moving)
    update(3)
    one = painter.frame()
    update(5)
    two = painter.frame()
    assert one.shape == two.shape == (100, 160, 4)
    assert (one != two).any()


def test_labels_outside_are_not_drawn_again() -> None:
    fig, moving, update = heatmap_without_marks()
    painter = Painter(fig, moving)
    update(1)
    painter.frame()
    assert not {"XAxis", "YAxis", "Text"} & {type(a.artist).__name__ for a in painter._above}
    fig, moving, update = heatmap()
    painter = Painter(fig, moving)
    painter.frame()
    assert "XAxis" in {type(a.artist).__name__ for a in painter._above}  # its marks touch the edge


def test_frame_is_a_copy() -> None:
    fig, moving, update = lines()
    painter = Painter(fig, moving)
    update(1)
    one = painter.frame()
    kept = one.copy()
    update(2)
    painter.frame()
    painter.full()
    np.testing.assert_array_equal(one, kept)


def test_figure_is_left_as_it_was() -> None:
    fig, moving, update = lines()
    painter = Painter(fig, moving)
    update(1)
    painter.frame()
    assert not any(artist.get_animated() for artist in fig.findobj())


def both(fig: Any, painter: Painter) -> bool:
    drawn = painter.frame()
    return bool((drawn == painter.full()).all())


def test_unlisted_artist_is_noticed(caplog: pytest.LogCaptureFixture) -> None:
    fig, moving, update = lines()
    unlisted = fig.axes[0].lines[0]
    painter = Painter(fig, moving)
    with caplog.at_level(logging.INFO, logger="grokviz.media.painter"):
        for i in range(4):
            update(i)
            if i == 2:
                unlisted.set_ydata(np.full_like(X, 0.3))
            assert both(fig, painter)
    assert painter.redrawn == 1
    assert painter.layered
    assert "not listed as moving" in caplog.text


def test_unlisted_artist_in_every_frame_means_full_draws(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fig, moving, update = lines()
    unlisted = fig.axes[0].lines[0]
    painter = Painter(fig, moving)

    def both_move(i: int) -> None:
        update(i)
        unlisted.set_ydata(np.cos(i * X))

    expected = []
    for i in range(20):
        both_move(i)
        expected.append(Painter(fig, []).full())
    painter = Painter(fig, moving)
    with caplog.at_level(logging.WARNING, logger="grokviz.media.painter"):
        drawn = list(paint(painter, [lambda i=i: both_move(i) for i in range(20)]))
    np.testing.assert_array_equal(np.stack(drawn), np.stack(expected))
    assert not painter.layered
    assert "drawing in full" in caplog.text


@pytest.mark.parametrize(
    "change",
    [
        lambda axes, i: axes.set_ylim(-1 - i, 1),
        lambda axes, i: axes.set_title(f"now {i}"),
        lambda axes, i: axes.plot(X, X * i),
        lambda axes, i: axes.set_position([0.2, 0.2, 0.5 + i / 50, 0.5]),
        lambda axes, i: axes.set_facecolor(f"C{i}"),
        lambda axes, i: axes.set_yticks([0, i / 10]),
        lambda axes, i: axes.lines[0].set_visible(i % 2 == 0),
        lambda axes, i: axes.figure.set_facecolor(f"C{i}"),
        lambda axes, i: axes.figure.text(0.5, i / 10, "new"),
    ],
    ids=lambda change: change.__code__.co_names[0],
)
def test_change_of_the_background_is_noticed(change: Callable[[Any, int], Any]) -> None:
    fig, moving, update = lines()
    painter = Painter(fig, moving)
    update(1)
    assert both(fig, painter)
    for i in (2, 3):
        update(i)
        change(fig.axes[0], i)
        assert both(fig, painter), i


def test_autoscaled_limits_are_noticed() -> None:
    fig = figure()
    axes = fig.subplots()
    (line,) = axes.plot(X, X)
    painter = Painter(fig, [line])
    for i in (1, 5, 20):
        line.set_ydata(X * i)
        axes.relim()
        axes.autoscale_view()
        assert both(fig, painter)


def sneaky() -> Built:
    """Changes something that matplotlib does not notice to be stale."""
    fig = figure()
    axes = fig.subplots()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    (line,) = axes.plot(X, X)
    hidden = axes.fill_between(X, 0 * X, X, alpha=0.3)
    vertices = hidden.get_paths()[0].vertices
    heights = vertices[:, 1].copy()

    def update(i: int) -> None:
        line.set_ydata(X * (i % 7) / 7)
        vertices[:, 1] = heights * (1 + i % 5) / 5

    return fig, [line], update


def test_sampled_check_finds_what_is_not_marked(caplog: pytest.LogCaptureFixture) -> None:
    fig, moving, update = sneaky()
    expected = []
    for i in range(12):
        update(i)
        expected.append(Painter(fig, []).full())
    fig, moving, update = sneaky()
    painter = Painter(fig, moving)
    with caplog.at_level(logging.WARNING, logger="grokviz.media.painter"):
        drawn = list(paint(painter, [lambda i=i: update(i) for i in range(12)]))
    assert not painter.layered
    assert "differs from a full draw" in caplog.text
    np.testing.assert_array_equal(np.stack(drawn), np.stack(expected))


def test_samples_are_spread() -> None:
    fig, moving, update = lines()
    painter = Painter(fig, moving)
    seen: list[int] = []

    def call(i: int) -> None:
        seen.append(i)
        update(i)

    frames = paint(painter, [lambda i=i: call(i) for i in range(11)], checks=5)
    next(frames)
    assert sorted(seen[:-1]) == [0, 2, 5, 8, 10]
    assert seen[-1] == 0


def test_held_picture_is_drawn_once() -> None:
    fig, moving, update = lines()
    painter = Painter(fig, moving)
    calls = [lambda: update(1), lambda: update(2)]
    drawn = list(paint(painter, [calls[0], calls[0], calls[0], calls[1]], checks=3))
    assert drawn[0] is drawn[1] is drawn[2]
    assert drawn[3] is not drawn[0]


def test_no_frames_and_one_frame() -> None:
    fig, moving, update = lines()
    painter = Painter(fig, moving)
    assert list(paint(painter, [])) == []
    assert len(list(paint(painter, [lambda: update(1)]))) == 1


def test_nothing_moves() -> None:
    fig, _, _ = lines()
    painter = Painter(fig, [])
    assert painter.check()


def test_full_draw_by_hand_hides_no_change() -> None:
    fig, moving, update = lines()
    painter = Painter(fig, moving)
    update(1)
    painter.frame()
    fig.axes[0].lines[0].set_ydata(0 * X)
    shown = painter.full()
    np.testing.assert_array_equal(painter.frame(), shown)
