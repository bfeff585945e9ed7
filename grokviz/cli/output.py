"""What commands print: every line of text, and every JSON document, passes through here."""

from __future__ import annotations

import json
from typing import Any

import click

from grokviz.media.plain import clean_line, clean_values


def echo(*parts: object, err: bool = False) -> None:
    """Print one line, its parts separated by spaces, with control characters made visible.

    Names of runs, tensors and files are others' words, which a terminal may take for commands,
    and a reader for lines of ours.
    """
    click.echo(" ".join(clean_line(str(part)) for part in parts), err=err)


def echo_styled(heading: str, text: str = "", **style: Any) -> None:
    """Print one line that begins with a heading in a style of :func:`click.style`."""
    click.echo(click.style(clean_line(heading), **style) + clean_line(text))


def echo_json(value: Any, **options: Any) -> None:
    """Print a JSON document; ``options`` are those of :func:`json.dumps`."""
    click.echo(json.dumps(clean_values(value), indent=2, **options))
