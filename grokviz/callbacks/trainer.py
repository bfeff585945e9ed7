"""A callback for Hugging Face's Trainer: ``Trainer(..., callbacks=[Record("runs/mine")])``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grokviz.callbacks.recording import Recording
from grokviz.errors import InputError
from grokviz.importers.kinds.trainer import NO_METRICS, SUMMARY
from grokviz.runs.schedule import LOG, When

try:
    from transformers import TrainerCallback
except ImportError as error:
    raise InputError("this callback needs transformers: pip install transformers") from error


class Record(TrainerCallback):  # type: ignore[misc]
    """Records the weights and what the Trainer logs, by its global step.

    Args:
        path: the run's folder, new or empty; a training that goes on goes on with its run.
        when: when weights are kept, as :func:`grokviz.record` takes it.
        **facts: as :func:`grokviz.record` takes them.

    """

    def __init__(self, path: str | Path, when: When = LOG, **facts: Any) -> None:
        self._recording = Recording(path, when, **facts)

    def on_train_begin(self, args: Any, state: Any, control: Any, **objects: Any) -> None:
        """Begin the run, with the weights before the first step."""
        if state.is_world_process_zero:
            self._recording.begin(state.global_step, objects.get("model"))

    def on_step_end(self, args: Any, state: Any, control: Any, **objects: Any) -> None:
        """Record the weights after a step."""
        self._recording.step(state.global_step, objects.get("model"))

    def on_log(self, args: Any, state: Any, control: Any, **objects: Any) -> None:
        """Record what is logged."""
        logs = objects.get("logs") or {}
        if SUMMARY not in logs:
            metrics = {name: v for name, v in logs.items() if not NO_METRICS.fullmatch(name)}
            self._recording.step(state.global_step, None, metrics)

    def on_train_end(self, args: Any, state: Any, control: Any, **objects: Any) -> None:
        """Finish the run."""
        self._recording.end()
