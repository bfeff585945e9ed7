"""``render``: a scene and a dataset in, stills and films out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grokviz.dataset.references.reference import load
from grokviz.errors import InputError
from grokviz.files import check_place
from grokviz.media import Provenance, film_rate, format_of, library_versions, page, screen
from grokviz.media.formats import FORMATS, Format
from grokviz.media.theme import Theme, theme
from grokviz.media.venues import Page
from grokviz.notebook.show import Shown
from grokviz.render.quality import Quality, quality
from grokviz.render.sheet import Sheet
from grokviz.scene import clock as clocks
from grokviz.scene.film import Film, in_sections, refuse_for_film
from grokviz.scene.registry import files_of, load_files
from grokviz.scene.registry import scene as find_scene
from grokviz.scene.scene import Artists, Scene
from grokviz.scene.style import drawing_in

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr
    from matplotlib.figure import Figure

    from grokviz.dataset.references.reference import Source

DURATION, HOLD = 16.0, 2.0
GENERIC_VENUE = "tmlr"
PAGE_FPS = 6
"""Moments a second of film time that a page of pictures keeps."""
Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Wish:
    """Everything a user may ask of a picture beside the scene's own options."""

    quality: str | None = None
    fps: float | None = None
    duration: float = DURATION
    hold: float = HOLD
    epoch: str | int | None = None
    epochs: str | None = None
    theme: str = "light"
    style: Path | None = None
    venue: str | None = None
    columns: int = 2
    title: str | None = None
    transparent: bool = False
    max_size: float | None = None
    sections: bool = False
    command: str = ""


@dataclass(frozen=True)
class Job:
    """One file to be made; of a film that is ``alone``, only the section is drawn."""

    path: Path
    format: Format
    scene: Scene
    wish: Wish
    theme: Theme
    page: Page
    quality: Quality = field(default=Quality(0, 0, 0))
    section: str | None = None
    alone: bool = False

    def line(self) -> str:
        """What ``--dry-run`` says."""
        wide, high = self.page.pixels
        if not self.format.film:
            size = f"{self.page.width:.4g} x {self.page.height:.4g} in"
            size = f"{wide} x {high} px" if self.theme.medium == "slide" else size
            return f"{self.path}: {self.scene.name}, {self.format.name}, {size}"
        seconds = getattr(self.scene, "seconds", self.wish.duration)
        length = f"section {self.section}" if self.section else f"{seconds:g} s"
        return (
            f"{self.path}: {self.scene.name}, {self.format.name}, {wide} x {high} px, "
            f"{length} at {float(self.quality.fps):g} frames a second"
        )


def render(
    scene: str | Scene,
    data: Source | Sequence[Source] | None = None,
    out: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    formats: Sequence[str] = (),
    jobs: int = 1,
    report: Report | None = None,
    **wish: Any,
) -> list[Path]:
    """Draw a scene into one or several files.

    Args:
        scene: its name, or the scene itself.
        data: a dataset, a run, a run directory or the name of a bundled reference; several
            of these, or a sweep's folder, for what draws many runs; the scene's own reference
            by default.
        out: file names, whose suffixes say their formats; ``./<scene>.mp4`` by default.
        options: the scene's own options.
        formats: formats of the files in ``out``, or of ``./<scene>`` files without it.
        jobs: how many files are drawn at the same time.
        report: called with (done, all) frames of the film at hand.
        **wish: the fields of :class:`Wish`.

    Returns:
        The files written; a notebook shows them.

    Raises:
        InputError: an unknown scene, option, format or epoch; data without what is needed.
        WorkError: the disk or an encoder failed; old files are as they were.

    """
    chosen = find_scene(scene).with_options(options) if isinstance(scene, str) else scene
    work = plan(chosen, out, formats, checked(wish))
    dataset = load(data, chosen.needs, default=chosen.reference)
    return Shown(perform_all(work, dataset, jobs=jobs, report=report))


def plan(
    scene: Scene,
    out: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None,
    formats: Sequence[str],
    wish: Wish,
) -> list[Job]:
    """The files to be made, each with its page and theme; every wrong word is found here."""
    jobs = [_job(scene, path, kind, wish) for path, kind in _targets(scene, out, formats)]
    return in_sections(jobs) if wish.sections else jobs


