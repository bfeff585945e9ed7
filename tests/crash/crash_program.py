"""A small deterministic training loop to be killed, run as a program by the tests beside it.

python crash_program.py train RUN            train to the end, slowly enough to be hit
python crash_program.py exhaust FOLDER       die at every single disk operation in turn
python crash_program.py exhaust-all FOLDER   the same of a longer run that flushes always
python crash_program.py exhaust-journal FOLDER   the same of one whose index has a journal
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from grokviz.runs import RunWriter, journal, open_run, verify_run, writer

EPOCHS = {"train": 40, "exhaust": 4, "exhaust-all": 12, "exhaust-journal": 4}


def train(path: Path, epochs: int, pause: float = 0.0) -> None:
    facts = {"recipe": "crash", "p": 7}
    begun = (path / "run.json").exists()
    run = RunWriter.resume(path) if begun else RunWriter.create(path, facts)
    weights = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    moment = np.zeros_like(weights)
    start = 0
    if run.resume_state is not None:
        arrays, metadata = run.resume_state
        weights, moment, start = arrays["weights"], arrays["moment"], metadata["epoch"]
    with run:
        for epoch in range(start, epochs + 1):
            if epoch % 3 == 0:
                run.checkpoint(epoch, {"embed.W_E": weights, "unembed.W_U": moment})
            if epoch % 2 == 0:
                run.arrays(epoch, {"moment": moment[: epoch + 1], "step": np.int64(epoch)})
            if epoch % 4 == 0:
                run.save_state(epoch, {"weights": weights, "moment": moment}, {"seed": 0})
            run.log(epoch, train_loss=float(np.sum(weights**2)))
            if epoch % 2 == 0:
                run.log(epoch, **{"test/loss": float(np.sum(weights**4))})
            moment = np.float32(0.9) * moment + np.float32(0.1) * weights
            weights = weights - np.float32(0.05) * moment
            if pause:
                print(epoch, flush=True)
                time.sleep(pause)
        run.close(finished=True)


def contents(path: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file() and file.name != ".lock"
    }


def check_sound(path: Path) -> None:
    """A run that was killed opens and verifies; before run.json it is no run yet."""
    if not (path / "run.json").exists():
        return
    run = open_run(path)
    wrong = [str(problem) for problem in verify_run(path) if not problem.note]
    assert not wrong, wrong
    for epoch, weights in run.iter_weights():
        assert np.isfinite(weights["embed.W_E"]).all(), epoch


def die_at(operation: int) -> list[int]:
    """Make this process kill itself just before its n-th disk operation, half-way in a write."""
    count = [0]

    def mortal(real: Callable[..., Any], halve: bool) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            count[0] += 1
            if count[0] == operation:
                if halve:
                    real(args[0], bytes(args[1])[: len(args[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **options)

        return call

    for name in ("open", "fsync", "replace", "truncate", "unlink", "mkdir"):
        setattr(os, name, mortal(getattr(os, name), halve=False))
    os.write = mortal(os.write, halve=True)
    Path.write_bytes = mortal(Path.write_bytes, halve=True)  # type: ignore[method-assign]
    return count


def killed(path: Path, operation: int, epochs: int) -> bool:
    """Train in a child that dies at its n-th operation; False when it came to its end."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            die_at(operation)
            train(path, epochs)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.waitstatus_to_exitcode(status) == 0, f"operation {operation} raised"
    return False


def exhaust(folder: Path, epochs: int) -> None:
    reference = folder / "uninterrupted"
    train(reference, epochs)
    expected = contents(reference)
    operation, again = 0, 0
    while True:
        operation += 1
        path = folder / f"run{operation}"
        if not killed(path, operation, epochs):
            break
        check_sound(path)
        again += killed(path, 1 + (operation * 7) % 45, epochs)  # and once more while it resumes
        check_sound(path)
        train(path, epochs)
        check_sound(path)
        found = contents(path)
        assert found == expected, (operation, found.keys() ^ expected.keys())
        shutil.rmtree(path)
    print(f"{operation - 1} operations, {again} killed twice")


if __name__ == "__main__":
    mode, place = sys.argv[1], Path(sys.argv[2])
    if mode == "train":
        writer.FLUSH_SECONDS = 0.02
        train(place, EPOCHS[mode], pause=0.005)
    else:
        writer.FLUSH_SECONDS = 0.0 if mode == "exhaust-all" else 60.0
        if mode == "exhaust-journal":
            journal.WHOLE_BYTES = 200  # more than an empty index
        os.fsync = lambda handle: None  # a kill, unlike a power cut, spares the page cache
        exhaust(place, EPOCHS[mode])
