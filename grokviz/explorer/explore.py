"""``explore``: a run or two in, one self-contained page out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from grokviz.dataset.references.reference import load
from grokviz.errors import InputError
from grokviz.explorer.steps import claims_of, steps
from grokviz.files import check_writable, replacing
from grokviz.pages.content import content
from grokviz.pages.own import own_panels
from grokviz.pages.page import page, plotly_script
from grokviz.pages.panels import Panel, available
from grokviz.progress import ProgressCallback

if TYPE_CHECKING:
    import xarray as xr

    from grokviz.runs import Run

Source: TypeAlias = "xr.Dataset | Run | str | os.PathLike[str] | None"


def explore(
    source: Source = None,
    out: str | os.PathLike[str] | None = None,
    *,
    beside: Source = None,
    theme: str = "dark",
    command: str = "",
    report: ProgressCallback | None = None,
) -> Path:
    """Write a run, or two beside one another, as one page: every panel driven by one slider.

    Args:
        source: a run, its folder, a dataset or its ``.nc`` file, the name of a bundled
            reference; None for the default one.
        out: the file; ``./<run>.html`` by default.
        beside: a second run, which the page shows beside the first.
        theme: ``light``, ``dark``, or ``auto``, which is what the reader's system prefers.
        command: the command that makes the page, which the page names.
        report: called with (done, all) checkpoints while a run is analysed.

    Returns:
        The file.

    Raises:
        InputError: nothing of that name, nothing in it that a panel shows, two runs that do not
            count alike, or a file name that is not ``.html``; plotly is not installed.

    """
    _check(theme, out)
    sides = [_side(one, report) for one in ([source] if beside is None else [source, beside])]
    facts, arrays = sides[0].facts, [side.arrays for side in sides]
    name = " beside ".join(str(side.facts["run"]["name"] or "run") for side in sides)
    facts |= {"theme": theme, "command": command, "steps": _steps_of(sides)}
    if len(sides) > 1:
        _check_clocks(*sides)
        facts["beside"] = {k: v for k, v in sides[1].facts.items() if k != "palettes"}
    scripts = [panel.script for side in sides for panel in side.panels]
    target = Path(out) if out is not None else Path(f"{_plain(name)}.html")
    text = page(f"{name} · grokviz", facts, arrays[0], scripts, beside="".join(arrays[1:]))
    with replacing(target) as part:
        part.write_text(text, "utf-8")
    return target


@dataclass(frozen=True)
class _Side:
    """A run of the page: its dataset, its panels, and what the page holds of it."""

    data: xr.Dataset
    panels: Sequence[Panel]
    facts: dict[str, Any]
    arrays: str


def _side(source: Source, report: ProgressCallback | None) -> _Side:
    """Raise InputError unless a panel shows something of the run."""
    data = load(source, report=report)
    panels = available(data)
    own, data = own_panels(data, panels)
    panels += own
    if not panels or "epoch" not in data.coords:
        raise InputError(
            f"{data.attrs.get('run_name') or 'the dataset'} has nothing that a panel shows: "
            "explore a run, or a dataset made by analysing one"
        )
    return _Side(data, panels, *content(data, panels))


def _steps_of(sides: Sequence[_Side]) -> list[dict[str, Any]]:
    """The steps of the first run; of two, with what is argued of each at its own place."""
    first = steps(sides[0].data, sides[0].panels)
    if len(sides) == 1:
        return first
    others = {panel.name: claims_of(sides[1].data, panel) for panel in sides[1].panels}
    names = [str(side.facts["run"]["name"] or "run") for side in sides]
    for step in first:
        claims = others.get(step["panel"]) or []
        of_second = f"; {names[1]}: {claims.pop(0)}" if claims else ""
        step["claim"] = f"{names[0]}: {step['claim']}{of_second}"
    return first


def _check_clocks(first: _Side, second: _Side) -> None:
    """Raise InputError unless both runs count epochs, or both steps."""
    words = [side.facts["word"] for side in (first, second)]
    if words[0] != words[1]:
        names = [side.facts["run"]["name"] or "the run" for side in (first, second)]
        raise InputError(
            f"{names[0]} counts {words[0]}s and {names[1]} {words[1]}s, and one slider cannot "
            "move both; explore each of them alone"
        )


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
