"""Record, open, verify, measure and draw a run of many checkpoints, each beside a shorter one.

    python benchmarks/long_run.py [FOLDER] [CHECKPOINTS]

It prints milliseconds a checkpoint near the 500th and near the last, then the seconds and the
peak memory of a process that does each of the rest. The model is small (p = 11), as are those of
which one keeps ten thousand checkpoints; 20 metric rows are logged for each.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from shapes import shapes

from grokviz.runs import RunWriter

P, MODEL, MLP, HEADS, ROWS = 11, 8, 16, 2, 20
SHAPES = shapes(P, MODEL, MLP, HEADS)
SETTINGS = {"p": P, "d-model": MODEL, "d-mlp": MLP, "heads": HEADS, "train-fraction": 0.3}
NEEDS = ["sum_squared_weights", "loss", "phase_end"]
PEAK = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
WORK = {
    "open": "import grokviz as gv; gv.open_run(RUN)",
    "verify": "import grokviz as gv; assert gv.open_run(RUN).verify() == []",
    "analyse": "import grokviz as gv; gv.analyze(RUN, NEEDS, cache=False)",
    "draw": "import grokviz as gv; gv.render('weight-norms', RUN, RUN + '.png')",
    "film": "import grokviz as gv; gv.render('weight-norms', RUN, RUN + '.mp4', quality='l')",
}


def record(path: Path, count: int) -> list[float]:
    """Seconds of every checkpoint, its rows included."""
    rng = np.random.default_rng(0)
    weights = {n: rng.normal(size=s).astype(np.float32) for n, s in SHAPES.items()}
    seconds = []
    facts = {"recipe": "modular-addition", "task": "modular-addition", "settings": SETTINGS}
    with RunWriter.create(path, facts) as writer:
        for number in range(count):
            began = time.perf_counter()
            for row in range(ROWS // 2):
                loss = 1.0 / (1 + number)
                writer.log(number * ROWS + row, train_loss=loss, test_loss=loss)
            weights["embed.W_E"] *= np.float32(0.9999)
            writer.checkpoint(number * ROWS, weights)
            seconds.append(time.perf_counter() - began)
        writer.close(finished=True)
    return seconds


def main(folder: Path, count: int) -> None:
    for checkpoints in (count // 5, count):
        path = folder / str(checkpoints)
        each = 1000 * np.array(record(path, checkpoints))
        print(
            f"{checkpoints:,} checkpoints, {checkpoints * ROWS:,} rows: {each.sum() / 1000:.1f} s; "
            f"ms a checkpoint near the 500th {each[400:600].mean():.2f}, "
            f"in the last tenth {each[-checkpoints // 10 :].mean():.2f}"
        )
        for name, code in WORK.items():
            code = f"RUN = {str(path)!r}; NEEDS = {NEEDS!r}; {code}; {PEAK}"
            began = time.perf_counter()
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
            took = time.perf_counter() - began
            if done.returncode:
                sys.exit(done.stderr)
            print(f"  {name:20} {took:6.1f} s, peak {done.stdout.split()[-1]} MiB")


if __name__ == "__main__":
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]), number)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary), number)
