"""``explore``: a run in, one self-contained page out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from grokviz.dataset.references.reference import load
from grokviz.errors import InputError
from grokviz.files import check_writable, replacing
from grokviz.pages.content import content
from grokviz.pages.own import own_panels
from grokviz.pages.page import page, plotly_script
from grokviz.pages.panels import available
from grokviz.progress import ProgressCallback

if TYPE_CHECKING:
    import xarray as xr

    from grokviz.runs import Run


def explore(
    source: xr.Dataset | Run | str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    *,
    theme: str = "dark",
    command: str = "",
    report: ProgressCallback | None = None,
) -> Path:
    """Write a run as one page: every panel it has, driven by one slider.

    Args:
        source: a run, its folder, a dataset or its ``.nc`` file, the name of a bundled
            reference; None for the default one.
        out: the file; ``./<run>.html`` by default.
        theme: ``light``, ``dark``, or ``auto``, which is what the reader's system prefers.
        command: the command that makes the page, which the page names.
        report: called with (done, all) checkpoints while a run is analysed.

    Returns:
        The file.

    Raises:
        InputError: nothing of that name, nothing in it that a panel shows, or a file name
            that is not ``.html``; plotly is not installed.

    """
    _check(theme, out)
    data = load(source, report=report)
    panels = available(data)
    own, data = own_panels(data, panels)
    panels += own
    if not panels or "epoch" not in data.coords:
        raise InputError(
            f"{data.attrs.get('run_name') or 'the dataset'} has nothing that a panel shows: "
            "explore a run, or a dataset made by analysing one"
        )
    facts, arrays = content(data, panels)
    name = facts["run"]["name"] or "run"
    facts |= {"theme": theme, "command": command}
    target = Path(out) if out is not None else Path(f"{_plain(name)}.html")
    text = page(f"{name} · grokviz", facts, arrays, [panel.script for panel in panels])
    with replacing(target) as part:
        part.write_text(text, "utf-8")
    return target


def _check(theme: str, out: str | os.PathLike[str] | None) -> None:
    """Raise InputError for a wrong word, and MissingExtra without plotly, before a run is read."""
    if theme not in ("auto", "light", "dark"):
        raise InputError(f"unknown theme {theme!r}: there are light, dark and auto")
    plotly_script()
    if out is not None and Path(out).suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{out} is not a page: give a file name that ends in .html")
    if out is not None:
        check_writable(out)


def _plain(name: str) -> str:
    """A run's name as a file's."""
    plain = "".join(c if c.isalnum() or c in "-_.=" else "-" for c in name).strip("-.")
    return plain or "run"
