"""Measure seconds per checkpoint and peak memory of the analysis, against the forward pass.

    python benchmarks/analysis.py RUN [--checkpoints 100] [--workers N]...

RUN is a run of modular addition. The baseline is reading a checkpoint and running the model
on all pairs with one BLAS thread.
"""

from __future__ import annotations

import argparse
import resource
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from grokviz.dataset.build.assemble import assemble
from grokviz.dataset.threads import one_thread
from grokviz.runs import Run, open_run
from grokviz.tasks.modular_addition.forward import forward
from grokviz.tasks.modular_addition.weights import ModularAdditionWeights


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def run_forward(run: Run, epochs: list[int]) -> None:
    with one_thread():
        for _, state in run.iter_weights(epochs):
            forward(ModularAdditionWeights.of(state))


class Memory:
    """Peak resident memory of this process and its children together, in GiB."""

    def __init__(self) -> None:
        self.peak, self._done = 0.0, threading.Event()

    def __enter__(self) -> Memory:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.05):
            self.peak = max(self.peak, resident())


def resident() -> float:
    """Current memory by process on Linux; elsewhere the peak of this process alone."""
    children = Path("/proc/self/task")
    if not children.is_dir():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    pids = ["self"]
    for task in children.iterdir():
        try:
            pids += (task / "children").read_text().split()
        except OSError:
            continue
    total = 0
    for pid in pids:
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except OSError:
            continue
    return total * resource.getpagesize() / 2**30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--checkpoints", type=int, default=100)
    parser.add_argument("--workers", type=int, action="append", help="0 for none; several times")
    options = parser.parse_args()

    run = open_run(options.run)
    indices = np.unique(np.linspace(0, len(run.epochs) - 1, options.checkpoints).astype(int))
    epochs = [int(epoch) for epoch in run.epochs[indices]]
    run_forward(run, epochs[:3])
    floor = timed(lambda: run_forward(run, epochs[: min(len(epochs), 20)])) / min(len(epochs), 20)
    print(f"{len(epochs)} checkpoints of {run.name}; floor {floor:.3f} s a checkpoint")
    for workers in options.workers or [0, None]:
        with Memory() as memory:
            took = timed(lambda count=workers: assemble(run, epochs=epochs, workers=count))
        name = "as by default" if workers is None else f"{workers} workers"
        each = took / len(epochs)
        print(
            f"{name}: {took:.1f} s, {each:.3f} s a checkpoint, {each / floor:.2f} times the floor, "
            f"peak memory {memory.peak:.2f} GiB"
        )


if __name__ == "__main__":
    main()
