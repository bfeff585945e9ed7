"""``grokviz train RECIPE``."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

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
from grokviz.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from grokviz.training.loop import Progress


@click.command("train")
@click.argument("recipe", shell_complete=complete_recipe)
@click.option("--out", type=click.Path(path_type=Path), help="Run directory [runs/RECIPE].")
@set_option
@click.option("--epochs", type=int, help="The same as --set epochs=N.")
@click.option("--checkpoint-every", metavar="SCHEDULE", help="100, or 100,25@4000:14000.")
@click.option("--seed", type=int, help="The same as --set seed=N.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto")
@click.option(
    "--exact-path",
    type=click.Choice(["on", "off"]),
    default="on",
    help="Exact structural short cuts, or the plain model.",
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
            raise  # no extra mends it
        raise MissingExtra("training", "train") from error

    settings: dict[str, object] = dict(assigned(assignments))
    shorthand = {"epochs": epochs, "checkpoint-every": checkpoint_every, "seed": seed}
    settings |= {key: value for key, value in shorthand.items() if value is not None}
    with _progress(quiet) as report:
        outcome = train(
            recipe,
            out,
            settings=settings,
            device=device,
            exact_path=exact_path == "on",
            command=command_line(),
            report=report,
        )
    if outcome.interrupted:
        click.echo(
            f"stopped at {outcome.counts} {outcome.epoch}; the same command goes on from there",
            err=True,
        )
        return 130
    if not quiet:
        click.echo(f"{outcome.path}: {outcome.counts} {outcome.epoch}")
    return 0


def _progress(quiet: bool) -> AbstractContextManager[Callable[[Progress], None] | None]:
    from contextlib import nullcontext

    if quiet:
        return nullcontext()
    if on_terminal():
        return _bar()
    lines = Lines()
    return nullcontext(lambda at: lines.tell(lambda: _line(at), anyhow=at.epoch == at.epochs))


def _line(progress: Progress) -> str:
    if not progress.epochs_per_second:
        return _losses(progress)
    return f"{_losses(progress)}  {_speed(progress)}  {progress.seconds_left:.0f} s left"


def _speed(progress: Progress) -> str:
    return f"{progress.epochs_per_second:.0f} {progress.counts}s/s"


def _losses(progress: Progress) -> str:
    at = f"{progress.counts} {progress.epoch}/{progress.epochs}  train {progress.train_loss:.3g}"
    # fresh data has no test loss of its own
    return at if isnan(progress.test_loss) else f"{at}  test {progress.test_loss:.3g}"


def _bar() -> AbstractContextManager[Callable[[Progress], None]]:
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    @contextmanager
    def shown():  # type: ignore[no-untyped-def]
        columns = BarColumn(), TextColumn("{task.fields[losses]}"), TimeRemainingColumn()
        with Bar(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("train", total=None, losses="")

            def report(progress: Progress) -> None:
                bar.update(
                    task,
                    total=progress.epochs,
                    completed=progress.epoch,
                    losses=f"{_losses(progress)}  {_speed(progress)}",
                )

            yield report

    return shown()
