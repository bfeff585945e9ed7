"""Films of scenes drawn with matplotlib: their frames, and what is written of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from grokviz import plugins
from grokviz.progress import ProgressCallback
from grokviz.render.drawing import build, frames_of, provenance_of, show, updates_of
from grokviz.render.frame_workers import Build, FrameWorkers, Meter
from grokviz.render.job import RenderJob
from grokviz.render.workers import WorkerJob, job_of, worker_jobs
from grokviz.scene.phases import until
from grokviz.scene.style import drawing_in

if TYPE_CHECKING:
    import xarray as xr

    from grokviz.media import Provenance
    from grokviz.media.film.encode import Frame
    from grokviz.media.film.sound import Track
    from grokviz.scene.sound import Sound


class Picture:
    """A film's picture, built once, and what draws each of its frames.

    Attributes:
        data: up to the last moment that the film shows.
        index: the clock index of each frame.
        updates: what draws each frame; of frames that look the same, the same object.
        painter: takes the pictures.

    """

    def __init__(self, job: RenderJob, data: xr.Dataset) -> None:
        from grokviz.media import Painter

        self.job, self.index = job, frames_of(job, data)
        self.data = until(data, job.scene.clock, int(max(self.index)))
        # the whole dataset stays with the scene, so that a still and a frame look the same
        self.figure, self.sheet, self.drawing = build(job, self.data)
        moving = [self.drawing.moving, self.sheet.moment, self.sheet.caption]
        self.painter = Painter(self.figure, moving)
        updates = updates_of(job, self.sheet, self.drawing, self.index)
        fps = float(job.quality.fps)
        self.updates = self.sheet.with_captions(updates, job.captions, fps)

    @property
    def moments(self) -> list[int]:
        """The clock indices shown, each once."""
        return sorted({int(i) for i in self.index})

    def poster(self) -> Frame:
        """The telling moment: of a film that moves along the clock one of its own, else the
        still's.
        """
        scene, moments = self.job.scene, self.moments
        told = scene.index_of(self.data, None)
        if scene.clock is not None:
            told = min(moments, key=lambda i: abs(i - told))
        show(self.sheet, self.drawing, told)
        return self.painter.full()

    def draw(self, frame: int, *, layered: bool) -> Frame:
        """One frame, in layers where these are known to be exact."""
        self.updates[frame]()
        return self.painter.frame() if layered else self.painter.full()

    @contextlib.contextmanager
    def background(self) -> Iterator[None]:
        """Within the block, none where the film is to be transparent."""
        from grokviz.media import transparent_background

        if not self.job.options.transparent:
            yield
            return
        with transparent_background(self.figure):
            yield


def film(job: RenderJob, data: xr.Dataset, report: ProgressCallback | None = None) -> Path:
    """Make one film."""
    return films([job], data, report)[0]


def alike(one: RenderJob, other: RenderJob) -> bool:
    """Whether two films have the same frames."""
    ways = [
        replace(job, path=Path(), format=one.format, options=replace(job.options, max_size=None))
        for job in (one, other)
    ]
    return one.format.film and other.format.film and ways[0] == ways[1]


def films(
    jobs: Sequence[RenderJob], data: xr.Dataset, report: ProgressCallback | None = None
) -> list[Path]:
    """Make films that are alike, each frame drawn once for all of them."""
    from grokviz.media.film.together import write_together

    job = jobs[0]
    with drawing_in(job.theme, ghost=job.ghost):
        picture = Picture(job, data)
        sound = job.scene.sound(picture.data) if job.options.sound else None
        poster, track = picture.poster(), _track(job, sound, picture.index)
        provenance = provenance_of(job, picture.data, picture.moments, sound)
        writers = [partial(_write, one, poster, track, provenance) for one in jobs]
        with picture.background(), Frames(picture, data, report) as frames:
            return [writers[0](frames)] if len(writers) == 1 else write_together(frames, writers)


def _write(
    job: RenderJob,
    poster: Frame,
    track: Track | None,
    provenance: Provenance,
    frames: Callable[[], Iterator[Frame]],
) -> Path:
    from grokviz.media import write_film
    from grokviz.media.film.encode import Footage

    limit = job.options.max_size
    return write_film(
        job.path,
        Footage(frames, poster, track),
        fps=job.quality.fps,
        provenance=provenance,
        transparent=job.options.transparent,
        max_size=None if limit is None else int(limit * 1e6),
        fmt=job.format.name,
    ).path


class Frames(contextlib.AbstractContextManager["Frames"]):
    """The frames of a film, as often as they are asked for.

    They are drawn here, until it is measured that several processes would be done earlier. The
    pixels are the same either way.
    """

    def __init__(
        self, picture: Picture, data: xr.Dataset, report: ProgressCallback | None = None
    ) -> None:
        self._picture, self._report = picture, report
        updates = picture.updates
        edges = [n for n, (a, b) in enumerate(pairwise(updates), 1) if a is not b]
        self._starts = [0, *edges, len(updates)]
        self._workers = FrameWorkers(build_elsewhere(picture.job, data), self._starts)

    def __exit__(self, *error: object) -> None:
        self._workers.stop()

    def __call__(self) -> Iterator[Frame]:
        """All frames from the first; a held one is the same array each time."""
        for done, frame in enumerate(self._drawn(), 1):
            yield frame
            if self._report:
                self._report(done, len(self._picture.updates))

    def _drawn(self) -> Iterator[Frame]:
        at = 0
        for frame in self._here(at, until_ready=True):
            yield frame
            at += 1
        for frame in self._workers.frames(at):
            yield frame
            at += 1
        # what no worker could draw
        yield from self._here(at)

    def _here(self, first: int, *, until_ready: bool = False) -> Iterator[Frame]:
        """The frames from ``first`` on, drawn in this process."""
        from grokviz.media import paint

        painter, updates = self._picture.painter, self._picture.updates[first:]
        meter, firsts = Meter(self._workers, self._starts), frozenset(self._starts)
        frames = paint(painter, updates)
        for at in range(first, first + len(updates)):
            if until_ready and at in firsts and self._workers.ready:
                return
            with meter.drawing(at):
                frame = next(frames)
            yield frame
            meter.passed(at, frame, layered=painter.layered)


def build_elsewhere(job: RenderJob, data: xr.Dataset) -> Build | None:
    """What builds the film's picture in another process; None where that is not possible."""
    work = worker_jobs([job])
    if work is None:
        return None
    return plugins.with_current_places(partial(_build_here, work[0], data))


def _build_here(work: WorkerJob, data: xr.Dataset, stack: contextlib.ExitStack) -> Picture:
    """The picture of a film in this process, until ``stack`` is closed."""
    job = job_of(work)
    stack.enter_context(drawing_in(job.theme, ghost=job.ghost))
    picture = Picture(job, data)
    stack.enter_context(picture.background())
    return picture


def _track(job: RenderJob, sound: Sound | None, index: np.ndarray) -> Track | None:
    """The sound of frames that show these clock indices."""
    if sound is None:
        return None
    from grokviz.media.film.sound import Track

    fps = Fraction(job.quality.fps).limit_denominator(1001)
    noise = None if sound.noise is None else sound.noise[index]
    return Track(sound.hertz, sound.amplitude[index], fps, noise)
