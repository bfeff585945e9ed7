"""What a measure sees of a run: one checkpoint, and what stays the same along the run."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Int

from grokviz.errors import InputError
from grokviz.runs import Run
from grokviz.runs.layout import RUN
from grokviz.task import known_task


@dataclass
class Checkpoint:
    """One epoch's weights; a task's own kind adds what several of its measures derive from them.

    Cached properties of it are computed once for all measures. ``checksum`` is that of the file
    that was read.
    """

    epoch: int
    state: Mapping[str, np.ndarray]
    checksum: str = ""


@dataclass
class RunView:
    """A run as measures see it: what stays the same along it; a task's own kind adds to it.

    ``epochs`` are the checkpoints that are measured; of a run without checkpoints, which takes
    only the measures that need no weights, they are logged epochs. What a measure reads of its
    ``run`` at a checkpoint is noted: its cached values hold for as long as that stays the same.

    Class attributes:
        checkpoint_type: the task's kind of checkpoint.
    """

    checkpoint_type: ClassVar[type[Checkpoint]] = Checkpoint

    run: Run
    epochs: Int[np.ndarray, " epoch"]
    field_epochs: Int[np.ndarray, " field_epoch"]
    gathered: dict[str, Any] = field(default_factory=dict)
    """What is gathered for series while the checkpoints pass by."""
    memo: dict[str, Any] = field(default_factory=dict)
    """What measures of the whole run share, by name."""

    @cached_property
    def last(self) -> Any:
        """The run's last checkpoint; ``InputError`` of a run without any."""
        return self._checkpoint(-1)

    @cached_property
    def first(self) -> Any:
        """The run's first checkpoint; ``InputError`` of a run without any."""
        return self.last if len(self.run.epochs) == 1 else self._checkpoint(0)

    @cached_property
    def alive(self) -> Int[np.ndarray, " alive"]:
        """Checkpoints before the weights were no numbers any more; all where the first are none.

        Weights that are NaN stay so, so few checkpoints are read.
        """
        epochs = self.run.epochs
        if not len(epochs) or self._has_numbers(int(epochs[-1])):
            return epochs
        first = bisect.bisect_left(
            range(len(epochs)), True, key=lambda i: not self._has_numbers(int(epochs[i]))
        )
        return epochs[:first] if first else epochs

    def _has_numbers(self, epoch: int) -> bool:
        weights = self.run.weights(epoch).values()
        return all(np.isfinite(array).all() for array in weights if array.dtype.kind in "fc")

    def _checkpoint(self, at: int) -> Checkpoint:
        if not self.has_weights:
            raise InputError(f"{self.run.path} has no checkpoints; record the run with its weights")
        epoch = int(self.alive[at])
        return self.checkpoint_type(epoch, self.run.weights(epoch), self.run.checksum_of(epoch))

    @cached_property
    def has_weights(self) -> bool:
        """Whether the run has checkpoints, and not loss curves alone."""
        return bool(len(self.run.epochs))

    @cached_property
    def task(self) -> str:
        """What the run says that it learns, "" where it does not say."""
        return str(self.run.facts.get("task") or "")

    @classmethod
    def check_model(cls, state: Mapping[str, np.ndarray], settings: Mapping[str, Any]) -> None:
        """Raise InputError unless the measures can read a model of these names and shapes.

        The values are all zero; ``settings`` are those of the run.
        """

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """The run's hyperparameters, whether a recipe or a user's own loop wrote them."""
        facts = self.run.facts
        settings = facts.get("settings") or facts
        if not isinstance(settings, Mapping):
            raise InputError(
                f"{self.run.path / RUN} has settings that are no mapping of keys to values; "
                "record the run again"
            )
        task = known_task(self.task)
        kinds = {key: type(one.default) for key, one in (task.keys if task else {}).items()}
        stated = {}
        for key, value in settings.items():
            kind = kinds.get(str(key).replace("_", "-"))
            if kind in (int, float):
                if value is None:  # not said
                    continue
                self._check_number(key, value, kind)
            stated[key] = value
        return stated

    def _check_number(self, key: str, value: Any, kind: type) -> None:
        """Raise InputError unless a setting can be read as this kind of number."""
        try:
            kind(value)
        except (TypeError, ValueError, OverflowError):
            raise InputError(
                f"{self.run.path / RUN} says {key}={str(value)[:40]!r}, which is not "
                f"{'a whole' if kind is int else 'a'} number; record the run again"
            ) from None

    def metric(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Epochs and values of a logged metric; both empty where it was not logged."""
        return metric(self.run, name)

    def checkpoints(self, epochs: Int[np.ndarray, " some"]) -> Iterator[Any]:
        """These checkpoints in order of epochs, each read once."""
        known = {one.epoch: one for one in (self.__dict__.get("last"),) if one is not None}
        for epoch in map(int, epochs):
            if epoch in known:
                yield known[epoch]
            else:
                # no name holds these weights while the next are read
                yield self.checkpoint_type(
                    epoch, self.run.weights(epoch), self.run.checksum_of(epoch)
                )

    def sent(self, names: set[str]) -> RunView:
        """The view for another process, with these of its cached properties and no other."""
        other = type(self)(self.run, self.epochs, self.field_epochs)
        for name in ("last", "first"):
            if name in self.__dict__:
                one = getattr(self, name)
                other.__dict__[name] = type(one)(one.epoch, one.state, one.checksum)
        here = names & self.__dict__.keys() - {"last", "first"}
        other.__dict__.update({name: self.__dict__[name] for name in here})
        return other


def metric(run: Run, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and values of a metric; both empty where it was not logged."""
    if name in run.metrics:
        return run.metric(name)
    return np.zeros(0, dtype=np.int64), np.zeros(0)
