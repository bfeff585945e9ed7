"""What a notebook shows of files, scenes and runs."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

import grokviz as gv
from grokviz.errors import InputError
from grokviz.notebook.show import Shown


class Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements(shown: Any) -> list[tuple[str, dict[str, str | None]]]:
    return Elements(shown._repr_html_()).found


def test_what_render_returns_are_paths_that_show_themselves(
    here: Path, dot: Any, data: xr.Dataset
) -> None:
    made = gv.render(dot(), data, ["a b.png", "a.mp4", "a.svg"], quality="l", duration=0.5)
    assert made == [Path("a b.png"), Path("a.mp4"), Path("a.svg")]
    (image, film, drawing) = elements(made)
    assert image[0] == drawing[0] == "img"
    assert image[1]["src"] == "a%20b.png"
    assert image[1]["alt"]
    assert image[1]["style"] == "width: 720px; max-width: 100%"
    assert film[0] == "video"
    assert film[1]["src"] == "a.mp4"
    assert "controls" in film[1]


def test_embedded_on_request(here: Path, dot: Any, data: xr.Dataset) -> None:
    made = gv.render(dot(), data, ["a.png", "a.mp4"], quality="l", duration=0.5)
    shown = gv.show(made, width=300)
    for (_, attrs), path in zip(elements(shown), made, strict=True):
        head, _, content = str(attrs["src"]).partition(",")
        assert re.fullmatch(r"data:(image/png|video/mp4);base64", head)
        assert base64.b64decode(content) == path.read_bytes()
        assert attrs["style"] == "width: 300px; max-width: 100%"
    assert elements(gv.show("a.png", embed=False))[0][1]["src"] == "a.png"


def test_a_page_stands_in_a_frame_of_its_own(here: Path, dot: Any, data: xr.Dataset) -> None:
    made = gv.render(dot(), data, "a.html", quality="l", duration=0.5)
    assert elements(made) == [
        ("iframe", {"src": "a.html", "style": "width: 100%; height: 680px; border: 0",
                    "title": "a.html"})
    ]  # fmt: skip
    ((tag, attrs),) = elements(gv.show(made))
    assert (tag, attrs["srcdoc"]) == ("iframe", Path("a.html").read_text("utf-8"))
    assert attrs["sandbox"] == "allow-scripts allow-downloads"


def test_names_are_text(here: Path) -> None:
    name = 'x"><img src=y onerror=alert(1)>.png'
    Path(name).write_bytes(b"")
    ((_, attrs),) = elements(Shown([Path(name)]))
    assert attrs["title"] == name
    assert elements(Shown([Path("<b>gone.png")])) == [("code", {})]


@pytest.mark.parametrize(
    ("given", "said"),
    [("no.png", "there is no file no.png"), ("a.srt", "nothing that a notebook shows")],
)
def test_what_cannot_be_shown(here: Path, given: str, said: str) -> None:
    Path("a.srt").write_text("")
    with pytest.raises(InputError, match=said):
        gv.show(given)
    Path("b.png").write_bytes(b"")
    with pytest.raises(InputError, match="width 0"):
        gv.show("b.png", width=0)


def test_a_scene_shows_its_still_and_options() -> None:
    scene = gv.scene("embedding-waves")(by="component")
    text = scene._repr_html_()
    found = Elements(text).found
    images = [attrs for tag, attrs in found if tag == "img"]
    assert len(images) == 1
    assert str(images[0]["src"]).startswith("data:image/png;base64,")
    assert images[0]["title"] == scene.name
    assert str(images[0]["alt"]).startswith("Bar chart")
    assert scene.title in text
    assert "<td>component</td>" in text


def test_a_users_scene_without_a_reference_is_words(dot: Any) -> None:
    text = dot()._repr_html_()
    assert dot.title in text
    assert "<img" not in text or dot.reference in gv.references()


def test_datasets_show_themselves(data: xr.Dataset) -> None:
    assert "<div" in data._repr_html_()
