"""Measure the whole analysis of 100 checkpoints against one forward pass of each.

    python -m benchmarks.analysing [--checkpoints 100] [--profile]

The run is made of the bundled weights of the reference run: checkpoints along the straight lines
from one to the next, for the time that they take; they say nothing of training. The floor is
reading each checkpoint and running the model on all pairs in float64, on one thread.
``benchmarks/analysis.py`` measures a run of your own so, with the peak of memory. ``--profile``
lists what takes the time.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import json
import pstats
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.analysis import run_forward, timed
from benchmarks.rows import Row
from grokviz.dataset.build.assemble import assemble
from grokviz.runs import Run, RunWriter, open_run
from grokviz.runs.tensors import load

SCRIPT = "benchmarks/analysing.py"
REFERENCE = Path(__file__).resolve().parents[1] / "assets" / "reference" / "modular-addition"
CHECKPOINTS, FORWARD = 100, 20


def record(folder: Path, count: int) -> Run:
    """A run of ``count`` checkpoints between the bundled ones, with their training's facts."""
    files = sorted((REFERENCE / "weights").glob("*.safetensors"), key=lambda file: int(file.stem))
    bundled = [load(file)[0] for file in files]
    facts = json.loads((REFERENCE / "run.json").read_text("utf-8"))
    with RunWriter.create(folder, facts) as writer:
        for epoch, place in enumerate(np.linspace(0, len(bundled) - 1, count)):
            before = min(int(place), len(bundled) - 2)
            share = np.float32(place - before)
            state = {
                name: ((1 - share) * start + share * bundled[before + 1][name]).astype(np.float32)
                for name, start in bundled[before].items()
            }
            writer.checkpoint(epoch, state)
        writer.close(finished=True)
    return open_run(folder)


def cpu(work: Callable[[], object]) -> float:
    """This process's CPU time for ``work``."""
    began = time.process_time()
    work()
    return time.process_time() - began


def rows(count: int = CHECKPOINTS) -> list[Row]:
    """The whole analysis by all processes that are worth it, and the work of it in one."""
    with tempfile.TemporaryDirectory() as folder:
        run = record(Path(folder, "run"), count)
        some = [int(epoch) for epoch in run.epochs[:: max(count // FORWARD, 1)]]
        run_forward(run, some[:3])  # warms up
        floor = timed(lambda: run_forward(run, some)) * count / len(some)
        taken = timed(lambda: assemble(run))
        floor_cpu = cpu(lambda: run_forward(run, some)) * count / len(some)
        taken_cpu = cpu(lambda: assemble(run, workers=0))
    what, against = f"analysis of {count} checkpoints, whole", "one forward pass of each"
    return [
        Row(
            f"{what}: {taken:.1f} s", f"{against}, in one process: {floor:.1f} s",
            taken / floor, "", None, SCRIPT,
        ),
        Row(
            f"{what}, in one process: {taken_cpu:.1f} s of CPU time",
            f"{against}: {floor_cpu:.1f} s", taken_cpu / floor_cpu, "", None, SCRIPT,
        ),
    ]  # fmt: skip


def profile(count: int) -> str:
    """The functions that take the time of the analysis in one process."""
    with tempfile.TemporaryDirectory() as folder:
        run = record(Path(folder, "run"), count)
        profiler, text = cProfile.Profile(), io.StringIO()
        profiler.runcall(assemble, run, workers=0)
        pstats.Stats(profiler, stream=text).sort_stats("tottime").print_stats(25)
    return text.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoints", type=int, default=CHECKPOINTS)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    if options.profile:
        print(profile(options.checkpoints))
        return
    for row in rows(options.checkpoints):
        print(f"{row.what}; {row.against}; {row.ratio:.2f} times")


if __name__ == "__main__":
    main()
