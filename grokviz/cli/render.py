"""``grokviz render SCENE``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from grokviz.cli import startup
from grokviz.cli.common import (
    command_line,
    echo_path,
    parse_assignments,
    progress_bar,
    quiet_option,
    run_option,
    set_option,
    user_code_option,
)
from grokviz.cli.completion import (
    complete_file,
    complete_format,
    complete_scene,
    complete_theme,
    complete_venue,
)
from grokviz.cli.output import echo
from grokviz.media.formats import FORMATS
from grokviz.render.quality import DURATION


def _format_help() -> str:
    """Help that lists the formats, and the suffixes that pictures and films share."""
    kinds = FORMATS.values()
    pictures = " ".join(kind.name for kind in kinds if kind.still)
    films = " ".join(kind.name for kind in kinds if kind.film)
    others = " ".join(kind.name for kind in kinds if not (kind.still or kind.film))
    shared = " or ".join(suffix for kind in kinds for suffix in kind.also)
    return (
        f"Pictures: {pictures}. Films: {films}. Also {others}. A film is called {shared}, as a "
        "picture is, only where its format is named here."
    )


@click.command("render")
@click.argument("scenes", metavar="[SCENE]...", nargs=-1, shell_complete=complete_scene)
@run_option
@click.option(
    "-o",
    "--output",
    multiple=True,
    shell_complete=complete_file,
    help="File; its suffix says the format. Repeatable.",
)
@click.option(
    "--format", "formats", multiple=True, shell_complete=complete_format, help=_format_help()
)
@click.option(
    "--quality", type=click.Choice(["l", "m", "h", "k"]), help="480p15 720p30 1080p60 4k60."
)
@click.option("--fps", type=float, help="Frames a second of a film.")
@click.option("--duration", type=float, default=DURATION, help=f"Seconds of a film [{DURATION:g}].")
@click.option("--hold", type=float, help="Seconds of these its end stays [2, at most a quarter].")
@click.option(
    "--epoch",
    help="Of a still: N, last, grok, grok-N, grok+N [the most telling]; of a manim film also "
    "12.5s or a section.",
)
@click.option("--epochs", metavar="A:B:STEP", help="Of a film: which checkpoints.")
@click.option(
    "--theme", default="auto", show_default=True, shell_complete=complete_theme,
    help="light or dark; auto: films and pages dark, pictures light.",
)  # fmt: skip
@click.option("--style", type=click.Path(path_type=Path), help="Your own .mplstyle, merged last.")
@click.option(
    "--venue",
    shell_complete=complete_venue,
    help="neurips icml acl ieee acm nature beamer ... (all on Tab), slide, or your own FILE.toml.",
)
@click.option("--columns", type=int, default=2, show_default=True, help="Of the venue: 1 or 2.")
@click.option("--title", help="Another title, or none.")
@click.option("--transparent", is_flag=True, help="No background.")
@click.option(
    "--ghost/--no-ghost", default=None, help="Draw what is to come faintly; stills do, films not."
)
@click.option("--max-size", type=float, metavar="MB", help="Lower the film's quality to fit.")
@click.option(
    "--sections", is_flag=True, help="A file for each chapter, where a film has chapters."
)
@click.option(
    "--sound", is_flag=True, help="Of a film: the sound that its scene makes of the data, if any."
)
@set_option
@click.option("-j", "--jobs", type=int, default=1, help="Files drawn at the same time.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say what would be made, and how large it usually is.",
)
@user_code_option
@quiet_option
def command(
    scenes: tuple[str, ...],
    run: tuple[str, ...],
    jobs: int,
    dry_run: bool,
    quiet: bool,
    **parameters: Any,
) -> None:
    """Draw SCENE: a still, or a film through training.

    Of several scenes, those with -o are the lettered panels of one figure, and options are
    set by panel or scene: --set b.time=log. grokviz scenes lists the scenes and their options.
    Of two --run, both are drawn side by side. Without SCENE, those that --run has the data for
    are listed.
    """
    startup.spare_imports(draws=True)
    from grokviz.render.job import render_options
    from grokviz.render.render import data_of, perform_all, plan_all

    if not scenes:
        _list(run)
        return
    settings = parse_assignments(parameters.pop("assignments"))
    output, formats = list(parameters.pop("output")), parameters.pop("formats")
    options = render_options({**parameters, "command": command_line()})
    figures = plan_all(scenes, settings, output, formats, options, len(run))
    for scene, scene_jobs in figures:
        if dry_run:
            for job in scene_jobs:
                echo(job.line())
            continue
        with progress_bar(quiet, "analysing") as report:
            data = data_of(scene, run, options.epoch, report)
        with progress_bar(quiet, "drawing") as report:
            for path in perform_all(scene_jobs, data, jobs=jobs, report=report):
                if not quiet:
                    echo_path(path)


def _list(runs: tuple[str, ...]) -> None:
    """Print the scenes that a run has the data for, and what each draws."""
    from grokviz.errors import InputError
    from grokviz.render.figures import drawable
    from grokviz.render.listing import summary

    if len(runs) != 1:
        raise InputError(
            "name a SCENE to draw (grokviz scenes lists them), or give one --run to see what it "
            "has the data for"
        )
    named = drawable(runs[0])
    for name, scene in named.items():
        echo(f"{name:{max(map(len, named))}}  {summary(scene)}")
