"""Which files are to be made of a scene, each with its page and theme, before anything is read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grokviz.errors import InputError
from grokviz.media import format_of, page, screen
from grokviz.media.formats import FILM, FORMATS, STILL, Format, suffix_of
from grokviz.media.theme import Theme, theme, theme_name
from grokviz.media.venues import Page
from grokviz.render.engine import engine_of
from grokviz.render.job import RenderJob, RenderOptions
from grokviz.render.quality import quality
from grokviz.scene.scene import Scene

GENERIC_VENUE = "tmlr"


def plan(
    scene: Scene,
    out: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None,
    formats: Sequence[str],
    options: RenderOptions,
) -> list[RenderJob]:
    """The files to be made, each with its page and theme; raises for every wrong word."""
    jobs = [_job(scene, path, kind, options) for path, kind in _targets(scene, out, formats)]
    return in_sections(jobs) if options.sections else jobs


def in_sections(jobs: Sequence[RenderJob]) -> list[RenderJob]:
    """A job for each section of each film, in files numbered in their order."""
    section_jobs = []
    for job in jobs:
        parts = engine_of(job.scene).sections(type(job.scene))
        if not parts:
            raise InputError(f"{job.scene.name} has no chapters; leave out --sections")
        if not job.format.film:
            raise InputError(f"{job.path} is one file; --sections is for films")
        for n, section in enumerate(parts, 1):
            at = len(job.path.name) - len(suffix_of(job.path))
            stem, suffix = job.path.name[:at], job.path.name[at:]
            path = job.path.with_name(f"{stem}-{n:02d}-{section}{suffix}")
            section_jobs.append(replace(job, path=path, section=section))
    return section_jobs


def _targets(
    scene: Scene,
    out: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None,
    formats: Sequence[str],
) -> list[tuple[Path, Format]]:
    if out is None or (not isinstance(out, (str, os.PathLike)) and not list(out)):
        kinds = [format_of("", name) for name in formats]
        kinds = kinds or [FILM if scene.moves() else STILL]
        return [(Path(scene.name + _suffix(kind)), kind) for kind in kinds]
    paths = [out] if isinstance(out, (str, os.PathLike)) else list(out)
    if formats and len(formats) != len(paths):
        raise InputError(
            f"{len(paths)} files and {len(formats)} formats do not pair up; give one --format for "
            "each -o, or none: the suffix says it"
        )
    names: list[str | None] = list(formats) or [None] * len(paths)
    return [(Path(path), _format(path, name)) for path, name in zip(paths, names, strict=True)]


def _format(path: str | os.PathLike[str], name: str | None) -> Format:
    """The format of one file; a suffix that says another one is refused."""
    kind = format_of(path, name)
    suffix = suffix_of(path)
    for other in FORMATS.values():
        if suffix in other.suffixes and other is not kind and suffix not in kind.also:
            raise InputError(
                f"{path} would be a {kind.name} called {suffix}; leave out --format, or give "
                "another name"
            )
    return kind


def _suffix(kind: Format) -> str:
    return "-frames" if kind.folder else kind.suffixes[0]


def _job(scene: Scene, path: Path, kind: Format, options: RenderOptions) -> RenderJob:
    engine = engine_of(scene)
    engine.accepts(scene, options, kind, path)
    moving = kind.film or kind.page
    medium = engine.medium(scene, options, kind)
    shown = moving or engine.frames or options.venue == "slide"
    style = theme(theme_name(options.theme, shown=shown), medium, options.style)
    job: type[RenderJob] = engine.job
    if medium == "paper":
        sheet = _paper_page(scene, options, style)
        return job(path, kind, scene, options, style.sized(sheet.points), sheet)
    size = quality(options.quality or (None if moving else "h"), kind)
    size = replace(size, fps=engine.rate(kind, size.fps if options.fps is None else options.fps))
    sheet, seconds = screen(size.width, size.height), engine.seconds(scene, options)
    return job(path, kind, scene, options, style, sheet, size, seconds=seconds)


def _paper_page(scene: Scene, options: RenderOptions, paper: Theme) -> Page:
    venue = options.venue or GENERIC_VENUE
    square = page(venue, options.columns, 1, paper)
    aspect = scene.aspect_at(square.width * 72 / square.points)
    return page(venue, options.columns, aspect, paper)
