"""The page as an article: steps, one sum, what is pinned, two runs, zoom, notes, the link."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import numpy as np
import pytest
import xarray as xr

import grokviz as gv
from grokviz.explorer.steps import steps
from grokviz.pages.panels import available

Act = dict[str, Callable[..., None]]
PHONE = {"width": 390, "height": 844}
AT = "grokviz.field('epoch').values[grokviz.state.at]"
PLOT = "document.querySelector('#panel-{} .plot')"


def fragment(page: Any, part: str) -> None:
    page.wait_for_function("part => location.hash.includes(part)", arg=part)


# --- steps ---------------------------------------------------------------------------


@pytest.mark.parametrize("size", [None, PHONE], ids=["desktop", "phone"])
def test_the_steps_lead_through_the_run(
    opened: Any, made: Path, data: xr.Dataset, size: Any
) -> None:
    page = opened(made, size=size)
    told = steps(data, available(data))
    assert page.evaluate(AT) == 0
    guide = page.locator("#guide")
    for n, step in enumerate(told):
        assert guide.is_visible()
        assert page.evaluate(AT) == step["epoch"]
        assert guide.locator(".sentence").inner_text() == f"{step['claim']}."
        title = page.locator(f"#panel-{step['panel']} h2").inner_text()
        page.wait_for_function(
            "title => document.querySelector('.look').textContent.includes(title)", arg=title
        )
        page.wait_for_function(
            f"(s => s.getBoundingClientRect().top < innerHeight && s.panel.built)"
            f"(document.querySelector('#panel-{step['panel']} .stage'))"
        )
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        fragment(page, f"step={n + 1}")
        page.keyboard.press("s")
    assert guide.is_hidden()
    assert page.evaluate(AT) == told[-1]["epoch"]
    page.get_by_role("button", name="Steps").click()
    assert page.evaluate(AT) == 0


def test_the_steps_can_be_skipped_and_no_link_is_led_away(opened: Any, made: Path) -> None:
    page = opened(made)
    page.get_by_role("button", name="Skip the steps").click()
    assert page.locator("#guide").is_hidden()
    assert page.evaluate("document.activeElement.id") == "steps"
    page.wait_for_function("!location.hash.includes('step')")
    assert opened(made, "#epoch=9050").locator("#guide").is_hidden()
    again = opened(made, "#step=3")
    assert again.locator(".count").inner_text().startswith("Step 3 of 5")
    again.keyboard.press("Escape")
    assert again.locator("#guide").is_hidden()


# --- one sum -------------------------------------------------------------------------


def test_the_answers_to_one_sum_are_those_of_the_dataset(
    opened: Any, made: Path, data: xr.Dataset, actions: Act
) -> None:
    page = opened(made, "#epoch=1400&a=5&b=112")
    actions["into_view"](page, "sum")
    error, sure = data["own_answer_error"], data["own_answer_probability"]
    for a, b in ((5, 112), (40, 40), (0, 7)):
        page.get_by_label("a", exact=True).fill(str(a))
        page.get_by_label("b", exact=True).fill(str(b))
        for epoch in map(int, data["answer_epoch"].values):
            actions["go"](page, epoch)
            off = int(error.sel(answer_epoch=epoch, residue=a, residue_b=b))
            share = float(sure.sel(answer_epoch=epoch, residue=a, residue_b=b))
            said = page.locator("#panel-sum .told").inner_text()
            assert said.startswith(f"{a} + {b} = {(a + b) % 113} mod 113.")
            word = "wrong" if off else "right"
            assert f"epoch {epoch:,}: {(a + b + off) % 113}, {word}," in said
            rounded = int(np.floor(100 * share + 0.5))
            if 0 < rounded < 100:
                assert f"of {rounded} %." in said
    fragment(page, "a=0")
    fragment(page, "b=7")
    page.get_by_label("a", exact=True).fill("999")
    assert page.evaluate("grokviz.state.a") == 0


def test_the_hands_point_where_the_residues_are(
    opened: Any, made: Path, data: xr.Dataset, actions: Act
) -> None:
    page = opened(made, "#epoch=9050&a=5&b=112")
    actions["into_view"](page, "sum")
    plane = data["embedding_plane"].sel(epoch=9050).isel(embedded_frequency=0)
    marks = page.evaluate(f"{PLOT.format('sum')}.data.slice(-4, -1).map(t => [t.x[0], t.y[0]])")
    for (x, y), residue in zip(marks, (5, 112, 4), strict=True):
        np.testing.assert_allclose([x, y], plane.sel(residue=residue).values, atol=2e-3)
    said = page.locator("#panel-sum .told").inner_text()
    assert "at epoch 5,400, the nearest epoch of which the page holds it" in said
    assert f"it answers {100 * float(data['accuracy'].sel(epoch=9050, split='all')):.0f} %" in said
    # the answer of another epoch is not drawn among the circles of this one
    assert page.evaluate(f"{PLOT.format('sum')}.data.at(-1).x[0]") < -50
    assert (data["accuracy"].sel(split="all").sel(epoch=slice(11300, None)) == 1).all()
    actions["go"](page, 12000)
    said = page.locator("#panel-sum .told").inner_text()
    assert said.endswith("At epoch 12,000 the network answers every sum right, and so this one.")


# --- pinned --------------------------------------------------------------------------


def test_a_pinned_epoch_stays_beside_the_one_shown(
    opened: Any, made: Path, data: xr.Dataset, actions: Act
) -> None:
    page = opened(made, "#epoch=1400")
    page.get_by_role("button", name="Pin", exact=True).click()
    actions["go"](page, 9050)
    actions["into_view"](page, "waves")
    actions["settled"](page)
    plots = "[...document.querySelectorAll('#panel-waves .plot')].map(p => Array.from(p.data[1].y))"
    for shown, epoch in zip(page.evaluate(plots), (1400, 9050), strict=True):
        wanted = data["embedding_frequency_norm"].sel(epoch=epoch).values
        np.testing.assert_allclose(shown, wanted, rtol=1e-4, atol=1e-6)
    which = page.locator("#panel-waves .which").all_inner_texts()
    assert which == ["A, pinned at epoch 1,400", "B, the slider"]
    actions["into_view"](page, "loss")
    assert page.locator("#panel-loss .view").count() == 1
    assert "pinned at epoch 1,400" in page.locator("#panel-loss .stamp").inner_text()
    assert page.locator("#panel-loss .held").is_visible()
    fragment(page, "pin=1400")
    page.keyboard.press("p")
    assert page.locator("#panel-waves .view").count() == 1
    assert page.locator("#panel-loss .held").is_hidden()
    again = opened(made, "#epoch=0&pin=1400")
    assert again.locator("#panel-waves .view").count() == 2


# --- two runs ------------------------------------------------------------------------


@pytest.fixture(scope="session")
def two(tmp_path_factory: pytest.TempPathFactory, data: xr.Dataset) -> Path:
    """The bundled run beside a shorter one of another p."""
    out = tmp_path_factory.mktemp("two") / "two.html"
    return gv.explore(data, out, beside="modular-addition-59")


@pytest.mark.parametrize("size", [None, PHONE], ids=["desktop", "phone"])
def test_two_runs_move_on_one_slider(
    opened: Any, two: Path, data: xr.Dataset, actions: Act, size: Any
) -> None:
    other = gv.reference("modular-addition-59")
    page = opened(two, "#epoch=3000", size=size)
    assert page.locator("h1").inner_text() == "modular-addition beside modular-addition-59"
    actions["into_view"](page, "loss")
    actions["settled"](page)
    assert page.locator("#panel-loss .which").all_inner_texts() == [
        "modular-addition", "modular-addition-59",
    ]  # fmt: skip
    ranges = page.evaluate(
        "[...document.querySelectorAll('#panel-loss .plot')].map(p => "
        "[p.layout.xaxis.range, p.layout.yaxis.range])"
    )
    assert ranges[0] == ranges[1]
    for epoch in (5000, 39000):
        actions["go"](page, epoch)
        actions["into_view"](page, "loss")
        actions["settled"](page)
        stamps = page.locator("#panel-loss .stamp").all_inner_texts()
        for stamp, run in zip(stamps, (data, other), strict=True):
            nearest = int(run["epoch"].sel(epoch=epoch, method="nearest"))
            assert stamp.startswith(f"epoch {nearest:,} ")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    names = page.locator("#facts-of-run dd").all_inner_texts()
    assert {"modular-addition", "modular-addition-59"} <= set(names)
    page.evaluate("grokviz.pin(1000)")
    actions["into_view"](page, "waves")
    assert page.locator("#panel-waves .which").all_inner_texts() == [
        "modular-addition · A, pinned at epoch 1,000", "modular-addition · B, the slider",
    ]  # fmt: skip


def test_the_steps_of_two_runs_speak_of_both(opened: Any, two: Path) -> None:
    page = opened(two)
    sentence = page.locator("#guide .sentence").inner_text()
    assert sentence.startswith("modular-addition: ")
    assert "modular-addition-59: " in sentence


# --- zoom ----------------------------------------------------------------------------


RANGES = f"(p => [p._fullLayout.xaxis.range, p._fullLayout.yaxis.range])({PLOT})"


def settled_zoom(page: Any, panel: str, before: Any) -> Any:
    page.wait_for_function(
        "([panel, before]) => JSON.stringify((p => [p._fullLayout.xaxis.range, "
        "p._fullLayout.yaxis.range])(document.querySelector(`#panel-${panel} .plot`))) !== before",
        arg=[panel, page.evaluate("JSON.stringify", before)],
    )
    return page.evaluate(RANGES.format(panel))


@pytest.mark.parametrize("panel", ["loss", "waves", "circles", "clusters", "neuron", "logit-map"])
def test_every_kind_of_chart_can_be_zoomed(
    opened: Any, made: Path, actions: Act, panel: str
) -> None:
    page = opened(made, "#epoch=9050")
    actions["into_view"](page, panel)
    actions["settled"](page)
    whole = page.evaluate(RANGES.format(panel))
    section = page.locator(f"#panel-{panel}")
    section.get_by_role("button", name="Zoom").click()
    section.get_by_role("button", name="Nearer").click()
    near = settled_zoom(page, panel, whole)
    for (low, high), (first, last) in zip(near, whole, strict=True):
        # circles stay round, so that one of their axes may show more
        assert abs(last - first) / 1.51 < abs(high - low) < abs(last - first) / 1.2
    section.locator(".stage").focus()
    page.keyboard.press("ArrowRight")
    moved = settled_zoom(page, panel, near)
    assert moved[0][0] > near[0][0]
    assert page.evaluate(AT) == 9050  # the arrows moved the chart, not time
    page.wait_for_function(
        "key => new URLSearchParams(location.hash.slice(1)).get(key)"
        " === grokviz.state.options[key]",
        arg=f"{panel}.zoom",
    )
    again = opened(made, "#" + page.evaluate("location.hash.slice(1)"))
    actions["into_view"](again, panel)
    np.testing.assert_allclose(again.evaluate(RANGES.format(panel)), moved, rtol=1e-4, atol=1e-4)
    section.locator(".stage").focus()
    page.keyboard.press("Escape")
    np.testing.assert_allclose(settled_zoom(page, panel, moved), whole)
    assert section.get_by_role("button", name="Nearer").count() == 0


def test_the_wheel_is_the_pages_until_zoom_is_on(opened: Any, made: Path, actions: Act) -> None:
    page = opened(made, "#epoch=9050")
    actions["into_view"](page, "waves")
    actions["settled"](page)
    whole = page.evaluate(RANGES.format("waves"))
    box = page.locator("#panel-waves .stage").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -50)
    page.wait_for_timeout(300)
    assert page.evaluate(RANGES.format("waves")) == whole
    page.keyboard.down("Control")
    page.mouse.wheel(0, -50)
    page.keyboard.up("Control")
    near = settled_zoom(page, "waves", whole)
    assert near[0][1] - near[0][0] < whole[0][1] - whole[0][0]
    box = page.locator("#panel-waves .stage").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 - 8, box["y"] + box["height"] / 2, steps=3)
    page.mouse.up()
    assert settled_zoom(page, "waves", near)[0][0] > near[0][0]
    # time goes on in the part that is seen, drawn by plotly itself or moved in place
    page.evaluate("grokviz.go(12000)")
    actions["settled"](page)
    page.locator("#panel-waves .stage").dblclick()
    settled_zoom(page, "waves", near)


# --- notes, the link, and what Escape closes -------------------------------------------


def test_notes_stand_in_the_link(opened: Any, made: Path) -> None:
    words = "Here & now: 14 <b>closes</b>;\nthen 52 = done?"
    page = opened(made, "#epoch=9050", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Notes").click()
    page.get_by_label("A note at the moment shown").fill(words)
    page.get_by_role("button", name="Add at epoch 9,050").click()
    assert page.locator(".noted span").inner_text() == words
    assert page.locator("#notes b, .noted b").count() == 0
    assert page.get_by_role("button", name="Notes (1)").count() == 1
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_selector("#copy:has-text('Copied')")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(made.as_uri() + "#")
    assert f"9050 {words}" in unquote_plus(link)
    again = opened(made, "#" + link.split("#")[1])
    again.get_by_role("button", name="Notes (1)").click()
    assert again.locator(".noted span").inner_text() == words
    again.keyboard.press("Escape")
    assert again.locator("#notes").is_hidden()
    again.evaluate("grokviz.go(0)")
    again.get_by_role("button", name="Notes (1)").click()
    again.locator(".noted").get_by_role("button", name="epoch 9,050", exact=True).click()
    assert again.evaluate(AT) == 9050
    again.get_by_role("button", name="Delete the note at epoch 9,050").click()
    again.wait_for_function("!location.hash.includes('note')")


def test_escape_closes_the_keys_before_it_unmarks_a_frequency(opened: Any, made: Path) -> None:
    page = opened(made, "#epoch=9050&frequency=42")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#keys").is_hidden()
    assert page.get_by_role("button", name="Keys").get_attribute("aria-expanded") == "false"
    assert page.evaluate("grokviz.state.frequency") == 42
    page.keyboard.press("Escape")
    assert page.evaluate("grokviz.state.frequency") is None
