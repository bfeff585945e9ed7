"""Reference pages, generated from the package."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import click

import grokviz
from grokviz import task
from grokviz.cli import COMMANDS, cli
from grokviz.dataset import schema
from grokviz.media.formats import FORMATS
from grokviz.options import show
from website.gallery import escape

WIDTH = 92
"""Width of click's help on a page, in columns."""


def command_line() -> str:
    """The page of all commands with click's help."""
    lines = [
        "# The command line",
        "",
        "Each command's own `--help`. Errors are one sentence that names the input and the "
        "remedy, with exit status 2 for wrong input and 1 for work that failed; nothing is left "
        "half-written, and Ctrl-C leaves everything so that the same command goes on.",
    ]
    parent = click.Context(cli, info_name="grokviz")
    for name in COMMANDS:
        command = cli.get_command(parent, name)
        assert command is not None
        context = click.Context(
            command, info_name=name, parent=parent, terminal_width=WIDTH, max_content_width=WIDTH
        )
        lines += ["", f"## grokviz {name}", "", "```text", command.get_help(context), "```"]
    return "\n".join(lines) + "\n"


def formats() -> str:
    """The page of all file formats with their properties."""
    lines = [
        "# Files and formats",
        "",
        "The suffix of `-o` says the format, or `--format NAME` where it cannot.",
        "",
        "| `--format` | suffix | what it is | transparent | goes round by itself | media type |",
        "|---|---|---|---|---|---|",
    ]
    for kind in FORMATS.values():
        suffix = "a name that ends in `/`" if kind.folder else f"`{'`, `'.join(kind.suffixes)}`"
        marks = ("yes" if supported else "" for supported in (kind.alpha, kind.loop))
        mime = f"`{kind.mime}`" if kind.mime else ""
        lines.append(f"| `{kind.name}` | {suffix} | {kind.what} | {' | '.join(marks)} | {mime} |")
    shared_suffixes = [(kind, suffix) for kind in FORMATS.values() for suffix in kind.also]
    lines += ["", "**A suffix that pictures and films share is a picture's.** A film may have it"]
    lines += ["where its format is named:", "", "```sh"]
    lines += [
        f"grokviz render wave-circles --format {kind.name} -o circles{suffix}"
        for kind, suffix in shared_suffixes
    ]
    lines += ["```", "", "Many programs know a moving AVIF or PNG only by the shorter suffix.", ""]
    lines += [
        "Every picture and film carries its title, alt text and origin, and the same command "
        "writes the same bytes.",
    ]
    return "\n".join(lines) + "\n"


def recipes() -> str:
    """The page of all recipes with their keys."""
    lines = [
        "# Recipes",
        "",
        "What `grokviz train` and `grokviz sweep` can train: named hyperparameters with their "
        "source. Each key can be given another value, `--set weight-decay=0.3`.",
    ]
    for recipe in task.recipes().values():
        lines += ["", f"## {recipe.name}", "", f"{escape(recipe.title)}.", ""]
        lines += [
            f"Source: {escape(recipe.source)}. Cost: {escape(recipe.cost)}.",
            "",
        ]
        lines += ["| key | default | what it is | allowed |", "|---|---|---|---|"]
        for key in recipe.keys.values():
            lines += [
                f"| `{key.key}` | `{show(key.default)}` | {escape(key.help)} | "
                f"{escape(key.kind.allowed)} |"
            ]
    return "\n".join(lines) + "\n"


def variables() -> str:
    """The page of all variables and dimensions of the dataset."""
    lines = [
        "# The dataset",
        "",
        "Every scene draws an `xarray.Dataset` with these variables and nothing else. "
        "`gv.load(run)` makes one, `grokviz data SCENE -o FILE.csv` writes what a scene draws.",
        "",
        "## Dimensions",
        "",
        "| dimension | what it counts |",
        "|---|---|",
        *(
            f"| `{name}` | {escape(definition)} |"
            for name, definition in schema.dimensions().items()
        ),
        "",
        "## Variables",
    ]
    for row in schema.variables().values():
        attrs = {key: str(value) for key, value in row.attrs.items()}
        lines += [
            "",
            f'### <span class="variable">{row.name}</span> {{ #{row.name} }}',
            "",
            f"{escape(attrs.pop('long_name', ''))}; over {', '.join(f'`{d}`' for d in row.dims)}."
            if row.dims
            else f"{escape(attrs.pop('long_name', ''))}.",
            "",
            *(f"- {key}: {escape(value)}" for key, value in attrs.items() if value),
        ]
    return "\n".join(lines) + "\n"


def home(module: str, name: str) -> str:
    """The module that defines a name, found without importing it, since training needs torch."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    body = ast.parse(Path(spec.origin).read_text("utf-8")).body
    # what a package imports when it is first asked for it stands below `if TYPE_CHECKING`
    for node in [inner for outer in body for inner in (outer, *getattr(outer, "body", ()))]:
        if isinstance(node, ast.ImportFrom) and name in {a.asname or a.name for a in node.names}:
            return home(str(node.module), name)
    return module


def python() -> str:
    """The page of all public names, which mkdocstrings fills in."""
    lines = [
        "# Python",
        "",
        "`import grokviz as gv` costs nothing: each name below is imported when it is first used. "
        "The verbs are those of the command line.",
    ]
    for name in grokviz.__all__:
        if name.startswith("_"):
            continue
        lines += [
            "",
            f"::: {home(grokviz._PUBLIC[name], name)}.{name}",
            "    options:",
            f"      heading: gv.{name}",
            f"      toc_label: {name}",
        ]
    return "\n".join(lines) + "\n"
