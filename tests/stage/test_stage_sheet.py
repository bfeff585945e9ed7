"""What stands around a scene, and that the epoch written is the one drawn."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from grokviz.media.film.chunks import unescape
from grokviz.render.drawing import build
from grokviz.render.job import render_options
from grokviz.render.plan import plan
from grokviz.render.render import render
from grokviz.scene.about import about
from grokviz.scene.clock import COMMA_SPACE, FIGURE_SPACE, spaced
from grokviz.scene.registry import scenes
from grokviz.task import Task

NAMED = {
    "run_name": "cost $5 and $\\frac{1}{2$ _x_",
    "task": "",
    "settings": "{}",
}


def built(scene: Any, data: Any, path: str, **wish: Any) -> Any:
    (job,) = plan(scene, path, (), render_options(wish))
    from grokviz.scene import drawing_in

    with drawing_in(job.theme):
        return build(job, data)


def texts(figure: Any) -> list[str]:
    FigureCanvasAgg(figure).draw()
    return [t.get_text() for t in figure.findobj(Text) if t.get_visible() and t.get_text()]


def test_a_slide_carries_title_hint_run_and_epoch(dot: Any, data: Any) -> None:
    figure, sheet, _ = built(dot(), data, "a.mp4")
    sheet.show(7)
    shown = texts(figure)
    assert {"A dot follows the loss", "The dot", "small"} <= set(shown)
    assert f"{FIGURE_SPACE}{COMMA_SPACE}epoch 700" in shown


def test_paper_carries_the_epoch_alone(dot: Any, data: Any) -> None:
    figure, sheet, _ = built(dot(), data, "a.pdf")
    sheet.show(20)
    shown = texts(figure)
    assert "epoch 2,000" in shown
    assert not {"A dot follows the loss", "The dot", "small"} & set(shown)


@pytest.mark.parametrize("path", ["a.pdf", "a.mp4"])
@pytest.mark.parametrize("title", ["none", "None", "Another one"])
def test_another_title_or_none(dot: Any, data: Any, path: str, title: str) -> None:
    figure, _, _ = built(dot(), data, path, title=title)
    shown = texts(figure)
    assert "A dot follows the loss" not in shown
    assert ("Another one" in shown) is (title == "Another one")
    assert not {"none", "None"} & set(shown)


@pytest.mark.parametrize("path", ["a.png", "a.mp4"])
def test_dollars_in_names_are_no_formulas(dot: Any, data: Any, path: str) -> None:
    data = data.assign_attrs(NAMED)
    figure, sheet, _ = built(dot(), data, path, title="$ 5 to $ 6", venue="slide")
    sheet.show(0)
    texts(figure)  # a formula that is none would raise here
    read = [t._preprocess_math(t.get_text()) for t in figure.findobj(Text)]
    assert (NAMED["run_name"], False) in read
    assert ("$ 5 to $ 6", False) in read


def test_a_poster_has_no_epoch(poster: Any, data: Any) -> None:
    figure, sheet, _ = built(poster(), data, "a.png")
    sheet.show(0)
    assert not [text for text in texts(figure) if text.startswith("epoch")]


def test_the_epoch_keeps_its_width(dot: Any, data: Any) -> None:
    _, sheet, _ = built(dot(), data, "a.mp4")
    widths = set()
    for i in range(data.sizes["epoch"]):
        sheet.show(i)
        widths.add(len(sheet.moment.get_text()))
    assert len(widths) == 1


def test_a_users_style_reaches_the_epoch_and_tables_of_numbers(
    here: Path, dot: Any, data: Any
) -> None:
    style = Path("own.mplstyle")
    style.write_text("font.family: cmss10\nfont.monospace: cmtt10\n", "utf-8")
    (file,) = render(dot(), data, "dot.svg", style=style)
    (drawn,) = [line for line in file.read_text("utf-8").splitlines() if ">epoch 2,000<" in line]
    assert "'cmss10'" in drawn
    (file,) = render(
        "log-softmax-rounding", None, "rounding.svg", style=style, options={"table": True}
    )
    assert "'cmtt10'" in file.read_text("utf-8")


def test_the_run_is_told_in_a_line() -> None:
    import xarray as xr

    settings = {"p": 113, "train-fraction": 0.3, "weight-decay": 1.0}
    attrs = {"task": "modular-addition", "settings": json.dumps(settings), "run_name": "mine"}
    line = "addition mod 113  ·  trained on 30% of the pairs  ·  weight decay 1"
    assert about(xr.Dataset(attrs=attrs)) == line
    seeded = {**attrs, "settings": json.dumps({**settings, "seed": 4})}
    family = {"member_name": ("member", ["a"])}
    assert about(xr.Dataset(attrs=seeded)) == line
    assert about(xr.Dataset(family, attrs=attrs)) == line
    assert about(xr.Dataset(family, attrs=seeded)) == f"{line}  ·  weights of seed 4"
    drawn = {**attrs, "settings": json.dumps({**settings, "seed": 4, "init": "published"})}
    said = "weights of seed 4, drawn as published"
    assert about(xr.Dataset(family, attrs=drawn)) == f"{line}  ·  {said}"
    assert about(xr.Dataset(attrs={"task": "mine", "run_name": "a"})) == "mine  ·  a"
    digits = {"task": "digit-addition", "settings": json.dumps({"digits": 5, "examples": 700})}
    assert about(xr.Dataset(attrs=digits)) == ("addition of 5-digit numbers  ·  700 training sums")
    own = {"subsequence": 16, "repeats": 3, "length": 85, "examples": 0, "weight-decay": 1.0}
    attrs = {"task": "repeated-subsequence", "settings": json.dumps(own)}
    assert about(xr.Dataset(attrs=attrs)) == (
        "continue 16 tokens, repeated 3 times in a sequence of 85  ·  fresh data at every step  ·  "
        "weight decay 1"
    )
    assert about(xr.Dataset()) == ""
    smaller = about(xr.Dataset(attrs=attrs | {"recipe": "repeated-subsequence-320"}))
    assert smaller.endswith("weight decay 1  ·  smaller than published")


def test_a_task_whose_sentence_lacks_a_setting_is_told_by_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import xarray as xr

    mine = Task("mine", __name__, object, (), about=lambda settings: [f"{settings['bits']} bits"])
    monkeypatch.setattr(sys.modules[about.__module__], "known_task", lambda name: mine)
    attrs = {"task": "mine", "settings": "{}", "run_name": "a"}
    assert about(xr.Dataset(attrs=attrs)) == "mine  ·  a"
    assert about(xr.Dataset(attrs=attrs | {"settings": '{"bits": 3}'})) == "3 bits"


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (40000, "40,000"), (1234567, "1,234,567"),
     (np.int64(7), "7"), (0.35, "0.35"), (12.0, "12")],
)  # fmt: skip
def test_counts_have_commas_between_thousands(number: float, text: str) -> None:
    assert spaced(number) == text


@pytest.mark.parametrize("wanted", ["0", "649", "grok-500", "last"])
def test_the_epoch_written_is_the_one_drawn(here: Path, dot: Any, data: Any, wanted: str) -> None:
    """The dot's place in the file, the epoch beside it and the alt text are of one moment."""
    render(dot(), data, "a.svg", epoch=wanted)
    text = unescape(Path("a.svg").read_text())
    text = text.replace(FIGURE_SPACE, " ").replace(COMMA_SPACE, " ")
    epoch = {"0": 0, "649": 600, "grok-500": 700, "last": 2000}[wanted]
    room = " " * (5 - len(spaced(epoch)))
    assert f">{room}epoch {spaced(epoch)}</text>" in text
    assert f"A dot at epoch {epoch}." in text
    assert f'"epochs":[{epoch}]' in text
    other = Path("b.svg")
    render(dot(), data, other, epoch=epoch)
    assert other.read_text() == Path("a.svg").read_text()


@pytest.mark.parametrize("path", ["a.png", "a.mp4"])
def test_a_long_sentence_leaves_the_moment_free(dot: Any, data: Any, path: str) -> None:
    longest = max((scene.watch for scene in scenes(user=False).values()), key=len)
    scene = type("Long", (dot,), {"watch": longest, "__doc__": dot.__doc__})
    figure, sheet, _ = built(scene(), data, path)
    sheet.show(20)
    FigureCanvasAgg(figure).draw()
    (said,) = (t for t in figure.findobj(Text) if t.get_text().startswith(longest))
    (title,) = (t for t in figure.findobj(Text) if t.get_text() == scene.title)
    box = said.get_window_extent()
    assert not box.overlaps(sheet.moment.get_window_extent())
    assert not box.overlaps(title.get_window_extent())
    assert box.y0 > sheet.body.bbox.y1
