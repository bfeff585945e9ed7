"""Write and read a run of the published model's size, against a minimal baseline.

    python -m benchmarks.trajectory [FOLDER] [CHECKPOINTS]

The baseline for writing is one fsynced file per checkpoint; for reading, one memory map with
W_E of every checkpoint.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.rows import Row
from benchmarks.shapes import shapes
from grokviz.runs import RunWriter, open_run

SCRIPT = "benchmarks/trajectory.py"
P, MODEL, MLP, HEADS = 113, 128, 512, 4
SHAPES = shapes(P, MODEL, MLP, HEADS)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def write_run(path: Path, weights: dict[str, np.ndarray], count: int) -> None:
    with RunWriter.create(path, {"recipe": "benchmark"}) as writer:
        for epoch in range(0, 100 * count, 100):
            for step in range(100):
                writer.log(epoch + step, train_loss=1.0)
            writer.log(epoch, test_loss=1.0)
            writer.checkpoint(epoch, weights)
        writer.close(finished=True)


def write_plainly(path: Path, weights: dict[str, np.ndarray], count: int) -> None:
    path.mkdir()
    for epoch in range(count):
        with (path / f"{epoch}.bin").open("wb") as handle:
            for array in weights.values():
                handle.write(array.tobytes())
            handle.flush()
            os.fsync(handle.fileno())


@dataclass(frozen=True)
class Times:
    """Seconds to write a checkpoint, and to read a matrix of all; ours and plainly."""

    write: float
    write_plainly: float
    read: float
    read_plainly: float


def measure(folder: Path, count: int) -> Times:
    rng = np.random.default_rng(0)
    weights = {n: rng.normal(size=s).astype(np.float32) for n, s in SHAPES.items()}
    ours = timed(lambda: write_run(folder / "run", weights, count))
    plain = timed(lambda: write_plainly(folder / "plain", weights, count))
    run = open_run(folder / "run")
    waves = np.lib.format.open_memmap(
        folder / "W_E.npy", "w+", np.float32, (count, *SHAPES["embed.W_E"])
    )
    waves[:] = run.parameter("embed.W_E")
    waves.flush()
    read = min(timed(lambda: run.parameter("embed.W_E")) for _ in range(5))
    mapped = min(
        timed(lambda: np.array(np.load(folder / "W_E.npy", mmap_mode="r"))) for _ in range(5)
    )
    return Times(ours / count, plain / count, read, mapped)


def rows(count: int = 400) -> list[Row]:
    """The price of a run that no kill can spoil."""
    with tempfile.TemporaryDirectory() as folder:
        one = measure(Path(folder), count)
    return [
        Row(
            f"a checkpoint on the disk, all flushes: {1000 * one.write:.1f} ms",
            f"a plain write and flush of the same bytes: {1000 * one.write_plainly:.1f} ms",
            one.write / one.write_plainly, "", None, SCRIPT,
        ),
        Row(
            f"one matrix of {count} checkpoints: {one.read:.3f} s",
            f"a memory map of the same array: {one.read_plainly:.3f} s",
            one.read / one.read_plainly, "", None, SCRIPT,
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as scratch:
        print(measure(Path(scratch), int(sys.argv[2]) if len(sys.argv) > 2 else 400))
