"""The sources of a deck's slides: the given scenes and files, or the story."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grokviz.dataset.references.reference import resolve
from grokviz.errors import InputError, nearest
from grokviz.media import read_provenance
from grokviz.media.formats import FILM, FORMATS, STILL, format_of, suffix_list
from grokviz.render import figures
from grokviz.render.engine import engine_of
from grokviz.render.listing import summary
from grokviz.runs import Run
from grokviz.scene.registry import scenes
from grokviz.scene.scene import Scene
from grokviz.slides.options import SkipCallback, SlideOptions
from grokviz.slides.story import ANY_RUN, STORY
from grokviz.task import known_task


@dataclass(frozen=True)
class SlideSource:
    """The source of one or more slides: a scene drawn from ``run``, or an existing file."""

    name: str
    scene: type[Scene] | None = None
    run: str = ""
    named_run: bool = False
    file: Path | None = None

    @property
    def suffix(self) -> str:
        """Suffix of the embedded file."""
        if self.file is not None or self.scene is None:
            return Path(self.file or self.name).suffix.lower()
        return (FILM if self.scene.moves() else STILL).suffixes[0]

    @property
    def film(self) -> bool:
        """Whether it is a film."""
        return format_of(f"x{self.suffix}").film

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of its chapters, each of which becomes a slide; empty without chapters."""
        return () if self.scene is None else tuple(engine_of(self.scene).sections(self.scene))

    def line(self) -> str:
        """The line that ``--dry-run`` prints."""
        if self.scene is None:
            return f"{self.name}: as it is"
        kind = "film" if self.film else "picture"
        if self.parts:
            kind = f"{len(self.parts)} slides, one a chapter"
        # what a scene argues may not be so of a run of one's own
        words = summary(self.scene) if self.named_run else self.scene.title
        return f"{self.name}: {words} ({kind}, from {self.run})"


def slide_sources(
    names: Sequence[str | os.PathLike[str]], options: SlideOptions, skipped: SkipCallback | None
) -> list[SlideSource]:
    """The sources of the slides; those of the story if none are given."""
    registered = scenes()
    run = "" if options.run is None else str(options.run)
    lacks = figures.Lacks()
    if names:
        return [_source_of(str(word), registered, run, lacks) for word in names]
    sources, reasons = [], []
    for name in STORY if not run or _of_a_task(run) else ANY_RUN:
        if name not in registered:
            continue
        source = run or registered[name].reference
        reason = _missing(registered[name], source, lacks)
        if reason:
            reasons.append(reason)
            if skipped:
                skipped(name, reason)
        else:
            sources.append(SlideSource(name, registered[name], source, options.run is not None))
    if not sources:
        raise InputError(f"no scene of the story can be drawn: {'; '.join(reasons[:1])}")
    return sources


def _missing(scene: type[Scene], run: str, lacks: figures.Lacks) -> str:
    """The reason why the scene cannot be drawn from the run here, or ""."""
    need = engine_of(scene).lacking()
    if need is not None:
        return f"{need.name} is not installed: run {need.remedy}"
    return lacks(scene, run)


def _of_a_task(run: str) -> bool:
    """Whether a run, or the dataset in its place, is of a task that is known."""
    resolved = resolve(run, needs=())
    facts = resolved.facts if isinstance(resolved, Run) else resolved.attrs
    return known_task(facts.get("task")) is not None


def _source_of(
    name: str, registered: Mapping[str, type[Scene]], run: str, lacks: figures.Lacks
) -> SlideSource:
    """The source that a name means: a scene, or else a file."""
    if name in registered:
        source = run or registered[name].reference
        reason = _missing(registered[name], source, lacks)
        if reason:
            raise InputError(f"{name}: {reason}")
        return SlideSource(name, registered[name], source, bool(run))
    path = Path(name)
    kinds = sorted((kind for kind in FORMATS.values() if kind.slides), key=lambda kind: kind.still)
    if path.suffix.lower() not in [kind.suffixes[0] for kind in kinds]:
        raise InputError(
            f"{name} cannot be put on a slide: {nearest(name, list(registered))} (grokviz scenes "
            f"lists them; a file must be {suffix_list(kinds)})"
        )
    read_provenance(path)
    return SlideSource(path.stem, file=path)
