"""Rows of logged numbers, as CSV, JSON and logs have them, as curves under our names."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from grokviz.errors import InputError
from grokviz.importers.contract import Belief, Curve
from grokviz.importers.reading.values import number_in

MOST_BYTES = 1 << 28
"""Bytes of the longest JSON document that is read."""

_TRAIN = ("train", "training")
_TEST = ("test", "val", "valid", "validation", "eval", "held_out", "dev")
_QUANTITIES = {"loss": "loss", "acc": "accuracy", "accuracy": "accuracy"}
_METRICS = {
    **{f"{part}_{word}": f"train_{name}" for part in _TRAIN for word, name in _QUANTITIES.items()},
    **{f"{part}_{word}": f"test_{name}" for part in _TEST for word, name in _QUANTITIES.items()},
    **{word: f"train_{name}" for word, name in _QUANTITIES.items()},
}
"""Our names of metrics by the words that loggers use for them."""

_STEPS = ("step", "global_step", "trainer/global_step", "iteration", "iter", "epoch")
"""Columns of steps, the finest clock first."""

_NO_METRICS = frozenset(
    {"step", "global_step", "trainer/global_step", "epoch", "runtime", "timestamp", "wall_time",
     "time", "created_at", "relative time (process)", "relative time (wall)"}
)  # fmt: skip
"""Columns of clocks, which are no metrics."""

_SUFFIX = re.compile(r"_(?:step|epoch)$")
MOST_METRICS = 1000


def load_json(path: Path) -> Any:
    """The content of a JSON file; raises :class:`InputError` for any other."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path} has more than {MOST_BYTES:,} bytes; give a shorter one")
        return json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "nested too deeply"
        raise InputError(
            f"{path} cannot be read as JSON ({reason[:80]}); copy or download it again"
        ) from error


def metric_of(name: str) -> str:
    """Our name of a logged metric, or its own."""
    plain = re.sub(r"[\s/.\-]+", "_", name.strip().lower())
    return _METRICS.get(plain) or _METRICS.get(_SUFFIX.sub("", plain)) or name.strip()


def number(value: Any) -> float | None:
    """A logged number, which may be NaN or infinite and may be text; None for anything else."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    if isinstance(value, float):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    return number_in(value)


def curves_of_rows(
    rows: Iterable[tuple[int, Mapping[str, Any]]], path: Path
) -> tuple[dict[str, Curve], list[Belief]]:
    """The curves in rows of ``(step, {name: value})``, and beliefs about names and repeats.

    Of two values of a metric at one step the later is taken. Raises :class:`InputError` if there
    are no numbers.
    """
    values: dict[str, dict[int, float]] = {}
    repeats: dict[str, int] = {}
    for step, row in rows:
        for name, raw in row.items():
            value = number(raw)
            if value is None or not name or name.strip().lower().lstrip("_") in _NO_METRICS:
                continue
            at = values.setdefault(name, {})
            repeats[name] = repeats.get(name, 0) + (step in at)
            at[step] = value
    if not values:
        raise InputError(f"{path} has no logged numbers; give the table of a run's metrics")
    if len(values) > MOST_METRICS:
        raise InputError(f"{path} has more than {MOST_METRICS} metrics; leave some out")
    beliefs, ours = [], _names(values)
    for name, metric in ours.items():
        if metric != name:
            beliefs.append(Belief(metric, name[:100], "such a name is taken for it"))
        if repeats[name]:
            because = f"{repeats[name]:,} values of one step were logged twice"
            beliefs.append(Belief(metric, "the later", because))
    return {ours[name]: _curve(at) for name, at in values.items()}, beliefs


def _names(values: Mapping[str, Mapping[int, float]]) -> dict[str, str]:
    """Our name of each metric; of several that we would call alike, only the longest curve's."""
    names: dict[str, str] = {}
    for name in sorted(values, key=lambda n: (metric_of(n) != n, -len(values[n]))):
        taken = {ours.casefold() for ours in names.values()}
        choices = (metric_of(name)[:60], name[:60], f"{name[:50]} ({len(names)})")
        names[name] = next(choice for choice in choices if choice.casefold() not in taken)
    return {name: names[name] for name in values}


def _curve(at: Mapping[int, float]) -> Curve:
    steps = sorted(at)
    return Curve(np.array(steps, dtype=np.int64), np.array([at[step] for step in steps]))


def step_column(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """The column whose numbers are whole steps, the finest clock first; "" without one."""
    plain = {name.strip().lower().lstrip("_"): name for name in columns}
    for word in _STEPS:
        name = plain.get(word)
        if name is not None and all(_step(row[name]) is not None for row in rows if row.get(name)):
            return name
    return ""


def steps_in(column: str, rows: Sequence[Mapping[str, Any]]) -> tuple[list[int], list[Belief]]:
    """The step of each row; of one that lacks it that of the row before."""
    if not column:
        because = "no column counts steps"
        return list(range(len(rows))), [Belief("steps", "the rows, from 0 on", because)]
    steps: list[int] = []
    for row in rows:
        step = _step(row.get(column))
        steps.append(step if step is not None else steps[-1] if steps else 0)
    return steps, [Belief("steps", f"the column {column}", "it is called so")]


def _step(value: Any) -> int | None:
    plain = number(value)
    if plain is None or not math.isfinite(plain) or plain != int(plain) or not 0 <= plain < 2**53:
        return None
    return int(plain)
