"""Write and read a run of the published model's size, against a minimal baseline.

    python benchmarks/trajectory.py [FOLDER] [CHECKPOINTS]

The baseline for writing is one fsynced file per checkpoint; for reading, one memory map with
W_E of every checkpoint.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from shapes import shapes

from grokviz.runs import RunWriter, open_run

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


def main(folder: Path, count: int) -> None:
    rng = np.random.default_rng(0)
    weights = {n: rng.normal(size=s).astype(np.float32) for n, s in SHAPES.items()}
    print(f"{count} checkpoints of {sum(a.size for a in weights.values()):,} float32 weights")
    ours = timed(lambda: write_run(folder / "run", weights, count))
    plain = timed(lambda: write_plainly(folder / "plain", weights, count))
    print(
        f"write   {ours:6.2f} s ({1000 * ours / count:.1f} ms each), write + fsync "
        f"{plain:.2f} s, ratio {ours / plain:.2f}"
    )
    run = open_run(folder / "run")
    waves = np.lib.format.open_memmap(
        folder / "W_E.npy", "w+", np.float32, (count, *SHAPES["embed.W_E"])
    )
    waves[:] = run.parameter("embed.W_E")
    waves.flush()
    ours = min(timed(lambda: run.parameter("embed.W_E")) for _ in range(5))
    plain = min(
        timed(lambda: np.array(np.load(folder / "W_E.npy", mmap_mode="r"))) for _ in range(5)
    )
    print(f"W_E     {ours:6.3f} s, memory map {plain:.3f} s, ratio {ours / plain:.1f}")
    opened = timed(lambda: open_run(folder / "run"))
    print(f"open    {opened:6.3f} s; verify {timed(run.verify):.2f} s")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as scratch:
        main(Path(scratch), int(sys.argv[2]) if len(sys.argv) > 2 else 400)
