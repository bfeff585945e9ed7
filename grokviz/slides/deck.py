"""What a deck holds: a slide for each film or picture, whichever program shows it later."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grokviz.errors import InputError, nearest
from grokviz.media import Provenance, library_versions, read_provenance
from grokviz.media.plain import plain
from grokviz.render import figures
from grokviz.render.films.needs import lacking as missing
from grokviz.scene.registry import scenes as registered
from grokviz.scene.scene import Scene
from grokviz.slides.films import Report, draw_all, film
from grokviz.slides.poster import last_frame, size_of
from grokviz.slides.story import STORY

Skipped = Callable[[str, str], None]
SUFFIXES = (".mp4", ".png")


@dataclass(frozen=True)
class Slide:
    """One film or picture, with all that is said about it.

    ``poster`` is a PNG of the film's last frame, which is where a film stays when it has
    ended; of a picture the picture itself. ``seconds`` is None for a picture.
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
        """Whether it moves."""
        return self.seconds is not None


@dataclass(frozen=True)
class Deck:
    """Slides in their order, the look around them, and what made them."""

    slides: tuple[Slide, ...]
    theme: str
    provenance: Provenance
    heading: str = ""

    @property
    def title(self) -> str:
        """What the file is called where it is listed."""
        return self.provenance.title


@dataclass(frozen=True)
class Order:
    """What is wanted on slides: a scene drawn from ``run``, or a file that is there."""

    name: str
    scene: type[Scene] | None = None
    run: str = ""
    named_run: bool = False
    file: Path | None = None

    @property
    def suffix(self) -> str:
        """Of the file that is embedded."""
        if self.file is not None:
            return self.file.suffix.lower()
        assert self.scene is not None
        return ".mp4" if self.scene.moves() else ".png"

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of its chapters, each of which becomes a slide; none of a film in one piece."""
        return tuple(getattr(self.scene, "parts", ()))

    def line(self) -> str:
        """What ``--dry-run`` says."""
        if self.scene is None:
            return f"{self.name}: as it is"
        kind = "film" if self.suffix == ".mp4" else "picture"
        if self.parts:
            kind = f"{len(self.parts)} slides, one a chapter"
        return f"{self.name}: {self.scene.title} ({kind}, from {self.run})"


def order(
    wanted: Sequence[str | os.PathLike[str]],
    *,
    run: str | os.PathLike[str] | None,
    user: bool,
    skipped: Skipped | None,
) -> list[Order]:
    """What the slides will be; the story in its order where nothing is named."""
    found = registered(user=user)
    given = "" if run is None else str(run)
    if wanted:
        return [_named(str(word), found, given) for word in wanted]
    orders, reasons = [], []
    for name in STORY:
        if name not in found:
            continue
        source = given or found[name].reference
        reason = _lacking(found[name], source)
        if reason:
            reasons.append(reason)
            if skipped:
                skipped(name, reason)
        else:
            orders.append(Order(name, found[name], source, run is not None))
    if not orders:
        raise InputError(f"no scene of the story can be drawn: {'; '.join(reasons[:1])}")
    return orders


def _lacking(scene: type[Scene], run: str) -> str:
    """Why the scene cannot be drawn here from the run; "" where it can."""
    need = missing() if scene.engine == "manim" else None
    if need is not None:
        return f"{need.name} is not installed: run {need.remedy}"
    return figures.lacking(scene, run)


def _named(word: str, found: Mapping[str, type[Scene]], run: str) -> Order:
    """A word of the command line: a scene first, else a file."""
    if word in found:
        source = run or found[word].reference
        reason = _lacking(found[word], source)
        if reason:
            raise InputError(f"{word}: {reason}")
        return Order(word, found[word], source, bool(run))
    path = Path(word)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"{word} cannot be put on a slide: {nearest(word, list(found))} (grokviz scenes lists "
            f"them; a file has to be {' or '.join(SUFFIXES)})"
        )
    read_provenance(path)
    return Order(path.stem, file=path)


def gather(
    orders: Sequence[Order],
    folder: Path,
    *,
    quality: str,
    theme: str,
    title: str,
    loop: bool | None,
    user: bool,
    jobs: int,
    command: str,
    report: Report | None,
    frames: Report | None,
) -> Deck:
    """Draw what is not in ``folder`` yet, and gather it as slides."""
    films = [film(item, orders, folder, quality, theme, user) for item in orders]
    draw_all([work for work in films if not work.done()], jobs, report, frames)
    made = tuple(
        _slide(item, path, loop)
        for item, work in zip(orders, films, strict=True)
        for path in work.paths
    )
    said = Provenance(
        title=title or made[0].title,
        scene="slides",
        options={"scenes": [item.name for item in made], "quality": quality, "theme": theme},
        versions=library_versions(),
        command=command,
    )
    return Deck(made, theme, said, title)


def _slide(item: Order, path: Path, loop: bool | None) -> Slide:
    """A film or picture with what it says of itself."""
    made = read_provenance(path)
    scene = item.scene or registered().get(made.scene)
    film = path.suffix.lower() == ".mp4"
    picture, seconds = last_frame(path) if film else (path.read_bytes(), None)
    return Slide(
        name=item.name,
        title=plain(made.title),
        alt=plain(made.alt),
        notes=_notes(made, scene),
        media=path,
        poster=picture,
        size=size_of(picture),
        seconds=seconds,
        loops=film and (bool(scene and scene.loops) if loop is None else loop),
    )


def _notes(made: Provenance, scene: type[Scene] | None) -> str:
    """What a speaker says and is asked: the sentence, the source, and how it was made."""
    run = f"{made.run_name} ({made.run_checksum[:12]})" if made.run_name else ""
    lines = [
        made.title,
        f"To watch: {scene.watch}." if scene and scene.watch else "",
        made.caption,
        f"Source: {scene.source}" if scene and scene.source else "",
        f"Run: {run}" if run else "",
        f"Made by: {made.command}" if made.command else "",
    ]
    return plain("\n".join(line for line in lines if line))
