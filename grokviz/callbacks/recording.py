"""What the callbacks of all libraries do: record steps, weights and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grokviz.importers.reading.tables import metric_of, number
from grokviz.runs.layout import RUN
from grokviz.runs.schedule import LOG, When, keeps
from grokviz.training.record import Recorder, record


class Recording:
    """The recording of one training, which begins with its first step.

    Args:
        path: the run's folder, new or empty; a training that goes on goes on with its run.
        when: when weights are kept, as :func:`grokviz.record` takes it.
        **facts: as :func:`grokviz.record` takes them, such as ``task=`` and hyperparameters.

    """

    def __init__(self, path: str | Path, when: When = LOG, **facts: Any) -> None:
        keeps(when)  # a wrong one is refused before the training begins
        self._path, self._when, self._facts = Path(path), when, facts
        self._run: Recorder | None = None
        self._logged: dict[str, int] = {}
        self._last = -1

    def begin(self, step: int, model: Any) -> None:
        """Begin at a step, or go on from it."""
        self.end()
        resume = step > 0 and (self._path / RUN).exists()
        facts = {"counts": "step", **self._facts}
        self._run = record(self._path, when=self._when, resume=resume, **facts)
        self.step(step, model)

    def step(self, step: int, model: Any = None, metrics: Mapping[str, Any] | None = None) -> None:
        """Record a step: the first model that is given of it, and the first value of a metric."""
        if self._run is None:
            return
        if model is not None:
            model, self._last = None if step <= self._last else model, max(step, self._last)
        values = {}
        for name, raw in (metrics or {}).items():
            value = number(raw.item() if hasattr(raw, "item") else raw)
            ours = metric_of(name)
            if value is not None and self._logged.get(ours, -1) < step and ours != "arrays":
                self._logged[ours] = step
                values[ours] = value
        self._run.step(step, model, arrays=None, **values)

    def end(self, error: BaseException | None = None) -> None:
        """End the recording; one with an error stays a valid run that is not finished."""
        run, self._run = self._run, None
        self._logged.clear()
        self._last = -1
        if run is not None:
            run.__exit__(type(error) if error else None, error, None)
