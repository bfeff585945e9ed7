"""``--format html``: one scene as one page, by the first way that it has.

1. A scene with its own ``interactive(data)``: that plotly figure.
2. A scene whose picture is a panel of the explorer, drawn with its usual options: the panel.
3. A manim film: the film itself, inside the page.
4. Every other scene, and every wish that only the scene can grant (its options, a style, a
   cut): the pictures that the scene itself draws at its clock's moments, to scrub through.
"""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.errors import InputError
from grokviz.files import replacing
from grokviz.media import library_versions
from grokviz.media.formats import FORMATS
from grokviz.media.plain import plain
from grokviz.pages.content import content, palettes, run_facts
from grokviz.pages.pack import pack
from grokviz.pages.page import page
from grokviz.pages.panels import of_scene
from grokviz.scene import clock as clocks
from grokviz.scene.film import Film

if TYPE_CHECKING:
    import xarray as xr

    from grokviz.render.render import Job

Report = Callable[[int, int], None]

MOST = 9_000_000
"""Bytes of pictures, or of the film, inside a page; base64 makes a third more of them."""


def perform_page(job: Job, data: xr.Dataset, report: Report | None = None) -> Path:
    """Make the page of a job."""
    facts, arrays, panels, plotly = _body(job, data, report)
    wish, scene = job.wish, job.scene
    title = plain(scene.title) if wish.title in (None, "none") else str(wish.title)
    said = {
        "title": title,
        "watch": plain(scene.watch),
        "caption": plain(scene.caption(data)),
        "theme": wish.theme,
        "command": wish.command,
        "scene": scene.name,
        "options": {key: str(value) for key, value in scene.chosen().items()},
    }
    text = page(title, {**facts, **said}, arrays, panels, plotly=plotly)
    if wish.max_size is not None and len(text.encode()) > wish.max_size * 1e6:
        raise InputError(
            f"{job.path} would have {len(text.encode()) / 1e6:.1f} MB, more than --max-size "
            f"{wish.max_size:g}; allow more, or choose a film format"
        )
    with replacing(job.path) as part:
        part.write_text(text, "utf-8")
    return job.path


Body = tuple[dict[str, Any], str, list[str], bool]


def _body(job: Job, data: xr.Dataset, report: Report | None) -> Body:
    """The facts, the packed arrays, the panels, and whether plotly draws them."""
    if isinstance(job.scene, Film):
        return _film_body(job, data, report)
    figure = job.scene.interactive(data)
    if figure is not None:
        plain = json.loads(figure.to_json())
        facts = _facts(data, "figure", job, {"figure": plain})
        return (*_packed(facts, np.zeros(1)), ["figure"], True)
    panels = _panels(job, data)
    if panels:
        facts, arrays = content(data, panels)
        if job.wish.epoch is not None and job.scene.clock is not None:
            i = clocks.index_of(data, job.scene.clock, job.wish.epoch)
            facts["start"] = float(data[job.scene.clock].values[i])
        return facts, arrays, [panel.name for panel in panels], True
    return _pictures_body(job, data, report)


def _panels(job: Job, data: xr.Dataset) -> list[Any]:
    """The panels that show the scene as wished; none where only its own drawing does."""
    scene, wish = job.scene, job.wish
    own = type(scene).__module__.startswith("grokviz.scenes.")
    if not own or scene.chosen() or wish.style or wish.epochs or "epoch" not in data.coords:
        return []
    return of_scene(scene.name, data)


def _facts(data: xr.Dataset, panel: str, job: Job, more: dict[str, Any]) -> dict[str, Any]:
    """What every page says, with one panel over the whole width."""
    scene = job.scene
    said = {"name": panel, "title": scene.title, "note": scene.watch, "width": "full"}
    return {
        "run": run_facts(data),
        "word": "",
        "every": 1,
        "phases": None,
        "events": [],
        "keys": [],
        "embedded": [],
        "palettes": palettes(),
        "panels": [{**said, "variables": []}],
        "labels": {},
        "versions": library_versions("grokviz", "matplotlib", "numpy"),
        **more,
    }


def _packed(facts: dict[str, Any], clock: np.ndarray) -> tuple[dict[str, Any], str]:
    text, where = pack({"epoch": clock})
    return {**facts, "variables": {"epoch": {"dims": ["epoch"], **where["epoch"]}}}, text


def _film_body(job: Job, data: xr.Dataset, report: Report | None) -> Body:
    """The film itself, as MP4, small enough for a page."""
    from grokviz.render.render import perform

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        wish = replace(job.wish, max_size=job.wish.max_size and 0.7 * job.wish.max_size)
        wish = wish if wish.max_size else replace(wish, max_size=MOST / 1e6)
        perform(replace(job, path=path, format=FORMATS["mp4"], wish=wish), data, report)
        film = base64.b64encode(path.read_bytes()).decode("ascii")
    more = {"film": film, "alt": job.scene.alt_text(data, 0)}
    return (*_packed(_facts(data, "film", job, more), np.zeros(1)), ["film"], False)


def _pictures_body(job: Job, data: xr.Dataset, report: Report | None) -> Body:
    """Pictures drawn by the scene, at moments spread as in its film; fewer where they are large."""
    # the page itself says the title
    job = replace(job, wish=replace(job.wish, title="none"))
    index = _moments(job, data)
    drawn, alt = _drawn(job, data, index, report)
    while len(drawn) > 2 and sum(map(len, drawn)) > MOST:
        kept = sorted({*range(0, len(drawn), 2), len(drawn) - 1})
        drawn, alt, index = ([what[n] for n in kept] for what in (drawn, alt, index))
    clock = job.scene.clock
    more: dict[str, Any] = {
        "pictures": [base64.b64encode(picture).decode("ascii") for picture in drawn],
        "alts": alt,
        "size": list(job.page.pixels),
    }
    values = np.zeros(1)
    if clock is not None:
        values = data[clock].values[index]
        wished = clocks.index_of(data, clock, job.wish.epoch)
        more |= {"word": clocks.word(data, clock), "start": float(data[clock].values[wished])}
    return (*_packed(_facts(data, "picture", job, more), values), ["picture"], False)


def _moments(job: Job, data: xr.Dataset) -> list[int]:
    from grokviz.render.render import frames_of

    if job.scene.clock is None:
        return [0]
    return sorted({int(i) for i in frames_of(job, data)})


def _drawn(
    job: Job, data: xr.Dataset, index: Sequence[int], report: Report | None
) -> tuple[list[bytes], list[str]]:
    """The picture of each moment as lossless WebP, and its alt text."""
    from grokviz.media import Painter, paint
    from grokviz.render.render import build
    from grokviz.scene.style import drawing_in

    pictures, alt = [], []
    with drawing_in(job.theme):
        figure, sheet, artists = build(job, data)
        painter = Painter(figure, [artists.get("moving", []), sheet.moment])

        def show(i: int) -> None:
            sheet.show(i)
            job.scene.update(artists, data, i)

        for i, frame in zip(index, paint(painter, [partial(show, i) for i in index]), strict=True):
            pictures.append(_webp(frame))
            alt.append(job.scene.alt_text(data, i))
            if report:
                report(len(pictures), len(index))
    return pictures, alt


def _webp(frame: np.ndarray) -> bytes:
    import io

    from PIL import Image

    target = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(frame[..., :3]))
    image.save(target, "WEBP", lossless=True, method=2)
    return target.getvalue()
