"""Manim films to files: drawn once, kept without loss, then encoded as every other film."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grokviz.errors import InputError, nearest
from grokviz.files import replacing
from grokviz.media import Provenance, film_rate, library_versions, write_film
from grokviz.media.film.captions import Caption, CaptionWriter
from grokviz.media.film.encode import Footage
from grokviz.media.formats import FILM, FORMATS, Format, suffix_list, writer_of
from grokviz.media.still import write_picture
from grokviz.media.theme import Medium
from grokviz.pages.single import PageBody, SceneText, film_body
from grokviz.progress import ProgressCallback
from grokviz.render.engine import ChapterFacts, Engine
from grokviz.render.films import cache as film_cache
from grokviz.render.films.cache import FilmFrames
from grokviz.render.films.needs import Need, lacking, require
from grokviz.render.html import MOST
from grokviz.render.job import RenderJob, RenderKeywords, RenderOptions
from grokviz.render.quality import DURATION, QUALITIES
from grokviz.scene import clock as clocks
from grokviz.scene.data import drawn_of
from grokviz.scene.film import Chapter, Film
from grokviz.scene.films.context import FilmContext
from grokviz.strays import temporary_folder

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

LIBRARIES = ("manim", "typst", "pycairo", "numpy", "matplotlib")
"""Whose versions decide what is drawn; the fonts are matplotlib's."""

STILL_RATE = 15
"""Frames a second of a film that is drawn for one picture."""

SECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*s")
EPOCH = re.compile(r"grok([+-]\d+)?|\d+")


@dataclass(frozen=True)
class FilmJob(RenderJob):
    """One file to be made of a film."""

    scene: Film


class Manim(Engine[Film, FilmJob]):
    """Films drawn once, kept without loss, and then encoded as every other film."""

    job = FilmJob
    shared = True
    frames = True
    panels = False
    captioned = True

    def check_own(self, scene: Film, options: RenderOptions, kind: Format, path: Path) -> None:
        """Raise InputError unless the film can be drawn in this format with these options."""
        name = scene.name
        if not scene.able(kind):
            raise InputError(f"{path}: {self.formats(name)}")
        if not kind.still and options.epoch is not None:
            raise InputError(
                f"{path}: --epoch is for a still; leave it out, {name} is a whole film"
            )
        if options.epoch is not None:
            check_moment(scene, str(options.epoch))
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
                raise InputError(
                    f"{path}: {word} is for matplotlib's scenes, and manim draws {name}"
                )

    def formats(self, name: str) -> str:
        """What is said of a format that a film cannot have."""
        stills = suffix_list(kind for kind in FORMATS.values() if kind.content == "pixels")
        return f"stills of {name}, which manim draws, are {stills}; choose one of these"

    def medium(self, scene: Film, options: RenderOptions, kind: Format) -> Medium:
        """A film is for slides, and its stills are its frames."""
        return "slide"

    def page_rate(self, fps: float | Fraction) -> Fraction:
        """A page holds the film itself."""
        return film_rate(FILM, fps)

    def seconds(self, scene: Film, options: RenderOptions) -> float:
        """A film has its own length."""
        return scene.seconds

    def sections(self, scene: type[Film]) -> Mapping[str, str]:
        """Those that it lists."""
        return scene.parts

    def facts(self, scene: type[Film]) -> dict[str, Any]:
        """Length and sections."""
        return {"seconds": scene.seconds, "sections": dict(scene.parts)}

    def draw(self, job: FilmJob, data: xr.Dataset, report: ProgressCallback | None = None) -> Path:
        """Make one file of a film: the film, one of its sections, a still or captions."""
        if job.format.still:  # before anything is drawn
            epoch_asked(job.scene, data, str(job.options.epoch))
        return write(job, data, film_frames(job, data, report), report)

    def page_body(
        self, job: FilmJob, data: xr.Dataset, text: SceneText, report: ProgressCallback | None
    ) -> PageBody:
        """The film itself, small enough for a page."""
        options = self.page_options(job.options)
        with temporary_folder("page") as folder:
            path = folder / f"film{FILM.suffixes[0]}"
            self.draw(replace(job, path=path, format=FILM, options=options), data, report)
            return film_body(data, text, path.read_bytes(), job.scene.alt_text(data, 0))

    def page_options(self, options: RenderOptions) -> RenderOptions:
        """What is asked of a film inside a page, of which it may be a part."""
        limit = options.max_size
        return replace(options, max_size=0.7 * limit if limit else MOST / 1e6)

    def lacking(self) -> Need | None:
        """Manim and what it needs."""
        return lacking()

    def chapter_seconds(self, scene: Film, chapter: Chapter) -> float:
        """Its own length, or as much of it as the chapter has of its sections."""
        share = len(chapter.sections) / len(scene.parts) if chapter.sections else 1
        return scene.seconds * share

    def chapter_options(self, chapter: Chapter, options: RenderOptions) -> RenderKeywords:
        """Nothing of its own."""
        return {}

    def draw_chapter(
        self, job: FilmJob, data: xr.Dataset, report: ProgressCallback | None
    ) -> ChapterFacts:
        """Make the film, or some of its sections."""
        film = film_frames(job, data, report)
        write(job, data, film, report)
        start, stop = film.span(job.section)
        fps = Fraction(job.quality.fps).limit_denominator(1001)
        return ChapterFacts(stop - start, fps, film.captions_of(job.section))

    def chapter_sources(self, scene: type[Film]) -> list[Path]:
        """The manim scene, and what runs it."""
        return [scene.file(), Path(__file__).with_name("draw.py")]


