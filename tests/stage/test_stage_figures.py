"""Every figure of a run in one folder: what is drawn, what is left out and why, by which number."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from pypdf import PdfReader

import grokviz as gv
from grokviz.dataset.references import reference
from grokviz.errors import InputError
from grokviz.media import read_provenance
from grokviz.media.venues import VENUES
from grokviz.render import figures as module
from grokviz.render.captions import write_captions
from grokviz.render.composing import below
from grokviz.render.drawing import build, frames_of
from grokviz.render.figures import figures
from grokviz.render.job import render_options
from grokviz.render.paper import numbered
from grokviz.render.plan import plan
from grokviz.render.render import render
from grokviz.scene import Drawing, drawing_in
from grokviz.scene import clock as clocks
from grokviz.scene.registry import scenes

ASKED = {*range(2, 9), *range(10, 16), *range(21, 26)}
"""The paper's figures of modular addition."""


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, dot: Any, poster: Any) -> dict[str, Any]:
    """A registry of the two small scenes and one that no small dataset has the data for."""

    @dataclass(frozen=True)
    class Lacking(dot):  # type: ignore[misc]
        name = "lacking"
        needs = ("ablation_loss",)

    found = {"dot": dot, "poster": poster, "lacking": Lacking}
    monkeypatch.setattr(module, "scenes", lambda **_: found)
    monkeypatch.setattr(module, "find_scene", lambda name, **_: found[name])
    module.loaded.cache_clear()
    return found


@pytest.fixture
def run(tmp_path: Path, data: xr.Dataset) -> Path:
    data.attrs["task"] = "modular-addition"
    data.to_netcdf(tmp_path / "small.nc", engine="h5netcdf")
    return tmp_path / "small.nc"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# --- what is drawn and what is not ---------------------------------------------


@pytest.mark.slow
def test_what_a_run_lacks_is_skipped_with_its_reason(
    known: dict[str, Any], run: Path, tmp_path: Path
) -> None:
    said: list[tuple[str, str]] = []
    out = tmp_path / "out"
    written = figures([run], out, films=False, jobs=1, skipped=lambda *pair: said.append(pair))
    assert names(out) == {"captions.md", "dot.pdf", "dot.png", "poster.pdf", "poster.png"}
    assert sorted(path.name for path in written) == sorted(names(out))
    ((name, reason),) = said
    assert name == "lacking"
    assert "ablation_loss" in reason


def test_nothing_to_draw_is_an_error_that_says_why(
    known: dict[str, Any], run: Path, tmp_path: Path
) -> None:
    del known["dot"], known["poster"]
    with pytest.raises(InputError, match="ablation_loss"):
        figures([run], tmp_path / "out", jobs=1)
    assert not (tmp_path / "out").exists()


def test_a_run_that_is_not_there_is_an_error_not_a_skip(
    known: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"gone"):
        figures([tmp_path / "gone"], tmp_path / "out", jobs=1)


def test_what_fails_is_an_error_in_which_the_rest_is_drawn(
    known: dict[str, Any], run: Path, tmp_path: Path
) -> None:
    known["dot"].paper_figures = {"2": {"size": "huge"}}
    try:
        with pytest.raises(InputError, match=r"1 of 3 pictures.*size=huge"):
            figures([run], tmp_path / "out", venue="iclr", films=False, jobs=1)
    finally:
        del known["dot"].paper_figures
    assert "dot.pdf" in names(tmp_path / "out")


