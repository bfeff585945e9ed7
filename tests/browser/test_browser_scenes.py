"""Pages of one scene: its panels, its own plotly figure, its pictures, its film."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import grokviz as gv
from grokviz.media.pixels import read_picture
from grokviz.scene import Drawing, Scene, option

Act = dict[str, Callable[..., None]]
PHONE = {"width": 390, "height": 844}


def narrow_enough(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize("size", [None, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize(
    ("scene", "panels"),
    [
        ("embedding-waves", ["waves", "loss"]),
        ("wave-circles", ["circles", "loss"]),
        ("neuron-spectra", ["spectrum", "neuron"]),
        ("neuron-logit-map", ["logit-map"]),
        ("progress-measures", ["progress"]),
    ],
)
def test_a_scene_with_a_panel(
    opened: Any, data: xr.Dataset, tmp_path: Path, actions: Act, scene: str,
    panels: list[str], size: Any,
) -> None:  # fmt: skip
    (path,) = gv.render(scene, data, tmp_path / f"{scene}.html", epoch="grok")
    page = opened(path, size=size)
    ids = page.evaluate("[...document.querySelectorAll('section.panel')].map(s => s.id)")
    assert ids == [f"panel-{panel}" for panel in panels]
    assert page.locator("h1").inner_text() == gv.scene(scene)().claim(data).sentence
    clock = data[gv.scene(scene).clock].values
    nearest = clock[np.abs(clock - 8375).argmin()]
    assert page.evaluate("grokviz.field('epoch').values[grokviz.state.at]") == nearest
    for panel in panels:
        actions["into_view"](page, panel)
    assert narrow_enough(page)
    page.keyboard.press("End")
    assert page.evaluate("grokviz.state.at") == data.sizes["epoch"] - 1


def test_pictures_to_scrub_are_those_that_the_scene_draws(
    opened: Any, data: xr.Dataset, tmp_path: Path
) -> None:
    wish = {"options": {"by": "component"}, "quality": "l", "title": "none"}
    (path,) = gv.render(
        "embedding-waves", data, tmp_path / "a.html", epochs="0:12000", epoch="grok", **wish
    )
    page = opened(path)
    count = page.evaluate("grokviz.field('epoch').values.length")
    assert 20 < count <= 97
    at = page.evaluate("grokviz.state.at")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        f"document.querySelector('.picture').src.endsWith("
        f"JSON.parse(document.getElementById('facts').textContent).pictures[{at + 1}])"
    )
    page.keyboard.press("ArrowLeft")
    epoch = page.evaluate("grokviz.field('epoch').values[grokviz.state.at]")
    with page.expect_download() as waiting:
        page.locator("[data-save=png]").click()
    assert waiting.value.suggested_filename == f"embedding-waves-epoch-{epoch}.png"
    saved = read_picture(Path(waiting.value.path()).read_bytes(), alpha=False)
    (still,) = gv.render(
        "embedding-waves", data, tmp_path / "a.png", epoch=epoch, venue="slide", ghost=False, **wish
    )
    np.testing.assert_array_equal(saved, read_picture(still, alpha=False))
    page.wait_for_function("document.querySelector('.picture').alt.includes('epoch')")
    assert page.locator("#theme").is_hidden()
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    page.wait_for_function("grokviz.state.at > 2")


def test_a_scene_that_does_not_move_is_one_picture(
    opened: Any, data: xr.Dataset, tmp_path: Path
) -> None:
    (path,) = gv.render("attention-map", data, tmp_path / "a.html")
    page = opened(path, size=PHONE)
    assert page.locator("#slider").count() == 0
    assert page.evaluate("document.querySelector('.picture').naturalWidth") == 1280
    assert page.locator(".picture").get_attribute("alt")
    assert narrow_enough(page)


@dataclass(frozen=True)
class Own(Scene):
    """A user's scene with a figure of its own."""

    name = "own"
    title = "A <b>figure</b> of its own</script>"
    watch = "nothing"
    source = "here"
    needs = ("loss",)

    colour: str = option("red", "of the line")

    def draw(self, figure: Any, data: xr.Dataset) -> Drawing:
        axes = figure.add_axes((0.1, 0.1, 0.8, 0.8))
        return Drawing(axes.plot([0, 1], [0, 1]))

    def interactive(self, data: xr.Dataset) -> Any:
        import plotly.graph_objects as go

        return go.Figure(go.Scatter(y=data["loss"].values[:, 0], line={"color": self.colour}))


def test_a_scene_with_a_plotly_figure(opened: Any, data: xr.Dataset, tmp_path: Path) -> None:
    (path,) = gv.render(Own(colour="green"), data, tmp_path / "own.html")
    page = opened(path)
    assert page.locator("h1").inner_text() == Own.title
    page.wait_for_selector("#panel-figure .scatterlayer .trace")
    assert page.evaluate("document.querySelector('.plot').data[0].line.color") == "green"
    assert page.evaluate("document.querySelector('.plot').calcdata[0].length") == 551
    with page.expect_download() as waiting:
        page.locator("[data-save=svg]").click()
    assert Path(waiting.value.path()).read_text("utf-8").startswith("<svg")


def test_a_film_plays_inside_its_page(opened: Any, data: xr.Dataset, tmp_path: Path) -> None:
    pytest.importorskip("manim", reason="the [manim] extra is not installed")
    (path,) = gv.render("clock", data, tmp_path / "clock.html", quality="l", fps=5)
    page = opened(path)
    page.wait_for_function("document.querySelector('video').readyState >= 2")
    assert page.evaluate("document.querySelector('video').duration") > 5
    assert page.locator("video").get_attribute("aria-label")


def test_a_page_works_inside_a_notebook(browser: Any, data: xr.Dataset, tmp_path: Path) -> None:
    shown = gv.show(gv.render("grokking-curve", data, tmp_path / "a.html"))
    (tmp_path / "notebook.html").write_text(f"<!doctype html><p>a cell</p>{shown._repr_html_()}")
    context = browser.new_context(offline=True)
    context.set_default_timeout(240_000)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text))
    page.goto((tmp_path / "notebook.html").as_uri())
    frame = page.frame_locator("iframe")
    frame.locator("body[data-ready]").wait_for()
    frame.locator("#panel-loss .scatterlayer .trace").first.wait_for()
    frame.locator("#slider").press("Home")
    frame.locator(".now", has_text="epoch 0").wait_for()
    page.wait_for_timeout(500)
    context.close()
    assert wrong == []
