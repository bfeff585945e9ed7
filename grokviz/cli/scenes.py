"""``grokviz scenes``."""

from __future__ import annotations

import json

import click

from grokviz.cli.common import json_option, quiet_option, user_code_option


@click.command("scenes")
@json_option
@user_code_option
@quiet_option
def command(as_json: bool, quiet: bool) -> None:
    """List what can be drawn, from which run, with which options."""
    from grokviz.render.listing import listing

    found = listing()
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
