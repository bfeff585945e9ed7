"""Manim films to files: drawn once, kept without loss, then encoded as every other film."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grokviz.errors import InputError, nearest
from grokviz.files import replacing
from grokviz.media import Provenance, library_versions
from grokviz.progress import ProgressCallback
from grokviz.render.films import cache as film_cache
from grokviz.render.films.cache import Caption, FilmFrames
from grokviz.render.films.needs import require
from grokviz.render.job import RenderJob
from grokviz.render.quality import QUALITIES
from grokviz.scene.film import Film
from grokviz.scene.films.context import FilmContext

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

LIBRARIES = ("manim", "typst", "pycairo", "numpy", "matplotlib")
"""Whose versions decide what is drawn; the fonts are matplotlib's."""

STILL_RATE = 15
"""Frames a second of a film that is drawn for one picture."""

MOMENT = re.compile(r"(\d+(?:\.\d+)?)\s*s?")


def perform(job: RenderJob, data: xr.Dataset, report: ProgressCallback | None = None) -> Path:
    """Make one file of a film: the film, one of its sections, or a still."""
    return write(job, data, film_frames(job, data, report), report)


def write(
    job: RenderJob, data: xr.Dataset, film: FilmFrames, report: ProgressCallback | None = None
) -> Path:
    """Make one file of a film that is drawn."""
    if job.format.name == "srt":
        return write_captions(job.path, film.captions_of(job.section), film.fps)
    return _film(job, data, film, report) if job.format.film else _still(job, data, film)


def film_frames(
    job: RenderJob, data: xr.Dataset, report: ProgressCallback | None = None
) -> FilmFrames:
    """The drawn film of a job, from the cache or drawn now."""
    context, film = _context(job, data), job.scene
    assert isinstance(film, Film)
    wide, high = job.page.pixels
    rate = Fraction(job.quality.fps or _still_rate(job)).limit_denominator(1001)
    if job.section and job.alone:
        context = replace(context, only=tuple(job.section.split("+")))
    folder = film_cache.cache_folder() / film_cache.key_of(_decided_by(context, (wide, high), rate))

    def make(part: Path) -> None:
        require(film.name)
        from grokviz.render.films.draw import Screen, draw

        expected = max(round(film.seconds * rate), 1)

        def drawn(count: int) -> None:
            if report:
                report(min(count, expected), 2 * expected)

        draw(context, Screen(wide, high, rate), part, drawn)

    return film_cache.put(folder, make)


def _still_rate(job: RenderJob) -> float | Fraction:
    """The rate of a still: that of the film of its quality, which may be kept, else a low one."""
    if job.options.fps is not None:
        return job.options.fps
    return QUALITIES[job.options.quality].fps if job.options.quality else STILL_RATE


def _context(job: RenderJob, data: xr.Dataset) -> FilmContext:
    film = job.scene
    assert isinstance(film, Film)
    return FilmContext(film, data, job.theme, job.heading(data), job.options.transparent)


def _decided_by(context: FilmContext, size: tuple[int, int], rate: Fraction) -> dict[str, Any]:
    """Everything that decides what is drawn, as plain data."""
    import sys

    from grokviz.sources import source_hash

    kind = type(context.film)
    files = [kind.file(), Path(str(sys.modules[kind.__module__].__file__))]
    files.append(Path(__file__).with_name("draw.py"))
    return {
        "film": context.film.name,
        "options": dataclasses.asdict(context.film),
        "data": film_cache.data_hash(context.data, context.film.needs),
        "also": film_cache.also_hash(context.film),
        "source": source_hash(files, film_cache.DATA),
        "style": (context.theme.name, context.title, context.transparent, context.only),
        "screen": (*size, str(rate)),
        "versions": library_versions(*LIBRARIES),
    }


def _film(
    job: RenderJob, data: xr.Dataset, film: FilmFrames, report: ProgressCallback | None
) -> Path:
    from grokviz.media import write_film

    start, stop = film.span(job.section)

    def frames() -> Iterator[np.ndarray]:
        for done, frame in enumerate(film.frames(start, stop), 1):
            yield frame
            if report:
                report(stop - start + done, 2 * (stop - start))

    limit = job.options.max_size
    written = write_film(
        job.path,
        frames,
        fps=film.fps,
        provenance=provenance(job, data),
        transparent=job.options.transparent,
        max_size=None if limit is None else int(limit * 1e6),
        fmt=job.format.name,
    )
    return written.path


def _still(job: RenderJob, data: xr.Dataset, film: FilmFrames) -> Path:
    from grokviz.media.still import write_png

    return write_png(job.path, film.frame(moment(film, job.options.epoch)), provenance(job, data))


def write_captions(path: Path, captions: Sequence[Caption], fps: Fraction) -> Path:
    """Captions as a SubRip file, which players show and people translate."""
    rows = [
        f"{n}\n{_clock(row.start / fps)} --> {_clock(row.stop / fps)}\n{row.text}\n"
        for n, row in enumerate(captions, 1)
    ]
    with replacing(path) as part:
        part.write_text("\n".join(rows), "utf-8")
    return path


def _clock(seconds: Fraction) -> str:
    """Hours, minutes, seconds and thousandths, as SubRip has them."""
    thousandths = round(seconds * 1000)
    rest, thousandths = divmod(thousandths, 1000)
    return f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d},{thousandths:03d}"


def moment(film: FilmFrames, epoch: str | int | None) -> int:
    """Frame of ``last``, of a time such as ``12.5s``, or of the end of a section by name."""
    word = "last" if epoch is None else str(epoch)
    if word == "last":
        return len(film) - 1
    time = MOMENT.fullmatch(word)
    if time:
        if float(time[1]) > film.seconds:
            raise InputError(f"--epoch {word}: the film ends after {film.seconds:.1f} s")
        return min(int(Fraction(time[1]) * film.fps), len(film) - 1)
    names = [name for name, _ in film.sections]
    if word not in names:
        raise InputError(
            f"--epoch {word} is no moment of this film: give last, seconds such as 12.5s, or a "
            f"section, whose end is drawn; {nearest(word, names)}"
        )
    return film.span(word)[1] - 1


def provenance(job: RenderJob, data: xr.Dataset) -> Provenance:
    """The provenance of the file."""
    film = job.scene
    assert isinstance(film, Film)
    title = film.heading(data) if job.options.title in (None, "none") else str(job.options.title)
    if job.section:
        names = ", ".join(film.parts[name] for name in job.section.split("+"))
        title = f"{title}: {names}"
    return Provenance(
        title=title,
        alt=film.alt_text(data, 0),
        caption=film.caption(data),
        scene=film.name,
        run_name=str(data.attrs.get("run_name", "")),
        run_checksum=str(data.attrs.get("run_checksum", "")),
        options=film.changed_options(),
        versions=library_versions("grokviz", "manim", "typst", "numpy", "av"),
        command=job.options.command,
    )