def perform_all(
    work: Sequence[Job], data: xr.Dataset, *, jobs: int = 1, report: Report | None = None
) -> Iterator[Path]:
    """Make the files, several at the same time where ``jobs`` says so."""
    if jobs < 1:
        raise InputError(f"-j {jobs} is not possible; give at least 1")
    for job in work:
        check_place(job.path, folder=job.format.name == "png-sequence")
    # the files of one film share one drawing
    if jobs == 1 or len(work) == 1 or isinstance(work[0].scene, Film):
        for job in work:
            yield perform(job, data, report)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # spawn: a forked matplotlib or BLAS may hold locks of threads that are not there
    context = multiprocessing.get_context("spawn")
    files = files_of(job.scene for job in work)
    with ProcessPoolExecutor(
        min(jobs, len(work)), mp_context=context, initializer=load_files, initargs=(files,)
    ) as pool:
        yield from pool.map(perform, work, [data] * len(work))


def perform(job: Job, data: xr.Dataset, report: Report | None = None) -> Path:
    """Make one file."""
    job.scene.check(data)
    if job.format.name == "html":
        from grokviz.pages.single import perform_page

        return perform_page(job, data, report)
    if isinstance(job.scene, Film):
        from grokviz.render.films.engine import perform as perform_film

        return perform_film(job, data, report)
    with drawing_in(job.theme):
        return _film(job, data, report) if job.format.film else _still(job, data)


def build(job: Job, data: xr.Dataset) -> tuple[Figure, Sheet, Artists]:
    """The figure with its furniture and the scene drawn on it, at no moment yet."""
    from matplotlib.figure import Figure

    from grokviz.scene.style import style

    figure = Figure(figsize=job.page.inches, dpi=job.page.dpi)
    sheet = Sheet(figure, job.scene, data, style(), _title(job))
    return figure, sheet, job.scene.draw(sheet.body, data)


def _still(job: Job, data: xr.Dataset) -> Path:
    from grokviz.media import save_still

    i = 0
    if job.scene.clock is not None:
        i = clocks.index_of(data, job.scene.clock, job.wish.epoch)
    figure, sheet, artists = build(job, data)
    sheet.show(i)
    job.scene.update(artists, data, i)
    return save_still(
        figure,
        job.path,
        provenance=_provenance(job, data, [i]),
        transparent=job.wish.transparent,
        fmt=job.format.name,
    )


def _film(job: Job, data: xr.Dataset, report: Report | None) -> Path:
    import contextlib

    from grokviz.media import Painter, paint, see_through, write_film

    index = frames_of(job, data)
    # the whole dataset stays with the scene, so that a still and a frame look the same
    figure, sheet, artists = build(job, data)
    painter = Painter(figure, [artists["moving"], sheet.moment])

    def show(i: int) -> None:
        sheet.show(i)
        job.scene.update(artists, data, i)

    moments = {int(i): partial(show, int(i)) for i in index}
    updates = [moments[int(i)] for i in index]

    def frames() -> Iterator[Any]:
        for done, frame in enumerate(paint(painter, updates), 1):
            yield frame
            if report:
                report(done, len(updates))

    limit = job.wish.max_size
    with see_through(figure) if job.wish.transparent else contextlib.nullcontext():
        written = write_film(
            job.path,
            frames,
            fps=job.quality.fps,
            provenance=_provenance(job, data, sorted(moments)),
            transparent=job.wish.transparent,
            max_size=None if limit is None else int(limit * 1e6),
            fmt=job.format.name,
        )
    return written.path


def frames_of(job: Job, data: xr.Dataset) -> np.ndarray:
    """Clock indices of the whole dataset, one a frame."""
    import numpy as np

    clock = job.scene.clock
    assert clock is not None
    values = data[clock].values
    inside = np.arange(len(values))
    span = job.scene.film_span(data)
    if job.wish.epochs is not None:
        kept = clocks.select(data, clock, job.wish.epochs)[clock].values
        inside = np.flatnonzero(np.isin(values, kept))
    elif span is not None:
        inside = np.flatnonzero((values >= span[0]) & (values <= span[1]))
    fps = job.quality.fps
    frames = max(round(job.wish.duration * fps), 1)
    held = min(round(job.wish.hold * fps), frames - 1)
    ends = clocks.phase_ends(data) if clocks.is_time(clock) else None
    times = clocks.pace(values[inside], clock)
    found: np.ndarray = inside[clocks.schedule(times, frames, held, ends)]
    return found


def _targets(
    scene: Scene,
    out: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None,
    formats: Sequence[str],
) -> list[tuple[Path, Format]]:
    if out is None or (not isinstance(out, (str, os.PathLike)) and not list(out)):
        kinds = [format_of("", name) for name in formats]
        kinds = kinds or [FORMATS["mp4" if scene.moves() else "png"]]
        return [(Path(scene.name + _suffix(kind)), kind) for kind in kinds]
    paths = [out] if isinstance(out, (str, os.PathLike)) else list(out)
    if formats and len(formats) != len(paths):
        raise InputError(
            f"{len(paths)} files and {len(formats)} formats do not pair up; give one --format for "
            "each -o, or none: the suffix says it"
        )
    names: list[str | None] = list(formats) or [None] * len(paths)
    return [(Path(path), _format(path, name)) for path, name in zip(paths, names, strict=True)]


