"""What the first picture takes beside the imports of the libraries that draw it.

``python benchmarks/first_picture.py`` draws stills of bundled runs, a film of one frame, whole
films in low quality, and a page of the explorer, each in a process of its own as a user would, in
turn with a Python that imports these libraries and does nothing: the floor. The ratios are medians
of processor time; those of the time on the clock stand beside them, and say the same on a machine
that does nothing else. Of whole films, which use more than one core, the ratio is that on the
clock: how long one waits.

``python benchmarks/first_picture.py RUN`` draws the stills of a run's copy instead, each once with
nothing measured yet and once again. ``--grokviz`` names another version's command, so that two
versions can be compared on one machine.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.rows import Row, at_most

LIBRARIES = "import matplotlib.figure, xarray, h5netcdf"
SCENES = (
    "embedding-waves", "grokking-curve", "wave-circles", "neuron-activations", "race", "manifold",
    "neuron-surface",
)  # fmt: skip
FILMS = ("embedding-waves", "wave-circles")
WHOLE = ("embedding-waves", "grokking-curve", "wave-circles")
STILL, FILM, LOW, PAGE = 1.6, 2.0, 4.0, 4.0
"""The goals: at most so many times the floor."""

ONE_FRAME = ("--quality", "l", "--duration", "0.05")
"""Of 15 frames a second; a film has one at least."""

TIMES = 5


@dataclass(frozen=True)
class Task:
    """What is measured, its goal as a ratio to the floor, its command, and by which time."""

    what: str
    goal: float
    command: list[str]
    by_clock: bool = False


@dataclass(frozen=True)
class Seconds:
    """What a process took: of the processors, the system's work included, and on the clock."""

    processor: float
    clock: float


def main() -> None:
    """Parse the arguments, and print a line for each picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, nargs="?", help="a run of one's own")
    parser.add_argument("--grokviz", default=str(Path(sys.executable).with_name("grokviz")))
    parser.add_argument("--times", type=int, default=TIMES, help="the median of so many is taken")
    given = parser.parse_args()
    if given.run is not None:
        of_a_run(given.run, given.grokviz, given.times)
        return
    for row in rows(given.times, [given.grokviz]):
        print(f"{row.what:<70} {row.ratio:5.2f}  ({row.goal})", flush=True)


def rows(
    times: int = TIMES, grokviz: Sequence[str] = (sys.executable, "-m", "grokviz")
) -> list[Row]:
    """A row for each picture, film and page of bundled runs."""
    with tempfile.TemporaryDirectory() as folder:
        tasks = tasks_of(Path(folder), grokviz)
        floor = [sys.executable, "-c", LIBRARIES]
        every = [floor, *(task.command for task in tasks)]
        for command in every:  # modules are compiled, fonts listed, and files in memory
            taken(command, folder)
        rounds = [[taken(command, folder) for command in every] for _ in range(times)]
    return [_row(task, [(one[0], one[n]) for one in rounds]) for n, task in enumerate(tasks, 1)]


def tasks_of(folder: Path, grokviz: Sequence[str]) -> list[Task]:
    """What is measured, written into a folder."""

    def draw(scene: str, suffix: str, *options: str) -> list[str]:
        out = str(folder / f"{scene}{suffix}")
        return [*grokviz, "render", scene, *options, "-q", "--no-user-code", "-o", out]

    page = [*grokviz, "explore", "modular-addition", "-q", "-o", str(folder / "page.html")]
    return [
        *(Task(f"a still of `{scene}`", STILL, draw(scene, ".png")) for scene in SCENES),
        *(
            Task(f"the first frame of a film of `{scene}`", FILM, draw(scene, ".mp4", *ONE_FRAME))
            for scene in FILMS
        ),
        *(
            Task(
                f"a film of `{scene}`, `--quality l`",
                LOW,
                draw(scene, ".m4v", "--quality", "l"),
                by_clock=True,
            )
            for scene in WHOLE
        ),
        Task("a page of the explorer", PAGE, page),
    ]


def _row(task: Task, pairs: Sequence[tuple[Seconds, Seconds]]) -> Row:
    """The medians of a task beside those of the floor, measured in the same rounds."""
    ratio = statistics.median(own.processor / floor.processor for floor, own in pairs)
    clock = statistics.median(own.clock / floor.clock for floor, own in pairs)
    seconds = statistics.median(own.processor for _, own in pairs)
    imports = statistics.median(floor.processor for floor, _ in pairs)
    waited = statistics.median(own.clock for _, own in pairs)
    floor = statistics.median(floor.clock for floor, _ in pairs)
    if task.by_clock:
        taken, beside = (
            f"{waited:.2f} s on the clock",
            f"{floor:.2f} s (of the processor {ratio:.2f}",
        )
        ratio = clock
    else:
        taken, beside = (
            f"{seconds:.2f} s of the processor",
            f"{imports:.2f} s (on the clock {clock:.2f}",
        )
    goal, met = at_most(ratio, task.goal)
    return Row(
        what=f"{task.what}: {taken}",
        against=f"imports of its libraries alone: {beside} times)",
        ratio=ratio,
        goal=goal,
        met=met,
        script="benchmarks/first_picture.py",
    )


def taken(command: Sequence[str], folder: str | Path) -> Seconds:
    """What a command takes in a process of its own, with those that it starts."""
    before, begun = os.times(), time.perf_counter()
    subprocess.run(command, check=True, cwd=folder, env=_environment(), stdout=subprocess.DEVNULL)
    clock, after = time.perf_counter() - begun, os.times()
    user = after.children_user - before.children_user
    return Seconds(user + after.children_system - before.children_system, clock)


def _environment() -> dict[str, str]:
    """This environment, in which compiled modules are kept and this checkout is found."""
    root = str(Path(__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": path}


def of_a_run(source: Path, grokviz: str, times: int) -> None:
    """Print the seconds to stills of a run: with nothing measured yet, and again."""
    python = str(Path(grokviz).with_name("python"))
    with tempfile.TemporaryDirectory() as folder:
        floor = statistics.median(
            taken([python, "-c", LIBRARIES], folder).clock for _ in range(times)
        )
        print(f"{'':<22} fresh   again   (imports of libraries alone: {floor:.1f} s)")
        run = Path(folder) / source.name
        shutil.copytree(source, run, ignore=shutil.ignore_patterns("cache"))
        for scene in SCENES:
            draw = [grokviz, "render", scene, "--run", str(run), "-q", "--no-user-code"]
            draw += ["-o", str(Path(folder) / f"{scene}.png")]
            fresh, again = [], []
            for _ in range(times):
                shutil.rmtree(run / "cache", ignore_errors=True)
                fresh.append(taken(draw, folder).clock)
                again.append(taken(draw, folder).clock)
            one, other = statistics.median(fresh), statistics.median(again)
            print(f"{scene:<22} {one:5.1f} s {other:5.1f} s", flush=True)


if __name__ == "__main__":
    main()
