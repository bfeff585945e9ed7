"""``grokviz figures``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grokviz.cli import startup
from grokviz.cli.common import (
    command_line,
    is_terminal,
    print_progress,
    progress_bar,
    quiet_option,
    skipping_other_tasks,
    user_code_option,
)
from grokviz.cli.completion import complete_run, complete_theme, complete_venue
from grokviz.cli.output import echo

if TYPE_CHECKING:
    from grokviz.render.figures import FigureProgress


@click.command("figures")
@click.option(
    "--run",
    "runs",
    multiple=True,
    shell_complete=complete_run,
    help="Run or reference [every bundled one].",
)
@click.option(
    "--venue",
    shell_complete=complete_venue,
    help="Stills at this venue's width (or a FILE.toml's), and the paper's by number.",
)
@click.option("--columns", type=int, default=2, show_default=True, help="Of the venue: 1 or 2.")
@click.option(
    "--theme", default="auto", show_default=True, shell_complete=complete_theme,
    help="light or dark; auto: films and pages dark, pictures light.",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), default=Path("figures"), show_default=True)
@click.option("--films/--no-films", default=True, help="MP4 720p30 of every scene that moves.")
@click.option("-j", "--jobs", type=int, help="Worker processes [one a core].")
@user_code_option
@quiet_option
def command(
    runs: tuple[str, ...],
    out: Path,
    jobs: int | None,
    quiet: bool,
    **parameters: Any,
) -> None:
    """Draw every still (PDF, PNG) and data film (MP4 720p30)."""
    startup.spare_imports(draws=True)
    from grokviz.render.figures import figures

    parameters["command"] = command_line()
    with skipping_other_tasks(quiet) as skipped, _progress(quiet) as report:
        written = figures(runs, out, jobs=jobs, report=report, skipped=skipped, **parameters)
    for path in written if not quiet else ():
        echo(path)


@contextlib.contextmanager
def _progress(quiet: bool) -> Iterator[FigureProgress | None]:
    """Show progress, picture by picture: a bar on a terminal, lines elsewhere."""
    if is_terminal():
        with progress_bar(quiet, "drawing") as bar:
            yield (lambda name, done, total: bar(done, total)) if bar else None
    else:
        yield None if quiet else print_progress