@pytest.mark.slow
def test_a_run_is_loaded_once_for_all_its_pictures(
    known: dict[str, Any], run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[Any] = []
    load = reference.load

    def counted(source: Any = None, *more: Any, **rest: Any) -> xr.Dataset:
        if not isinstance(source, xr.Dataset):
            loads.append(source)
        return load(source, *more, **rest)

    monkeypatch.setattr(reference, "load", counted)
    figures([run], tmp_path / "out", films=False, jobs=1)
    assert loads == [str(run)]


def test_stills_are_as_many_columns_wide_as_is_asked(
    known: dict[str, Any], run: Path, tmp_path: Path
) -> None:
    del known["poster"], known["lacking"]
    for columns, width in ((1, 3.25), (2, 6.75)):
        out = tmp_path / str(columns)
        figures([run], out, venue="icml", columns=columns, films=False, jobs=1)
        (page,) = PdfReader(out / "dot.pdf").pages
        assert float(page.mediabox.width) / 72 == pytest.approx(width)
    with pytest.raises(InputError, match="columns is 3"):
        figures([run], tmp_path / "3", columns=3)


def test_a_scene_of_a_reference_that_is_not_bundled_is_skipped(
    known: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for scene in known.values():
        monkeypatch.setattr(scene, "reference", "no-such-thing", raising=False)
    with pytest.raises(InputError, match="no reference no-such-thing is bundled"):
        figures((), tmp_path / "out", jobs=1)


# --- the paper's numbers -------------------------------------------------------


@pytest.mark.slow
def test_with_a_venue_the_papers_figures_stand_beside(
    known: dict[str, Any], run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known["dot"], "paper_figures", {"3b": {"size": 5}, "7": {}})
    monkeypatch.setattr(known["poster"], "paper_figures", {"3a": {}})
    monkeypatch.setattr(known["lacking"], "paper_figures", {"9": {}})
    figures([run], tmp_path / "plain", films=False, jobs=1)
    assert not [name for name in names(tmp_path / "plain") if name.startswith("figure")]
    said: dict[str, str] = {}
    figures([run], tmp_path / "iclr", venue="iclr", films=False, jobs=1, skipped=said.__setitem__)
    assert said["figure-9"] == "its part lacking cannot be drawn"
    numbers = {name for name in names(tmp_path / "iclr") if name.startswith("figure")}
    assert numbers == {"figure-3.pdf", "figure-3.png", "figure-7.pdf", "figure-7.png"}
    for number in (3, 7):
        page = PdfReader(tmp_path / "iclr" / f"figure-{number}.pdf").pages[0].mediabox
        assert float(page.width) / 72 == pytest.approx(VENUES["iclr"].text, abs=1e-3)
    found = read_provenance(tmp_path / "iclr" / "figure-3.png")
    assert found is not None
    assert found.options == {"poster": {}, "dot": {"size": 5}}


def test_another_task_has_no_figures_of_the_paper(
    known: dict[str, Any], data: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known["dot"], "paper_figures", {"2": {}})
    data.to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    figures([tmp_path / "other.nc"], tmp_path / "out", venue="iclr", films=False, jobs=1)
    assert "figure-2.pdf" not in names(tmp_path / "out")


def test_parts_come_in_the_order_of_their_letters(dot: Any) -> None:
    first = type("First", (dot,), {"name": "z", "paper_figures": {"4a": {"epoch": "grok"}}})
    second = type("Second", (dot,), {"name": "a", "paper_figures": {"4b": {"size": 3}, "10": {}}})
    heir = type("Heir", (second,), {"name": "heir"})  # made from one of ours: not ours
    found = numbered([second, first, heir])
    assert list(found) == [4, 10]
    assert [(p.scene, p.letter, p.epoch) for p in found[4]] == [
        ("z", "a", "grok"),
        ("a", "b", "last"),
    ]
    assert found[4][1].options == {"size": 3}


@pytest.mark.parametrize("key", ["", "two", "0", "4ab", "b4"])
def test_what_is_no_figures_number_is_refused(key: str, dot: Any) -> None:
    with pytest.raises(InputError, match="no figure of a paper"):
        numbered([type("Wrong", (dot,), {"paper_figures": {key: {}}})])


def test_a_figure_of_several_scenes_has_room_for_each(
    dot: Any, poster: Any, data: xr.Dataset, here: Path
) -> None:
    parts = (dot(), poster())
    scene = below(5, parts, data)
    assert scene.aspect_at(60) == pytest.approx(1 / (1 / dot.aspect + 1 / poster.aspect))
    assert scene.clock == "epoch"
    assert (
        scene.alt_text(data, 3) == f"a: {dot().alt_text(data, 3)} b: {poster().alt_text(data, 0)}"
    )
    render(scene, data, "a.pdf", venue="icml", columns=1)
    page = PdfReader("a.pdf").pages[0].mediabox
    height = VENUES["icml"].column * (1 / dot.narrow_aspect + 1 / poster.narrow_aspect)
    assert float(page.height) / 72 == pytest.approx(height, rel=1e-3)
    assert below(5, parts[:1], data) is parts[0]


def test_every_figure_of_the_paper_is_redrawn() -> None:
    found = scenes(user=False)
    numbers = numbered(found.values())
    assert set(numbers) == ASKED
    for parts in numbers.values():
        assert len({part.epoch for part in parts}) == 1
        for part in parts:
            found[part.scene].with_options(part.options)


# --- the clock of the large variables ------------------------------------------


@pytest.fixture
def slow(dot: Any, data: xr.Dataset) -> tuple[Any, xr.Dataset]:
    """A scene on the field clock, and a dataset that has one."""

    @dataclass(frozen=True)
    class Slow(dot):  # type: ignore[misc]
        clock = "field_epoch"

        def draw(self, figure: Any, data: xr.Dataset) -> Drawing:
            (dot,) = super().draw(figure, data).moving

            def update(i: int) -> None:
                epoch = int(data["field_epoch"].values[i])
                dot.set_data([epoch], [float(np.argmax(data["epoch"].values == epoch))])

            return Drawing([dot], update)

    return Slow(), data.assign_coords(field_epoch=data["epoch"].values[[0, 3, 7, 9, 12, 16, 20]])


def test_a_field_clock_counts_epochs_everywhere(slow: Any, here: Path) -> None:
    scene, data = slow
    grok = clocks.grok_epoch(data)
    assert grok == 1200
    assert clocks.index_of(data, "field_epoch", "grok-300") == 3
    render(scene, data, "a.png", epoch="grok-300")
    found = read_provenance("a.png")
    assert found is not None
    assert found.epochs == (900,)
    (job,) = plan(scene, "a.png", (), render_options({}))
    with drawing_in(job.theme):
        _, sheet, _ = build(job, data)
        sheet.show(3)
    assert sheet.moment is not None
    assert sheet.moment.get_text().split() == ["epoch", "900"]


def test_a_field_clocks_film_takes_time_by_phases(slow: Any) -> None:
    scene, data = slow
    data["phase_end"] = ("phase", [200, 400, 1600])
    (job,) = plan(scene, "a.mp4", (), render_options({"duration": 10.0, "hold": 1.0}))
    shown = data["field_epoch"].values[frames_of(job, data)]
    # the moment of epoch 700: two phases, and a quarter of the third; 0.35 without phases
    first, second, third, _ = clocks.SHARES
    moving = 0.9 * len(shown)
    assert np.argmax(shown == 700) / moving == pytest.approx(first + second + third / 4, abs=0.01)
    (job,) = plan(scene, "a.mp4", (), render_options({"epochs": "1700:1900"}))
    with pytest.raises(InputError, match="its epochs go from 0 to 2000"):
        frames_of(job, data)


def test_captions_are_those_of_the_files(tmp_path):
    pdf = render("grokking-curve", out=tmp_path / "curve.pdf")[0]
    png = render("grokking-curve", out=tmp_path / "curve.png")[0]
    assert write_captions([pdf, png]) == [tmp_path / "captions.md"]
    text = (tmp_path / "captions.md").read_text("utf-8")
    made = read_provenance(pdf)
    assert "[" not in made.caption + made.alt
    assert "arXiv:2301.05217" in made.caption
    assert made.caption in text
    assert made.alt in text
    assert text.count("## ") == 1


@pytest.mark.slow
def test_names_are_text_in_captions_and_in_pictures(tmp_path: Path) -> None:
    name = r"$\frac{<b>[a](b)"
    with gv.record(tmp_path / "own") as recorder:
        for epoch in range(3):
            state = {name: (1 + epoch) * np.eye(2, dtype=np.float32)}
            recorder.step(epoch, state, **{name: 1 / (1 + epoch)})
    pdfs = [
        render(scene, tmp_path / "own", tmp_path / f"{scene}.pdf")[0]
        for scene in ("metrics", "spectra", "weight-norms")
    ]
    write_captions(pdfs)
    text = (tmp_path / "captions.md").read_text("utf-8")
    assert r"\$\frac{\<b>\[a\](b) 2" in text
    assert name not in text


@pytest.mark.slow
def test_a_recorded_run_without_a_task_is_drawn_too(tmp_path: Path) -> None:
    with gv.record(tmp_path / "own") as recorder:
        for epoch in range(0, 100, 10):
            state = {"w": np.full((2, 3), epoch, np.float32)}
            recorder.step(epoch, state, train_loss=1 / (1 + epoch), test_loss=2 / (1 + epoch))
    skipped: dict[str, str] = {}
    out = tmp_path / "out"
    figures([tmp_path / "own"], out, films=False, jobs=1, venue="iclr", skipped=skipped.__setitem__)
    assert {"grokking-curve.pdf", "straight-path.pdf", "tensors.pdf", "steps.pdf"} <= names(out)
    # all entries of its one tensor are equal
    assert "entries differ" in skipped["weights"]
    assert "record the run with task=" in skipped["memorise-then-generalise"]


def test_a_still_of_the_end_is_that_of_a_render(
    known: dict[str, Any], run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known["dot"], "ends_with_film", True)
    monkeypatch.setattr(known["dot"], "film_span", lambda self, data: (0, 900))
    figures([run], tmp_path / "all", films=False, jobs=1)
    render(known["dot"](), run, tmp_path / "one.png")
    epochs = [read_provenance(tmp_path / file).epochs for file in ("all/dot.png", "one.png")]  # type: ignore[union-attr]
    assert epochs == [(900,), (900,)]


def test_what_is_dear_to_measure_is_not_drawn_unasked(tmp_path: Path) -> None:
    dear, cheap = (scenes()[name] for name in ("learning-coefficient", "grokking-curve"))
    run = str(tmp_path / "run")
    with gv.record(run, task="modular-addition", settings={"train-fraction": 0.3}) as recorder:
        recorder.step(0, train_loss=1.0, test_loss=2.0)
    assert f"grokviz render learning-coefficient --run {run} does so" in module._dear(dear, run)
    assert module._dear(cheap, run) == ""
    # of a reference it has been measured
    assert module._dear(dear, dear.reference) == ""
