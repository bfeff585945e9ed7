"""``grokviz sweep RECIPE``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grokviz.cli.common import (
    ProgressLog,
    command_line,
    is_terminal,
    parse_assignments,
    quiet_option,
    set_option,
    user_code_option,
)
from grokviz.cli.completion import complete_recipe
from grokviz.cli.output import echo
from grokviz.errors import WorkError

if TYPE_CHECKING:
    from grokviz.training.grid import Member
    from grokviz.training.side_by_side import MemberProgress, MemberResult, MemberState
    from grokviz.training.sweep import Plan, SweepResult


@click.command("sweep")
@click.argument("recipe", shell_complete=complete_recipe)
@click.option("--grid", multiple=True, metavar="KEY=V1,V2,...", help="Values of a key; repeatable.")
@click.option("--seeds", type=int, metavar="N", help="Each combination with seeds 0 to N-1.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder [runs/RECIPE-sweep].")
@set_option
@click.option("--epochs", type=int, help="The same as --set epochs=N.")
@click.option("--member", metavar="K", help="Train this member alone (see --dry-run).")
@click.option("-j", "--jobs", type=int, default=1, help="Members trained at the same time.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto")
@click.option(
    "--exact-path",
    type=click.Choice(["on", "off"]),
    default="on",
    help="Exact structural short cuts, or the plain model; either does every optimiser and loss.",
)
@click.option("--scheduler", metavar="ADDRESS", help="Train on the workers of a Dask scheduler.")
@click.option("--dry-run", is_flag=True, help="List the members with their settings.")
@user_code_option
@quiet_option
def command(
    recipe: str,
    grid: tuple[str, ...],
    seeds: int | None,
    out: Path | None,
    assignments: tuple[str, ...],
    epochs: int | None,
    member: str | None,
    dry_run: bool,
    quiet: bool,
    **training: Any,
) -> int:
    """Train RECIPE once for every combination of values; the same command again goes on.

    Each member is an ordinary run directory inside the sweep's folder, named like
    train-fraction=0.3,seed=1. grokviz recipes RECIPE lists the keys.
    """
    from grokviz.training.grid import read_grid
    from grokviz.training.sweep import plan, sweep

    settings: dict[str, object] = dict(parse_assignments(assignments))
    settings |= {} if epochs is None else {"epochs": epochs}
    values = read_grid(grid)
    if dry_run:
        _print_members(plan(recipe, values, out, seeds=seeds, settings=settings), member)
        return 0
    training["exact_path"] = training["exact_path"] == "on"
    with _progress(quiet) as (report, ended):
        result = sweep(
            recipe, values, out, seeds=seeds, settings=settings, member=member, **training,
            command=command_line(), report=report, ended=ended,
        )  # fmt: skip
    return _print_result(result, quiet)


def _print_members(plan: Plan, member: str | None) -> None:
    from grokviz.options import show

    shared = " ".join(f"{key}={show(value)}" for key, value in plan.settings.items())
    echo(f"{plan.path}: {len(plan.members)} members of {plan.recipe.name}, all with {shared}")
    for entry in plan.members if member is None else (plan.member(member),):
        values = " ".join(f"{key}={show(entry.settings[key])}" for key in plan.grid)
        echo(f"{entry.number:3d}  {values}")


def _print_result(result: SweepResult, quiet: bool) -> int:
    """Print the outcome of a sweep and return the exit status; raises :class:`WorkError`."""
    total, failed = len(result.results), result.failed
    finished = f"{len(result.finished)} of {total} members are finished"
    if result.sent and not quiet:
        echo(
            f"the workers cannot reach {result.path}: only the curves and the last checkpoint came "
            f"back, for {len(result.sent)} of {total} members",
            err=True,
        )
    if result.interrupted:
        echo(f"stopped: {finished}; the same command goes on from there", err=True)
        return 130
    if failed:
        reasons = dict.fromkeys(member.reason for member in failed)
        reason = next(iter(reasons)) if len(reasons) == 1 else "each reason is above"
        raise WorkError(
            f"{len(failed)} of {total} members failed ({reason}); the same command tries them again"
        )
    if not quiet:
        echo(f"{result.path}: {finished}")
    return 0


def _print_outcome(result: MemberResult) -> None:
    """Print a line for a finished member on standard output, for a failed one on standard error."""
    if result.state == "finished":
        from grokviz.runs import open_run

        counts = open_run(result.path).facts.get("counts", "epoch")
        echo(f"{result.path}: {counts} {result.epoch}")
    _print_failure(result)


def _print_failure(result: MemberResult) -> None:
    if result.state == "failed":
        echo(f"{result.path} failed: {result.reason}", err=True)


@contextlib.contextmanager
def _progress(
    quiet: bool,
) -> Iterator[tuple[MemberProgress | None, Callable[[MemberResult], None] | None]]:
    """Show progress: bars on a terminal, a line every ten seconds elsewhere.

    Yields the callbacks for a member's progress and for its end.
    """
    if quiet:
        yield None, _print_failure
    elif is_terminal():
        with _bars() as callbacks:
            yield callbacks
    else:
        log = ProgressLog()
        yield (
            lambda member, at: log.report(lambda: f"{member.name}  {_state_text(at)}"),
            _print_outcome,
        )


def _state_text(at: MemberState) -> str:
    return f"{at.counts} {at.epoch}/{at.epochs}  train {at.train_loss:.3g}"


@contextlib.contextmanager
def _bars() -> Iterator[tuple[MemberProgress, Callable[[MemberResult], None]]]:
    """Show a bar for each member in training."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[at]}")
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        tasks: dict[int, Any] = {}

        def report(member: Member, at: MemberState) -> None:
            if member.number not in tasks:
                tasks[member.number] = progress.add_task(member.name, total=at.epochs, at="")
            progress.update(tasks[member.number], completed=at.epoch, at=_state_text(at))

        def ended(result: MemberResult) -> None:
            if result.member.number in tasks:
                progress.remove_task(tasks.pop(result.member.number))
            _print_outcome(result)

        yield report, ended
