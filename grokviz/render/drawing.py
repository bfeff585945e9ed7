"""Scenes drawn with matplotlib: a figure with its furniture, a still, and a film's frames."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grokviz.errors import InputError
from grokviz.media import Provenance, library_versions
from grokviz.media.fonts import fallback_fonts, untold_missing_glyphs
from grokviz.progress import ProgressCallback
from grokviz.render.job import RenderJob
from grokviz.render.sheet import Sheet
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

    from grokviz.media.film.sound import Track
    from grokviz.scene.sound import Sound


def draw(job: RenderJob, data: xr.Dataset, report: ProgressCallback | None = None) -> Path:
    """Make one still or film."""
    with drawing_in(job.theme, ghost=job.ghost):
        return _film(job, data, report) if job.format.film else _still(job, data)


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
        provenance=_provenance(job, data, [i]),
        transparent=job.options.transparent,
        fmt=job.format.name,
    )


def _film(job: RenderJob, data: xr.Dataset, report: ProgressCallback | None) -> Path:
    from grokviz.media import Painter, paint, transparent_background, write_film
    from grokviz.media.film.encode import Footage

    index = frames_of(job, data)
    data = until(data, job.scene.clock, int(max(index)))
    # the whole dataset stays with the scene, so that a still and a frame look the same
    figure, sheet, drawing = build(job, data)
    painter = Painter(figure, [drawing.moving, sheet.moment, sheet.caption])

    updates = _updates(job, sheet, drawing, index)
    updates = sheet.with_captions(updates, job.captions, float(job.quality.fps))

    def frames() -> Iterator[Any]:
        for done, frame in enumerate(paint(painter, updates), 1):
            yield frame
            if report:
                report(done, len(updates))

    sound = job.scene.sound(data) if job.options.sound else None
    limit = job.options.max_size
    moments = sorted({int(i) for i in index})
    told = job.scene.index_of(data, None)
    if job.scene.clock is not None:  # one of its own frames; else its still
        told = min(moments, key=lambda i: abs(i - told))
    poster = next(paint(painter, [partial(_show, sheet, drawing, told)], checks=0))
    with transparent_background(figure) if job.options.transparent else contextlib.nullcontext():
        written = write_film(
            job.path,
            Footage(frames, poster, _track(job, sound, index)),
            fps=job.quality.fps,
            provenance=_provenance(job, data, moments, sound),
            transparent=job.options.transparent,
            max_size=None if limit is None else int(limit * 1e6),
            fmt=job.format.name,
        )
    return written.path


def _track(job: RenderJob, sound: Sound | None, index: np.ndarray) -> Track | None:
    """The sound of frames that show these clock indices."""
    if sound is None:
        return None
    from grokviz.media.film.sound import Track

    fps = Fraction(job.quality.fps).limit_denominator(1001)
    return Track(sound.hertz, sound.amplitude[index], fps)


def _updates(
    job: RenderJob, sheet: Sheet, drawing: Drawing, index: np.ndarray
) -> list[Callable[[], None]]:
    """What draws each frame of a film; pictures that are the same are the same object."""
    if drawing.play is None:
        moments = {int(i): partial(_show, sheet, drawing, int(i)) for i in index}
        return [moments[int(i)] for i in index]
    play, through = drawing.play, sorted({int(i) for i in index})

    def show_at(share: float) -> None:
        sheet.show(play(share, through))

    moving = max(len(index) - _length(job)[1], 1)
    shares = [partial(show_at, n / max(moving - 1, 1)) for n in range(moving)]
    return [*shares, *[shares[-1]] * (len(index) - moving)]


def _show(sheet: Sheet, drawing: Drawing, i: int) -> None:
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
    index: np.ndarray = inside[clocks.schedule(times, frames, held, ends)]
    return index


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


def _provenance(
    job: RenderJob, data: xr.Dataset, index: Sequence[int], sound: Sound | None = None
) -> Provenance:
    clock = job.scene.clock
    alt = job.scene.alt_text(data, index[-1])
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
