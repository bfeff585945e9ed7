"""Which files are to be made of a scene, each with its page and theme, before anything is read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grokviz.errors import InputError
from grokviz.media import film_rate, format_of, page, screen
from grokviz.media.formats import FORMATS, Format
from grokviz.media.theme import Theme, theme
from grokviz.media.venues import Page
from grokviz.render.job import DURATION, RenderJob, RenderOptions
from grokviz.render.quality import quality
from grokviz.scene.film import Film
from grokviz.scene.scene import Scene

GENERIC_VENUE = "tmlr"
PAGE_FPS = 6
"""Moments a second of film time that a page of pictures keeps."""


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
        parts = getattr(job.scene, "parts", {})
        if not parts:
            raise InputError(f"{job.scene.name} has no chapters; leave out --sections")
        if not job.format.film:
            raise InputError(f"{job.path} is one file; --sections is for films")
        for n, section in enumerate(parts, 1):
            path = job.path.with_name(f"{job.path.stem}-{n:02d}-{section}{job.path.suffix}")
            section_jobs.append(replace(job, path=path, section=section))
    return section_jobs


def _targets(
    scene: Scene,
    out: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None,
    formats: Sequence[str],
) -> list[tuple[Path, Format]]:
    if out is None or (not isinstance(out, (str, os.PathLike)) and not list(out)):
        kinds = [format_of("", name) for name in formats]
        kinds = kinds or [FORMATS["mp4" if scene.moves() else "png"]]
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
    suffix = Path(path).suffix.lower()
    for other in FORMATS.values():
        # an APNG is often called .png
        known = suffix in other.suffixes and (kind.name, other.name) != ("apng", "png")
        if known and other is not kind:
            raise InputError(
                f"{path} would be a {kind.name} called {suffix}; leave out --format, or give "
                "another name"
            )
    return kind


def _suffix(kind: Format) -> str:
    return kind.suffixes[0] if kind.suffixes[0] != "/" else "-frames"


def _job(scene: Scene, path: Path, kind: Format, options: RenderOptions) -> RenderJob:
    _check_possible(scene, path, kind, options)
    moving = kind.film or kind.name == "html"
    medium = options.venue or ("slide" if kind.name == "png" and scene.headed else "paper")
    paper = not moving and medium != "slide" and not isinstance(scene, Film)
    style = theme(options.theme, "paper" if paper else "slide", options.style)
    if paper:
        sheet = _paper_page(scene, options, style)
        return RenderJob(path, kind, scene, options, style.sized(sheet.points), sheet)
    size = quality(options.quality or (None if moving else "h"), kind.name)
    rate = size.fps if options.fps is None else options.fps
    fps = film_rate(kind, rate) if kind.film else 0
    if kind.name == "html":
        fps = film_rate(FORMATS["mp4"], rate) if isinstance(scene, Film) else PAGE_FPS
    sheet = screen(size.width, size.height)
    return RenderJob(path, kind, scene, options, style, sheet, replace(size, fps=fps))


def _check_possible(scene: Scene, path: Path, kind: Format, options: RenderOptions) -> None:
    """Raise InputError unless the scene can be drawn in this format with these options."""
    if kind.name == "html" and options.venue not in (None, "slide"):
        raise InputError(f"{path}: --venue is for paper and a page is for screens; leave it out")
    if isinstance(scene, Film):
        _check_film(scene, path, kind, options)
    elif kind.name == "srt":
        raise InputError(f"{path}: {scene.name} has no captions; choose a picture or a film")
    if kind.film and not scene.moves():
        raise InputError(
            f"{path}: {scene.name} does not move, so it has no film; choose .png, .svg or .pdf"
        )
    if kind.film and options.epoch is not None:
        raise InputError(f"{path}: --epoch is for a still; a film takes --epochs A:B:STEP")
    if options.transparent and not kind.alpha:
        able = ", ".join(f.suffixes[0] for f in FORMATS.values() if f.alpha and f.film)
        raise InputError(f"{path}: {kind.name} cannot be transparent; choose one of {able}")


def _check_film(film: Film, path: Path, kind: Format, options: RenderOptions) -> None:
    """Raise InputError unless a manim film can be drawn in this format with these options."""
    name = film.name
    if film.joined() and not film.able(kind):
        raise InputError(f"{path}: {name} is joined of its chapters; choose .mp4, .webm or .mov")
    if not film.able(kind):
        raise InputError(f"{path}: stills of {name}, which manim draws, are .png; choose that")
    if kind.film and options.epoch is not None:
        raise InputError(f"{path}: --epoch is for a still; leave it out, {name} is a whole film")
    own = f"{name} has its own length and moments; leave out"
    for word, given in {
        "--duration": options.duration != DURATION,
        "--hold": options.hold is not None,
        "--epochs": options.epochs is not None,
    }.items():
        if given:
            raise InputError(f"{path}: {own} {word}")
    for word, value in {"--style": options.style, "--venue": options.venue}.items():
        if value is not None:
            raise InputError(f"{path}: {word} is for matplotlib's scenes, and manim draws {name}")


def _paper_page(scene: Scene, options: RenderOptions, paper: Theme) -> Page:
    venue = options.venue or GENERIC_VENUE
    square = page(venue, options.columns, 1, paper)
    aspect = scene.aspect_at(square.width * 72 / square.points)
    return page(venue, options.columns, aspect, paper)
