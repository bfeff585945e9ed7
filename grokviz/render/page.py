"""``--format html``: one scene as one page, by the first way that it has.

1. A scene with its own ``interactive(data)``: that plotly figure.
2. A scene whose picture is a panel of the explorer, drawn with its usual options: the panel.
3. A manim film: the film itself, inside the page.
4. Every other scene, and everything that only the scene can do (its options, a style, a cut):
   the pictures that the scene itself draws at its clock's moments, to scrub through.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from grokviz.errors import InputError
from grokviz.files import replacing
from grokviz.media.formats import FORMATS
from grokviz.media.pixels import picture_bytes
from grokviz.pages.panels import Panel, named
from grokviz.pages.single import (
    PageBody,
    Pictures,
    SceneText,
    figure_body,
    film_body,
    panels_body,
    pictures_body,
    scene_page,
)
from grokviz.progress import ProgressCallback
from grokviz.render.drawing import build, frames_of
from grokviz.render.engines import draw
from grokviz.render.job import RenderJob
from grokviz.scene import clock as clocks
from grokviz.scene.film import Film
from grokviz.scene.style import drawing_in

if TYPE_CHECKING:
    import xarray as xr

MOST = 9_000_000
"""Bytes of pictures, or of the film, inside a page; base64 makes a third more of them."""


def write_page(job: RenderJob, data: xr.Dataset, report: ProgressCallback | None = None) -> Path:
    """Make the page of a job."""
    text = _text(job, data)
    page = scene_page(text, _body(job, data, text, report))
    limit, size = job.options.max_size, len(page.encode())
    if limit is not None and size > limit * 1e6:
        raise InputError(
            f"{job.path} would have {size / 1e6:.1f} MB, more than --max-size {limit:g}; "
            "allow more, or choose a film format"
        )
    with replacing(job.path) as part:
        part.write_text(page, "utf-8")
    return job.path


def _text(job: RenderJob, data: xr.Dataset) -> SceneText:
    scene, options = job.scene, job.options
    return SceneText(
        name=scene.name,
        title=scene.heading(data),
        watch=scene.lead(data),
        caption=scene.caption(data),
        options={key: str(value) for key, value in scene.changed_options().items()},
        heading=None if options.title in (None, "none") else str(options.title),
        theme=options.theme,
        command=options.command,
    )


def _body(
    job: RenderJob, data: xr.Dataset, text: SceneText, report: ProgressCallback | None
) -> PageBody:
    if isinstance(job.scene, Film):
        return film_body(data, text, _film(job, data, report), job.scene.alt_text(data, 0))
    figure = job.scene.interactive(data)
    if figure is not None:
        return figure_body(data, text, json.loads(figure.to_json()))
    panels = _panels(job, data)
    if panels:
        start = None if job.options.epoch is None else _start(job, data)
        return panels_body(data, panels, start)
    return pictures_body(data, text, _pictures(job, data, report))


def _panels(job: RenderJob, data: xr.Dataset) -> list[Panel]:
    """The panels that show the scene as it is asked for; none where only its own drawing does."""
    scene, options = job.scene, job.options
    # a scene made from another draws something of its own, and does not take its panels over
    own = vars(type(scene)).get("panels", ())
    if (
        not own
        or scene.changed_options()
        or options.style
        or options.epochs
        or "epoch" not in data.coords
    ):
        return []
    return named(own, data)


def _start(job: RenderJob, data: xr.Dataset) -> float | None:
    """The clock's value that the page begins with; None of a scene without a clock."""
    clock = job.scene.clock
    if clock is None:
        return None
    return float(data[clock].values[clocks.index_of(data, clock, job.options.epoch)])


def _film(job: RenderJob, data: xr.Dataset, report: ProgressCallback | None) -> bytes:
    """The film itself, as MP4, small enough for a page."""
    limit, options = job.options.max_size, job.options
    # chapters are joined as they are
    if not (isinstance(job.scene, Film) and job.scene.joined()):
        options = replace(options, max_size=0.7 * limit if limit else MOST / 1e6)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        draw(replace(job, path=path, format=FORMATS["mp4"], options=options), data, report)
        return path.read_bytes()


def _pictures(job: RenderJob, data: xr.Dataset, report: ProgressCallback | None) -> Pictures:
    """Pictures drawn by the scene, at moments spread as in its film; fewer where they are large."""
    # the page itself says the title
    job = replace(job, options=replace(job.options, title="none"))
    index, clock = _moments(job, data), job.scene.clock
    files, alts = _drawn(job, data, index, report)
    while len(files) > 2 and sum(map(len, files)) > MOST:
        every_other = sorted({*range(0, len(files), 2), len(files) - 1})
        files = [files[n] for n in every_other]
        alts = [alts[n] for n in every_other]
        index = [index[n] for n in every_other]
    if clock is None:
        return Pictures(files, alts, job.page.pixels, np.zeros(1))
    start = _start(job, data)
    assert start is not None
    values = data[clock].values[index]
    return Pictures(files, alts, job.page.pixels, values, (clocks.word(data, clock), start))


def _moments(job: RenderJob, data: xr.Dataset) -> list[int]:
    if job.scene.clock is None:
        return [0]
    return sorted({int(i) for i in frames_of(job, data)})


def _drawn(
    job: RenderJob, data: xr.Dataset, index: Sequence[int], report: ProgressCallback | None
) -> tuple[list[bytes], list[str]]:
    """The picture of each moment as lossless WebP, and its alt text."""
    from grokviz.media import Painter, paint

    pictures, alts = [], []
    with drawing_in(job.theme):
        figure, sheet, drawing = build(job, data)
        painter = Painter(figure, [drawing.moving, sheet.moment])

        def show(i: int) -> None:
            sheet.show(i)
            drawing.update(i)

        for i, frame in zip(index, paint(painter, [partial(show, i) for i in index]), strict=True):
            pictures.append(picture_bytes(frame[..., :3], ".webp", lossless=True, method=2))
            alts.append(job.scene.alt_text(data, i))
            if report:
                report(len(pictures), len(index))
    return pictures, alts
