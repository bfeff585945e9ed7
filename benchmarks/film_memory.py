"""Measure the memory of a 4K60 film beside one of a third of its length.

    python -m benchmarks.film_memory [SCENE...]

Each is drawn and encoded by a command of its own, whose peak is that of the command and the largest
of the processes that it starts. A film that kept its frames would take 33 MB more for each.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.rows import Row, at_most

SCRIPT = "benchmarks/film_memory.py"
SCENES = ("wave-circles",)
SECONDS, TIMES, MOST = 1.0, 3, 1.1
PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak(scene: str, seconds: float, folder: Path) -> float:
    """MiB of the largest process that draws a film of so many seconds, none of them held."""
    draw = [sys.executable, "-m", "grokviz", "render", scene, "--quality", "k", "-q"]
    draw += ["--duration", str(seconds), "--hold", "0", "-o", str(folder / "film.mp4")]
    said = subprocess.run([sys.executable, "-c", PEAK, *draw], check=True, capture_output=True)
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return int(said.stdout) / unit


def rows(scenes: Sequence[str] = SCENES) -> list[Row]:
    """A row for each scene."""
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for scene in scenes:
            short, long = (peak(scene, n * SECONDS, Path(folder)) for n in (1, TIMES))
            made.append(
                Row(
                    f"the peak of {TIMES * SECONDS:g} s of {scene} at 4K60: {long:.0f} MiB",
                    f"{SECONDS:g} s of it: {short:.0f} MiB",
                    long / short, *at_most(long / short, MOST), SCRIPT,
                )
            )  # fmt: skip
    return made


def main() -> None:
    """Print a line for each scene."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", nargs="*", default=SCENES, metavar="SCENE")
    for row in rows(parser.parse_args().scenes):
        print(f"{row.what}; {row.against}; {row.ratio:.2f}")


if __name__ == "__main__":
    main()
