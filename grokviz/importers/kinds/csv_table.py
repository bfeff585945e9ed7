"""A table of metrics as CSV, such as an export of wandb or Lightning's ``metrics.csv``."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from grokviz.errors import InputError
from grokviz.importers import evidence
from grokviz.importers.contract import Hints, Importer, RunContents, Source
from grokviz.importers.reading.tables import curves_of_rows, step_column, steps_in

_DELIMITERS = (",", "\t", ";")
_OF_RUN = re.compile(r"(.+?) - (.+)")
_BOUND = re.compile(r".*__(?:MIN|MAX|STDERR|STDDEV)")
"""Columns that an export of wandb adds to each of a group's means."""

MOST_ROWS = 10_000_000


def _recognises(source: Source) -> bool:
    return source.path.suffix.lower() in (".csv", ".tsv")


def _read(source: Source, hints: Hints) -> list[RunContents]:
    path = source.path
    columns, rows = _table(path)
    column = step_column(columns, rows)
    steps, beliefs = steps_in(column, rows)
    runs: dict[str, list[str]] = {}
    named = {name: _OF_RUN.fullmatch(name) for name in columns if name != column}
    several = bool(named) and sum(map(bool, named.values())) * 2 > len(named)
    for name, match in named.items():
        if not _BOUND.fullmatch(name) and (match or not several):
            runs.setdefault(match[1] if match and several else "", []).append(name)
    members = _members(list(runs))
    contents = []
    for run, names in runs.items():
        their = ({_metric(name, run): row.get(name) for name in names} for row in rows)
        curves, name_beliefs = curves_of_rows(zip(steps, their, strict=True), path)
        task, task_beliefs = evidence.task_of(source.name, {}, {}, hints)
        counts = "epoch" if column.lower().strip("_") == "epoch" else "step"
        contents.append(
            RunContents(
                member=members[run] if len(runs) > 1 else "",
                task=task,
                curves=curves,
                beliefs=[*task_beliefs, *beliefs, *name_beliefs],
                counts=counts,
            )
        )
    if not contents:
        raise InputError(f"{path} has no column of a metric; give the table of a run's metrics")
    return contents


def _metric(name: str, run: str) -> str:
    return name.removeprefix(f"{run} - ") if run else name


def _members(runs: Sequence[str]) -> dict[str, str]:
    """A folder's name for each run of the table."""
    names: dict[str, str] = {}
    for run in runs:
        plain = re.sub(r"[^\w.=+-]+", "-", run).strip("-.")[:60] or "run"
        taken = {name.casefold() for name in names.values()}
        names[run] = plain if plain.casefold() not in taken else f"{plain}-{len(names)}"
    return names


def _table(path: Path) -> tuple[list[str], list[Mapping[str, Any]]]:
    """The names of the columns, and the rows as mappings."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            head = file.readline()
            delimiter = max(_DELIMITERS, key=head.count)
            file.seek(0)
            reader = csv.DictReader(file, delimiter=delimiter)
            columns = [name for name in reader.fieldnames or () if name]
            if len(set(columns)) < len(columns):
                raise InputError(f"{path} has two columns of one name; rename one of them")
            return columns, list(_limited(reader, path))
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as CSV ({error}); export it again") from error


def _limited(rows: Iterator[Mapping[str, Any]], path: Path) -> Iterator[Mapping[str, Any]]:
    for count, row in enumerate(rows):
        if count >= MOST_ROWS:
            raise InputError(f"{path} has more than {MOST_ROWS:,} rows; export fewer of them")
        yield row


IMPORTER = Importer(
    "csv",
    "a .csv of metrics, such as an export of wandb or Lightning's metrics.csv",
    _recognises,
    _read,
    order=1,
    unopened=True,
    patterns=("*.csv", "*.tsv"),
)
