"""``grokviz scenes``."""

from __future__ import annotations

import json
from typing import Any

import click

from grokviz.cli.common import json_option, quiet_option, user_code_option
from grokviz.cli.completion import complete_scene


@click.command("scenes")
@click.argument("scene", required=False, shell_complete=complete_scene)
@json_option
@user_code_option
@quiet_option
def command(scene: str | None, as_json: bool, quiet: bool) -> None:
    """List what can be drawn, from which run, with which options; or SCENE alone."""
    from grokviz.render.listing import listing, scene_entry

    entries = listing() if scene is None else [scene_entry(scene)]
    if as_json:
        click.echo(json.dumps(entries if scene is None else entries[0], indent=2))
        return
    for entry in entries:
        _print_scene(entry, quiet)


def _print_scene(entry: dict[str, Any], quiet: bool) -> None:
    click.echo(click.style(entry["name"], bold=True) + f"  {entry['title']}")
    if quiet:
        return
    click.echo(f"    {entry['source']}")
    click.echo(f"    from {entry['reference'] or entry['recipe']}: {', '.join(entry['formats'])}")
    for name, row in entry["options"].items():
        click.echo(f"    --set {name}={row['default']}  {row['help']} ({row['type']})")
