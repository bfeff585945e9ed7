"""``grokviz scenes``."""

from __future__ import annotations

import json

import click

from grokviz.cli.common import json_option, quiet_option


@click.command("scenes")
@json_option
@click.option("--no-user-scenes", is_flag=True, help="Leave out ./scenes and plugins.")
@quiet_option
def command(as_json: bool, no_user_scenes: bool, quiet: bool) -> None:
    """List what can be drawn, from which run, with which options."""
    from grokviz.render.listing import listing

    found = listing(user=not no_user_scenes)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for scene in found:
        click.echo(click.style(scene["name"], bold=True) + f"  {scene['title']}")
        if quiet:
            continue
        click.echo(f"    {scene['source']}")
        click.echo(
            f"    from {scene['reference'] or scene['recipe']}: {', '.join(scene['formats'])}"
        )
        for name, row in scene["options"].items():
            click.echo(f"    --set {name}={row['default']}  {row['help']} ({row['type']})")
