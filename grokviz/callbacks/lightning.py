"""A callback for Lightning: ``Trainer(callbacks=[Record("runs/mine")])``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grokviz.callbacks.recording import Recording
from grokviz.errors import InputError
from grokviz.runs.schedule import LOG, When

try:
    from lightning.pytorch import Callback
except ImportError:
    try:
        from pytorch_lightning import Callback
    except ImportError as error:
        raise InputError("this callback needs Lightning: pip install lightning") from error


class Record(Callback):  # type: ignore[misc]
    """Records the weights and what the module logs, by the trainer's global step.

    Args:
        path: the run's folder, new or empty; a training that goes on goes on with its run.
        when: when weights are kept, as :func:`grokviz.record` takes it.
        **facts: as :func:`grokviz.record` takes them.

    """

    def __init__(self, path: str | Path, when: When = LOG, **facts: Any) -> None:
        super().__init__()
        self._recording = Recording(path, when, **facts)
        self._seen: dict[str, Any] = {}

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin the run, with the weights before the first step."""
        if trainer.is_global_zero:
            self._recording.begin(trainer.global_step, pl_module)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any) -> None:
        """Record the weights after a step, and what was logged of it."""
        self._recording.step(trainer.global_step, pl_module, self._new(trainer.logged_metrics))

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Record what was logged of the whole epoch before."""
        self._recording.step(trainer.global_step, None, self._new(trainer.logged_metrics))

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Record what was logged on the validation data."""
        if not trainer.sanity_checking:
            metrics = {**trainer.callback_metrics, **trainer.logged_metrics}
            self._recording.step(trainer.global_step, None, self._new(metrics))

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Finish the run."""
        self._recording.step(trainer.global_step, None, self._new(trainer.logged_metrics))
        self._recording.end()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Leave a valid run that is not finished."""
        self._recording.end(exception)

    def _new(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        """The metrics that were logged since the last call; others are there as they were."""
        new = {name: value for name, value in metrics.items() if self._seen.get(name) is not value}
        self._seen.update(new)
        return new
