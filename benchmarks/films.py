"""Measure every scene's film at 1080p beside the encoder alone, and several processes beside one.

    python -m benchmarks films
    python -m benchmarks.films [--frames 36] [SCENE...]

A sample of frames from the middle of each film, which follow one another as they do there, is
encoded as it is drawn, by as many processes as a whole film would have, and once more from memory.
The share is the one rate by the other, in wall time, which says nothing on a busy machine: seconds
of a core stand beside it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.rows import Row, at_least
from grokviz.dataset.references.reference import load
from grokviz.media import Provenance, paint, write_film
from grokviz.parallel import cores
from grokviz.render.filming import Picture, build_elsewhere
from grokviz.render.frame_workers import IMPORTS, Costs, FrameWorkers, worth
from grokviz.render.job import render_options
from grokviz.render.plan import plan
from grokviz.render.strings import clean_data
from grokviz.scene import Drawing, Scene, style
from grokviz.scene.registry import scenes
from grokviz.scene.style import drawing_in

if TYPE_CHECKING:
    import xarray as xr

SCRIPT = "benchmarks/films.py"
FPS, FRAMES = 30, 36
LEAST, HALF = 0.6, 0.85
SIMULATED, SLOWED, EACH = 8, 5.0, 48
"""Cores that are simulated, how many times the encoder's time a drawing there takes, and frames."""


@dataclass(frozen=True)
class Measured:
    """Seconds a frame of one scene; drawing and encoding in seconds of a core, in one process."""

    scene: str
    drawing: float
    encoding: float
    alone: float
    film: float
    workers: int

    @property
    def share(self) -> float:
        """The film's rate by the encoder's own."""
        return self.alone / self.film


class Slow(Scene):
    """A field that takes some time to draw, which it sleeps: any number of cores can do that."""

    name = "slow"
    title = "A field"
    needs = ("logged_test_loss",)
    clock = None
    film_moments = 10_000

    def draw(self, figure: Any, data: xr.Dataset) -> Drawing:
        """A line that moves."""
        axes = style().panels(figure)[0][0]
        axes.set(xlim=(0, 10_000), ylim=(0, 1))
        line = axes.plot([0, 0], [0, 1])[0]

        def update(i: int) -> None:
            time.sleep(float(data.attrs["seconds"]))
            line.set_xdata([i, i])

        return Drawing([line], update)


def job_of(scene: Scene, folder: Path) -> Any:
    """The job of a film of 16 s at 1080p."""
    options = render_options({"quality": "h", "fps": FPS})
    return plan(scene, folder / f"{scene.name}.mp4", (), options)[0]


def encoded(path: Path, frames: Iterable[Any]) -> tuple[float, float]:
    """Wall time and seconds of a core, of this process, that a film takes."""
    wall, core = time.perf_counter(), time.process_time()
    given = Provenance("a benchmark")
    write_film(path, lambda: iter(frames), fps=FPS, provenance=given)
    return time.perf_counter() - wall, time.process_time() - core


