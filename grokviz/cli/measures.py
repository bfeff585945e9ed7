"""``grokviz measures RUN``."""

from __future__ import annotations

import json
import math
from typing import Any

import click

from grokviz.cli.common import json_option, quiet_option, user_code_option
from grokviz.cli.completion import complete_run


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
    names, with the last checkpoint's key frequencies at every epoch; of other tasks, and of loss
    curves alone, there are losses, when they fell, and the scores of the task's heads; of a sweep
    a line for each run.
    """
    import grokviz as gv

    measures = gv.measures(run, epoch)
    if as_json:
        click.echo(json.dumps(_plain(measures), indent=2, allow_nan=False))
    elif not quiet:
        _show(measures)


def _plain(value: Any) -> Any:
    """The same with null for what cannot be known, which JSON has no other word for."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _show(measures: dict[str, Any]) -> None:
    """A line a number, and tables by frequency, by head and by member."""
    if "members" in measures:
        _show_members(measures["members"])
        return
    by_key = {name: item for name, item in measures.items() if isinstance(item, dict)}
    by_head = {name: item for name, item in measures.items() if _is_table(item)}
    for name, item in measures.items():
        if name not in by_key and name not in by_head:
            click.echo(f"{name.replace('_', ' '):<28} {_text(item)}")
    if by_key and measures["key_frequencies"]:
        click.echo()
        _table(
            ["frequency", *(name.removesuffix("_by_frequency") for name in by_key)],
            [
                [k, *(_text(item[k]) for item in by_key.values())]
                for k in map(str, measures["key_frequencies"])
            ],
        )
    for name, rows in by_head.items():
        click.echo()
        if name == "attention_mean":
            heads = [[str(i), *map(_text, row)] for i, row in enumerate(rows)]
            _table(["head", "attention to a", "to b", "to ="], heads)
        else:
            layers = [[str(i), *map(_text, row)] for i, row in enumerate(rows)]
            _table([f"{name}, layer", *(f"head {j}" for j in range(len(rows[0])))], layers)


def _show_members(members: dict[str, dict[str, Any]]) -> None:
    names = list(dict.fromkeys(name for row in members.values() for name in row))
    rows = [[member, *(_text(row.get(name)) for name in names)] for member, row in members.items()]
    _table(["", *names], rows)


def _is_table(value: Any) -> bool:
    """Whether it is a list of rows."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], list)


def _table(names: list[str], rows: list[list[str]]) -> None:
    titles = [name.replace("_", " ") for name in names]
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    for row in (titles, *rows):
        line = "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line)


def _text(value: Any) -> str:
    if value is None:
        return "never"
    if isinstance(value, list):
        return " ".join(map(_text, value))
    if isinstance(value, float):
        return "not known" if math.isnan(value) else f"{value:.6g}"
    return str(value)
