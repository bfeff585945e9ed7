"""Measure seconds from a new run to the first picture of each scene, against imports alone.

``python benchmarks/first_frame.py RUN [SCENE...]`` copies the run without its cache, draws a still
of each scene from the copy, and again with the resulting cache. ``--grokviz`` names
another version's command, so that two versions can be compared on one machine::

    python benchmarks/first_frame.py runs/mine --grokviz old/.venv/dev/bin/grokviz
    python benchmarks/first_frame.py runs/mine
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCENES = (
    "wave-circles", "embedding-waves", "grokking-curve", "progress-measures", "neuron-activations",
)  # fmt: skip
LIBRARIES = "import matplotlib.figure, xarray, h5netcdf"


def seconds(command: list[str]) -> float:
    """Seconds that a command takes."""
    begun = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - begun


def main() -> None:
    """Parse the arguments, and print a line for each scene."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("scenes", nargs="*", default=SCENES)
    parser.add_argument("--grokviz", default=str(Path(sys.executable).with_name("grokviz")))
    parser.add_argument("--times", type=int, default=3, help="the median of so many is printed")
    given = parser.parse_args()
    python = str(Path(given.grokviz).with_name("python"))
    floor = statistics.median(seconds([python, "-c", LIBRARIES]) for _ in range(given.times))
    print(f"{'':<22} fresh   again   (imports of libraries alone: {floor:.1f} s)")
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / given.run.name
        shutil.copytree(given.run, run, ignore=shutil.ignore_patterns("cache"))
        for scene in given.scenes:
            draw = [given.grokviz, "render", scene, "--run", str(run), "-q", "--no-user-scenes"]
            draw += ["-o", str(Path(folder) / f"{scene}.png")]
            fresh, again = [], []
            for _ in range(given.times):
                shutil.rmtree(run / "cache", ignore_errors=True)
                fresh.append(seconds(draw))
                again.append(seconds(draw))
            one, other = statistics.median(fresh), statistics.median(again)
            print(f"{scene:<22} {one:5.1f} s {other:5.1f} s", flush=True)


if __name__ == "__main__":
    main()
