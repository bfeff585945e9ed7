"""``grokviz explore RUN [RUN]``."""

from __future__ import annotations

from pathlib import Path

import click

from grokviz.cli import startup
from grokviz.cli.common import command_line, progress_bar, quiet_option, user_code_option
from grokviz.cli.completion import complete_run
from grokviz.cli.output import echo


@click.command("explore")
@click.argument("runs", nargs=-1, metavar="[RUN [RUN]]", shell_complete=complete_run)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Page [./RUN.html].")
@click.option(
    "--theme", default="dark", show_default=True, help="light, dark, or auto: the reader's."
)
@user_code_option
@quiet_option
def command(runs: tuple[str, ...], output: Path | None, theme: str, quiet: bool) -> None:
    """Write RUN as one offline page with a slider through its training; of two, beside one another.

    RUN is a run directory, the folder of a sweep, a .nc file or a bundled reference;
    [modular-addition] without one.
    """
    startup.spare_imports(draws=False)
    from grokviz.explorer import explore

    if len(runs) > 2:
        raise click.UsageError(f"a page shows one run or two, not {len(runs)}")
    run, beside = (*runs, None, None)[:2]
    with progress_bar(quiet, "analysing") as report:
        path = explore(
            run, output, beside=beside, theme=theme, command=command_line(), report=report
        )
    if not quiet:
        echo(path)
