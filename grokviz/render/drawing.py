"""Scenes drawn with matplotlib: a figure with its furniture, a still, and what moves in a film."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from grokviz.errors import InputError
from grokviz.media import Provenance, library_versions
from grokviz.media.fonts import fallback_fonts, untold_missing_glyphs
from grokviz.media.motion import STAND
from grokviz.render.job import RenderJob
from grokviz.render.sheet import Sheet, clock_of
from grokviz.render.strings import clean_texts, strings_of
from grokviz.scene import clock as clocks
from grokviz.scene.drawing import Drawing
from grokviz.scene.phases import until
from grokviz.scene.scene import drawing_of
from grokviz.scene.style import drawing_in, style

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr
    from matplotlib.figure import Figure

    from grokviz.scene.sound import Sound


def still(job: RenderJob, data: xr.Dataset) -> Path:
    """Make one still."""
    with drawing_in(job.theme, ghost=job.ghost):
        return _still(job, data)


def up_to(job: RenderJob, data: xr.Dataset) -> xr.Dataset:
    """The data up to the moment asked for, of a scene without a clock that is drawn of any one.

    Of what is measured at the last checkpoint alone, the data end with the one asked for already.
    """
    clock, wanted = job.scene.checkpoint, job.options.epoch
    if wanted is None or clock is None or not job.scene.any_checkpoint:
        return data
    return data.isel({clock: slice(0, clocks.index_of(data, clock, wanted) + 1)})


def build(job: RenderJob, data: xr.Dataset) -> tuple[Figure, Sheet, Drawing]:
    """The figure with its furniture and the scene drawn on it, at no moment yet.

    It is drawn once more where its texts need other fonts than the theme's.
    """
    import matplotlib

    with untold_missing_glyphs():
        parts = _build(job, data)
    families = matplotlib.rcParams["font.family"]
    fonts = fallback_fonts([*clean_texts(parts[0]), *strings_of(data)], families)
    if not fonts:
        return parts
    # for all that is drawn from here on, until the theme's block ends
    matplotlib.rcParams["font.family"] = [*families, *fonts]
    parts = _build(job, data)
    clean_texts(parts[0])
    return parts


def _build(job: RenderJob, data: xr.Dataset) -> tuple[Figure, Sheet, Drawing]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=job.page.inches, dpi=job.page.dpi)
    FigureCanvasAgg(figure)  # type: ignore[no-untyped-call]  # what texts are measured with
    sheet = Sheet(figure, job.scene, data, style(), job.heading(data), spoken=bool(job.captions))
    return figure, sheet, drawing_of(job.scene, sheet.body, data)


def _still(job: RenderJob, data: xr.Dataset) -> Path:
    from grokviz.media import save_still

    i = job.scene.index_of(data, job.options.epoch)
    data = until(data, job.scene.clock, i)
    figure, sheet, drawing = build(job, data)
    sheet.show(i)
    drawing.update(i)
    return save_still(
        figure,
        job.path,
        provenance=provenance_of(job, data, [i]),
        transparent=job.options.transparent,
        fmt=job.format.name,
    )


def updates_of(
    job: RenderJob, sheet: Sheet, drawing: Drawing, index: np.ndarray
) -> list[Callable[[], None]]:
    """What draws each frame of a film; pictures that are the same are the same object."""
    if drawing.play is None:
        moments = {int(i): partial(show, sheet, drawing, int(i)) for i in index}
        return [moments[int(i)] for i in index]
    play, through = drawing.play, sorted({int(i) for i in index})

    def show_at(share: float) -> None:
        sheet.show(play(share, through))

    moving = max(len(index) - _length(job)[1], 1)
    shares = [partial(show_at, n / max(moving - 1, 1)) for n in range(moving)]
    return [*shares, *[shares[-1]] * (len(index) - moving)]


def show(sheet: Sheet, drawing: Drawing, i: int) -> None:
    """Move a picture to a clock index."""
    sheet.show(i)
    drawing.update(i)


def frames_of(job: RenderJob, data: xr.Dataset) -> np.ndarray:
    """Clock indices of the whole dataset, one a frame; of a scene without a clock, its one, or
    the moments of a film of its own.
    """
    import numpy as np

    clock = job.scene.clock
    if clock is None:
        return _own_moments(job) if job.format.film else np.zeros(1, int)
    values = data[clock].values
    inside = np.arange(len(values))
    span = job.scene.film_span(data)
    if job.options.epochs is not None:
        moments = clocks.select(data, clock, job.options.epochs)[clock].values
        inside = np.flatnonzero(np.isin(values, moments))
    elif span is not None:
        inside = np.flatnonzero((values >= span[0]) & (values <= span[1]))
    gone = clocks.gone_from(data, clock, job.scene.variables())
    inside = inside if gone is None else inside[inside < gone]
    if not inside.size:
        raise InputError(
            f"what {job.scene.name} draws is no number at any of these moments; "
            f"{job.scene.ends(data)}"
        )
    frames, held = _length(job)
    ends = clocks.phase_edges(data, 0, clock)[1:-1] if clocks.is_time(clock) else ()
    times = clocks.pace(values[inside], clock)
    at = job.scene.stands(data)
    if at is None or at not in inside[:-1]:
        index: np.ndarray = inside[clocks.schedule(times, frames, held, ends)]
        return index
    stood = min(round(STAND * job.quality.fps), (frames - held) // 4)
    index = inside[clocks.schedule(times, frames - stood, held, ends)]
    return np.insert(index, int(np.searchsorted(index, at, side="right")), [at] * stood)


def _length(job: RenderJob) -> tuple[int, int]:
    """How many frames a film has, and how many of them its end stays."""
    frames = max(round(job.options.duration * job.quality.fps), 1)
    return frames, min(round(job.options.held * job.quality.fps), frames - 1)


def _own_moments(job: RenderJob) -> np.ndarray:
    """The moments of a film that moves along nothing of the data, one a frame."""
    import numpy as np

    frames, held = _length(job)
    moving = np.linspace(1, max(job.scene.film_moments, 1), frames - held).round().astype(int)
    index: np.ndarray = np.concatenate([moving, np.full(held, moving[-1])])
    return index


def provenance_of(
    job: RenderJob, data: xr.Dataset, index: Sequence[int], sound: Sound | None = None
) -> Provenance:
    """What a file says of itself that shows these clock indices."""
    alt = job.scene.alt_text(data, index[-1])
    clock, fixed = clock_of(job.scene, data)
    if fixed is not None:
        index = [fixed]
    return Provenance(
        title=job.heading(data) or job.scene.claim(data).sentence,
        alt=alt if sound is None else f"{alt} {sound.words}",
        caption=job.scene.caption(data),
        scene=job.scene.name,
        run_name=str(data.attrs.get("run_name", "")),
        run_checksum=str(data.attrs.get("run_checksum", "")),
        options=job.scene.changed_options(),
        epochs=tuple(data[clock].values[list(index)].tolist()) if clock else (),
        versions=library_versions(),
        command=job.options.command,
        watch=job.scene.claim(data).watch,
    )
