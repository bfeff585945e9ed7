"""``grokviz completion``, and what is offered when Tab is pressed: no file of the user's is run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, get_completion_class

from grokviz.media.formats import FORMATS

_RUNS = ("*/run.json", "*/sweep.json", "*.nc")

if TYPE_CHECKING:
    Items = list[CompletionItem[str]]


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print a script that makes SHELL complete commands, options and names on Tab.

    \b
    In ~/.bashrc:                  eval "$(grokviz completion bash)"
    In ~/.zshrc:                   eval "$(grokviz completion zsh)"
    In ~/.config/fish/config.fish: grokviz completion fish | source
    """
    from grokviz.cli import cli

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, "grokviz", "_GROKVIZ_COMPLETE").source(), nl=False)


def complete_scene(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """The package's own scenes; those of ``./scenes`` would have to be run to be known."""
    from grokviz.scene.registry import scenes

    return _starting(scenes(user=False), incomplete)


def complete_scene_or_file(
    ctx: click.Context, parameter: click.Parameter, incomplete: str
) -> Items:
    """The package's own scenes, and files where none begins so."""
    return complete_scene(ctx, parameter, incomplete) or _files(incomplete)


def complete_format(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Every format by its name."""
    return _starting(FORMATS, incomplete)


def complete_recipe(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """The package's own recipes."""
    from grokviz import plugins, task

    with plugins.user_code(False):
        return _starting(task.recipes(), incomplete)


def complete_run(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Bundled references and the runs that lie here, and files where no reference begins so."""
    from grokviz.dataset.references.reference import references

    bundled = _starting(references(), incomplete)
    # one by one: bash drops the names before a word for which it is to offer files
    return [*bundled, *_starting(_own_runs(), incomplete)] if bundled else _files(incomplete)


def complete_file(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Files, as the shell completes them."""
    return _files(incomplete)


def _starting(names: Iterable[str], incomplete: str) -> Items:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _own_runs() -> list[str]:
    """Runs, sweeps and datasets in this folder and in ``runs``, where training puts them."""
    patterns = (f"{folder}{of}" for folder in ("", "runs/") for of in _RUNS)
    files = (file for pattern in patterns for file in Path().glob(pattern))
    paths = {file.parent if file.suffix == ".json" else file for file in files}
    return sorted(path.as_posix() for path in paths)


def _files(incomplete: str) -> Items:
    return [CompletionItem(incomplete, type="file")]
