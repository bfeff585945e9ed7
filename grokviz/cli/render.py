"""``grokviz render SCENE``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grokviz.cli.common import (
    assigned,
    command_line,
    frame_progress,
    quiet_option,
    run_option,
    set_option,
    user_code_option,
)
from grokviz.cli.completion import complete_file, complete_scene

if TYPE_CHECKING:
    from grokviz.render.job import RenderJob
    from grokviz.scene.scene import Scene


@click.command("render")
@click.argument("scene", shell_complete=complete_scene)
@run_option
@click.option(
    "-o",
    "--output",
    multiple=True,
    shell_complete=complete_file,
    help="File; its suffix says the format. Repeatable.",
)
@click.option(
    "--format", "formats", multiple=True, help="png svg pdf mp4 webm mov gif webp apng ..."
)
@click.option(
    "--quality", type=click.Choice(["l", "m", "h", "k"]), help="480p15 720p30 1080p60 4k60."
)
@click.option("--fps", type=float, help="Frames a second of a film.")
@click.option("--duration", type=float, default=16, help="Seconds of a film.", show_default=True)
@click.option("--hold", type=float, default=2, help="Seconds its end stays.", show_default=True)
@click.option(
    "--epoch",
    help="Of a still: N, last, grok, grok-N, grok+N [last]; of a manim film 12.5s or a section.",
)
@click.option("--epochs", metavar="A:B:STEP", help="Of a film: which checkpoints.")
@click.option("--theme", default="light", show_default=True, help="light or dark.")
@click.option("--style", type=click.Path(path_type=Path), help="Your own .mplstyle, merged last.")
@click.option("--venue", help="neurips icml iclr tmlr acl cvpr nature ... or slide.")
@click.option("--columns", type=int, default=2, show_default=True, help="Of the venue: 1 or 2.")
@click.option("--title", help="Another title, or none.")
@click.option("--transparent", is_flag=True, help="No background.")
@click.option("--max-size", type=float, metavar="MB", help="Lower the film's quality to fit.")
@click.option(
    "--sections", is_flag=True, help="A file for each chapter, where a film has chapters."
)
@set_option
@click.option("-j", "--jobs", type=int, default=1, help="Files drawn at the same time.")
@click.option("--dry-run", is_flag=True, help="Say what would be made.")
@user_code_option
@quiet_option
def command(
    scene: str,
    run: tuple[str, ...],
    jobs: int,
    dry_run: bool,
    quiet: bool,
    **more: Any,
) -> None:
    """Draw SCENE: a still, or a film through training.

    grokviz scenes lists the scenes and their own options (--set).
    """
    from grokviz.dataset.references.reference import load
    from grokviz.render.render import perform_all
    from grokviz.scene.registry import scene as find_scene

    options = assigned(more.pop("assignments"))
    instance = find_scene(scene).with_options(options)
    work = _plan(instance, more)
    if dry_run:
        for job in work:
            click.echo(job.line())
        return
    with frame_progress(quiet, "analysing") as report:
        data = load(run, instance.needs, default=instance.reference, report=report)
    with frame_progress(quiet, "drawing") as report:
        for path in perform_all(work, data, jobs=jobs, report=report):
            if not quiet:
                click.echo(path)


def _plan(scene: Scene, more: dict[str, Any]) -> list[RenderJob]:
    """The files that are asked for."""
    from grokviz.render.job import render_options
    from grokviz.render.plan import plan

    output, formats = more.pop("output"), more.pop("formats")
    return plan(scene, list(output), formats, render_options({**more, "command": command_line()}))
