"""``grokviz import FILE``."""

from __future__ import annotations

from pathlib import Path

import click

from grokviz import plugins
from grokviz.cli.common import (
    command_line,
    parse_assignments,
    progress_bar,
    quiet_option,
    set_option,
)
from grokviz.cli.output import echo


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Run directory [runs/FILE].")
@set_option
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="THEIRS=OURS",
    help="Another name for a tensor; after THEIRS ^T transposes it, /4 cuts it into 4 heads.",
)
@click.option(
    "--only", multiple=True, metavar="PATTERN", help="Keep these tensors alone, as '*.attention.*'."
)
@click.option(
    "--importer",
    type=click.Path(path_type=Path),
    metavar="FILE.py",
    help="Your own importer; it is run, and asked first.",
)
@click.option(
    "--no-user-code", is_flag=True, help="Leave out plug-ins; what --importer names is run."
)
@quiet_option
def command(
    file: Path,
    out: Path | None,
    assignments: tuple[str, ...],
    maps: tuple[str, ...],
    only: tuple[str, ...],
    importer: Path | None,
    no_user_code: bool,
    quiet: bool,
) -> None:
    """Make a run directory of FILE: a model, its curves, a folder of checkpoints, hf://OWNER/NAME.

    What the file does not say is given with --set, by the recipe's keys (split-seed,
    train-fraction ...), task, epoch, test-every or layout. Nothing in a file is ever run.
    """
    from grokviz.importers.importing import import_run

    user_code = plugins.user_code(not no_user_code)
    with user_code, progress_bar(quiet, "importing checkpoint") as report:
        result = import_run(
            file,
            out,
            settings=parse_assignments(assignments),
            maps=maps,
            only=only,
            importer=importer,
            command=command_line(),
            report=report,
        )
    if quiet:
        return
    for path in result.runs:
        echo(path)
    echo(f"  read as {result.kind}", err=True)
    for belief in result.beliefs:
        echo(f"  believed {belief}", err=True)
    if result.missing:
        echo(
            f"  not known {', '.join(result.missing)}: losses on train and test need them; "
            f"import again with --set {result.missing[0]}=VALUE",
            err=True,
        )
