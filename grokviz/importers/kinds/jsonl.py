"""A log of metrics as JSON: an object a line, or one document of rows or of lists."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from grokviz.errors import InputError
from grokviz.importers import evidence
from grokviz.importers.contract import Hints, Importer, RunContents, Source
from grokviz.importers.reading.tables import curves_of_rows, load_json, step_column, steps_in

DEEPEST = 4
MOST_LINES = 10_000_000


def _recognises(source: Source) -> bool:
    return source.path.suffix.lower() in (".jsonl", ".ndjson", ".json")


def _read(source: Source, hints: Hints) -> list[RunContents]:
    path = source.path
    rows = [dict(_flat(row)) for row in _rows(path)]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    column = step_column(columns, rows)
    steps, beliefs = steps_in(column, rows)
    for row in rows:
        row.pop(column, None)
    curves, name_beliefs = curves_of_rows(zip(steps, rows, strict=True), path)
    task, task_beliefs = evidence.task_of(source.name, {}, {}, hints)
    counts = "epoch" if column == "epoch" else "step"
    beliefs = [*task_beliefs, *beliefs, *name_beliefs]
    return [RunContents(task=task, curves=curves, beliefs=beliefs, counts=counts)]


def _rows(path: Path) -> list[Mapping[str, Any]]:
    if path.suffix.lower() != ".json":
        return list(_lines(path))
    content = load_json(path)
    if isinstance(content, Mapping):
        content = content.get("log_history", content)
    if isinstance(content, Mapping):
        lists = {name: values for name, values in content.items() if isinstance(values, list)}
        longest = max(map(len, lists.values()), default=0)
        content = [
            {name: values[i] for name, values in lists.items() if i < len(values)}
            for i in range(longest)
        ]
    if not isinstance(content, list) or not all(isinstance(row, Mapping) for row in content):
        raise InputError(f"{path} has no rows of metrics; give a log with an object a step")
    return content


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                row = json.loads(line)
                if not isinstance(row, Mapping) or number > MOST_LINES:
                    raise ValueError(f"line {number} is no object with metrics")
                yield row
    except (OSError, ValueError, RecursionError) as error:
        reason = str(error)[:80] or "nested too deeply"
        raise InputError(
            f"{path} cannot be read as a JSON object a line ({reason}); log it again"
        ) from error


def _flat(row: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """The entries of a row, those of objects in it under names such as ``train/loss``."""
    for name, value in row.items():
        if isinstance(value, Mapping) and depth < DEEPEST:
            yield from _flat(value, f"{before}{name}/", depth + 1)
        else:
            yield f"{before}{name}", value


IMPORTER = Importer(
    "jsonl",
    "a .jsonl of metrics, an object a line",
    _recognises,
    _read,
    order=1,
    unopened=True,
    patterns=("*.jsonl", "*.ndjson"),
)
