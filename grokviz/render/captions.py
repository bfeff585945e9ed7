"""Suggested captions and alt texts of drawn figures, collected from the files themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from grokviz.files import replacing
from grokviz.media import read_provenance
from grokviz.media.plain import clean_text

NAME = "captions.md"


def write_captions(figures: Iterable[Path]) -> list[Path]:
    """Write ``captions.md`` into each folder: caption, with its citation, and alt text of each PDF.

    Both are read from the files, so they say what those files show.
    """
    by_folder: dict[Path, list[Path]] = {}
    for file in figures:
        if file.suffix == ".pdf":
            by_folder.setdefault(file.parent, []).append(file)
    return [_write(folder, sorted(files)) for folder, files in by_folder.items()]


def _paragraph(text: str) -> str:
    """Text as one paragraph of Markdown, in which the names of others are no tags or links."""
    words = " ".join(clean_text(text).split())
    return re.sub(r"(\\*)([`<\[\]])", r"\1\1\\\2", words)


def _write(folder: Path, files: Iterable[Path]) -> Path:
    parts = ["# Suggested captions\n"]
    for file in files:
        provenance = read_provenance(file)
        parts += [
            f"## {file.name}\n",
            f"{_paragraph(provenance.caption or provenance.title)}\n",
            f"Alt text: {_paragraph(provenance.alt)}\n",
        ]
    path = folder / NAME
    with replacing(path) as part:
        part.write_text("\n".join(parts), "utf-8")
    return path
