"""A page of slides: whole in itself, films and posters inside, and always the same bytes."""

from __future__ import annotations

import base64
import html
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import metadata
from pathlib import Path

import pytest
from slide_decks import COMMAND, SCENES, TITLE, make, prepare

import grokviz as gv
from grokviz.errors import InputError
from grokviz.media import read_provenance
from grokviz.media.provenance import Provenance
from grokviz.media.theme import PALETTES
from grokviz.slides.page import REVEAL, _script, reveal
from grokviz.slides.poster import last_frame


class Read(HTMLParser):
    """Every element with its attributes, and the text of those that hold some."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.texts.append((tag, ""))

    def handle_data(self, data: str) -> None:
        if self.texts:
            tag, before = self.texts[-1]
            self.texts[-1] = (tag, before + data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def said(self, tag: str) -> list[str]:
        return [text.strip() for name, text in self.texts if name == tag]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, kept_films: Path) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("page")
    prepare(place)
    shutil.copytree(kept_films, place / "films")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        make("light.html", films="films")
        make("dark.html", scenes=("poster",), theme="dark")
        yield place


@pytest.fixture(scope="module")
def page(made: Path) -> Read:
    return Read((made / "light.html").read_text("utf-8"))


@pytest.fixture(scope="module")
def films(made: Path) -> dict[str, Path]:
    return {path.stem.rpartition("-")[0]: path for path in (made / "films").iterdir()}


def test_a_slide_a_scene_after_the_title(page: Read) -> None:
    assert [s.get("data-name") for s in page.all("section")] == [None, *SCENES]
    assert page.said("h1") == [TITLE]
    assert page.said("title") == [TITLE]
    assert page.said("h2") == ["A dot follows the loss", "A dot goes round at w_k",
                               "A dot follows the loss"]  # fmt: skip


def test_films_start_muted_by_themselves_and_loop_where_their_scene_does(page: Read) -> None:
    first, second = page.all("video")
    for video in (first, second):
        assert {"data-autoplay", "muted", "playsinline"} <= set(video)
        assert "src" not in video
    assert "loop" not in first
    assert "loop" in second


def test_films_and_posters_are_inside(page: Read, films: dict[str, Path]) -> None:
    texts = [
        text
        for (tag, text), (_, attributes) in zip(page.texts, page.elements, strict=True)
        if tag == "script" and str(attributes.get("id", "")).startswith("film-")
    ]
    inside = [base64.b64decode(text) for text in texts]
    assert inside == [films["dot"].read_bytes(), films["ring"].read_bytes()]
    posters = [base64.b64decode(str(i["src"]).partition(",")[2]) for i in page.all("img")]
    assert posters == [
        last_frame(films["dot"])[0],
        last_frame(films["ring"])[0],
        films["poster"].read_bytes(),
    ]


def test_what_is_shown_is_said(page: Read, films: dict[str, Path]) -> None:
    alts = [read_provenance(films[name]).alt for name in SCENES]
    assert [image["alt"] for image in page.all("img")] == alts
    assert [video["aria-label"] for video in page.all("video")] == alts[:2]
    assert [section.get("aria-label") for section in page.all("section")][1:] == page.said("h2")
    assert page.all("html") == [{"lang": "en"}]


def test_notes_have_the_command(made: Path) -> None:
    text = html.unescape((made / "light.html").read_text("utf-8"))
    assert text.count('<aside class="notes">') == 3
    assert "Made by: grokviz render ring --run small.nc -o ring.mp4 --quality l" in text


def test_nothing_is_fetched(page: Read, made: Path) -> None:
    for tag, attributes in page.elements:
        assert tag not in ("link", "iframe", "object", "embed")
        for name in ("src", "href"):
            assert str(attributes.get(name, "data:")).startswith("data:"), tag
    styles = "".join(page.said("style"))
    assert "@import" not in styles
    assert "url(http" not in styles


def test_scripts_end_where_they_should(page: Read) -> None:
    """Two films, the provenance, reveal.js, its notes, and the player."""
    assert len(page.all("script")) == 6
    assert page.said("body") == [""]
    assert _script("a</script><!--<script>") == "a\\u003c/script>\\u003c!--\\u003cscript>"


def test_the_page_says_what_made_it(page: Read) -> None:
    (text,) = [
        text
        for (_, text), (_, attributes) in zip(page.texts, page.elements, strict=True)
        if attributes.get("id") == "provenance"
    ]
    said = Provenance.from_json(text)
    assert (said.title, said.command) == (TITLE, COMMAND)
    assert json.loads(text)["grokviz"]["options"]["scenes"] == list(SCENES)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_are_those_of_the_films(made: Path, theme: str) -> None:
    text = (made / f"{theme}.html").read_text("utf-8")
    assert f"--background: {PALETTES[theme].background}" in text
    assert f"--ink: {PALETTES[theme].ink}" in text
    assert f"color-scheme: {theme}" in text


def test_the_same_command_gives_the_same_bytes(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made)
    make("again.html", films="films")
    assert (made / "again.html").read_bytes() == (made / "light.html").read_bytes()


def test_reveal_is_as_its_package_has_it_and_brings_its_licence(made: Path) -> None:
    files = {Path(str(file)).as_posix(): file for file in metadata.files("pyreveal") or ()}
    text = (made / "light.html").read_text("utf-8")
    for name in ("dist/reveal.css", "LICENSE"):
        assert files[f"pyreveal/revealjs/{name}"].locate().read_text("utf-8") in text
    for name in ("dist/reveal.js", "dist/plugin/notes.js"):
        assert _script(files[f"pyreveal/revealjs/{name}"].locate().read_text("utf-8")) in text
    assert re.search(r"Copyright \(c\) 2018.*MarkedJS", text)


def test_nothing_of_the_package_with_reveal_is_run() -> None:
    program = (
        "import sys; from grokviz.slides.page import ready; ready(); "
        "sys.exit('pyreveal' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=300)


@pytest.fixture
def anew() -> Iterator[None]:
    """Files of reveal.js are looked for again, now and afterwards."""
    reveal.cache_clear()
    yield
    reveal.cache_clear()


@pytest.mark.usefixtures("anew")
def test_without_reveal_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(sys.modules["grokviz.slides.page"], "distribution", absent)
    with pytest.raises(InputError, match=r"a page of slides needs .* 'grokviz\[slides\]'"):
        gv.slides(["no-such-scene"], "talk.html")


@pytest.mark.usefixtures("anew")
def test_a_package_that_lacks_a_file_of_reveal_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REVEAL, "script", "dist/elsewhere.js")
    with pytest.raises(InputError, match=r"pyreveal [\d.]+ has no dist/elsewhere\.js.*pip install"):
        gv.slides(["no-such-scene"], "talk.html")