MANIM = Manim()


def write(
    job: FilmJob, data: xr.Dataset, film: FilmFrames, report: ProgressCallback | None = None
) -> Path:
    """Make one file of a film that is drawn."""
    if job.format.film:
        return _film(job, data, film, report)
    if job.format.still:
        wanted = str(job.scene.poster or "last" if job.options.epoch is None else job.options.epoch)
        at = moment(film, wanted, epoch_asked(job.scene, data, wanted))
        return write_picture(job.path, job.format, film.frame(at), provenance(job, data))
    return write_captions(job, film.captions_of(job.section), film.fps)


def film_frames(
    job: FilmJob, data: xr.Dataset, report: ProgressCallback | None = None
) -> FilmFrames:
    """The drawn film of a job, from the cache or drawn now."""
    job.scene.require(data)
    context, film = _context(job, data), job.scene
    wide, high = job.page.pixels
    rate = Fraction(job.quality.fps or _still_rate(job)).limit_denominator(1001)
    if job.section and job.alone:
        context = replace(context, only=tuple(job.section.split("+")))
    folder = film_cache.cache_folder() / film_cache.key_of(_decided_by(context, (wide, high), rate))

    def make(part: Path) -> None:
        require(film.name)
        from grokviz.render.films.draw import Screen, draw

        expected = max(round(film.seconds * rate), 1)

        def drawn(count: int) -> None:
            if report:
                report(min(count, expected), 2 * expected)

        draw(context, Screen(wide, high, rate), part, drawn)

    return film_cache.put(folder, make)


def _still_rate(job: FilmJob) -> float | Fraction:
    """The rate of a still: that of the film of its quality, which may be kept, else a low one."""
    if job.options.fps is not None:
        return job.options.fps
    return QUALITIES[job.options.quality].fps if job.options.quality else STILL_RATE


def _context(job: FilmJob, data: xr.Dataset) -> FilmContext:
    title = job.heading(data)
    return FilmContext(job.scene, data, job.theme, title, job.options.transparent)


def _decided_by(context: FilmContext, size: tuple[int, int], rate: Fraction) -> dict[str, Any]:
    """Everything that decides what is drawn, as plain data."""
    import sys

    from grokviz.sources import source_hash

    kind = type(context.film)
    files = [kind.file(), Path(str(sys.modules[kind.__module__].__file__))]
    files.append(Path(__file__).with_name("draw.py"))
    return {
        "film": context.film.name,
        "options": dataclasses.asdict(context.film),
        "data": film_cache.data_hash(context.data, drawn_of(context.film, context.data)),
        "also": film_cache.also_hash(context.film),
        "source": source_hash(files, film_cache.DATA),
        "style": (context.theme.name, context.title, context.transparent, context.only),
        "screen": (*size, str(rate)),
        "versions": library_versions(*LIBRARIES),
    }


