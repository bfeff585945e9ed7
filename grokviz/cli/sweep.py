"""``grokviz sweep RECIPE``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grokviz.cli.common import (
    Lines,
    assigned,
    command_line,
    on_terminal,
    quiet_option,
    set_option,
    user_code_option,
)
from grokviz.cli.completion import complete_recipe
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
    help="Exact structural short cuts, or the plain model.",
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
    **how: Any,
) -> int:
    """Train RECIPE once for every combination of values; the same command again goes on.

    Each member is an ordinary run directory inside the sweep's folder, named like
    train-fraction=0.3,seed=1. grokviz recipes RECIPE lists the keys.
    """
    from grokviz.training.grid import read_grid
    from grokviz.training.sweep import plan, sweep

    settings: dict[str, object] = dict(assigned(assignments))
    settings |= {} if epochs is None else {"epochs": epochs}
    values = read_grid(grid)
    if dry_run:
        _list(plan(recipe, values, out, seeds=seeds, settings=settings), member)
        return 0
    how["exact_path"] = how["exact_path"] == "on"
    with _shown(quiet) as (report, ended):
        done = sweep(
            recipe, values, out, seeds=seeds, settings=settings, member=member, **how,
            command=command_line(), report=report, ended=ended,
        )  # fmt: skip
    return _exit_status(done, quiet)


def _list(plan: Plan, member: str | None) -> None:
    from grokviz.options import show

    shared = " ".join(f"{key}={show(value)}" for key, value in plan.settings.items())
    click.echo(f"{plan.path}: {len(plan.members)} members of {plan.recipe.name}, all with {shared}")
    for one in plan.members if member is None else (plan.member(member),):
        differing = " ".join(f"{key}={show(one.settings[key])}" for key in plan.grid)
        click.echo(f"{one.number:3d}  {differing}")


def _exit_status(done: SweepResult, quiet: bool) -> int:
    """Print how a sweep ended; its exit status."""
    total, failed = len(done.results), done.failed
    finished = f"{len(done.finished)} of {total} members are finished"
    if done.sent and not quiet:
        click.echo(
            f"{done.path} is not seen by the workers: of {len(done.sent)} members the curves and "
            "the last checkpoint came back",
            err=True,
        )
    if done.interrupted:
        click.echo(f"stopped: {finished}; the same command goes on from there", err=True)
        return 130
    if failed:
        reasons = dict.fromkeys(result.reason for result in failed)
        reason = next(iter(reasons)) if len(reasons) == 1 else "each reason is above"
        raise WorkError(
            f"{len(failed)} of {total} members failed ({reason}); the same command tries them again"
        )
    if not quiet:
        click.echo(f"{done.path}: {finished}")
    return 0


def _outcome(result: MemberResult) -> None:
    """A line for each member that ended, on standard error where it failed."""
    if result.state == "finished":
        from grokviz.runs import open_run

        counts = open_run(result.path).facts.get("counts", "epoch")
        click.echo(f"{result.path}: {counts} {result.epoch}")
    _failure(result)


def _failure(result: MemberResult) -> None:
    if result.state == "failed":
        click.echo(f"{result.path} failed: {result.reason}", err=True)


@contextlib.contextmanager
def _shown(
    quiet: bool,
) -> Iterator[tuple[MemberProgress | None, Callable[[MemberResult], None] | None]]:
    """How progress is shown: bars on a terminal, a line every ten seconds elsewhere."""
    if quiet:
        yield None, _failure
    elif on_terminal():
        with _bars() as shown:
            yield shown
    else:
        lines = Lines()
        yield lambda member, at: lines.tell(lambda: f"{member.name}  {_line(at)}"), _outcome


def _line(at: MemberState) -> str:
    return f"{at.counts} {at.epoch}/{at.epochs}  train {at.train_loss:.3g}"


@contextlib.contextmanager
def _bars() -> Iterator[tuple[MemberProgress, Callable[[MemberResult], None]]]:
    """A bar for each member that is being trained."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[at]}")
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        tasks: dict[int, Any] = {}

        def report(member: Member, at: MemberState) -> None:
            if member.number not in tasks:
                tasks[member.number] = progress.add_task(member.name, total=at.epochs, at="")
            progress.update(tasks[member.number], completed=at.epoch, at=_line(at))

        def ended(result: MemberResult) -> None:
            if result.member.number in tasks:
                progress.remove_task(tasks.pop(result.member.number))
            _outcome(result)

        yield report, ended
