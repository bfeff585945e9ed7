"""``grokviz scenes``."""

from __future__ import annotations

from typing import Any

import click

from grokviz.cli.common import json_option, quiet_option, user_code_option
from grokviz.cli.completion import complete_scene
from grokviz.cli.output import echo, echo_json, echo_styled


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
        echo_json(entries if scene is None else entries[0])
        return
    for entry in entries:
        _print_scene(entry, quiet)


def _print_scene(entry: dict[str, Any], quiet: bool) -> None:
    echo_styled(entry["name"], f"  {entry['title']}", bold=True)
    if quiet:
        return
    echo(f"    {entry['source']}")
    echo(f"    from {entry['reference'] or entry['recipe']}: {', '.join(entry['formats'])}")
    for name, row in entry["options"].items():
        echo(f"    --set {name}={row['default']}  {row['help']} ({row['type']})")