def _format(path: str | os.PathLike[str], name: str | None) -> Format:
    """The format of one file; a suffix that says another one is refused."""
    kind = format_of(path, name)
    suffix = Path(path).suffix.lower()
    for other in FORMATS.values():
        # an APNG is often called .png
        known = suffix in other.suffixes and (kind.name, other.name) != ("apng", "png")
        if known and other is not kind:
            raise InputError(
                f"{path} would be a {kind.name} called {suffix}; leave out --format, or give "
                "another name"
            )
    return kind


def _suffix(kind: Format) -> str:
    return kind.suffixes[0] if kind.suffixes[0] != "/" else "-frames"


def _job(scene: Scene, path: Path, kind: Format, wish: Wish) -> Job:
    if kind.name == "html" and wish.venue not in (None, "slide"):
        raise InputError(f"{path}: --venue is for paper and a page is for screens; leave it out")
    if isinstance(scene, Film):
        refuse_for_film(scene, path, kind, wish)
    elif kind.name == "srt":
        raise InputError(f"{path}: {scene.name} has no captions; choose a picture or a film")
    if kind.film and not scene.moves():
        raise InputError(
            f"{path}: {scene.name} does not move, so it has no film; choose .png, .svg or .pdf"
        )
    if kind.film and wish.epoch is not None:
        raise InputError(f"{path}: --epoch is for a still; a film takes --epochs A:B:STEP")
    if wish.transparent and not kind.alpha:
        able = ", ".join(f.suffixes[0] for f in FORMATS.values() if f.alpha and f.film)
        raise InputError(f"{path}: {kind.name} cannot be transparent; choose one of {able}")
    moving = kind.film or kind.name == "html"
    paper = not moving and (wish.venue or "slide" if kind.name == "png" else "paper") != "slide"
    paper = paper and wish.venue != "slide" and not isinstance(scene, Film)
    look = theme(wish.theme, "paper" if paper else "slide", wish.style)
    if paper:
        sheet = _paper_page(scene, wish, look)
        return Job(path, kind, scene, wish, look.sized(sheet.points), sheet)
    size = quality(wish.quality or (None if moving else "h"), kind.name)
    rate = size.fps if wish.fps is None else wish.fps
    fps = film_rate(kind, rate) if kind.film else 0
    if kind.name == "html":
        fps = film_rate(FORMATS["mp4"], rate) if isinstance(scene, Film) else PAGE_FPS
    return Job(
        path, kind, scene, wish, look, screen(size.width, size.height), replace(size, fps=fps)
    )


def _paper_page(scene: Scene, wish: Wish, look: Theme) -> Page:
    venue = wish.venue or GENERIC_VENUE
    wide = page(venue, wish.columns, scene.aspect, look)
    from grokviz.scene.style import NARROW

    if wide.width * 72 / wide.points >= NARROW:
        return wide
    return page(venue, wish.columns, scene.narrow_aspect, look)


def _title(job: Job) -> str | None:
    if job.wish.title is not None:
        return None if job.wish.title.lower() == "none" else job.wish.title
    return job.scene.title if job.theme.medium == "slide" else None


def checked(given: Mapping[str, Any]) -> Wish:
    """The wish of these fields; an ``InputError`` names one that is not possible."""
    try:
        wish = Wish(**given)
    except TypeError as error:
        known = ", ".join(Wish.__dataclass_fields__)
        raise InputError(f"render: {error}; it takes {known}") from None
    if not 0 < wish.duration <= 3600:
        raise InputError(f"--duration {wish.duration:g} is not possible; give 1 to 3600 seconds")
    if not 0 <= wish.hold <= 3600:
        raise InputError(f"--hold {wish.hold:g} is not possible; give 0 to 3600 seconds")
    if wish.max_size is not None and not 0 < wish.max_size < 1e6:
        raise InputError(f"--max-size {wish.max_size:g} is not possible; give megabytes above 0")
    return wish


def _provenance(job: Job, data: xr.Dataset, index: Sequence[int]) -> Provenance:
    clock = job.scene.clock
    return Provenance(
        title=_title(job) or job.scene.title,
        alt=job.scene.alt_text(data, index[-1]),
        caption=job.scene.caption(data),
        scene=job.scene.name,
        run_name=str(data.attrs.get("run_name", "")),
        run_checksum=str(data.attrs.get("run_checksum", "")),
        options=job.scene.chosen(),
        epochs=tuple(data[clock].values[list(index)].tolist()) if clock else (),
        versions=library_versions(),
        command=job.wish.command,
    )
