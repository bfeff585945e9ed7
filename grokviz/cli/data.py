"""``grokviz data SCENE``."""

from __future__ import annotations

from pathlib import Path

import click

from grokviz.cli import startup
from grokviz.cli.common import progress_bar, quiet_option, run_option, user_code_option
from grokviz.cli.completion import complete_scene
from grokviz.cli.output import echo


@click.command("data")
@click.argument("scene", shell_complete=complete_scene)
@run_option
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help=".csv or .nc")
@user_code_option
@quiet_option
def command(scene: str, run: tuple[str, ...], output: Path, quiet: bool) -> None:
    """Write what SCENE draws as numbers."""
    startup.spare_imports(draws=False)
    from grokviz.dataset.references.reference import load
    from grokviz.dataset.tables import write_data
    from grokviz.files import check_writable
    from grokviz.scene.registry import scene as find

    scene_class = find(scene)
    check_writable(output)
    with progress_bar(quiet, "analysing") as report:
        data = load(run, scene_class.needs, default=scene_class.reference, report=report)
    write_data(data, scene_class.needs, output)
    if not quiet:
        echo(output)
