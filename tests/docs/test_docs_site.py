"""The documentation site, built strictly: whole, offline, and with a true gallery."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from docs_build import BROKEN_SCENE, ROOT, build

import grokviz as gv
from grokviz.cli import COMMANDS
from grokviz.media.plain import plain_text
from grokviz.task import recipes

pytest.importorskip("mkdocs", reason="the docs extra is not installed")
pytest.importorskip("mkdocstrings", reason="the docs extra is not installed")

SOME = "embedding-waves,ablation,clock"
PLACE = re.compile(rb"(?<![\w.~-])/(?:work|root|home|Users|tmp)/[\w.]")


class Page(HTMLParser):
    """What a page fetches, where it leads, and which places it has."""

    FETCHED = {  # noqa: RUF012
        "script": ("src",), "img": ("src", "srcset"), "video": ("src", "poster"),
        "source": ("src", "srcset"), "iframe": ("src",), "audio": ("src",), "embed": ("src",),
        "object": ("data",),
    }  # fmt: skip
    LINKS_FETCHED = ("stylesheet", "icon", "preload", "preconnect", "dns-prefetch", "manifest")

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self.fetched: list[str] = []
        self.leads: list[str] = []
        self.places: set[str] = set()
        self.text = file.read_text("utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.places |= {str(given[key]) for key in ("id", "name") if given.get(key)}
        self.fetched += [str(given[k]) for k in self.FETCHED.get(tag, ()) if given.get(k)]
        if tag == "link" and (given.get("rel") or "").lower() in self.LINKS_FETCHED:
            self.fetched.append(str(given.get("href")))
        if tag == "a" and given.get("href"):
            self.leads.append(str(given["href"]))


def pages(site: Path) -> dict[Path, Page]:
    return {file: Page(file) for file in sorted(site.rglob("*.html")) if file.name != "404.html"}


def outside(address: str) -> bool:
    return bool(urlsplit(address).scheme or address.startswith("//"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("docs")
    done = build(place / "site", place / "cache", only=SOME)
    assert done.returncode == 0, done.stdout + done.stderr
    # loudly, on standard error, with the remedy
    assert "THE GALLERY LACKS A FILM: clock" in done.stderr
    assert "pip install 'grokviz[manim]'" in done.stderr
    return place / "site"


def check_whole(site: Path) -> None:
    """No page fetches anything from elsewhere, and everything it points to is there."""
    found = pages(site)
    assert len(found) > 20
    wrong = []
    for file, page in found.items():
        for address in page.fetched:
            path = unquote(urlsplit(address).path)
            if outside(address) and not address.startswith("data:"):
                wrong.append(f"{file.name} fetches {address}")
            elif not outside(address) and not (file.parent / path).resolve().is_file():
                wrong.append(f"{file.name} lacks {address}")
        for address in page.leads:
            if outside(address):
                continue
            parts = urlsplit(address)
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                wrong.append(f"{file.name} leads to {address}")
            elif parts.fragment and target.suffix == ".html":
                places = found[target].places if target in found else Page(target).places
                if unquote(parts.fragment) not in places | {"__tabbed", "top"}:
                    wrong.append(f"{file.name} leads to {address}: no such place")
    assert wrong == []
    for style in site.rglob("*.css"):
        text = re.sub(r"url\(\"?data:.*?\"?\)", "", style.read_text("utf-8"), flags=re.DOTALL)
        assert not re.search(r"url\([\"']?(https?:)?//|@import", text), style.name
    for file in site.rglob("*"):
        if file.is_file() and file.suffix in (".html", ".json", ".js", ".css", ".xml", ".ipynb"):
            assert not PLACE.search(file.read_bytes()), file.name


def check_entry(site: Path, name: str, *, drawn: bool) -> None:
    """A scene's page says what the scene says of itself, and shows it."""
    scene = gv.scene(name)
    page = Page(site / "gallery" / f"{name}.html")
    said = " ".join(html.unescape(re.sub(r"<[^>]+>", "", page.text)).split())
    for text in (scene.title, scene.source, f"grokviz render {name}"):
        assert " ".join(plain_text(text).split()) in said, text
    for option, row in scene.options().items():
        assert option in said
        assert " ".join(plain_text(row["help"]).split()) in said
    assert (f"media/{name}.png" in page.text) is drawn
    picture = site / "gallery" / "media" / f"{name}.png"
    assert picture.is_file() is drawn
    if not drawn:
        assert "Not drawn here" in said


@pytest.mark.slow
def test_every_page_is_whole_and_fetches_nothing(site: Path) -> None:
    check_whole(site)


@pytest.mark.slow
@pytest.mark.parametrize("name", SOME.split(","))
def test_an_entry_of_the_gallery(site: Path, name: str) -> None:
    check_entry(site, name, drawn=name != "clock")


def test_the_gallery_has_a_card_for_each(site: Path) -> None:
    page = Page(site / "gallery" / "index.html")
    for name in SOME.split(","):
        assert f"{name}.html" in page.leads


