"""Nothing of the user's leaks into a picture: settings, threads, long titles, any characters."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
import xarray as xr
from hostile_settings import hostile, set_to
from matplotlib import font_manager

import grokviz as gv
from grokviz.media.fonts import FALLBACKS, fallback_fonts
from grokviz.media.plain import clean_text, clean_values
from grokviz.media.provenance import Provenance, read_provenance
from grokviz.media.theme import colour_map, theme
from grokviz.render.drawing import build
from grokviz.render.job import render_options
from grokviz.render.plan import plan
from grokviz.scene import Claim, Drawing, Scene, drawing_in, style

FEW = ("grokking-curve", "weight-spectra", "seeds")
"""One of curves, one of a heatmap with formulas and one of many runs."""

HOSTILE = hostile()
COLUMN: dict[str, Any] = {"venue": "icml", "columns": 1}
"""What is drawn soonest."""

WORDS = "The embedding keeps five of fifty-six waves and all the others fade below three per cent "
LENGTHS = (10, 60, 120, 300)
NAME = os.fsdecode(b"caf\xe9 \x1b[31mred\x07 \xe2\x80\xaenrut $x^{2$ <b>&\n two")
"""A folder's name: Latin-1, a colour, a bell, a turn to the left, half a formula, two lines."""


@dataclass(frozen=True)
class Small(Scene):
    """Curves with a legend, a heatmap and a formula: most of what settings change, and quick."""

    name = "small"
    title = "A small picture"
    watch = "all of it"
    needs = ()

    def draw(self, figure: Any, data: xr.Dataset) -> Drawing:
        left, right = style().beside(figure, (1, 1), (1, 1))
        (line,) = left.plot([], [], label="a line")
        left.plot([0, 1], [1e-3, 1e3], "--", label="$10^{k}$")
        left.set(yscale="log", xlim=(0, 1), ylim=(1e-3, 1e3), xlabel="epoch", ylabel="loss")
        left.scatter([0.5], [1.0])
        left.fill_between([0, 1], [1, 1], [2, 2], hatch="/")
        left.legend()
        cmap = colour_map(style().colours.sequential)
        right.imshow(np.arange(12.0).reshape(3, 4), cmap=cmap)
        right.set_title("heatmap")

        def update(i: int) -> None:
            line.set_data([0, 1], [1 + i, 10])

        return Drawing([line], update)

    def claim(self, data: xr.Dataset) -> Claim:
        return Claim(self.title, str(data.attrs.get("watch", self.watch)))


@dataclass(frozen=True)
class Bare(Small):
    """Nothing but what stands around a picture."""

    def draw(self, figure: Any, data: xr.Dataset) -> Drawing:
        return Drawing([], lambda i: None)


def small(**attributes: str) -> xr.Dataset:
    epochs = np.array([0, 100, 4000])
    return xr.Dataset(coords={"epoch": epochs}, attrs={"run_name": "a run", **attributes})


def drawn(folder: Path, scene: str | Scene, kind: str, data: Any = None, **more: Any) -> bytes:
    path = folder / f"{scene if isinstance(scene, str) else scene.name}.{kind}"
    gv.render(scene, data, path, **more)
    return path.read_bytes()


