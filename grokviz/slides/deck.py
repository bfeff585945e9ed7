"""The content of a deck: one slide per film or picture, independent of the output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grokviz.media import Provenance, format_of, library_versions, read_provenance
from grokviz.media.pixels import picture_size
from grokviz.media.plain import clean_text, plain_text
from grokviz.scene.registry import scenes
from grokviz.scene.scene import Scene
from grokviz.slides.contents import SlideSource
from grokviz.slides.films import draw_all, film
from grokviz.slides.options import SlideOptions, SlideProgress
from grokviz.slides.poster import last_frame


@dataclass(frozen=True)
class Slide:
    """One film or picture, with its title, texts and notes.

    ``poster`` is a PNG of the film's last frame, at which the film stops, or the picture
    itself. ``seconds`` is None for a picture.
    """

    name: str
    title: str
    alt: str
    notes: str
    media: Path
    poster: bytes
    size: tuple[int, int]
    seconds: float | None = None
    loops: bool = False

    @property
    def film(self) -> bool:
        """Whether it is a film."""
        return self.seconds is not None


@dataclass(frozen=True)
class Deck:
    """The slides in order, their theme, and their provenance."""

    slides: tuple[Slide, ...]
    theme: str
    provenance: Provenance
    heading: str = ""

    @property
    def title(self) -> str:
        """The title in the file's metadata."""
        return self.provenance.title


def gather(
    sources: Sequence[SlideSource],
    folder: Path,
    options: SlideOptions,
    report: SlideProgress | None,
    frames: SlideProgress | None,
) -> Deck:
    """Draw the films and pictures not yet in ``folder``, and collect them as slides."""
    films = [film(source, sources, folder, options) for source in sources]
    draw_all([work for work in films if not work.exists()], options.jobs, report, frames)
    slides = tuple(
        _slide(source, path, options.loop)
        for source, work in zip(sources, films, strict=True)
        for path in work.paths
    )
    provenance = Provenance(
        title=options.title or slides[0].title,
        scene="slides",
        options={
            "scenes": [slide.name for slide in slides],
            "quality": options.quality,
            "theme": options.theme,
        },
        versions=library_versions(),
        command=options.command,
    )
    return Deck(slides, options.theme, provenance, clean_text(options.title))


def _slide(source: SlideSource, path: Path, loop: bool | None) -> Slide:
    """Build a slide from a film or picture."""
    provenance = read_provenance(path)
    scene = source.scene or scenes().get(provenance.scene)
    film = format_of(path).film
    picture, seconds = last_frame(path) if film else (path.read_bytes(), None)
    return Slide(
        name=clean_text(source.name),
        title=plain_text(provenance.title),
        alt=plain_text(provenance.alt),
        notes=_notes(provenance, scene),
        media=path,
        poster=picture,
        size=picture_size(picture),
        seconds=seconds,
        loops=film and (bool(scene and scene.loops) if loop is None else loop),
    )


def _notes(provenance: Provenance, scene: type[Scene] | None) -> str:
    """The speaker's notes: what to watch, the source, and the command."""
    run = f"{provenance.run_name} ({provenance.run_checksum[:12]})" if provenance.run_name else ""
    lines = [
        provenance.title,
        f"To watch: {provenance.watch}." if provenance.watch else "",
        provenance.caption,
        f"Source: {scene.source}" if scene and scene.source else "",
        f"Run: {run}" if run else "",
        f"Made by: {provenance.command}" if provenance.command else "",
    ]
    return clean_text(plain_text("\n".join(line for line in lines if line)))
