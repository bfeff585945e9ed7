"""The run directory against a dictionary: any order of writes, kills and resumptions."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from grokviz.errors import InputError
from grokviz.runs import RunWriter, durable, open_run, verify_run, writer

METRICS = st.sampled_from(["train_loss", "test/loss", "né", "."])
STEPS = st.integers(0, 4)
VALUES = st.floats(width=32)


@dataclass
class Model:
    """What a run should hold."""

    facts: dict[str, Any]
    metrics: dict[str, dict[int, float]] = field(default_factory=dict)
    checkpoints: dict[int, float] = field(default_factory=dict)
    state: tuple[int, float] | None = None
    finished: bool = False

    def rewind(self, end: int, *, keep: bool = True) -> None:
        """Forget the records of ``end`` and later, and the checkpoints after it."""
        before = (self.metrics, self.checkpoints)
        self.metrics = {
            name: left
            for name, rows in self.metrics.items()
            if (left := {e: v for e, v in rows.items() if e < end})
        }
        last = end if keep else end - 1
        self.checkpoints = {e: v for e, v in self.checkpoints.items() if e <= last}
        if self.state is not None and self.state[0] > end:
            self.state = None
        self.finished = self.finished and before == (self.metrics, self.checkpoints)


class RunDirectory(RuleBasedStateMachine):
    """Every rule does the same to a run directory and to a :class:`Model`."""

    @initialize()
    def create(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "run0"
        self.model = Model({"recipe": "x"})
        self.writer = RunWriter.create(self.path, self.model.facts)

    @property
    def last(self) -> int:
        ends = [max(rows) for rows in self.model.metrics.values()]
        return max([*ends, *self.model.checkpoints], default=0)

    def begin_write(self) -> None:
        """A finished run that was resumed goes back to its state at the first write."""
        if self.rewound is not None:
            self.model.rewind(self.rewound)
            self.rewound = None
        self.model.finished = self.facts_alone = False

    rewound: int | None = None
    facts_alone = False
    """Whether nothing but facts was written to a finished run: its index still says finished."""

    @rule(step=STEPS, values=st.dictionaries(METRICS, VALUES, min_size=1))
    def log(self, step: int, values: dict[str, float]) -> None:
        epoch = self.expected().last_epoch + step
        later = all(epoch > max(self.expected().metrics.get(name, {-1: 0})) for name in values)
        if not later:
            with pytest.raises(InputError):
                self.writer.log(epoch, **values)
            return
        self.writer.log(epoch, **values)
        self.begin_write()
        for name, value in values.items():
            self.model.metrics.setdefault(name, {})[epoch] = value

    @rule(step=STEPS, value=VALUES)
    def checkpoint(self, step: int, value: float) -> None:
        epoch = self.expected().last_epoch + step
        known = self.expected().checkpoints
        same = epoch in known and np.float32(known[epoch]).tobytes() == np.float32(value).tobytes()
        if not same and epoch <= max(known, default=-1):
            with pytest.raises(InputError):
                self.writer.checkpoint(epoch, array(value))
            return
        self.writer.checkpoint(epoch, array(value))
        self.begin_write()
        self.model.checkpoints[epoch] = value

    @rule(step=STEPS, value=VALUES)
    def save_state(self, step: int, value: float) -> None:
        epoch = self.expected().last_epoch + step
        self.writer.save_state(epoch, array(value))
        self.begin_write()
        self.model.state = (epoch, value)

    @rule(value=st.text(max_size=5))
    def update_facts(self, value: str) -> None:
        self.writer.update_facts(note=value)
        finished = self.model.finished or self.facts_alone
        before = (self.model.metrics, self.model.checkpoints, self.model.state)
        self.begin_write()
        now = (self.model.metrics, self.model.checkpoints, self.model.state)
        self.facts_alone = finished and before == now
        self.model.facts["note"] = value

    @rule(finished=st.booleans())
    def close_and_resume(self, finished: bool) -> None:
        self.writer.close(finished=finished)
        self.model.finished = finished or self.model.finished
        self.facts_alone = False
        self.resume()

    @rule()
    def kill_and_resume(self) -> None:
        """What is on the disk goes on; the writer that was killed never closes."""
        number = int(self.path.name[3:]) + 1
        copy = self.folder / f"run{number}"
        shutil.copytree(self.path, copy)
        self.writer._lock.release()
        self.path = copy
        self.model.finished = self.model.finished or self.facts_alone
        self.facts_alone = False
        self.resume()

    @rule(epoch=st.integers(0, 30))
    def close_and_reopen(self, epoch: int) -> None:
        self.writer.close()
        self.writer = RunWriter.reopen(self.path)
        self.rewound, self.facts_alone = None, False

    @rule(epoch=st.integers(0, 12), keep=st.booleans())
    @precondition(lambda self: self.rewound is None and not self.facts_alone)
    def rewind(self, epoch: int, keep: bool) -> None:
        self.writer.rewind(epoch, keep=keep)
        self.model.rewind(epoch, keep=keep)

    def resume(self) -> None:
        self.writer = RunWriter.resume(self.path)
        end = -1 if self.model.state is None else self.model.state[0]
        if self.model.finished:
            self.rewound = end
        else:
            self.rewound = None
            self.model.rewind(end)

    def expected(self) -> Expected:
        """What the next write will find."""
        now = Model({}, dict(self.model.metrics), dict(self.model.checkpoints), self.model.state)
        if self.rewound is not None:
            now.rewind(self.rewound)
        ends = [max(rows) for rows in now.metrics.values()]
        return Expected(now.metrics, now.checkpoints, max([*ends, *now.checkpoints], default=0))

    @invariant()
    def the_run_is_the_model(self) -> None:
        run, model = open_run(self.path), self.model
        assert not [str(p) for p in verify_run(self.path) if not p.note]
        assert {key: run.facts.get(key) for key in model.facts} == model.facts
        assert list(run.epochs) == sorted(model.checkpoints)
        for epoch, value in model.checkpoints.items():
            assert run.weights(epoch)["w"].tobytes() == array(value)["w"].tobytes()
        assert sorted(run.metrics) == sorted(model.metrics)
        for name, rows in model.metrics.items():
            epochs, values = run.metric(name)
            assert list(epochs) == list(rows)
            assert values.tobytes() == np.array(list(rows.values())).tobytes()
        assert self.writer.finished == model.finished

    def teardown(self) -> None:
        if hasattr(self, "writer"):
            self.writer._lock.release()
            shutil.rmtree(self.folder)


@dataclass(frozen=True)
class Expected:
    """Metrics and checkpoints before a write, and the last epoch of either."""

    metrics: dict[str, dict[int, float]]
    checkpoints: dict[int, float]
    last_epoch: int


def array(value: float) -> dict[str, np.ndarray]:
    return {"w": np.full(3, value, np.float32)}


@pytest.mark.parametrize("examples", [15, pytest.param(400, marks=pytest.mark.slow)])
def test_any_order_of_writes_is_that_of_a_dictionary(
    examples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "FLUSH_SECONDS", -1.0)  # so that a kill loses nothing pending
    monkeypatch.setattr(durable.os, "fsync", lambda handle: None)
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        RunDirectory,
        settings=settings(
            max_examples=examples, stateful_step_count=20, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