def measure(scene: Scene, data: xr.Dataset, count: int, available: int = 0) -> Measured:
    """One scene's film."""
    with tempfile.TemporaryDirectory() as name:
        job = job_of(scene, Path(name))
        with drawing_in(job.theme, ghost=job.ghost):
            begun = time.process_time()
            picture = Picture(job, data)
            picture.draw(0, layered=True)
            start = IMPORTS + time.process_time() - begun
            edges = [n for n, (a, b) in enumerate(pairwise(picture.updates), 1) if a is not b]
            starts = [0, *edges, len(picture.updates)]
            moving = [n for n in starts if n <= (len(picture.updates) - count) // 2]
            some = picture.updates[moving[-1] : moving[-1] + count]
            picture.draw(moving[-1], layered=True)  # the background of this part of the film
            begun = time.thread_time()
            ready = list(paint(picture.painter, some, checks=0))
            drawing = (time.thread_time() - begun) / len(set(map(id, some)))
            alone, core = encoded(job.path, ready)
            begun = time.thread_time()
            ready[0].copy()
            costs = Costs(drawing, core / count, 3 * (time.thread_time() - begun), start)
            if available:  # the time is slept, not spent
                costs = Costs(float(data.attrs["seconds"]), costs.encoding, 0.0, start)
            workers = worth(costs, len(starts) - 1, starts[-1], available or cores())
            if workers:
                film = _by_workers(job, data, starts, moving[-1], ready, workers)
            else:
                film = encoded(job.path, paint(picture.painter, some, checks=0))[0]
    each = (alone / count, film / count)
    return Measured(scene.name, costs.drawing, costs.encoding, *each, workers)


def _by_workers(
    job: Any, data: xr.Dataset, starts: Sequence[int], first: int, ready: Sequence[Any], count: int
) -> float:
    """Wall time of a film drawn by so many processes that have begun."""
    workers = FrameWorkers(build_elsewhere(job, data), starts)
    try:
        workers.start(count, ready[0], 1, layered=True)
        workers.wait()
        for _ in islice(workers.frames(first), len(ready)):
            pass  # each of them has drawn its background then
        return encoded(job.path, islice(workers.frames(first), len(ready)))[0]
    finally:
        workers.stop()


def every(names: Sequence[str] = (), count: int = FRAMES) -> Iterator[Measured]:
    """Each data scene that moves, or those named."""
    for name, kind in scenes().items():
        if kind.engine == "matplotlib" and kind.moves() and (not names or name in names):
            scene = kind.with_options()
            yield measure(scene, clean_data(load(kind.reference, kind.needs)), count)


def slowed(seconds: float) -> Measured:
    """A film whose drawing sleeps, as on a machine of many cores."""
    data = load(Slow.reference, Slow.needs)
    data = clean_data(data.assign_attrs(seconds=seconds))
    return measure(Slow(), data, EACH, SIMULATED)


def rows() -> list[Row]:
    """The rows of ``make benchmark``."""
    measured = [*every()]
    table = []
    for one in measured:
        how = f", {one.workers} processes" if one.workers else ""
        table.append(
            Row(
                f"a film of {one.scene} at 1080p: {1 / one.film:.1f} frames/s{how}",
                f"the encoder alone: {1 / one.alone:.1f} (of a core, {1000 * one.drawing:.0f} ms "
                f"to draw, {1000 * one.encoding:.0f} ms to encode)",
                one.share, *at_least(one.share, LEAST), SCRIPT,
            )
        )  # fmt: skip
    median = statistics.median(one.share for one in measured)
    table.append(
        Row(
            f"half of the {len(measured)} films", "the encoder alone: the median share",
            median, *at_least(median, HALF), SCRIPT,
        )
    )  # fmt: skip
    seconds = SLOWED * statistics.median(one.alone for one in measured)
    many = slowed(seconds)
    table.append(
        Row(
            f"a film whose frames take {1000 * seconds:.0f} ms to draw, {SIMULATED} cores "
            f"simulated: {1 / many.film:.1f} frames/s, {many.workers} processes",
            f"the encoder alone: {1 / many.alone:.1f}",
            many.share, *at_least(many.share, HALF), SCRIPT,
        )
    )  # fmt: skip
    return table


def main() -> None:
    """Print what is measured of each scene."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", nargs="*", metavar="SCENE")
    parser.add_argument("--frames", type=int, default=FRAMES)
    given = parser.parse_args()
    print(f"{'':28}{'draw':>7}{'encode':>8} ms of a core {'share':>7} workers")
    for one in every(given.scenes, given.frames):
        print(
            f"{one.scene:28}{1000 * one.drawing:7.0f}{1000 * one.encoding:8.0f}"
            f"{one.share:21.2f}{one.workers:8}",
            flush=True,
        )


if __name__ == "__main__":
    main()
