"""The explorer page in a real browser: what moves, what is chosen, what is saved."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import grokviz as gv
from grokviz.media.pixels import read_picture
from grokviz.tasks.modular_addition import fields

PANELS = [
    "loss", "progress", "waves", "circles", "sum", "clusters", "shares", "neuron", "spectrum",
    "attention", "logit-map", "logits",
]  # fmt: skip
TRACES = "document.querySelector('#panel-{} .plot').data"
PHONE = {"width": 390, "height": 844}
Act = dict[str, Callable[..., None]]


def traces(page: Any, panel: str, part: str) -> Any:
    return page.evaluate(f"Array.from({TRACES.format(panel)}{part})")


def stamp(page: Any, panel: str) -> str:
    return str(page.locator(f"#panel-{panel} .stamp").inner_text()).replace(",", "")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [None, PHONE], ids=["desktop", "phone"])
def test_every_panel_is_drawn_and_nothing_is_wider_than_the_screen(
    opened: Any, made: Path, actions: Act, size: Any, theme: str
) -> None:
    page = opened(made, size=size, color_scheme=theme)
    assert page.locator("section.panel").count() == len(PANELS)
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    for panel in PANELS:
        actions["into_view"](page, panel)
        wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1]
        marks = page.locator(f"#panel-{panel} .main-svg .trace, #panel-{panel} .hm").count()
        assert marks > 0, panel
    reach = page.evaluate(
        "Math.max(...[...document.querySelectorAll('.stage')].map("
        "s => s.querySelector('svg').getBoundingClientRect().right))"
    )
    assert reach <= wide[1]


def test_on_paper_every_panel_is_drawn(opened: Any, made: Path) -> None:
    page = opened(made, "#epoch=9050")
    drawn = "[...document.querySelectorAll('.stage')].filter(s => s.querySelector('svg')).length"
    assert page.evaluate(drawn) < len(PANELS)
    sheet = page.pdf(format="A4", landscape=True)
    assert sheet.startswith(b"%PDF")
    assert page.evaluate(drawn) == len(PANELS)
    for panel in PANELS:
        assert stamp(page, panel).startswith("epoch 90"), panel
    assert page.evaluate("document.body.style.width") == ""


def test_page_is_small_enough(made: Path) -> None:
    assert made.stat().st_size < 12e6


def test_slider_drives_every_panel(opened: Any, made: Path, data: xr.Dataset, actions: Act) -> None:
    page = opened(made, "#epoch=9000")
    for panel in PANELS:
        actions["into_view"](page, panel)
        actions["settled"](page)
        before = stamp(page, panel)
        drawn = page.locator(f"#panel-{panel} .stage").screenshot()
        page.locator("#slider").focus()
        page.evaluate("delete document.body.dataset.settled")
        page.keyboard.press("PageDown")
        actions["settled"](page)
        assert stamp(page, panel) != before, panel
        assert page.locator(f"#panel-{panel} .stage").screenshot() != drawn, panel
    epoch = int(page.evaluate("grokviz.state.at"))
    assert str(data["epoch"].values[epoch]) in page.locator(".now").inner_text().replace(",", "")


def test_panels_show_the_numbers_of_the_dataset(
    opened: Any, made: Path, data: xr.Dataset, actions: Act
) -> None:
    page = opened(made, "#epoch=40000")
    for panel in PANELS:
        actions["into_view"](page, panel)
    actions["go"](page, 9050)
    now = data.sel(epoch=9050)

    actions["into_view"](page, "waves")
    actions["settled"](page)
    bars = traces(page, "waves", "[1].y")
    np.testing.assert_allclose(bars, now["embedding_frequency_norm"].values, rtol=1e-4, atol=1e-6)
    been = data["embedding_frequency_norm"].sel(epoch=slice(0, 9050)).max("epoch").values
    np.testing.assert_allclose(traces(page, "waves", "[0].y"), been, rtol=1e-4, atol=1e-6)

    share = traces(page, "clusters", "[0].y")
    np.testing.assert_array_equal(share, now["all_neuron_variance_explained"].values)

    actions["into_view"](page, "logits")
    actions["settled"](page)
    wave = np.roll(now["logit_wave"].values, (data.sizes["residue"] - 1) // 2)
    np.testing.assert_allclose(traces(page, "logits", ".at(-1).y"), wave, rtol=1e-4, atol=2e-3)

    circles = page.evaluate("grokviz.field('embedding_plane').at(grokviz.state.at)")
    plane = now["embedding_plane"].values.ravel()
    np.testing.assert_allclose(circles, plane, atol=5e-4)


def test_fields_are_rebuilt_as_in_python(
    opened: Any, made: Path, data: xr.Dataset, actions: Act
) -> None:
    page = opened(made, "#neuron=119&epoch=9050")
    for panel in ("neuron", "spectrum", "attention"):
        actions["into_view"](page, panel)
    moment = page.evaluate("document.querySelector('#panel-neuron .stage').panel.moment()")
    i = int(np.flatnonzero(data["field_epoch"].values == moment)[0])
    wanted = fields.neuron_activations(data, 119, i)
    drawn = np.array(page.evaluate(f"{TRACES.format('neuron')}[0].z.map(row => Array.from(row))"))
    np.testing.assert_allclose(drawn, wanted, atol=2e-3 * wanted.max())

    coefficients = page.evaluate(f"Array.from(grokviz.spectrum(grokviz.activations(119, {i})))")
    spectrum = fields.neuron_spectrum(data, 119, i)
    found = np.array(coefficients).reshape(spectrum.shape)
    np.testing.assert_allclose(found, spectrum, atol=2e-3 * np.abs(spectrum).max())

    at = int(np.flatnonzero(data["epoch"].values == 9050)[0])
    pattern = fields.attention_pattern(data, 0, at)
    shown = page.evaluate(f"{TRACES.format('attention')}[0].z.map(row => Array.from(row))")
    np.testing.assert_allclose(shown, pattern, atol=2e-3)


MARKS = """panel => [...document.querySelectorAll(
  `#panel-${panel} .barlayer .point > path, #panel-${panel} .scatterlayer path.point,
   #panel-${panel} .js-line`)].map(
  m => (m.getAttribute("transform") ?? "") + m.getAttribute("d"))"""
NUMBERS = r"""marks => marks.map(m => (m.match(/-?\d+(\.\d+)?/g) ?? []).map(Number))"""


@pytest.mark.parametrize("panel", ["waves", "clusters", "circles"])
def test_marks_moved_in_place_are_where_plotly_draws_them(
    opened: Any, made: Path, actions: Act, panel: str
) -> None:
    page = opened(made, "#epoch=8000")
    actions["into_view"](page, panel)
    actions["settled"](page)
    page.evaluate("grokviz.go(9000)")
    page.wait_for_function(f"document.querySelector('#panel-{panel} .stage').panel.unsettled")
    moved = page.evaluate(f"({NUMBERS})(({MARKS})('{panel}'))")
    actions["settled"](page)
    assert not page.evaluate(f"document.querySelector('#panel-{panel} .stage').panel.unsettled")
    drawn = page.evaluate(f"({NUMBERS})(({MARKS})('{panel}'))")
    assert len(moved) == len(drawn) > 50
    places = {"waves": (1, 3), "clusters": (0, 2), "circles": (0, 2)}[panel]
    # plotly leaves out points that a line passes anyway
    pairs = [(a, b) for a, b in zip(moved, drawn, strict=True) if len(a) == len(b)]
    assert len(pairs) > 0.9 * len(moved)
    for one, other in pairs:
        np.testing.assert_allclose(
            one[places[0] : places[1]], other[places[0] : places[1]], atol=0.6
        )


def test_a_heatmap_moves_on_a_canvas_of_the_same_colours(
    opened: Any, made: Path, actions: Act
) -> None:
    page = opened(made, "#epoch=8000")
    actions["into_view"](page, "attention")
    actions["settled"](page)
    page.evaluate("grokviz.go(9000)")
    page.wait_for_selector("#panel-attention canvas.cells", state="visible")
    moved = page.locator("#panel-attention .stage").screenshot()
    actions["settled"](page)
    page.wait_for_selector("#panel-attention canvas.cells", state="hidden")
    drawn = page.locator("#panel-attention .stage").screenshot()
    one, other = (read_picture(shot, alpha=False).astype(int) for shot in (moved, drawn))
    assert np.quantile(np.abs(one - other), 0.99) <= 8
    assert np.abs(one - other).mean() < 1


def test_play_pause_speed_and_loop(opened: Any, made: Path) -> None:
    page = opened(made, "#epoch=0")
    play = page.get_by_role("button", name="Play")
    page.get_by_label("Speed").select_option("4")
    play.click()
    page.wait_for_function("grokviz.state.at > 30")
    page.get_by_role("button", name="Pause").click()
    page.wait_for_timeout(150)
    at = page.evaluate("grokviz.state.at")
    page.wait_for_timeout(300)
    assert page.evaluate("grokviz.state.at") == at
    page.evaluate("grokviz.go(1e9)")
    page.get_by_label("loop").check()
    page.evaluate("grokviz.go(39900)")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("grokviz.state.at < 100 && grokviz.state.at > 3")
    page.get_by_label("loop").uncheck()
    page.evaluate("grokviz.go(39900)")
    page.get_by_role("button", name="Play").wait_for()  # it came to the end and stopped
    assert page.evaluate("grokviz.state.at") == 550


def test_a_stored_neuron_is_chosen_by_its_dot(
    opened: Any, made: Path, data: xr.Dataset, actions: Act
) -> None:
    page = opened(made, "#epoch=40000")
    actions["into_view"](page, "clusters")
    actions["settled"](page)
    dots = page.locator("#panel-clusters .scatterlayer > .trace").nth(1).locator("path.point")
    assert dots.count() == data.sizes["neuron"]
    for n in (7, 10, 4):
        chosen = int(data["neuron"].values[n])
        box = dots.nth(n).bounding_box()
        place = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        for _ in range(3):  # some lie on one another
            page.mouse.move(*place)
            page.wait_for_timeout(100)
            page.mouse.click(*place)
            if page.evaluate("grokviz.state.neuron") == chosen:
                break
        assert page.evaluate("grokviz.state.neuron") == chosen
        assert page.evaluate("grokviz.state.frequency") is None
    for panel in ("neuron", "spectrum"):
        actions["into_view"](page, panel)
        assert f"neuron {chosen}" in stamp(page, panel)
    page.get_by_label("Neuron", exact=True).select_option(str(int(data["neuron"].values[3])))
    assert f"neuron {int(data['neuron'].values[3])}" in stamp(page, "spectrum")


def test_a_chosen_frequency_is_marked_in_every_panel_that_shows_frequencies(
    opened: Any, made: Path, data: xr.Dataset, actions: Act
) -> None:
    page = opened(made, "#epoch=12000")
    for panel in PANELS:
        actions["into_view"](page, panel)
    page.evaluate("window.scrollTo(0, 0)")
    page.locator(".chip[data-frequency='42']").click()
    assert page.locator(".chip[data-frequency='42']").get_attribute("aria-pressed") == "true"
    for panel in PANELS:
        actions["into_view"](page, panel)
    own = page.evaluate(
        "getComputedStyle(document.querySelector('.chip[data-frequency=\"42\"]')).getPropertyValue('--own')"
    )
    opacity = traces(page, "waves", "[1].marker.opacity")
    assert opacity[41] == 1
    assert max(opacity[:41]) < 0.5
    assert "without 42" in [t["name"] for t in page.evaluate(TRACES.format("progress"))]
    circles = page.evaluate(
        f"{TRACES.format('circles')}.map(t => [t.marker?.color ?? t.line.color, t.opacity])"
    )
    assert {colour for colour, opacity in circles if opacity > 0.3} == {own}
    colours = set(traces(page, "clusters", "[0].marker.color"))
    assert own in colours
    assert len(colours) == 2
    shapes = "document.querySelector('#panel-{} .plot').layout.shapes.map(s => s.line.color)"
    assert page.evaluate(shapes.format("spectrum")) == [own, own]
    assert own in page.evaluate(shapes.format("logit-map"))
    assert own in page.evaluate(f"{TRACES.format('logits')}.map(t => t.line.color)")
    heads = int((data["head_frequency"].sel(epoch=12000) == 42).sum())
    assert page.locator("#panel-attention .choice button[style*='inset']").count() == heads > 0
    page.get_by_label("Any frequency").select_option("7")
    actions["into_view"](page, "waves")
    assert traces(page, "waves", "[1].marker.opacity")[6] == 1
    page.keyboard.press("Escape")


def test_scales_are_linear_or_logarithmic(opened: Any, made: Path, actions: Act) -> None:
    page = opened(made, "#epoch=40000")
    kind = "document.querySelector('#panel-{} .plot').layout.yaxis.type ?? 'linear'"
    for panel, first, second in (("loss", "log", "linear"), ("waves", "linear", "log")):
        actions["into_view"](page, panel)
        assert page.evaluate(kind.format(panel)) == first
        switch = page.locator(f"#panel-{panel} [data-value={second}]")
        switch.click()
        assert page.evaluate(kind.format(panel)) == second
        assert switch.get_attribute("aria-pressed") == "true"
    page.get_by_role("group", name="Time axis").get_by_text("log").click()
    time = "document.querySelector('#panel-loss .plot').layout.xaxis.type"
    assert page.evaluate(time) == "log"
    actions["go"](page, 1000)
    middle = page.evaluate("Number(document.getElementById('slider').value)")
    assert 3000 < middle < 6000
    page.locator("#slider").evaluate("s => { s.value = 4; s.dispatchEvent(new Event('input')) }")
    assert page.evaluate("grokviz.state.at") == 0


def test_light_and_dark(opened: Any, made: Path) -> None:
    page = opened(made, color_scheme="light")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    line = f"{TRACES.format('loss')}[1].line.color"
    before = page.evaluate(line)
    page.get_by_role("button", name="Switch to dark colours").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    assert page.evaluate(line) == gv.theme("dark").colours.test != before
    page.keyboard.press("t")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == light


@pytest.mark.parametrize("panel", PANELS)
def test_what_is_saved(
    opened: Any, made: Path, data: xr.Dataset, actions: Act, panel: str, tmp_path: Path
) -> None:
    page = opened(made, "#epoch=9050&frequency=42")
    actions["into_view"](page, panel)
    saved = {}
    for kind in ("png", "svg", "csv"):
        with page.expect_download() as waiting:
            page.locator(f"#panel-{panel} [data-save={kind}]").click()
        saved[kind] = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(saved[kind])
        assert saved[kind].name.startswith(f"{panel}-epoch-9")
        assert saved[kind].suffix == f".{kind}"
    picture = read_picture(saved["png"], alpha=False)
    assert abs(picture.shape[1] - 2400) <= 2
    assert len(np.unique(picture[::5, ::5].reshape(-1, 3), axis=0)) > 20
    svg = saved["svg"].read_text("utf-8")
    assert svg.startswith("<svg")
    assert data.attrs["run_checksum"][:12] in svg
    assert page.locator(f"#panel-{panel} h2").inner_text().split()[0] in svg
    rows = list(csv.reader(saved["csv"].read_text("utf-8").splitlines()))
    assert len(rows) > 50
    assert all(len(row) == len(rows[0]) for row in rows)
    float(rows[1][-1])


def test_saved_numbers_are_those_of_the_dataset(
    opened: Any, made: Path, data: xr.Dataset, actions: Act
) -> None:
    page = opened(made, "#epoch=9050")
    actions["into_view"](page, "clusters")
    with page.expect_download() as waiting:
        page.locator("#panel-clusters [data-save=csv]").click()
    rows = list(csv.DictReader(Path(waiting.value.path()).read_text("utf-8").splitlines()))
    now = data.sel(epoch=9050)
    found = [float(row["share of variance explained"]) for row in rows]
    np.testing.assert_array_equal(found, now["all_neuron_variance_explained"].values)
    assert {row["epoch"] for row in rows} == {"9050"}


def test_a_neuron_without_a_frequency_stands_at_none(
    opened: Any, made: Path, data: xr.Dataset, actions: Act
) -> None:
    page = opened(made, "#epoch=0")
    actions["into_view"](page, "clusters")
    panel = page.locator("#panel-clusters")
    without = int((data["all_neuron_frequency"].sel(epoch=0) == 0).sum())
    assert without == 81
    assert "81 without a frequency" in panel.inner_text()
    assert panel.locator(".xtick text").first.text_content() == "none"
    with page.expect_download() as waiting:
        panel.locator("[data-save=csv]").click()
    rows = list(csv.DictReader(Path(waiting.value.path()).read_text("utf-8").splitlines()))
    assert sum(row["frequency"] == "none" for row in rows) == without
    actions["go"](page, 9050)
    assert "without a frequency" not in panel.inner_text()


def test_the_fragment_restores_epoch_and_choice(opened: Any, made: Path, actions: Act) -> None:
    said = "#epoch=9050&frequency=42&neuron=119&head=2&time=log&speed=2&loop=true&waves.scale=log"
    page = opened(made, said)
    keys = ["at", "frequency", "neuron", "head", "time", "speed", "loop"]
    read = f"[{', '.join(f'grokviz.state.{key}' for key in keys)}]"
    wanted = page.evaluate(read)
    assert page.evaluate("grokviz.field('epoch').values[grokviz.state.at]") == 9050
    assert wanted[1:] == [42, 119, 2, "log", 2, True]
    actions["into_view"](page, "waves")
    assert page.evaluate("document.querySelector('#panel-waves .plot').layout.yaxis.type") == "log"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("f")
    page.wait_for_function("location.hash.includes('epoch=9075')")
    page.wait_for_function("location.hash.includes('frequency=52')")
    again = opened(made, "#" + page.evaluate("location.hash.slice(1)"))
    assert again.evaluate(read) == page.evaluate(read)


@pytest.mark.parametrize(
    "said",
    ["#epoch=no&frequency=9999&neuron=-1&head=17&time=x", "#<img src=x onerror=alert(1)>", "#%%%"],
)
def test_a_fragment_of_nonsense_is_passed_over(opened: Any, made: Path, said: str) -> None:
    page = opened(made, said)
    assert page.evaluate("grokviz.state.at") == 550
    assert page.evaluate("grokviz.state.frequency") is None
    assert page.evaluate("grokviz.state.head") == 0


def test_another_fragment_moves_an_open_page(opened: Any, made: Path, actions: Act) -> None:
    page = opened(made, "#epoch=9050")
    page.evaluate("location.hash = '#epoch=1000&frequency=14'")
    page.wait_for_function("grokviz.state.frequency === 14")
    actions["settled"](page)
    assert "epoch 1000" in stamp(page, "loss")


def test_by_the_keyboard_alone(opened: Any, made: Path) -> None:
    page = opened(made, "#epoch=40000")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "(e => [e.tagName, e.id, e.getAttribute('aria-label') ?? e.innerText])"
                "(document.activeElement)"
            )
        )
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", reached[-1]
    names = [name for _, _, name in reached]
    for wanted in ("Play", "Speed", "14", "Any frequency", "Save Loss as PNG", "About"):
        assert wanted in names, wanted
    assert "slider" in [identity for _, identity, _ in reached]

    page.locator("#slider").focus()
    page.keyboard.press("Home")
    assert page.evaluate("grokviz.state.at") == 0
    for key, at in (("ArrowRight", 1), ("PageUp", 11), ("ArrowLeft", 10), ("End", 550)):
        page.keyboard.press(key)
        assert page.evaluate("grokviz.state.at") == at, key
    page.locator("body").focus()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    page.wait_for_function("grokviz.state.at > 2")
    page.keyboard.press(" ")
    page.keyboard.press("f")
    assert page.evaluate("grokviz.state.frequency") == 14
    page.keyboard.press("Shift+F")
    assert page.evaluate("grokviz.state.frequency") == 52
    page.keyboard.press("Escape")
    assert page.evaluate("grokviz.state.frequency") is None
    first = page.evaluate("grokviz.state.neuron")
    page.keyboard.press("n")
    assert page.evaluate("grokviz.state.neuron") != first
    page.keyboard.press("h")
    assert page.evaluate("grokviz.state.head") == 1
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.locator(".chip[data-frequency='35']").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("grokviz.state.frequency") == 35


def test_what_a_screen_reader_hears(opened: Any, made: Path, actions: Act) -> None:
    page = opened(made, "#epoch=9050")
    slider = page.get_by_role("slider", name="Training time")
    assert slider.get_attribute("aria-valuetext") == "epoch 9,050, clean-up"
    actions["into_view"](page, "waves")
    page.evaluate("delete document.body.dataset.settled")
    page.keyboard.press("ArrowRight")
    actions["settled"](page)
    assert page.locator("#spoken").inner_text() == "epoch 9,075, clean-up"
    said = page.locator("#panel-waves .plot").get_attribute("aria-label")
    assert said.startswith("Waves in the embedding. At epoch 9,075 these frequencies")
    nameless = page.evaluate(
        "[...document.querySelectorAll('button, select, input')].filter(e => !(e.innerText.trim()"
        " || e.getAttribute('aria-label') || e.labels?.length)).map(e => e.outerHTML)"
    )
    assert nameless == []
    for role, least in (("img", len(PANELS)), ("region", len(PANELS)), ("main", 1)):
        assert page.get_by_role(role).count() >= least
    assert page.locator("h1").count() == 1
    assert page.locator("html").get_attribute("lang") == "en"


def test_dragging_along_a_curve_moves_through_training(
    opened: Any, made: Path, actions: Act
) -> None:
    page = opened(made, "#epoch=40000")
    box = page.locator("#panel-loss .stage").bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    first = page.evaluate("grokviz.state.at")
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"], steps=5)
    page.mouse.up()
    assert 0 < first < page.evaluate("grokviz.state.at") < 550
    at = page.evaluate("grokviz.state.at")
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    assert page.evaluate("grokviz.state.at") == at


HOSTILE = '<img src=x onerror="window.hacked=1"></script><script>window.hacked=2</script>&amp;$x$'


def test_names_of_a_run_are_shown_and_never_run(
    opened: Any, data: xr.Dataset, tmp_path: Path, actions: Act
) -> None:
    given = data.copy()
    given.attrs = {
        **data.attrs, "run_name": HOSTILE, "recipe": HOSTILE, "command": HOSTILE, "task": HOSTILE,
        "counts": "<b>step</b>", "settings": '{"</script><b>key</b>": "<i>value</i>"}',
    }  # fmt: skip
    given["loss"].attrs["definition"] = HOSTILE
    page = opened(gv.explore(given, tmp_path / "a<b>&'.html", command=HOSTILE))
    for panel in PANELS:
        actions["into_view"](page, panel)
    for summary in page.locator("summary").all():
        summary.click()
    with page.expect_download() as waiting:
        page.locator("#panel-loss [data-save=svg]").click()
    svg = Path(waiting.value.path()).read_text("utf-8")
    assert page.evaluate("window.hacked") is None
    assert page.locator("h1").inner_text() == HOSTILE
    assert page.title().startswith(HOSTILE[:20])
    assert page.locator("main img, footer img, footer b, footer i, h1 *, .now *").count() == 0
    assert page.locator("footer.facts").inner_text().count(HOSTILE) == 4
    assert "<img" not in svg
    assert "<script" not in svg


def test_a_run_with_one_checkpoint_has_everything_but_the_slider(
    opened: Any, data: xr.Dataset, tmp_path: Path, actions: Act
) -> None:
    one = data.isel(epoch=[-1]).sel(field_epoch=data["field_epoch"].values[-1:])
    page = opened(gv.explore(one, tmp_path / "one.html"))
    assert page.locator("#slider").count() == 0
    assert page.locator("section.panel").count() == len(PANELS)
    for panel in PANELS:
        actions["into_view"](page, panel)
        assert page.locator(f"#panel-{panel} .main-svg .trace, #panel-{panel} .hm").count() > 0
    page.keyboard.press("f")
    assert page.evaluate("grokviz.state.frequency") == 14
    page.keyboard.press(" ")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("grokviz.state.at") == 0


def test_a_run_of_curves_alone(opened: Any, data: xr.Dataset, tmp_path: Path) -> None:
    names = ["logged_train_loss", "logged_test_loss", "phase_end"]
    page = opened(gv.explore(data[names].assign_coords(epoch=data["epoch"]), tmp_path / "c.html"))
    assert page.locator("section.panel").count() == 1
    page.keyboard.press("Home")
    page.wait_for_function(
        "document.querySelector('#panel-loss .stamp').textContent.startsWith('epoch 0 ')"
    )


def test_every_browser_that_is_too_old_says_so(browser: Any, made: Path) -> None:
    context = browser.new_context(offline=True)
    context.set_default_timeout(240_000)
    page = context.new_page()
    page.add_init_script("delete window.DecompressionStream")
    page.goto(made.as_uri())
    page.wait_for_function("document.getElementById('waiting').textContent.includes('too old')")
    context.close()


OTHERS = {
    "repeated-subsequence": ["loss", "held-out", "heads", "pattern", "shares"],
    "digit-addition": ["loss", "digits"],
    "skip-trigram": ["loss", "held-out", "shares"],
    "slingshots": ["family"],
}


@pytest.mark.parametrize("reference", sorted(OTHERS))
def test_runs_of_the_other_tasks(opened: Any, tmp_path: Path, actions: Act, reference: str) -> None:
    data = gv.reference(reference)
    path = gv.explore(data, tmp_path / "other.html")
    for size in (None, PHONE):
        page = opened(path, "#time=linear", size=size)  # a link: without steps, at the end
        ids = page.evaluate("[...document.querySelectorAll('section.panel')].map(s => s.id)")
        assert ids == [f"panel-{panel}" for panel in OTHERS[reference]]
        for panel in OTHERS[reference]:
            actions["into_view"](page, panel)
            for group in page.locator(f"#panel-{panel} .choice").all():
                for button in group.locator("button").all():
                    button.click()
            before = stamp(page, panel)
            page.keyboard.press("Home")
            page.wait_for_function(
                f"document.querySelector('#panel-{panel} .stamp').textContent !== "
                f"{before.replace(chr(34), '')!r}"
            )
            page.keyboard.press("End")
            with page.expect_download() as waiting:
                page.locator(f"#panel-{panel} [data-save=csv]").click()
            assert len(Path(waiting.value.path()).read_text("utf-8").splitlines()) > 90
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    word = data.attrs["counts"]
    assert page.locator(".now").inner_text().startswith(f"{word} ")


def test_attention_pattern_is_that_of_the_dataset(
    opened: Any, tmp_path: Path, actions: Act
) -> None:
    data = gv.reference("repeated-subsequence")
    page = opened(gv.explore(data, tmp_path / "other.html"), "#step=1000")
    actions["into_view"](page, "pattern")
    actions["settled"](page)
    shown = page.evaluate(f"{TRACES.format('pattern')}[0].z.map(row => Array.from(row))")
    moment = page.evaluate("document.querySelector('#panel-pattern .stage').panel.moment()")
    wanted = data["attention_pattern"].sel(field_epoch=moment, shown_head="induction").values
    np.testing.assert_array_equal(np.array(shown), wanted)
    rings = page.evaluate(f"{TRACES.format('pattern')}[1].y")
    assert rings == np.flatnonzero(data["shown_source"].values >= 0).tolist()
