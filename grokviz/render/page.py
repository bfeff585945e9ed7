"""What stands in the page of a scene drawn with matplotlib, by the first way that it has.

1. A scene with its own ``interactive(data)``: that plotly figure.
2. A scene whose picture is a panel of the explorer, drawn with its usual options: the panel.
3. Every other scene, and everything that only the scene can do (its options, a style, a cut):
   the pictures that the scene itself draws at its clock's moments, to scrub through.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from grokviz.media.pixels import picture_bytes
from grokviz.pages.panels import Panel, named
from grokviz.pages.single import (
    PageBody,
    Pictures,
    SceneText,
    figure_body,
    panels_body,
    pictures_body,
)
from grokviz.progress import ProgressCallback
from grokviz.render.drawing import build, frames_of
from grokviz.render.html import MOST
from grokviz.render.job import RenderJob
from grokviz.scene import clock as clocks
from grokviz.scene.style import drawing_in

if TYPE_CHECKING:
    import xarray as xr


def body(
    job: RenderJob, data: xr.Dataset, text: SceneText, report: ProgressCallback | None
) -> PageBody:
    """What the page shows."""
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


def _pictures(job: RenderJob, data: xr.Dataset, report: ProgressCallback | None) -> Pictures:
    """Pictures drawn by the scene, at moments spread as in its film; fewer where they are large."""
    # the page itself says the title
    job = replace(job, options=replace(job.options, title="none"))
    index, clock = sorted({int(i) for i in frames_of(job, data)}), job.scene.clock
    files, alts = _drawn(job, data, index, report)
    while len(files) > 2 and sum(map(len, files)) > MOST:
        every_other = sorted({*range(0, len(files), 2), len(files) - 1})
        files = [files[n] for n in every_other]
        alts = [alts[n] for n in every_other]
        index = [index[n] for n in every_other]
    start = _start(job, data)
    if clock is None or start is None:
        return Pictures(files, alts, job.page.pixels, np.zeros(1))
    values = data[clock].values[index]
    return Pictures(files, alts, job.page.pixels, values, (clocks.word(data, clock), start))


def _drawn(
    job: RenderJob, data: xr.Dataset, index: Sequence[int], report: ProgressCallback | None
) -> tuple[list[bytes], list[str]]:
    """The picture of each moment as lossless WebP, and its alt text."""
    from grokviz.media import Painter, paint

    pictures, alts = [], []
    with drawing_in(job.theme, ghost=job.ghost):
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