# --- settings ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FEW)
def test_all_settings_at_once_change_no_picture(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plain = drawn(tmp_path, name, "svg", **COLUMN)
    with set_to(HOSTILE):
        assert drawn(tmp_path, name, "svg", **COLUMN) == plain
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.svg"]


GROUP = 12
"""So many settings are tried at once: key by key it takes seven minutes."""


@pytest.mark.slow
def test_no_few_settings_change_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    kinds = ("svg", "png")
    plain = {kind: drawn(tmp_path, Small(), kind, small(), **COLUMN) for kind in kinds}
    changed: list[str] = []

    def look(keys: list[str]) -> None:
        """Find the keys that change a picture: those of a group that does, one by one."""
        with set_to({key: HOSTILE[key] for key in keys}):
            now = {kind: drawn(tmp_path, Small(), kind, small(), **COLUMN) for kind in kinds}
        if now == plain:
            return
        if len(keys) == 1:
            changed.append(keys[0])
        for key in keys if len(keys) > 1 else []:
            look([key])

    keys = list(HOSTILE)
    for start in range(0, len(keys), GROUP):
        look(keys[start : start + GROUP])
    assert changed == []
    assert len(list(tmp_path.iterdir())) == len(kinds)


@pytest.mark.slow
def test_a_matplotlibrc_that_is_read_at_the_start_changes_no_picture(tmp_path: Path) -> None:
    own = tmp_path / "matplotlibrc"
    own.write_text("".join(f"{key}: {value}\n" for key, value in HOSTILE.items()))
    plain = drawn(tmp_path, "weight-spectra", "svg")
    code = "import grokviz as gv; gv.render('weight-spectra', None, 'weight-spectra.svg')"
    (folder := tmp_path / "folder").mkdir()
    environment = {**os.environ, "MATPLOTLIBRC": str(own), "LC_ALL": "C"}
    subprocess.run(
        [sys.executable, "-c", code], check=True, env=environment, cwd=folder, capture_output=True
    )
    assert (folder / "weight-spectra.svg").read_bytes() == plain
    assert len(list(folder.iterdir())) == 1


def test_settings_that_stop_matplotlib_are_said_in_a_sentence() -> None:
    code = "from grokviz.media.theme import theme; theme().applied().__enter__()"
    environment = {**os.environ, "MPLBACKEND": "no such thing"}
    result = subprocess.run(
        [sys.executable, "-c", code], check=False, env=environment, capture_output=True, text=True
    )
    assert "InputError: matplotlib does not start with your settings" in result.stderr
    assert "MPLBACKEND" in result.stderr


def test_the_backend_is_as_it_was() -> None:
    before = dict.__getitem__(matplotlib.rcParams, "backend")
    with theme().applied():
        matplotlib.rcParams["backend"] = "svg"
    assert dict.__getitem__(matplotlib.rcParams, "backend") is before


def test_a_style_may_have_words_for_sizes(tmp_path: Path) -> None:
    own = tmp_path / "own.mplstyle"
    own.write_text("figure.titlesize: x-large\nxtick.labelsize: small\n")
    paper = theme("light", "paper", own).sized(10)
    assert paper.rc["figure.titlesize"] == pytest.approx(14.4)
    assert paper.rc["xtick.labelsize"] == pytest.approx(8.33)
    assert drawn(tmp_path, Bare(), "svg", small(), style=own, title="A title")


# --- threads -------------------------------------------------------------------------------


@pytest.mark.slow
def test_threads_draw_right_and_leave_settings_as_they_were(tmp_path: Path) -> None:
    looks = [("svg", "light"), ("svg", "dark"), ("png", "light")]
    alone = [drawn(tmp_path, Small(), kind, small(), theme=look, **COLUMN) for kind, look in looks]
    before, together = dict(matplotlib.rcParams), {}

    def draw(n: int) -> None:
        (folder := tmp_path / str(n)).mkdir()
        kind, look = looks[n]
        together[n] = drawn(folder, Small(), kind, small(), theme=look, **COLUMN)

    threads = [threading.Thread(target=draw, args=(n,)) for n in range(len(looks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together.get(n) for n in range(len(looks))] == alone
    assert dict(matplotlib.rcParams) == before


# --- titles --------------------------------------------------------------------------------

MEDIA: dict[str, dict[str, Any]] = {
    "slide": {"out": "a.png"},
    "dark": {"out": "a.png", "theme": "dark"},
    "paper": {"out": "a.pdf"},
    "column": {"out": "a.pdf", "venue": "icml", "columns": 1},
}


def laid_out(medium: str, title: str, watch: str) -> tuple[Any, dict[str, Any]]:
    """The page and the boxes of everything in its header, by what it says."""
    options = dict(MEDIA[medium])
    out = options.pop("out")
    job = plan(Bare(), out, (), render_options({**options, "title": title}))[0]
    with drawing_in(job.theme):
        figure, sheet, _ = build(job, small(watch=watch))
        sheet.show(2)
        header = figure.subfigs[0]
        boxes: dict[str, Any] = {text.get_text(): text.get_window_extent() for text in header.texts}
        boxes["the picture"] = sheet.body.bbox
        boxes |= {text.get_text(): text.get_window_extent() for text in figure.subfigs[2].texts}
    return figure.bbox, {words: box for words, box in boxes.items() if words}


@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("length", LENGTHS)
def test_a_title_fits_whatever_its_length(medium: str, length: int) -> None:
    title = (WORDS * 4)[:length].strip()
    page, boxes = laid_out(medium, title, WORDS * 2)
    assert title in [words.replace("\n", " ") for words in boxes]  # whole, in all its words
    for words, box in boxes.items():
        assert box.x0 >= 0, words
        assert box.y0 >= -1, words
        assert box.x1 <= page.x1 + 0.5, words
        assert box.y1 <= page.y1 + 0.5, words
    texts = [item for item in boxes.items() if item[0] != "the picture"]
    for n, (words, box) in enumerate(texts):
        for other, another in texts[n + 1 :]:
            assert not box.padded(-1).overlaps(another), (words, other)
    assert boxes["the picture"].height > page.height / 3


def test_a_word_longer_than_the_page_and_a_title_without_end_are_cut() -> None:
    page, boxes = laid_out("slide", "W" * 3000, "")
    longest = max(boxes, key=len)
    assert longest.endswith("…")
    assert boxes[longest].x1 <= page.x1
    assert boxes[longest].height < page.height / 2


def test_a_short_title_is_where_it_was() -> None:
    page, boxes = laid_out("slide", "Short", "all of it")
    em = 23.4 / 72 * 100
    assert page.y1 - boxes["the picture"].y1 == pytest.approx(6.6 * em, abs=0.5)


# --- characters ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("plain", "plain"),
        ("naïve Σ 漢字 🙂", "naïve Σ 漢字 🙂"),
        ("a\tb\r\nc\u2028d\x85e", "a b\nc\nd\ne"),
        ("\x1b[31mred\x00\x7f\x9b", "�[31mred���"),
        ("caf\udce9", "caf�"),
        ("\ud83d\ude42 \ud83d", "🙂 �"),
        ("\u202eabc\u2066\ufeff", "abc"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_clean_text(text: str, clean: str) -> None:
    assert clean_text(text) == clean
    assert clean_text(clean) == clean
    assert clean_values({text: [text, 1, None]}) == {clean: [clean, 1, None]}


def check_clean(text: str) -> None:
    assert clean_text(text) == text.replace("\r\n", "\n").replace("\t", " ")
    assert "\\ud" not in text.lower()
    assert "\\u001b" not in text


@pytest.mark.parametrize("kind", ["svg", "html", "png", "pdf"])
def test_no_control_character_reaches_a_file(kind: str, tmp_path: Path) -> None:
    data = small(run_name=NAME, watch=NAME)
    data["member_name"] = "member", np.array([NAME], dtype=object)
    content = drawn(tmp_path, Bare(), kind, data, title=NAME, duration=0.2, command=NAME)
    provenance = Provenance("") if kind == "html" else read_provenance(tmp_path / f"small.{kind}")
    check_clean(provenance.as_json())
    if kind in ("svg", "html"):
        check_clean(content.decode())
    if kind == "svg":
        assert "caf�" in "".join(ElementTree.fromstring(content).itertext())
    assert "\x1b" in str(data.attrs["run_name"])  # the data is the user's


def test_no_control_character_reaches_slides(tmp_path: Path) -> None:
    pytest.importorskip("pptx", reason="slides need the [slides] extra")
    picture = tmp_path / "a\udce9\x1b.png"
    drawn(tmp_path, Bare(), "png", small(run_name=NAME), title=NAME)
    (tmp_path / "small.png").rename(picture)
    gv.slides([str(picture)], tmp_path / "deck.pptx", title=NAME)
    with zipfile.ZipFile(tmp_path / "deck.pptx") as package:
        for name in package.namelist():
            if name.endswith(".xml"):
                ElementTree.fromstring(package.read(name))
                check_clean(package.read(name).decode())


def test_json_of_a_run_has_no_half_characters(tmp_path: Path) -> None:
    run = tmp_path / NAME
    with gv.record(run) as recorded:
        recorded.step(0, train_loss=1.0)
    from click.testing import CliRunner

    from grokviz.cli.info import command

    result = CliRunner().invoke(command, [str(run), "--json"])
    check_clean(json.loads(result.output)["name"])
    check_clean(result.output)


# --- scripts -------------------------------------------------------------------------------


@pytest.fixture
def own_font(tmp_path: Path) -> Iterator[str]:
    """A font with two Chinese characters alone, under the name of one that people have."""
    builders: Any = pytest.importorskip("fontTools.fontBuilder")
    pens: Any = pytest.importorskip("fontTools.pens.ttGlyphPen")
    pen = pens.TTGlyphPen(None)
    pen.moveTo((100, 0))
    for corner in ((100, 700), (800, 700), (800, 0)):
        pen.lineTo(corner)
    pen.closePath()
    builder = builders.FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "square"])
    builder.setupCharacterMap({ord("漢"): "square", ord("字"): "square"})
    builder.setupGlyf({".notdef": pens.TTGlyphPen(None).glyph(), "square": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "square": (1000, 100)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": FALLBACKS[0], "styleName": "Regular"})
    builder.setupOS2(usWeightClass=400)
    builder.setupPost()
    builder.save(tmp_path / "own.ttf")
    before = list(font_manager.fontManager.ttflist)
    font_manager.fontManager.addfont(tmp_path / "own.ttf")
    yield FALLBACKS[0]
    font_manager.fontManager.ttflist = before


def test_an_installed_font_draws_what_ours_has_not(
    own_font: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert fallback_fonts(["漢字 and more"], ["DejaVu Sans"]) == [own_font]
    assert f"'{own_font}'" in drawn(tmp_path, Bare(), "svg", small(), title="漢字").decode()
    assert drawn(tmp_path, Bare(), "png", small(), title="漢字", **COLUMN)
    assert caplog.records == []
    assert own_font not in drawn(tmp_path, Bare(), "svg", small(), title="Latin").decode()


def test_a_script_that_no_font_has_is_said_in_one_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    title = "Glyphs \U00013080 \U00013081, twice \U00013080"
    with caplog.at_level(logging.WARNING):
        drawn(tmp_path, Bare(), "png", small(), title=title, **COLUMN)
    (record,) = caplog.records
    assert "U+13080" in record.getMessage()
    assert "font.family" in record.getMessage()


@pytest.mark.parametrize("text", ["Ångström, œuvre", "Σίγμα, тест", "שלום", "مرحبا", "a ∑ → ℝ"])
def test_what_our_font_has_asks_for_no_other(text: str) -> None:
    assert fallback_fonts([text], ["DejaVu Sans"]) == []
