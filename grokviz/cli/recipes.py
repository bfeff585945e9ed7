"""``grokviz recipes``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from grokviz.cli.common import json_option, quiet_option, user_code_option
from grokviz.cli.completion import complete_recipe
from grokviz.cli.output import echo, echo_json, echo_styled

if TYPE_CHECKING:
    from grokviz.task import Recipe


@click.command("recipes")
@click.argument("recipe", required=False, shell_complete=complete_recipe)
@json_option
@user_code_option
@quiet_option
def command(recipe: str | None, as_json: bool, quiet: bool) -> None:
    """List what can be trained, its source and its expected cost; of RECIPE, its keys, too."""
    from grokviz import task

    entries = list(task.recipes().values()) if recipe is None else [task.recipe(recipe)]
    if as_json:
        described = [entry.describe() for entry in entries]
        echo_json(described if recipe is None else described[0])
        return
    for entry in entries:
        _print_recipe(entry, quiet)
    if recipe is not None:
        _print_keys(entries[0])
    elif not quiet:
        echo("grokviz recipes RECIPE lists the keys of one.")


def _print_recipe(recipe: Recipe, quiet: bool) -> None:
    echo_styled(recipe.name, f"  {recipe.title}", bold=True)
    if not quiet:
        sibling = f"; a smaller sibling of {recipe.sibling_of}" if recipe.sibling_of else ""
        echo(f"    {recipe.source}{sibling}")
        echo(f"    {recipe.cost}")


def _print_keys(recipe: Recipe) -> None:
    from grokviz.options import show

    for key in recipe.keys.values():
        allowed = f"{key.help} ({key.kind.allowed})"
        echo(f"    --set {key.key}={show(key.default)}  {allowed}")
