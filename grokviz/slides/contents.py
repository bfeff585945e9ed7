"""What the slides of a deck are made of: the scenes and files that are named, or the story."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grokviz.errors import InputError, nearest
from grokviz.media import read_provenance
from grokviz.media.formats import FILM, FORMATS, STILL, format_of, suffix_list
from grokviz.render import figures
from grokviz.render.engine import engine_of
from grokviz.scene.registry import scenes
from grokviz.scene.scene import Scene
from grokviz.slides.options import Skipped, SlideOptions
from grokviz.slides.story import STORY


@dataclass(frozen=True)
class SlideSource:
    """What slides are made of: a scene drawn from ``run``, or a file that is there."""

    name: str
    scene: type[Scene] | None = None
    run: str = ""
    named_run: bool = False
    file: Path | None = None

    @property
    def suffix(self) -> str:
        """Of the file that is embedded."""
        if self.file is not None or self.scene is None:
            return Path(self.file or self.name).suffix.lower()
        return (FILM if self.scene.moves() else STILL).suffixes[0]

    @property
    def film(self) -> bool:
        """Whether it moves."""
        return format_of(f"x{self.suffix}").film

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of its chapters, each of which becomes a slide; none of a film in one piece."""
        return tuple(getattr(self.scene, "parts", ()))

    def line(self) -> str:
        """What ``--dry-run`` says."""
        if self.scene is None:
            return f"{self.name}: as it is"
        kind = "film" if self.film else "picture"
        if self.parts:
            kind = f"{len(self.parts)} slides, one a chapter"
        return f"{self.name}: {self.scene.title} ({kind}, from {self.run})"


def slide_sources(
    words: Sequence[str | os.PathLike[str]], options: SlideOptions, skipped: Skipped | None
) -> list[SlideSource]:
    """What each slide is made of; the story in its order where nothing is named."""
    registered = scenes()
    run = "" if options.run is None else str(options.run)
    if words:
        return [_named(str(word), registered, run) for word in words]
    sources, reasons = [], []
    for name in STORY:
        if name not in registered:
            continue
        source = run or registered[name].reference
        reason = _lacking(registered[name], source)
        if reason:
            reasons.append(reason)
            if skipped:
                skipped(name, reason)
        else:
            sources.append(SlideSource(name, registered[name], source, options.run is not None))
    if not sources:
        raise InputError(f"no scene of the story can be drawn: {'; '.join(reasons[:1])}")
    return sources


def _lacking(scene: type[Scene], run: str) -> str:
    """Why the scene cannot be drawn here from the run; "" where it can."""
    need = engine_of(scene).lacking()
    if need is not None:
        return f"{need.name} is not installed: run {need.remedy}"
    return figures.lacking(scene, run)


def _named(word: str, registered: Mapping[str, type[Scene]], run: str) -> SlideSource:
    """A word of the command line: a scene first, else a file."""
    if word in registered:
        source = run or registered[word].reference
        reason = _lacking(registered[word], source)
        if reason:
            raise InputError(f"{word}: {reason}")
        return SlideSource(word, registered[word], source, bool(run))
    path = Path(word)
    kinds = sorted((kind for kind in FORMATS.values() if kind.slides), key=lambda kind: kind.still)
    if path.suffix.lower() not in [kind.suffixes[0] for kind in kinds]:
        raise InputError(
            f"{word} cannot be put on a slide: {nearest(word, list(registered))} (grokviz scenes "
            f"lists them; a file has to be {suffix_list(kinds)})"
        )
    read_provenance(path)
    return SlideSource(path.stem, file=path)
