"""Verifying, reading and rendering in a loop, beside a process that records all the time."""

from __future__ import annotations

import os
import shutil
import signal

import numpy as np

from grokviz.runs import RunWriter, open_run, verify_run, writer
from tests.torture.common import Torture, Workshop, command, require, within

DRAWN = 4
"""Of so many readings one is followed by a picture, which takes longer."""


def run(torture: Torture, workshop: Workshop) -> None:
    tally = torture.tally("reading beside a writer")
    place = torture.place()
    path = place / "work" / "run"
    child = os.fork()
    if child == 0:
        try:
            _record(path)
        finally:
            os._exit(0)
    try:
        while not (path / "run.json").exists():
            pass
        more, number = within(torture.count(1, 60)), 0
        while more():
            number += 1
            with torture.trial("beside a writer", f"reading {number}"):
                problems = [str(p) for p in verify_run(path) if not p.note]
                require(not problems, f"verify accuses a live run: {problems}")
                read = open_run(path)
                for epoch in list(read.epochs)[-2:]:
                    read.weights(int(epoch))
                for name in read.metrics:
                    read.metric(name)
                if number % DRAWN == 0:
                    words = ["render", "grokking-curve", "--run", "run", "-o", "a.png", "-q"]
                    drawn = command(place, words)
                    require(drawn.status == 0, f"render fails: {drawn.err}")
                    torture.tally("rendering beside a writer").add(len(read.epochs), "drawn")
                tally.add(len(read.epochs), "sound")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    shutil.rmtree(place)


def _record(path: object) -> None:
    writer.FLUSH_SECONDS = 0.0
    os.fsync = lambda handle: None
    with RunWriter.create(path, {}) as run:  # type: ignore[arg-type]
        for epoch in range(10**9):
            run.log(epoch, train_loss=1 / (epoch + 1), test_loss=2 / (epoch + 1))
            if epoch % 5 == 0:
                run.checkpoint(epoch, {"w": np.full(50, epoch, np.float32)})
            if epoch % 7 == 0:
                run.save_state(epoch, {"w": np.full(50, epoch, np.float32)})
