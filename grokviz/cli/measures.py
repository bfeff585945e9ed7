"""``grokviz measures RUN``."""

from __future__ import annotations

import math
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import click

from grokviz.cli.common import json_option, quiet_option, user_code_option
from grokviz.cli.completion import complete_run
from grokviz.cli.output import echo, echo_json

if TYPE_CHECKING:
    from grokviz.dataset.measured import Measures

MAX_COLUMNS = 12
"""A table with more columns than this, and more than rows, is printed transposed."""


@click.command("measures")
@click.argument("run", shell_complete=complete_run)
@click.option("--epoch", default="last", metavar="N|last|grok|grok-N|grok+N", show_default=True,
              help="Which checkpoint; the nearest one is taken.")  # fmt: skip
@json_option
@user_code_option
@quiet_option
def command(run: str, epoch: str, as_json: bool, quiet: bool) -> None:
    """Measure what a run has learned.

    RUN is a run directory, measured from its weights, or a bundled reference or a .nc file,
    which hold the measures. A task whose algorithm is known has its measures under published
    names, with the last checkpoint's key frequencies at every epoch, and those that begin with
    "final" of the last checkpoint itself; of other tasks, and of loss
    curves alone, there are losses, when they fell, and the scores of the task's heads; of a sweep
    a line for each run.
    """
    from grokviz.dataset.measured import with_headings

    measures = with_headings(run, epoch)
    if as_json:
        echo_json(_json_value(measures.values), allow_nan=False)
    elif not quiet:
        _print_measures(measures)


def _json_value(value: Any) -> Any:
    """The value with null for numbers that are not finite, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _json_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_json_value(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _print_measures(measures: Measures) -> None:
    """Print a line for each number, then the tables."""
    values = measures.values
    if "members" in values:
        _print_nested("", values["members"])
        return
    by_key = {name: item for name, item in values.items() if isinstance(item, dict)}
    by_row = {name: item for name, item in values.items() if _is_table(item)}
    for name, item in values.items():
        if name not in by_key and name not in by_row:
            label = measures.labels.get(name) or name.replace("_", " ")
            echo(f"{label:<28} {_text(item)}")
    for group in _groups_by_keys(by_key):
        echo()
        _print_by_key(group)
    for name, rows in by_row.items():
        echo()
        corner, labels, columns = measures.headings.get(name) or _default_headings(name, rows)
        cells = [[n, *map(_text, row)] for n, row in zip(labels, rows, strict=True)]
        _print_table(*_narrow_table([corner, *columns], cells))


def _groups_by_keys(by_key: dict[str, dict[str, Any]]) -> list[dict[str, dict[str, Any]]]:
    """Groups of dicts with the same keys; a nested one is a group, and empty ones are omitted."""
    groups: dict[Any, dict[str, dict[str, Any]]] = {}
    for name, item in by_key.items():
        nested = any(isinstance(part, dict) for part in item.values())
        if item:
            groups.setdefault(name if nested else tuple(item), {})[name] = item
    return list(groups.values())


def _print_by_key(group: dict[str, dict[str, Any]]) -> None:
    """Print a table with a column for each dict, and their keys in the first column."""
    first = next(iter(group))
    if any(isinstance(part, dict) for part in group[first].values()):
        _print_nested(first, group[first])
        return
    key = next((name.rpartition("_by_")[2] for name in group if "_by_" in name), "")
    rows = [[k, *(_text(item[k]) for item in group.values())] for k in group[first]]
    _print_table([key, *(name.removesuffix(f"_by_{key}") for name in group)], rows)


def _print_nested(corner: str, table: dict[str, Any]) -> None:
    """Print a table with a row for each key, and a column for each key of the inner dicts."""
    cells = {key: item if isinstance(item, dict) else {"": item} for key, item in table.items()}
    names = list(dict.fromkeys(name for row in cells.values() for name in row))
    rows = ([_text(row[n]) if n in row else "" for n in names] for row in cells.values())
    _print_table([corner, *names], [[key, *row] for key, row in zip(cells, rows, strict=True)])


def _is_table(value: Any) -> bool:
    """Whether a value is a list of rows."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], list)


def _default_headings(name: str, rows: list[list[Any]]) -> tuple[str, list[str], list[str]]:
    """Headings for rows without any: the name, and the numbers of rows and columns."""
    width = max(len(row) for row in rows)
    return name, [str(n) for n in range(len(rows))], [str(n) for n in range(width)]


def _narrow_table(names: list[str], rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """The table itself, or transposed if it is too wide."""
    if len(names) <= max(MAX_COLUMNS, len(rows)):
        return names, rows
    titles, *columns = map(list, zip_longest(names, *rows, fillvalue=""))
    return [titles[0].partition(",")[0], *titles[1:]], columns


def _print_table(names: list[str], rows: list[list[str]]) -> None:
    titles = [name.replace("_", " ") for name in names]
    rows = [[*row, *[""] * (len(names) - len(row))] for row in rows]
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    for row in (titles, *rows):
        line = "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        echo(line)


def _text(value: Any) -> str:
    if value is None:
        return "never"
    if isinstance(value, list):
        return " ".join(map(_text, value))
    if isinstance(value, float):
        return "not known" if math.isnan(value) else f"{value:.6g}"
    return str(value)
