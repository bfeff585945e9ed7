"""``grokviz slides``."""

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
    skip_callback,
    user_code_option,
)
from grokviz.cli.completion import complete_file, complete_run, complete_scene_or_file
from grokviz.cli.output import echo
from grokviz.media.plain import clean_line

if TYPE_CHECKING:
    from grokviz.slides.options import SlideProgress


@click.command("slides")
@click.argument("scenes", nargs=-1, metavar="[SCENE]...", shell_complete=complete_scene_or_file)
@click.option(
    "-o",
    "--output",
    multiple=True,
    shell_complete=complete_file,
    help="FILE.html or FILE.pptx; repeatable. [talk.html]",
)
@click.option(
    "--run",
    shell_complete=complete_run,
    help="Run directory, .nc file or bundled reference [each scene's own].",
)
@click.option(
    "--quality",
    type=click.Choice(["l", "m", "h", "k"]),
    default="m",
    show_default=True,
    help="Of the films: 480p15 720p30 1080p60 4k60.",
)
@click.option("--theme", default="dark", show_default=True, help="light or dark.")
@click.option("--title", default="", help="Of the talk; a title slide begins it then.")
@click.option(
    "--films",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Keep the films here, and take from here what would come out the same.",
)
@click.option(
    "--loop/--no-loop",
    default=None,
    help="Films go round, or stop at their end. [as the scene says]",
)
@click.option("-j", "--jobs", type=int, default=1, help="Films drawn at the same time.")
@click.option("--dry-run", is_flag=True, help="Say what would be on the slides.")
@user_code_option
@quiet_option
def command(
    scenes: tuple[str, ...],
    output: tuple[str, ...],
    dry_run: bool,
    quiet: bool,
    **parameters: Any,
) -> None:
    """Make a talk: a slide for each SCENE, its film embedded and starting by itself.

    SCENE is a name, or a film or picture (.mp4, .png) that grokviz has written. Without one,
    the slides tell the story of the thread in its order.
    """
    startup.spare_imports(draws=True)
    from grokviz.slides import plan, slides

    skipped = skip_callback(quiet)
    files = list(output) or ["talk.html"]
    parameters["command"] = command_line()
    if dry_run:
        _, sources = plan(scenes, files, skipped=skipped, **parameters)
        for source in sources:
            echo(source.line())
        return
    with _progress(quiet) as (report, frames):
        written = slides(scenes, files, report=report, frames=frames, skipped=skipped, **parameters)
    for path in written if not quiet else ():
        echo(path)


@contextlib.contextmanager
def _progress(quiet: bool) -> Iterator[tuple[SlideProgress | None, SlideProgress | None]]:
    """Show progress: a bar on a terminal, lines elsewhere.

    Yields the callbacks for each film and for each frame.
    """
    if quiet:
        yield None, None
    elif is_terminal():
        from rich.console import Console
        from rich.markup import escape
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("drawing", total=None)
            yield (
                None,
                lambda name, done, total: bar.update(
                    task, description=escape(clean_line(name)), completed=done, total=total
                ),
            )
    else:
        with progress_bar(quiet, "drawing") as line:
            yield (
                print_progress,
                lambda name, done, total: line(done, total) if line else None,
            )
