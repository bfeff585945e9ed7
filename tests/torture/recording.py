"""Recording and training, killed before changes of the disk; each goes on to the same bytes."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

from grokviz.runs import writer
from tests.torture.common import (
    TRAIN,
    Torture,
    Workshop,
    command,
    contents,
    in_child,
    kill_at,
    operations,
    require,
)


def run(torture: Torture, workshop: Workshop) -> None:
    record(torture, epochs=torture.count(4, 24), kills=torture.count(10, 260))  # each kills twice
    train(torture, kills=torture.count(2, 60))


def _program() -> Any:
    path = Path(__file__).parents[1] / "crash" / "crash_program.py"
    spec = importlib.util.spec_from_file_location("crash_program", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def record(torture: Torture, epochs: int, kills: int) -> None:
    """A recorded run, killed once or twice and then gone on with, against one left alone."""
    program, tally = _program(), torture.tally("kills of recording")

    def work(path: Path, number: int) -> Any:
        def call() -> int:
            writer.FLUSH_SECONDS = 0.0
            kill_at(path.parents[1], number)()
            program.train(path, epochs)
            return 0

        return call

    place = torture.place()
    whole = place / "work" / "whole"
    in_child(place, work(whole, 0))
    expected = program.contents(whole)
    for number in range(1, kills + 1):
        path = place / "work" / f"killed{number}"
        with torture.trial("recording", f"change {number}"):
            result = in_child(place, work(path, number))
            if not result.killed:
                require(result.status == 0, result.err)
                break
            program.check_sound(path)
            again = in_child(place, work(path, torture.random.randint(1, 40)))
            program.check_sound(path)
            in_child(place, work(path, 0))
            require(program.contents(path) == expected, "it ended with other bytes")
            tally.add(("once", number), "gone on")
            if again.killed:
                tally.add(("twice", number), "gone on")
            shutil.rmtree(path)
    shutil.rmtree(place)


def train(torture: Torture, kills: int) -> None:
    """A training command, killed at points over its whole length."""
    tally = torture.tally("kills of training")
    words = [*TRAIN, "--out", "out", "-q"]
    clean = torture.place()
    result, steps = operations(clean, words)
    require(result.status == 0, result.err)
    expected = contents(clean / "work" / "out")
    numbers = list(range(1, len(steps) + 1))
    torture.random.shuffle(numbers)
    for number in numbers[:kills]:
        place = torture.place()
        with torture.trial("training", f"change {number}, {steps[number - 1]}"):
            killed = command(place, words, before=kill_at(place, number))
            require(killed.killed or killed.status == 0, killed.err)
            if (place / "work" / "out" / "run.json").exists():
                verified = command(place, ["info", "out", "--verify"])
                require(verified.status == 0, f"not sound: {verified.err}")
            result = command(place, words)
            require(result.status == 0, result.err)
            require(contents(place / "work" / "out") == expected, "it ended with other bytes")
            tally.add(number, "gone on" if killed.killed else "came to its end")
        shutil.rmtree(place)
    shutil.rmtree(clean)
