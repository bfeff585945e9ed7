"""What a part of the dataset is, and what all parts of one pass share.

All parts share each checkpoint, read once, what their task's view derives from it, computed
once, and what stays the same along the run.
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Int

from grokviz import plugins
from grokviz.dataset import schema
from grokviz.dataset.variables import Variable
from grokviz.errors import GrokvizError, InputError
from grokviz.runs import Run

Values = dict[str, Any]


@dataclass
class Checkpoint:
    """One epoch's weights; a task's own kind adds what several of its parts derive from them."""

    epoch: int
    state: Mapping[str, np.ndarray]


@dataclass
class Context:
    """What stays the same along a run; a task's own kind adds to it.

    ``epochs`` are checkpointed ones, or logged ones of a run without checkpoints, which has no
    :attr:`last` and takes only the parts that need no weights.

    Class attributes:
        checkpoint_type: the task's kind of checkpoint.
        facts: names of cached properties that another process needs, because they take the run
            or a forward pass.
    """

    checkpoint_type: ClassVar[type[Checkpoint]] = Checkpoint
    facts: ClassVar[tuple[str, ...]] = ()

    run: Run
    epochs: Int[np.ndarray, " epoch"]
    field_epochs: Int[np.ndarray, " field_epoch"]
    last: Any = field(init=False)
    gathered: dict[str, Any] = field(default_factory=dict)
    """What parts collect while the checkpoints pass by."""
    memo: dict[str, Any] = field(default_factory=dict)
    """What parts have worked out about the run as a whole, by name."""

    def __post_init__(self) -> None:
        if self.has_weights:
            epoch = int(self.epochs[-1])
            self.last = self.checkpoint_type(epoch, self.run.weights(epoch))

    @cached_property
    def has_weights(self) -> bool:
        """Whether the run has checkpoints, and not loss curves alone."""
        return bool(len(self.run.epochs))

    @cached_property
    def task(self) -> str:
        """What the run says that it learns, "" where it does not say."""
        return str(self.run.facts.get("task") or "")

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """The run's hyperparameters, whether a recipe or a user's own loop wrote them."""
        facts = self.run.facts
        return facts.get("settings") or facts

    @cached_property
    def rows(self) -> Mapping[str, Variable]:
        """The table of variables, looked up once: workers look for nobody's code."""
        return schema.variables()

    def checkpoints(self) -> Iterator[Checkpoint]:
        """Every checkpoint in order of epochs, each read once; none of loss curves alone."""
        if not self.has_weights:
            return
        for epoch, state in self.run.iter_weights(self.epochs[:-1]):
            yield self.checkpoint_type(epoch, state)
        yield self.last

    def __getstate__(self) -> dict[str, Any]:
        """The state another process needs: every fact about the run, and no large array."""
        state: Values = {name: getattr(self, name) for name in self.facts}
        state |= {"task": self.task, "settings": dict(self.settings), "rows": self.rows}
        last = self.checkpoint_type(self.last.epoch, self.last.state)
        return {**self.__dict__, **state, "run": None, "last": last, "gathered": {}}


class Part:
    """Values at each checkpoint, values of the run as a whole, and coordinates."""

    heavy: ClassVar[bool] = False
    """Whether it takes the forward pass, so that several processes are worth starting."""

    def lacks(self, run: Run) -> str:
        """The data that it needs and the run lacks, as in "it has no ..."; else ""."""
        return "" if len(run.epochs) else "checkpoints"

    def coords(self, context: Any) -> Values:
        """Coordinates of the dimensions that this part brings."""
        return {}

    def coord_attrs(self, context: Any) -> Values:
        """Further attributes of its coordinates, by name."""
        return {}

    def whole(self, context: Any) -> Values:
        """Variables without a clock of checkpoints."""
        return {}

    def at(self, context: Any, checkpoint: Any) -> Values:
        """Variables over ``epoch``, at one of them."""
        return {}

    def field_at(self, context: Any, checkpoint: Any) -> Values:
        """Variables over ``field_epoch``, at one of them."""
        return {}

    def gather(self, context: Any, checkpoint: Any) -> None:
        """Collect in ``context.gathered`` what :meth:`after` needs, as checkpoints pass by."""

    def after(self, context: Any) -> Values:
        """Variables made from what was gathered of all checkpoints together."""
        return {}


def values_at(context: Context, parts: Sequence[Part], checkpoint: Checkpoint) -> Values:
    """All parts' values at one checkpoint, as the dataset stores them."""
    values: Values = {}
    for part in parts:
        with users_errors(part):
            values |= part.at(context, checkpoint)
            if checkpoint.epoch in context.field_epochs:
                values |= part.field_at(context, checkpoint)
    return {
        name: schema.variable(name, context.rows).stored(value) for name, value in values.items()
    }


@contextlib.contextmanager
def users_errors(part: Part) -> Iterator[None]:
    """Say where an error is in a part of the user's; one of ours stays as it is."""
    try:
        yield
    except GrokvizError:
        raise
    except Exception as error:
        file = plugins.file_of(type(part).__module__)
        if file is None:
            raise
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if Path(frame.filename) == file]
        where = f"{file}, line {lines[-1]}" if lines else str(file)
        reason = f"{type(error).__name__}: {error} ({where})"
        raise InputError(f"{type(part).__name__} cannot measure this run: {reason}") from error


def metric(run: Run, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and values of a metric; both empty where it was not logged."""
    if name in run.metrics:
        return run.metric(name)
    return np.zeros(0, dtype=np.int64), np.zeros(0)
