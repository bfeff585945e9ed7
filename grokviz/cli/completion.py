"""``grokviz completion`` and the completions themselves, which run no file of the user's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, get_completion_class

from grokviz.media.formats import FORMATS
from grokviz.media.theme import PALETTES
from grokviz.media.venues import VENUES

_RUN_PATTERNS = ("*/run.json", "*/sweep.json", "*.nc")

if TYPE_CHECKING:
    Completions = list[CompletionItem[str]]


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

    shell_class = get_completion_class(shell)
    assert shell_class is not None
    click.echo(shell_class(cli, {}, "grokviz", "_GROKVIZ_COMPLETE").source(), nl=False)


def complete_scene(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Completions:
    """The package's own scenes; those in ``./scenes`` are known only when they are run."""
    from grokviz.scene.registry import scenes

    return _matches(scenes(user=False), incomplete)


def complete_scene_or_file(
    ctx: click.Context, parameter: click.Parameter, incomplete: str
) -> Completions:
    """The package's own scenes, or files if none matches."""
    return complete_scene(ctx, parameter, incomplete) or _files(incomplete)


def complete_format(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Completions:
    """Names of formats."""
    return _matches(FORMATS, incomplete)


def complete_venue(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Completions:
    """Names of venues, or files if none matches: a venue of the user's own is a file."""
    return _matches(VENUES, incomplete) or _files(incomplete)


def complete_theme(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Completions:
    """Names of themes."""
    return _matches(["auto", *PALETTES], incomplete)


def complete_recipe(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Completions:
    """The package's own recipes."""
    from grokviz import plugins, task

    with plugins.user_code(False):
        return _matches(task.recipes(), incomplete)


def complete_run(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Completions:
    """Bundled references and local runs, or files if no reference matches."""
    from grokviz.dataset.references.reference import references

    bundled = _matches(references(), incomplete)
    # not together with _files, for which bash would drop the names
    return [*bundled, *_matches(_local_runs(), incomplete)] if bundled else _files(incomplete)


def complete_file(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Completions:
    """Files, as the shell completes them."""
    return _files(incomplete)


def _matches(names: Iterable[str], incomplete: str) -> Completions:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _local_runs() -> list[str]:
    """Runs, sweeps and datasets in the current folder and in ``runs``, the default of training."""
    patterns = (folder + pattern for folder in ("", "runs/") for pattern in _RUN_PATTERNS)
    files = (file for pattern in patterns for file in Path().glob(pattern))
    names = {(file.parent if file.suffix == ".json" else file).as_posix() for file in files}
    # a shell takes a line break for the end of a name, and a terminal other controls for commands
    return sorted(name for name in names if name.isprintable())


def _files(incomplete: str) -> Completions:
    return [CompletionItem(incomplete, type="file")]
