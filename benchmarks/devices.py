"""Compare an update on a CUDA device, replayed as one graph, with one on the CPU.

    python benchmarks/devices.py [RECIPE ...] [--threads 8]

Trains each recipe for a few updates on both, prints the time of one update (its share of test
losses, logging and Python included), their ratio, the difference of their losses, and whether the
device is reproducible bit for bit.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from grokviz.runs import open_run
from grokviz.training.loop import train

UPDATES = {
    "modular-addition": 400,
    "modular-addition-float32": 400,
    "repeated-subsequence": 200,
    "repeated-subsequence-512": 200,
    "digit-addition": 100,
    "digit-addition-700": 60,
    "digit-addition-small-500": 200,
    "skip-trigram-100": 200,
}


def run(name: str, updates: int, device: str) -> tuple[np.ndarray, float]:
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        path = train(name, Path(folder, "run"), settings={"epochs": updates}, device=device).path
        return open_run(path).metric("train_loss")[1], time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipes", nargs="*", default=list(UPDATES))
    parser.add_argument("--threads", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(torch.__version__, torch.cuda.get_device_name(), options.threads, "CPU threads")
    for name in options.recipes:
        updates = UPDATES.get(name, 100)
        few = max(updates // 4, 20)
        run(name, few, "cuda")  # the first run loads the kernels
        host, on_host = run(name, few, "cpu")
        short, little = run(name, updates, "cuda")
        long, much = run(name, 3 * updates, "cuda")
        cpu, cuda = on_host / few, (much - little) / (2 * updates)
        apart = np.max(np.abs(short[: len(host)] / host - 1))
        repeats = np.array_equal(long[: len(short)], short)
        print(
            f"{name}: CPU {1e3 * cpu:.1f} ms, CUDA {1e3 * cuda:.2f} ms, ratio {cpu / cuda:.0f}; "
            f"losses apart by {apart:.1e}, repeats itself: {repeats}"
        )


if __name__ == "__main__":
    main()
