"""``grokviz recipes``."""

from __future__ import annotations

import json

import click

from grokviz.cli.common import json_option, quiet_option, user_code_option


@click.command("recipes")
@json_option
@user_code_option
@quiet_option
def command(as_json: bool, quiet: bool) -> None:
    """List what can be trained: keys, defaults, source, expected cost."""
    from grokviz.options import show
    from grokviz.task import recipes

    if as_json:
        click.echo(json.dumps([recipe.describe() for recipe in recipes().values()], indent=2))
        return
    for recipe in recipes().values():
        click.echo(click.style(recipe.name, bold=True) + f"  {recipe.title}")
        if quiet:
            continue
        click.echo(f"    {recipe.source}")
        click.echo(f"    {recipe.cost}")
        for key in recipe.keys.values():
            allowed = f"{key.help} ({key.kind.allowed})"
            click.echo(f"    --set {key.key}={show(key.default)}  {allowed}")
