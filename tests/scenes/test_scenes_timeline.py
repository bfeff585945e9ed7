"""The strip and the lines that say when a run memorised and when it generalised."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure
from matplotlib.text import Text

import grokviz as gv
from grokviz.dataset.references.reference import DEFAULT, load
from grokviz.scene import drawing_in
from grokviz.scene.outcome import outcome
from grokviz.scene.timeline import Timeline, Turns, turns

NEEDS = ("logged_train_loss", "logged_test_loss", "phase_end", "sum_squared_weights")


def run() -> xr.Dataset:
    return load(None, NEEDS, default=DEFAULT)


def shown(figure: Figure) -> list[str]:
    return [t.get_text() for t in figure.findobj(Text) if t.get_visible() and t.get_text()]


def test_turns_are_those_of_the_losses() -> None:
    data = run()
    assert [turn.at for turn in turns(data)] == [outcome(data).memorised, outcome(data).generalised]
    late = data["logged_test_loss"].copy(data=data["logged_test_loss"].values + 1)
    assert [turn.name for turn in turns(data.assign(logged_test_loss=late))] == ["memorised"]


def test_a_strip_names_a_turn_once_it_has_come_where_the_future_is_not_shown() -> None:
    data = run()
    with drawing_in(gv.theme("dark", "slide"), ghost=False):
        figure = Figure(figsize=(19.2, 10.8))
        strip = Timeline(figure, data)
        written = []
        for i in (0, data.sizes["epoch"] // 8, data.sizes["epoch"] - 1):
            strip.update(i)
            written.append(shown(figure))
    assert written[0] == []
    assert written[1] == ["memorised at epoch 150"]
    assert written[2] == ["memorised at epoch 150", "generalised at epoch 10,510"]


def test_names_of_a_strip_do_not_touch_and_stay_on_it() -> None:
    data = run()
    with drawing_in(gv.theme("light", "paper")):
        figure = Figure(figsize=(3.25, 2.0))
        strip = Timeline(figure, data, left=1.0, right=1.0)
        strip.update(0)
        figure.draw_without_rendering()
    boxes = [t.get_window_extent() for t in figure.findobj(Text) if t.get_text()]
    assert shown(figure) == ["memorised", "generalised"]
    assert boxes[0].x1 < boxes[1].x0
    assert all(strip.axes.bbox.x0 - 2 < b.x0 and b.x1 < strip.axes.bbox.x1 + 2 for b in boxes)


def test_lines_across_a_panel_stand_at_the_turns() -> None:
    data = run()
    with drawing_in(gv.theme("dark", "slide"), ghost=False):
        axes = Figure(figsize=(19.2, 10.8)).subplots()
        axes.set_xlim(0, 19000)
        lines = Turns(axes, data)
        lines.update(0)
        assert not any(line.get_visible() for line in axes.lines)
        lines.update(data.sizes["epoch"] - 1)
    assert [float(line.get_xdata()[0]) for line in axes.lines] == [150, 10510]
    assert all(line.get_visible() for line in axes.lines)
