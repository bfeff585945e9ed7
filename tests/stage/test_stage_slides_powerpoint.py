"""A PowerPoint file: its parts, its timing, its films, and always the same bytes."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image
from slide_decks import COMMAND, SCENES, TITLE, make, prepare

from grokviz.media import read_provenance
from grokviz.media.pixels import picture_size, read_picture
from grokviz.media.provenance import find
from grokviz.media.theme import PALETTES
from grokviz.slides import look

pptx = pytest.importorskip("pptx", reason="python-pptx is not installed")
from lxml import etree  # noqa: E402

P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, kept_films: Path) -> Iterator[Path]:
    """A folder with a light and a dark deck, and the films of the light one."""
    place = tmp_path_factory.mktemp("deck")
    prepare(place)
    shutil.copytree(kept_films, place / "films")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        make("light.pptx", films="films")
        make("dark.pptx", scenes=("poster",), theme="dark")
        yield place


@pytest.fixture(scope="module")
def deck(made: Path) -> Any:
    return pptx.Presentation(str(made / "light.pptx"))


@pytest.fixture(scope="module")
def films(made: Path) -> dict[str, Path]:
    return {path.stem.rpartition("-")[0]: path for path in (made / "films").iterdir()}


def picture(slide: Any) -> Any:
    """The one film or picture on a slide."""
    (found,) = [shape for shape in slide.shapes if shape.shape_type in (13, 16)]
    return found


def test_a_slide_a_scene_after_the_title(deck: Any, films: dict[str, Path]) -> None:
    titles = [slide.shapes.title.text for slide in deck.slides]
    assert titles == [TITLE, "A dot follows the loss", "A dot goes round at w_k",
                      "A dot follows the loss"]  # fmt: skip
    assert (deck.slide_width / deck.slide_height) == pytest.approx(16 / 9)


def test_films_fill_the_slide_and_say_what_they_show(deck: Any, films: dict[str, Path]) -> None:
    for name, slide in zip(SCENES, list(deck.slides)[1:], strict=True):
        shape = picture(slide)
        assert shape.width == pytest.approx(deck.slide_width, rel=2e-3)
        assert shape.height == pytest.approx(deck.slide_height, rel=2e-3)
        described = shape._element.nvPicPr.cNvPr
        assert described.get("descr") == read_provenance(films[name]).alt
        # the title lies below, so that the film's own is the one that is seen
        shapes = list(slide.shapes)
        assert shapes.index(slide.shapes.title) < [s.shape_id for s in shapes].index(shape.shape_id)


def test_notes_have_the_sentence_the_source_and_the_command(deck: Any) -> None:
    notes = deck.slides[1].notes_slide.notes_text_frame.text
    for part in (
        "A dot follows the loss",
        "To watch: the dot.",
        "Source: nowhere",
        "Run: small (000000000000)",
        "Made by: grokviz render dot --run small.nc -o dot.mp4 --quality l --theme light",
    ):
        assert part in notes


@pytest.mark.slow
def test_the_films_inside_are_the_films_and_can_be_decoded(
    made: Path, films: dict[str, Path], tmp_path: Path
) -> None:
    with zipfile.ZipFile(made / "light.pptx") as package:
        inside = [package.read(n) for n in sorted(package.namelist()) if n.endswith(".mp4")]
    assert inside == [films["dot"].read_bytes(), films["ring"].read_bytes()]
    for film in inside:
        assert sum(1 for _ in iio.imiter(film, plugin="pyav", extension=".mp4")) == 240


@pytest.mark.slow
def test_a_poster_is_the_last_frame_of_its_film(deck: Any, films: dict[str, Path]) -> None:
    for number, name in ((1, "dot"), (2, "ring")):
        *_, last = iio.imiter(films[name], plugin="pyav")
        shape = picture(deck.slides[number])
        blip = shape._element.blipFill.find(f"{A}blip")
        embedded = shape.part.related_part(
            blip.get(f"{{{etree.QName(blip).namespace}}}embed")
            or blip.get(
                "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}embed"
            )
        )
        np.testing.assert_array_equal(iio.imread(embedded.blob), last)


def test_films_start_by_themselves_and_loop_where_their_scene_does(deck: Any) -> None:
    for number, loops in ((1, False), (2, True)):
        slide = deck.slides[number]
        (timing,) = slide._element.findall(f"{P}timing")
        assert timing.getprevious().tag == f"{P}clrMapOvr"
        shape = str(picture(slide).shape_id)
        assert {t.get("spid") for t in timing.iter(f"{P}spTgt")} == {shape}
        ids = [node.get("id") for node in timing.iter(f"{P}cTn")]
        assert len(set(ids)) == len(ids)
        # with the slide, not by a click: an effect after the beginning of the main sequence
        (main,) = [n for n in timing.iter(f"{P}cTn") if n.get("nodeType") == "mainSeq"]
        (begin,) = [c for c in main.iter(f"{P}cond") if c.get("evt") == "onBegin"]
        assert begin.get("delay") == "0"
        assert begin.find(f"{P}tn").get("val") == main.get("id")
        (play,) = main.iter(f"{P}cmd")
        assert play.get("cmd") == "playFrom(0.0)"
        (effect,) = [n for n in main.iter(f"{P}cTn") if n.get("presetClass") == "mediacall"]
        assert effect.get("nodeType") == "afterEffect"
        assert next(play.iter(f"{P}cTn")).get("dur") == "16000"
        (media,) = timing.iter(f"{P}cMediaNode")
        often = media.find(f"{P}cTn").get("repeatCount")
        assert often == ("indefinite" if loops else None)


# from the schema of ISO/IEC 29500-1, pml.xsd: PowerPoint repairs a file that departs from it
ORDER = {
    "cTn": ["stCondLst", "endCondLst", "endSync", "iterate", "childTnLst", "subTnLst"],
    "seq": ["cTn", "prevCondLst", "nextCondLst"],
    "par": ["cTn"],
    "cBhvr": ["cTn", "tgtEl", "attrNameLst"],
    "cMediaNode": ["cTn", "tgtEl"],
    "cmd": ["cBhvr"],
    "video": ["cMediaNode"],
    "timing": ["tnLst", "bldLst"],
}


def test_the_timing_is_in_the_order_that_the_standard_asks_for(deck: Any) -> None:
    for slide in list(deck.slides)[1:3]:
        (timing,) = slide._element.findall(f"{P}timing")
        seen = set()
        for element in timing.iter():
            name = etree.QName(element).localname
            children = [etree.QName(child).localname for child in element]
            if name in ORDER:
                assert children == [step for step in ORDER[name] if step in children], name
                seen.add(name)
            if name == "cond":
                assert len(children) <= 1
        assert seen == set(ORDER)


def test_a_picture_has_no_timing(deck: Any) -> None:
    slide = deck.slides[3]
    assert picture(slide).shape_type == 13  # a picture
    assert slide._element.find(f"{P}timing") is None


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_are_those_of_the_films(made: Path, theme: str) -> None:
    colours = PALETTES[theme]
    opened = pptx.Presentation(str(made / f"{theme}.pptx"))
    roles = opened.slide_master._element.find(f"{P}clrMap")
    with zipfile.ZipFile(made / f"{theme}.pptx") as package:
        scheme = etree.fromstring(package.read("ppt/theme/theme1.xml"))
    for role, colour in (("bg1", colours.background), ("tx1", colours.ink)):
        entry = scheme.find(f".//{A}clrScheme/{A}{roles.get(role)}/{A}srgbClr")
        assert f"#{entry.get('val').lower()}" == colour
    fonts = {latin.get("typeface") for latin in scheme.iter(f"{A}latin")}
    assert fonts == set(look.FONTS.values())


def test_the_package_says_what_made_it_and_nothing_of_when(made: Path, deck: Any) -> None:
    core = deck.core_properties
    assert (core.title, core.author, core.last_modified_by) == (TITLE, "grokviz", "grokviz")
    assert core.keywords == ", ".join(SCENES)
    said = find(core.comments)
    assert said is not None
    assert said.command == COMMAND
    assert said.options == {"scenes": list(SCENES), "quality": "l", "theme": "light"}
    assert core.created is None
    assert core.modified is None
    with zipfile.ZipFile(made / "light.pptx") as package:
        assert package.testzip() is None
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        names = package.namelist()
        thumbnail = package.read("docProps/thumbnail.jpeg")
        types = package.read("[Content_Types].xml").decode()
        related = package.read("ppt/_rels/presentation.xml.rels").decode()
    assert names[0] == "[Content_Types].xml"
    assert len(set(names)) == len(names)
    assert "printerSettings" not in " ".join(names) + types + related
    assert picture_size(thumbnail) == (512, 288)


def test_the_thumbnail_is_the_first_film(made: Path, films: dict[str, Path]) -> None:
    with zipfile.ZipFile(made / "light.pptx") as package:
        thumbnail = package.read("docProps/thumbnail.jpeg")
    *_, last = iio.imiter(films["dot"], plugin="pyav")
    expected = np.asarray(Image.fromarray(last).resize((512, 288))).astype(float)
    shown = read_picture(thumbnail, alpha=False).astype(float)
    assert np.sqrt(((shown - expected) ** 2).mean()) < 8


def test_every_part_is_named_by_its_relations(made: Path) -> None:
    """What a relation names is there, and every part but the types is named by one."""
    with zipfile.ZipFile(made / "light.pptx") as package:
        names = set(package.namelist())
        targets = set()
        for name in names:
            if not name.endswith(".rels"):
                continue
            folder = Path(name).parent.parent
            for relation in etree.fromstring(package.read(name)):
                if relation.get("TargetMode") == "External":
                    continue
                target = relation.get("Target")
                at = Path(target[1:]) if target.startswith("/") else folder / target
                parts: list[str] = []
                for step in at.parts:
                    parts = parts[:-1] if step == ".." else [*parts, step]
                targets.add("/".join(parts))
    assert targets <= names
    assert {n for n in names if not n.endswith((".rels", "[Content_Types].xml"))} == targets


def test_the_same_command_gives_the_same_bytes(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made)
    make("again.pptx", films="films")
    assert (made / "again.pptx").read_bytes() == (made / "light.pptx").read_bytes()


def test_a_deck_without_a_title_begins_with_its_first_film(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made)
    make("plain.pptx", title="", films="films")
    opened = pptx.Presentation("plain.pptx")
    assert len(opened.slides) == 3
    assert opened.core_properties.title == "A dot follows the loss"
