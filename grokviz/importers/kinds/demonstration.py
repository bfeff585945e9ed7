"""The file of TransformerLens' grokking demonstration: checkpoints, curves, and the split itself.

Its ``config`` is a HookedTransformerConfig, a stub here, whose seed is that of the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from grokviz.errors import InputError
from grokviz.importers import evidence
from grokviz.importers.contract import Belief, Hints, Importer, RunContents, Source
from grokviz.importers.kinds import full_run
from grokviz.importers.reading.values import is_list, numbers_in

_INDICES = ("train_indices", "test_indices")


def _recognises(source: Source) -> bool:
    data = source.data
    if not isinstance(data, Mapping) or not all(is_list(data.get(name)) for name in _INDICES):
        return False
    return full_run.IMPORTER.recognises(source)


def _read(source: Source, hints: Hints) -> list[RunContents]:
    data = dict(source.data)
    if isinstance(data.get("config"), Mapping):
        data["config"] = {k: v for k, v in data["config"].items() if k != "seed"}
    [run] = full_run.IMPORTER.read(replace(source, data=data), hints)
    train, test = (_indices(data[name], name, source) for name in _INDICES)
    for finding in evidence.of_task(run.task).split(run.settings, train, test):
        run.settings[finding.key] = finding.value
        text = str(finding.value)
        value = finding.value if len(text) < 40 else f"{text[:20]}..."
        run.beliefs.append(Belief(finding.what, value, finding.because))
    return [run]


def _indices(value: Any, name: str, source: Source) -> np.ndarray:
    """The numbers of examples; raises :class:`InputError` unless they are whole."""
    numbers = numbers_in(value, name, source.path).reshape(-1)
    if not np.isfinite(numbers).all() or (numbers != np.floor(numbers)).any():
        raise InputError(f"{name} in {source.path} are no whole numbers; save them again")
    return numbers.astype(np.int64)


IMPORTER = Importer(
    "demonstration",
    "a file of TransformerLens' grokking demonstration, with checkpoints and the split",
    _recognises,
    _read,
    order=1,
)
