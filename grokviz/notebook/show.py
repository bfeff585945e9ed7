"""Files and scenes as a notebook shows them.

What :func:`~grokviz.render.render.render` returns is a list of paths that a notebook shows as
pictures, films and pages. They stay files beside the notebook, as a film may be large;
:func:`show` puts them into it on request, as a notebook needs that is sent away or runs on
another machine.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import os
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from grokviz.errors import InputError
from grokviz.media.formats import FORMATS, Format, format_of
from grokviz.runs import Run, info

if TYPE_CHECKING:
    from grokviz.scene.scene import Scene

WIDTH = 720
"""Pixels across of a picture or a film; never more than the cell has."""
PAGE_HEIGHT = 680
FRAMED = ("application/pdf", "text/html")
"""Media types that a notebook shows in a frame of their own."""


class Display(list[Path]):
    """Paths that a notebook shows as what they are, at a width and perhaps embedded."""

    def __init__(self, paths: Iterable[Path], *, embed: bool = False, width: int = WIDTH) -> None:
        super().__init__(paths)
        self.embed, self.width = embed, width

    def _repr_html_(self) -> str:
        return files_html(self, embed=self.embed, width=self.width)


def files_html(files: Iterable[Path], *, embed: bool = False, width: int = WIDTH) -> str:
    """Each file as HTML: pictures, films and pages as what they are, others as their names."""
    return "\n".join(_element(path, embed, width) for path in files)


def show(
    files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    embed: bool = True,
    width: int = WIDTH,
) -> Display:
    """Show pictures, films and pages in a notebook.

    Args:
        files: one file or several: what ``render`` and ``explore`` return.
        embed: whether the notebook itself keeps them; else it refers to the files.
        width: pixels across; never more than the cell has.

    Raises:
        InputError: a file that is not there, or of a format that no notebook shows.

    """
    given = [files] if isinstance(files, (str, os.PathLike)) else list(files)
    paths = [Path(file) for file in given]
    for path in paths:
        if not path.is_file():
            raise InputError(f"there is no file {path}: give what render or explore has written")
        if not _shown(format_of(path)):
            raise InputError(f"{path} is nothing that a notebook shows: give one of {_known()}")
    if width < 1:
        raise InputError(f"width {width} is not possible; give pixels above 0")
    return Display(paths, embed=embed, width=width)


def _known() -> str:
    return ", ".join(f".{kind.name}" for kind in FORMATS.values() if _shown(kind))


def _shown(kind: Format) -> bool:
    """Whether a notebook shows files of this format, and not their names alone."""
    return kind.mime.startswith(("image/", "video/")) or kind.mime in FRAMED


def _element(path: Path, embed: bool, width: int) -> str:
    """One file as HTML; names are escaped, and never more than text."""
    kind, name = format_of(path), escape(str(path))
    if not _shown(kind) or not path.is_file():
        return f"<code>{name}</code>"
    if kind.page and embed:
        # the page must not reach into the notebook, which may be somebody else's
        text = escape(path.read_text("utf-8"))
        apart = 'sandbox="allow-scripts allow-downloads"'
        return f'<iframe srcdoc="{text}" {apart} {_frame(name)}></iframe>'
    source = _content(path, kind.mime) if embed else quote(path.as_posix())
    style = f"width: {width}px; max-width: 100%"
    if kind.mime.startswith("video/"):
        return f'<video src="{source}" controls loop style="{style}" title="{name}"></video>'
    if kind.mime in FRAMED:
        return f'<iframe src="{source}" {_frame(name)}></iframe>'
    return f'<img src="{source}" style="{style}" alt="{_alt(path)}" title="{name}">'


def _frame(name: str) -> str:
    return f'style="width: 100%; height: {PAGE_HEIGHT}px; border: 0" title="{name}"'


def _content(path: Path, media: str) -> str:
    return f"data:{media};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def _alt(path: Path) -> str:
    """The alt text that our files carry."""
    from grokviz.media import read_provenance

    try:
        return escape(read_provenance(path).alt)
    except InputError:
        return escape(path.name)


def scene_html(scene: Scene) -> str:
    """A scene as a notebook shows it: what it argues, its options, and a still if it has one."""
    options = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(str(value))}</td>"
        f"<td>{escape(str(row['help']))}</td></tr>"
        for (name, row), value in zip(
            scene.options().items(),
            (getattr(scene, field.name) for field in dataclasses.fields(scene)),
            strict=True,
        )
    )
    parts = [f"<b>{escape(scene.title)}</b><br>{escape(scene.watch)}", _still(scene)]
    if options:
        parts.append(f"<table>{options}</table>")
    parts.append(f"<small><code>{escape(scene.name)}</code> · {escape(scene.source)}</small>")
    return "<div>" + "<br>".join(part for part in parts if part) + "</div>"


def _still(scene: Scene) -> str:
    """The scene's last picture, drawn from its bundled reference; nothing without one."""
    import tempfile

    from grokviz.dataset.references.reference import references
    from grokviz.render.render import render

    if scene.engine != "matplotlib" or scene.reference not in references():
        return ""
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(InputError):
        files = render(scene, None, Path(folder) / "still.png", quality="l", title="none")
        return _element(files[0], True, WIDTH).replace(escape(str(files[0])), escape(scene.name))
    return ""  # it needs more than its reference has


def run_html(run: Run) -> str:
    """A run as a notebook shows it: what ``grokviz info`` says of it."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(str(key))}</th><td>{escape(_text(value))}"
        "</td></tr>"
        for key, value in info(run).items()
        if value not in (None, [], {})
    )
    return f"<table><caption>{escape(repr(run))}</caption>{rows}</table>"


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
