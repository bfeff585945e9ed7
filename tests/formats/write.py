"""Writes what tests of a later version must still open: ``python tests/formats/write.py``.

Run once, by the last version before a format changes; what is there is never written again.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

import grokviz as gv
from grokviz.dataset.references.bundling import bundle
from grokviz.runs import RunWriter, journal, layout

SETTINGS = {
    "p": 5, "d-model": 4, "d-mlp": 3, "heads": 1, "train-fraction": 0.5, "epochs": 4,
    "checkpoint-every": "2", "test-every": 2,
}  # fmt: skip
KILLED = {"epochs": [0, 2, 4, 6], "metrics": {"train_loss": 4, "test_loss": 4}}
KEPT = ("logged_train_loss", "logged_test_loss", "loss", "phase_end")


def main() -> None:
    place = Path(__file__).parent / gv.__version__
    place.mkdir()
    os.chdir(place)
    gv.train("modular-addition", "run", settings=SETTINGS, device="cpu")
    gv.sweep("modular-addition", {"seed": [0, 1]}, "sweep", settings={**SETTINGS, "epochs": 2})
    run = gv.open_run("run")
    gv.analyze(run, cache=False)[list(KEPT)].to_netcdf("dataset.nc", engine="h5netcdf")
    bundle(run, Path("reference"), variables=KEPT, weights=[4])
    (place / "expected.json").write_text(json.dumps(content(run), indent=1) + "\n", "utf-8")
    for lock in place.rglob(".lock"):
        lock.unlink()


def write_killed() -> None:
    """A run as a kill leaves it once its index has a journal, which is format 2 of an index."""
    journal.WHOLE_BYTES = 600
    place = Path(__file__).parent / f"index-{layout.JOURNAL_FORMAT}"
    with tempfile.TemporaryDirectory() as folder:
        writer = RunWriter.create(Path(folder) / "run", {"recipe": None, "settings": {"p": 5}})
        for epoch in KILLED["epochs"]:
            weights = np.arange(6, dtype=np.float32).reshape(2, 3) + epoch
            writer.log(epoch, **dict.fromkeys(KILLED["metrics"], 1.0 / (epoch + 1)))
            writer.checkpoint(epoch, {"embed.W_E": weights})
        writer.save_state(6, {"moment": np.ones(3)})
        shutil.copytree(writer.path, place / "run", ignore=shutil.ignore_patterns(".lock"))
        writer.close()


def write_arrays() -> None:
    """A run with recorded arrays, which is format 3 of an index."""
    place = Path(__file__).parent / f"index-{layout.ARRAYS_FORMAT}"
    with gv.record(place / "run", p=5) as run:
        for epoch in range(3):
            run.step(epoch, arrays={"pattern": np.full((epoch, 2), epoch, np.float32)}, loss=1.0)
    (place / "run" / ".lock").unlink()


def content(run: gv.Run) -> dict[str, object]:
    """All that a run says, with each array as its shape and the sum of its squares."""
    return {
        "checksum": run.checksum,
        "facts": dict(run.facts),
        "epochs": run.epochs.tolist(),
        "metrics": {name: [x.tolist() for x in run.metric(name)] for name in run.metrics},
        "weights": {
            str(epoch): {
                name: [list(array.shape), float(np.square(array, dtype=np.float64).sum())]
                for name, array in weights.items()
            }
            for epoch, weights in run.iter_weights()
        },
    }


if __name__ == "__main__":
    main()
