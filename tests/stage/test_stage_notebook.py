"""What a notebook shows of files, scenes and datasets."""

from __future__ import annotations

import base64
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import xarray as xr

import grokviz as gv
from grokviz.dataset.references.reference import load
from grokviz.errors import InputError
from grokviz.notebook import register
from grokviz.notebook.show import Display

Html = Callable[[Any], str]


class Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements(text: str) -> list[tuple[str, dict[str, str | None]]]:
    return Elements(text).found


class Shell:
    """As much of IPython's shell as shows things; the formatters are IPython's own."""

    def __init__(self) -> None:
        formatters = importlib.import_module("IPython.core.formatters")
        self.display_formatter = formatters.DisplayFormatter()

    def html(self, shown: Any) -> str:
        return str(self.display_formatter.format(shown)[0]["text/html"])


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A notebook that is running."""
    ipython = pytest.importorskip("IPython", reason="IPython is not installed")
    running = Shell()
    monkeypatch.setattr(ipython, "get_ipython", lambda: running)
    return running


@pytest.fixture
def html(shell: Shell) -> Html:
    register.register()
    return shell.html


def test_what_render_returns_are_paths_that_show_themselves(
    here: Path, dot: Any, data: xr.Dataset, html: Html
) -> None:
    made = gv.render(dot(), data, ["a b.png", "a.mp4", "a.svg"], quality="l", duration=0.5)
    assert made == [Path("a b.png"), Path("a.mp4"), Path("a.svg")]
    (image, film, drawing) = elements(html(made))
    assert image[0] == drawing[0] == "img"
    assert image[1]["src"] == "a%20b.png"
    assert image[1]["alt"]
    assert image[1]["style"] == "width: 720px; max-width: 100%"
    assert film[0] == "video"
    assert film[1]["src"] == "a.mp4"
    assert "controls" in film[1]


def test_embedded_on_request(here: Path, dot: Any, data: xr.Dataset, html: Html) -> None:
    made = gv.render(dot(), data, ["a.png", "a.mp4"], quality="l", duration=0.5)
    shown = gv.show(made, width=300)
    for (_, attrs), path in zip(elements(html(shown)), made, strict=True):
        head, _, content = str(attrs["src"]).partition(",")
        assert re.fullmatch(r"data:(image/png|video/mp4);base64", head)
        assert base64.b64decode(content) == path.read_bytes()
        assert attrs["style"] == "width: 300px; max-width: 100%"
    assert elements(html(gv.show("a.png", embed=False)))[0][1]["src"] == "a.png"


def test_a_page_stands_in_a_frame_of_its_own(
    here: Path, dot: Any, data: xr.Dataset, html: Html
) -> None:
    made = gv.render(dot(), data, "a.html", quality="l", duration=0.5)
    assert elements(html(made)) == [
        ("iframe", {"src": "a.html", "style": "width: 100%; height: 680px; border: 0",
                    "title": "a.html"})
    ]  # fmt: skip
    ((tag, attrs),) = elements(html(gv.show(made)))
    assert (tag, attrs["srcdoc"]) == ("iframe", Path("a.html").read_text("utf-8"))
    assert attrs["sandbox"] == "allow-scripts allow-downloads"


def test_names_are_text(here: Path) -> None:
    name = 'x"><img src=y onerror=alert(1)>.png'
    Path(name).write_bytes(b"")
    ((_, attrs),) = elements(Display([Path(name)])._repr_html_())
    assert attrs["title"] == name
    assert elements(Display([Path("<b>gone.png")])._repr_html_()) == [("code", {})]


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


def test_a_scene_shows_its_still_and_options(html: Html) -> None:
    scene = gv.scene("embedding-waves")(by="component")
    text = html(scene)
    found = Elements(text).found
    images = [attrs for tag, attrs in found if tag == "img"]
    assert len(images) == 1
    assert str(images[0]["src"]).startswith("data:image/png;base64,")
    assert images[0]["title"] == scene.name
    assert "Bar chart" in str(images[0]["alt"])
    said = scene.claim(load(None, scene.variables(), default=scene.reference))
    assert f"<b>{said.sentence}</b><br>{said.watch}<br>" in text
    assert "<td>component</td>" in text


def test_a_users_scene_without_a_reference_is_words(
    dot: Any, html: Html, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dot, "reference", "no-such-reference")
    text = html(dot())
    assert dot.title in text
    assert "<img" not in text


@pytest.mark.parametrize(("module", "name"), list(register.FORMATTERS))
def test_what_is_registered_is_there(module: str, name: str) -> None:
    assert isinstance(getattr(importlib.import_module(module), name), type)
    assert callable(
        getattr(importlib.import_module("grokviz.notebook.show"), register.FORMATTERS[module, name])
    )


def test_a_readers_own_formatter_stays(shell: Shell, dot: Any) -> None:
    register.register()
    shell.display_formatter.formatters["text/html"].for_type(gv.Scene, lambda _: "mine")
    register.register()
    assert gv.scene is not None
    assert shell.html(dot()) == "mine"


def test_without_a_notebook_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (None, SimpleNamespace(), SimpleNamespace(get_ipython=lambda: None)):
        monkeypatch.setitem(sys.modules, "IPython", module)
        register.register()


STARTED = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
import grokviz
heavy = {"matplotlib", "xarray", "numpy", "grokviz.scene", "grokviz.render"} & set(sys.modules)
assert not heavy, heavy
from grokviz.files import FileList
print(shell.display_formatter.format(FileList(["a.srt"]))[0]["text/html"])
"""


def test_importing_is_enough_and_imports_nothing(tmp_path: Path) -> None:
    pytest.importorskip("IPython", reason="IPython is not installed")
    root = str(Path(gv.__file__).parents[1])
    env = {**os.environ, "IPYTHONDIR": str(tmp_path), "PYTHONPATH": root}
    done = subprocess.run(
        [sys.executable, "-c", STARTED], capture_output=True, text=True, env=env, check=False
    )
    assert done.stdout == "<code>a.srt</code>\n", done.stderr