def test_the_references_are_the_packages_own(site: Path) -> None:
    def words(name: str) -> str:
        text = (site / "reference" / f"{name}.html").read_text("utf-8")
        return html.unescape(re.sub(r"<[^>]+>", "", text))

    for command in COMMANDS:
        assert f"Usage: grokviz {command}" in words("command-line")
    for name in gv.__all__:
        if not name.startswith("_"):
            assert f"gv.{name}" in words("python")
    for recipe in recipes():
        assert recipe in words("recipes")
    assert "embedding_frequency_norm" in words("variables")


def test_the_python_reference_is_written_without_torch() -> None:
    """Where each name is defined is read: an environment for the docs has no torch."""
    from website.references import home

    for name in gv.__all__:
        if not name.startswith("_"):
            found = home(gv._PUBLIC[name], name)
            assert found == getattr(gv, name).__module__, name
    code = (
        "import sys; from website.references import python; python(); print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout == "False\n"


@pytest.mark.slow
def test_a_scene_that_cannot_be_drawn_breaks_the_build(tmp_path: Path) -> None:
    done = build(tmp_path / "site", tmp_path / "cache", BROKEN_SCENE, only="ablation")
    assert done.returncode != 0
    assert "ablation: ZeroDivisionError: a mistake in the scene" in done.stdout + done.stderr
    assert not (tmp_path / "site" / "gallery" / "ablation.html").exists()


@pytest.fixture
def drawing():
    from website import drawing

    return drawing


def test_what_is_drawn_is_kept(tmp_path: Path, drawing) -> None:
    said: list[str] = []
    work = [drawing.still(gv.scene("ablation"), tmp_path, "l")]
    drawing.draw(work, 1, said.append)
    assert len(said) == 1
    before = work[0].path.stat().st_mtime_ns
    drawing.draw([drawing.still(gv.scene("ablation"), tmp_path, "l")], 1, said.append)
    assert len(said) == 1
    assert work[0].path.stat().st_mtime_ns == before


@pytest.mark.parametrize("what", ["_code", "_data", "quality"])
def test_what_would_come_out_differently_is_drawn_anew(
    tmp_path: Path, drawing, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    scene = gv.scene("ablation")
    before = drawing.still(scene, tmp_path, "l").path
    assert drawing.still(scene, tmp_path, "l").path == before
    if what != "quality":
        other: Callable[..., str] = lambda *_: "something else"  # noqa: E731
        monkeypatch.setattr(drawing, what, other)
    assert drawing.still(scene, tmp_path, "m" if what == "quality" else "l").path != before


def test_what_is_out_of_date_is_removed_and_nothing_else(tmp_path: Path, drawing) -> None:
    work = [drawing.still(gv.scene("ablation"), tmp_path, "l")]
    old = tmp_path / f"ablation-{'0' * 16}.png"
    others = [tmp_path / f"clock-{'0' * 16}.png", tmp_path / "ablation.txt"]
    for file in (old, *others, work[0].path):
        file.write_bytes(b"")
    drawing.tidy(tmp_path, work)
    assert not old.exists()
    assert all(file.exists() for file in (*others, work[0].path))


def test_every_page_is_in_the_navigation() -> None:
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert f": {page.name}\n" in text, page.name


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_whole_site_with_every_still(tmp_path: Path) -> None:
    done = build(tmp_path / "site", tmp_path / "cache")
    assert done.returncode == 0, done.stdout + done.stderr
    check_whole(tmp_path / "site")
    for name, scene in gv.list_scenes(user=False).items():
        check_entry(tmp_path / "site", name, drawn=scene.engine == "matplotlib")


@pytest.mark.slow
def test_a_film_is_in_its_entry_with_a_poster(tmp_path: Path) -> None:
    done = build(tmp_path / "site", tmp_path / "cache", only="embedding-waves", films=True)
    assert done.returncode == 0, done.stdout + done.stderr
    page = Page(tmp_path / "site" / "gallery" / "embedding-waves.html")
    assert {"media/embedding-waves.mp4", "media/embedding-waves.png"} <= set(page.fetched)
    check_whole(tmp_path / "site")


def test_the_poster_of_a_film_is_what_its_still_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "website"))
    import drawing

    scenes = gv.list_scenes(user=False)
    film = drawing.DrawingJob("a", Path("a.mp4"), {"quality": "l"})
    ends, names_a_part, joined = (
        drawing.poster(film, scenes[name])
        for name in ("clock", "phase-change-to-grokking", "thread")
    )
    assert {item.path.name for item in (ends, names_a_part, joined)} == {"a.png"}
    assert (ends.film, ends.chapter) == (film.path, None)
    # drawn as any still is, since a film of its own has no marks of its parts
    assert (names_a_part.film, names_a_part.chapter) == (None, None)
    assert (joined.film, joined.chapter) == (
        film.path,
        scenes["thread"].parts[scenes["thread"].poster],
    )