def _film(
    job: FilmJob, data: xr.Dataset, film: FilmFrames, report: ProgressCallback | None
) -> Path:
    start, stop = film.span(job.section)

    def frames() -> Iterator[np.ndarray]:
        for done, frame in enumerate(film.frames(start, stop), 1):
            yield frame
            if report:
                report(stop - start + done, 2 * (stop - start))

    limit = job.options.max_size
    written = write_film(
        job.path,
        Footage(frames, film.frame(_poster(job, film))),
        fps=film.fps,
        provenance=provenance(job, data),
        transparent=job.options.transparent,
        max_size=None if limit is None else int(limit * 1e6),
        fmt=job.format.name,
    )
    return written.path


def _poster(job: FilmJob, film: FilmFrames) -> int:
    """The frame that stands for a film: the end of the part that it names, else its last one."""
    if job.section:
        return film.span(job.section)[1] - 1
    return moment(film, job.scene.poster or "last")


def write_captions(job: FilmJob, captions: Sequence[Caption], fps: Fraction) -> Path:
    """Write captions to a file of their own."""
    text: CaptionWriter = writer_of(job.format)
    with replacing(job.path) as part:
        part.write_text(text(captions, fps), "utf-8")
    return job.path


def check_moment(film: Film, word: str) -> None:
    """Raise InputError unless a film has such moments: seconds, a section, ``last``, or epochs."""
    if word == "last" or word in film.parts or (SECONDS.fullmatch(word) and not film.joined()):
        return
    able = "last, seconds such as 12.5s, or a section, whose end is drawn"
    if film.joined():
        raise InputError(
            f"--epoch {word}: a still of {film.name} is of one of its chapters; give last or one "
            f"of {', '.join(film.parts)}"
        )
    if not EPOCH.fullmatch(word):
        able = f"{'an epoch, ' if film.counts else ''}{able}"
        raise InputError(
            f"--epoch {word} is no moment of {film.name}: give {able}; "
            f"{nearest(word, list(film.parts))}"
        )
    if not film.counts:
        raise InputError(
            f"--epoch {word}: {film.name} does not go through one run's epochs; give {able} "
            f"({', '.join(film.parts)})"
        )


def epoch_asked(film: Film, data: xr.Dataset, word: str) -> float | None:
    """The epoch that is meant by ``N``, ``grok``, ``grok-N`` or ``grok+N``; None by other words.

    Raises InputError for one that the film does not show.
    """
    span = film.film_span(data) if EPOCH.fullmatch(word) else None
    if span is None:
        return None
    if word.startswith("grok"):
        epoch = float(data["epoch"].values[clocks.index_of(data, "epoch", word)])
    else:
        epoch = float(word)
    if not span[0] <= epoch <= span[1]:
        counted, (first, last) = clocks.word(data), map(clocks.spaced, span)
        raise InputError(
            f"--epoch {word}: {film.name} shows {counted}s {first} to {last} of this run; give "
            "one of these"
        )
    return epoch


def moment(film: FilmFrames, word: str, epoch: float | None = None) -> int:
    """Frame of an epoch, of ``last``, of a time such as ``12.5s``, or of a section's end."""
    if epoch is not None:
        at = film.at_epoch(epoch)
        if at is None:
            raise InputError(
                f"--epoch {word}: this film says of no frame which epoch it shows; let it call "
                "show_moment, or give seconds or a section"
            )
        return at
    if word == "last":
        return len(film) - 1
    time = SECONDS.fullmatch(word)
    if time is None:
        return film.span(word)[1] - 1
    if float(time[1]) > film.seconds:
        raise InputError(f"--epoch {word}: the film ends after {film.seconds:.1f} s")
    return min(int(Fraction(time[1]) * film.fps), len(film) - 1)


def provenance(job: FilmJob, data: xr.Dataset) -> Provenance:
    """The provenance of the file."""
    film = job.scene
    title = (
        film.claim(data).sentence if job.options.title in (None, "none") else str(job.options.title)
    )
    if job.section:
        names = ", ".join(film.parts[name] for name in job.section.split("+"))
        title = f"{title}: {names}"
    return Provenance(
        title=title,
        alt=film.alt_text(data, 0),
        caption=film.caption(data),
        scene=film.name,
        run_name=str(data.attrs.get("run_name", "")),
        run_checksum=str(data.attrs.get("run_checksum", "")),
        options=film.changed_options(),
        versions=library_versions("grokviz", "manim", "typst", "numpy", "av"),
        command=job.options.command,
        watch=film.claim(data).watch,
    )
