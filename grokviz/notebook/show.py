"""HTML of files, scenes and runs for notebooks.

:func:`~grokviz.render.render.render` returns a list of paths that a notebook displays as
pictures, films and pages. They stay files beside the notebook, since films may be large;
:func:`show` embeds them on request, for a notebook that is sent elsewhere or runs on another
machine.
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
from grokviz.media.plain import plain_text
from grokviz.runs import Run, info
from grokviz.strays import temporary_folder

if TYPE_CHECKING:
    from grokviz.scene.scene import Scene

WIDTH = 720
"""Width of a picture or a film in pixels, limited by that of the cell."""
PAGE_HEIGHT = 680
IFRAME_TYPES = ("application/pdf", "text/html")
"""Media types that a notebook displays in an iframe."""


class Display(list[Path]):
    """Paths with the options for their display in a notebook."""

    def __init__(self, paths: Iterable[Path], *, embed: bool = False, width: int = WIDTH) -> None:
        super().__init__(paths)
        self.embed, self.width = embed, width

    def _repr_html_(self) -> str:
        return files_html(self, embed=self.embed, width=self.width)


def files_html(files: Iterable[Path], *, embed: bool = False, width: int = WIDTH) -> str:
    """HTML of each file: pictures, films and pages are displayed, others are named."""
    return "\n".join(_element(path, embed, width) for path in files)


def show(
    files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    embed: bool = True,
    width: int = WIDTH,
) -> Display:
    """Display pictures, films and pages in a notebook.

    Args:
        files: one or several files, as ``render`` and ``explore`` return them.
        embed: whether to embed them in the notebook instead of linking to the files.
        width: width in pixels, limited by that of the cell.

    Raises:
        InputError: a missing file, or a format that notebooks cannot display.

    """
    items = [files] if isinstance(files, (str, os.PathLike)) else list(files)
    paths = [Path(file) for file in items]
    for path in paths:
        if not path.is_file():
            raise InputError(f"there is no file {path}: give what render or explore has written")
        if not _is_displayable(format_of(path)):
            raise InputError(
                f"{path} is nothing that a notebook shows: give one of {_displayable_formats()}"
            )
    if width < 1:
        raise InputError(f"width {width} is not possible; give pixels above 0")
    return Display(paths, embed=embed, width=width)


def _displayable_formats() -> str:
    return ", ".join(f".{kind.name}" for kind in FORMATS.values() if _is_displayable(kind))


def _is_displayable(kind: Format) -> bool:
    """Whether notebooks can display files of this format."""
    return kind.mime.startswith(("image/", "video/")) or kind.mime in IFRAME_TYPES


def _element(path: Path, embed: bool, width: int) -> str:
    """HTML of one file, with its name escaped."""
    kind, name = format_of(path), escape(str(path))
    if not _is_displayable(kind) or not path.is_file():
        return f"<code>{name}</code>"
    if kind.page and embed:
        # sandboxed, so that the page cannot access the notebook
        text = escape(path.read_text("utf-8"))
        apart = 'sandbox="allow-scripts allow-downloads"'
        return f'<iframe srcdoc="{text}" {apart} {_frame(name)}></iframe>'
    source = _content(path, kind.mime) if embed else quote(path.as_posix())
    style = f"width: {width}px; max-width: 100%"
    if kind.mime.startswith("video/"):
        return f'<video src="{source}" controls loop style="{style}" title="{name}"></video>'
    if kind.mime in IFRAME_TYPES:
        return f'<iframe src="{source}" {_frame(name)}></iframe>'
    return f'<img src="{source}" style="{style}" alt="{_alt(path)}" title="{name}">'


def _frame(name: str) -> str:
    return f'style="width: 100%; height: {PAGE_HEIGHT}px; border: 0" title="{name}"'


def _content(path: Path, media: str) -> str:
    return f"data:{media};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def _alt(path: Path) -> str:
    """The alt text in a file's provenance, or its name."""
    from grokviz.media import read_provenance

    try:
        return escape(read_provenance(path).alt)
    except InputError:
        return escape(path.name)


def scene_html(scene: Scene) -> str:
    """HTML of a scene: a still with what it says, or its title, and its options."""
    options = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(str(value))}</td>"
        f"<td>{escape(str(row['help']))}</td></tr>"
        for (name, row), value in zip(
            scene.options().items(),
            (getattr(scene, field.name) for field in dataclasses.fields(scene)),
            strict=True,
        )
    )
    title, watch, picture = _still(scene) or (scene.title, scene.watch, "")
    parts = [f"<b>{escape(plain_text(title))}</b><br>{escape(plain_text(watch))}", picture]
    if options:
        parts.append(f"<table>{options}</table>")
    parts.append(f"<small><code>{escape(scene.name)}</code> · {escape(scene.source)}</small>")
    return "<div>" + "<br>".join(part for part in parts if part) + "</div>"


def _still(scene: Scene) -> tuple[str, str, str] | None:
    """What its picture of the bundled reference says, and its HTML; None where there is none."""
    from grokviz.dataset.references.reference import references
    from grokviz.media import read_provenance
    from grokviz.render.render import render

    if scene.engine != "matplotlib" or scene.reference not in references():
        return None
    with temporary_folder("still") as folder, contextlib.suppress(InputError):
        files = render(scene, None, folder / "still.png", quality="l", title="none")
        provenance = read_provenance(files[0])
        picture = _element(files[0], True, WIDTH)
        picture = picture.replace(escape(str(files[0])), escape(scene.name))
        return provenance.title, provenance.watch, picture
    return None  # the scene needs more than its reference contains


def run_html(run: Run) -> str:
    """HTML of a run: the output of ``grokviz info``."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(str(key))}</th><td>{escape(_text(value))}"
        "</td></tr>"
        for key, value in info(run).items()
        if value not in (None, [], {})
    )
    return f"<table><caption>{escape(repr(run))}</caption>{rows}</table>"


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
