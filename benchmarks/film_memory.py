"""Measure the memory of a 4K60 film beside one of a third of its length.

    python -m benchmarks.film_memory [SCENE...]

Each is drawn and encoded by a command of its own, whose peak is that of the sum over the command
and all processes that it starts, looked at every tenth of a second: each one's own memory, and what
they share in its part (psutil's "pss" where the system has it). ``wave-circles`` is drawn in one
process, ``neuron-surface`` by one a core. A film that kept its frames would take 33 MB more for
each.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from benchmarks.rows import Row, at_most

SCRIPT = "benchmarks/film_memory.py"
SCENES = {"wave-circles": 1.0, "neuron-surface": 0.6}
"""Seconds of the shorter film of each: long enough to be drawn as the longer one is."""

TIMES, MOST, EVERY = 3, 1.1, 0.1


def peak(scene: str, seconds: float, folder: Path) -> float:
    """MiB of all processes that draw a film of so many seconds, none of them held."""
    draw = [sys.executable, "-m", "grokviz", "render", scene, "--quality", "k", "-q"]
    draw += ["--duration", str(seconds), "--hold", "0", "-o", str(folder / "film.mp4")]
    most = 0
    with subprocess.Popen(draw, stdout=subprocess.DEVNULL) as drawing:
        command = psutil.Process(drawing.pid)
        while drawing.poll() is None:
            most = max(most, taken(command))
            time.sleep(EVERY)
    if drawing.returncode:
        raise subprocess.CalledProcessError(drawing.returncode, draw)
    return most / 2**20


def taken(command: psutil.Process) -> int:
    """Bytes that a process and those that it started hold now."""
    total = 0
    try:
        every = [command, *command.children(recursive=True)]
    except psutil.Error:
        return 0
    for process in every:
        try:
            memory = process.memory_full_info()
        except psutil.Error:  # it ended meanwhile
            continue
        total += getattr(memory, "pss", memory.rss)
    return total


def rows(scenes: Sequence[str] = tuple(SCENES)) -> list[Row]:
    """A row for each scene."""
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for scene in scenes:
            seconds = SCENES.get(scene, 1.0)
            short, long = (peak(scene, n * seconds, Path(folder)) for n in (1, TIMES))
            made.append(
                Row(
                    f"the peak of {TIMES * seconds:g} s of {scene} at 4K60: {long:.0f} MiB",
                    f"{seconds:g} s of it: {short:.0f} MiB",
                    long / short, *at_most(long / short, MOST), SCRIPT,
                )
            )  # fmt: skip
    return made


def main() -> None:
    """Print a line for each scene."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", nargs="*", default=tuple(SCENES), metavar="SCENE")
    for row in rows(parser.parse_args().scenes):
        print(f"{row.what}; {row.against}; {row.ratio:.2f}")


if __name__ == "__main__":
    main()
