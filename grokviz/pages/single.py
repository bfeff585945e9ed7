"""The page of one scene, of what the scene says and of pictures that are drawn already.

Its one panel shows a plotly figure, a film, or pictures to scrub through; or it has the
explorer's panels that show what the scene shows.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Shaped

from grokviz.media import library_versions
from grokviz.media.plain import plain_text
from grokviz.pages.content import content, palettes, run_facts
from grokviz.pages.pack import pack
from grokviz.pages.page import page
from grokviz.pages.panels import Panel

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class SceneText:
    """What a page says of its scene, and how it looks.

    Attributes:
        name, title, watch, caption: the scene's own; formulas are mathtext.
        options: those that differ from their defaults, as text.
        heading: what stands above the page in place of the title.
        theme: light or dark.
        command: the command that makes the page.

    """

    name: str
    title: str
    watch: str
    caption: str
    options: Mapping[str, str]
    heading: str | None = None
    theme: str = "dark"
    command: str = ""


@dataclass(frozen=True)
class Pictures:
    """Pictures of a scene at some moments of its clock.

    Attributes:
        files: WebP files.
        alts: the alt text of each.
        size: width and height in pixels.
        moments: the clock's value at each.
        clock: what the clock counts, and the value to begin with; None for one still.

    """

    files: Sequence[bytes]
    alts: Sequence[str]
    size: tuple[int, int]
    moments: Shaped[np.ndarray, " moment"]
    clock: tuple[str, float] | None = None


@dataclass(frozen=True)
class PageBody:
    """The facts of a page, its packed arrays, its panels, and whether plotly draws them."""

    facts: dict[str, Any]
    arrays: str
    panels: list[str]
    plotly: bool


def figure_body(data: xr.Dataset, text: SceneText, figure: Mapping[str, Any]) -> PageBody:
    """A plotly figure, given as plain data."""
    facts = _facts(data, "figure", text, {"figure": figure})
    return PageBody(*_packed(facts, np.zeros(1)), ["figure"], True)


def panels_body(data: xr.Dataset, panels: Sequence[Panel], start: float | None) -> PageBody:
    """Panels of the explorer, at the epoch ``start`` where one is given."""
    facts, arrays = content(data, panels)
    if start is not None:
        facts["start"] = start
    return PageBody(facts, arrays, [panel.script for panel in panels], True)


def film_body(data: xr.Dataset, text: SceneText, film: bytes, alt: str) -> PageBody:
    """A film, given as an MP4 file."""
    more = {"film": base64.b64encode(film).decode("ascii"), "alt": alt}
    return PageBody(*_packed(_facts(data, "film", text, more), np.zeros(1)), ["film"], False)


def pictures_body(data: xr.Dataset, text: SceneText, pictures: Pictures) -> PageBody:
    """Pictures to scrub through."""
    more: dict[str, Any] = {
        "pictures": [base64.b64encode(file).decode("ascii") for file in pictures.files],
        "alts": list(pictures.alts),
        "size": list(pictures.size),
    }
    if pictures.clock is not None:
        word, start = pictures.clock
        more |= {"word": word, "start": start}
    facts = _facts(data, "picture", text, more)
    return PageBody(*_packed(facts, pictures.moments), ["picture"], False)


def scene_page(text: SceneText, body: PageBody) -> str:
    """The whole page as text."""
    title = plain_text(text.title) if text.heading is None else text.heading
    facts = {
        **body.facts,
        "title": title,
        "watch": plain_text(text.watch),
        "caption": plain_text(text.caption),
        "theme": text.theme,
        "command": text.command,
        "scene": text.name,
        "options": dict(text.options),
    }
    return page(title, facts, body.arrays, body.panels, plotly=body.plotly)


def _facts(
    data: xr.Dataset, panel: str, text: SceneText, more: Mapping[str, Any]
) -> dict[str, Any]:
    """What every page says, with one panel over the whole width."""
    shown = {"name": panel, "title": text.title, "note": text.watch, "width": "full"}
    return {
        "run": run_facts(data),
        "word": "",
        "every": 1,
        "phases": None,
        "events": [],
        "keys": [],
        "embedded": [],
        "palettes": palettes(),
        "panels": [{**shown, "variables": []}],
        "labels": {},
        "versions": library_versions("grokviz", "matplotlib", "numpy"),
        **more,
    }


def _packed(facts: dict[str, Any], clock: np.ndarray) -> tuple[dict[str, Any], str]:
    text, where = pack({"epoch": clock})
    return {**facts, "variables": {"epoch": {"dims": ["epoch"], **where["epoch"]}}}, text
