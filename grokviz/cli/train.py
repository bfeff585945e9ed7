"""``grokviz train RECIPE``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

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
from grokviz.errors import MissingExtra

if TYPE_CHECKING:
    from grokviz.training.loop import Progress


@click.command("train")
@click.argument("recipe", shell_complete=complete_recipe)
@click.option("--out", type=click.Path(path_type=Path), help="Run directory [runs/RECIPE].")
@set_option
@click.option("--epochs", type=int, help="The same as --set epochs=N.")
@click.option(
    "--checkpoint-every", metavar="SCHEDULE", help="100, 100,25@4000:14000, [1,2,5], or log."
)
@click.option("--seed", type=int, help="The same as --set seed=N.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto")
@click.option(
    "--exact-path",
    type=click.Choice(["on", "off"]),
    default="on",
    help="Exact structural short cuts, or the plain model; either does every optimiser and loss.",
)
@user_code_option
@quiet_option
def command(
    recipe: str,
    out: Path | None,
    assignments: tuple[str, ...],
    epochs: int | None,
    checkpoint_every: str | None,
    seed: int | None,
    device: str,
    exact_path: str,
    quiet: bool,
) -> int:
    """Train RECIPE and keep its whole trajectory; the same command again goes on.

    grokviz recipes lists the recipes, and grokviz recipes RECIPE its keys.
    """
    try:
        from grokviz.training.loop import train
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "torch":
            raise  # no extra would install it
        raise MissingExtra("training", "train") from error

    settings: dict[str, object] = dict(parse_assignments(assignments))
    shorthand = {"epochs": epochs, "checkpoint-every": checkpoint_every, "seed": seed}
    settings |= {key: value for key, value in shorthand.items() if value is not None}
    with _progress(quiet) as report:
        result = train(
            recipe,
            out,
            settings=settings,
            device=device,
            exact_path=exact_path == "on",
            command=command_line(),
            report=report,
        )
    if result.interrupted:
        echo(
            f"stopped at {result.counts} {result.epoch}; the same command goes on from there",
            err=True,
        )
        return 130
    if not quiet:
        echo(f"{result.path}: {result.counts} {result.epoch}")
    return 0


@contextlib.contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    """Show progress: a bar on a terminal, a line every ten seconds elsewhere."""
    if quiet:
        yield None
    elif is_terminal():
        with _bar() as callback:
            yield callback
    else:
        log = ProgressLog()
        yield lambda at: log.report(lambda: _state_text(at), force=at.epoch == at.epochs)


def _state_text(progress: Progress) -> str:
    if not progress.epochs_per_second:
        return _loss_text(progress)
    return f"{_loss_text(progress)}  {_speed_text(progress)}  {progress.seconds_left:.0f} s left"


def _speed_text(progress: Progress) -> str:
    return f"{progress.epochs_per_second:.0f} {progress.counts}s/s"


def _loss_text(progress: Progress) -> str:
    at = f"{progress.counts} {progress.epoch}/{progress.epochs}  train {progress.train_loss:.3g}"
    # fresh data has no test loss of its own
    return at if isnan(progress.test_loss) else f"{at}  test {progress.test_loss:.3g}"


@contextlib.contextmanager
def _bar() -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = BarColumn(), TextColumn("{task.fields[losses]}"), TimeRemainingColumn()
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("train", total=None, losses="")

        def report(progress: Progress) -> None:
            bar.update(
                task,
                total=progress.epochs,
                completed=progress.epoch,
                losses=f"{_loss_text(progress)}  {_speed_text(progress)}",
            )

        yield report
