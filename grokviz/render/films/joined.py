"""Films of several chapters: each made and kept by itself, joined without encoding again."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grokviz.errors import InputError, WorkError
from grokviz.files import replacing
from grokviz.media import Provenance, library_versions
from grokviz.media.film import video
from grokviz.media.film.captions import Caption
from grokviz.media.film.cover import Cover, cover_of
from grokviz.media.formats import FILM, FORMATS, Format, suffix_list, writer_of
from grokviz.progress import ProgressCallback
from grokviz.render.engine import engine_of
from grokviz.render.films import cache as film_cache
from grokviz.render.films.engine import FilmJob, Manim, provenance, write_captions
from grokviz.render.job import RenderJob, RenderKeywords, RenderOptions, render_options
from grokviz.render.plan import plan
from grokviz.scene.data import drawn_of, load_for
from grokviz.scene.film import Chapter, Film
from grokviz.scene.registry import scene as find_scene
from grokviz.scene.scene import Scene
from grokviz.sources import source_hash

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Segment:
    """A finished chapter: its file, its frames, the captions on them, and what it is called."""

    name: str
    file: Path
    frames: int
    fps: Fraction
    captions: tuple[Caption, ...]
    title: str = ""


class Chapters(Manim):
    """Films of chapters: each made by the engine of its scene, then all joined as they are."""

    joining = True

    def formats(self, name: str) -> str:
        """What is said of a format that is no film of packets."""
        joinable = suffix_list(kind for kind in FORMATS.values() if kind.joins)
        stills = suffix_list(kind for kind in FORMATS.values() if kind.content == "pixels")
        return f"{name} is joined of its chapters; choose {joinable}, or for a still {stills}"

    def beside(self, scene: Film, data: xr.Dataset) -> tuple[str, ...]:
        """What the chapters draw of the film's own data."""
        drawn = [(one, find_scene(one.scene).with_options(one.options))
                 for one in scene.chapters(data) if one.run is None]  # fmt: skip
        mine = [part for chapter, part in drawn if _of_film(chapter, part, scene)]
        return tuple(dict.fromkeys(name for part in mine for name in part.variables()))

    def draw(self, job: FilmJob, data: xr.Dataset, report: ProgressCallback | None = None) -> Path:
        """Make a composed film, one of its chapters, or its captions."""
        if job.format.still:
            return _still(job, data, report)
        segments = all_segments(job, data, report)
        if job.section:
            segments = [segment for segment in segments if segment.name == job.section]
        if job.format.film:
            shown = job.section or job.scene.poster
            files = [one.file for one in segments if one.name == shown] or [segments[-1].file]
            return join(segments, job.path, job.format, provenance(job, data), cover_of(files[0]))
        return write_captions(job, captions_of(segments), segments[0].fps)

    def page_options(self, options: RenderOptions) -> RenderOptions:
        """As they are: chapters are joined as they are."""
        return options


CHAPTERS = Chapters()


def all_segments(
    job: FilmJob, data: xr.Dataset, report: ProgressCallback | None = None
) -> list[Segment]:
    """Every chapter of a composed film, from the cache or made now."""
    film = job.scene
    chapters = film.chapters(data)
    if [chapter.name for chapter in chapters] != list(film.parts):
        raise InputError(f"{film.name}: parts and chapters() do not name the same chapters")
    if job.options.max_size is not None:
        raise InputError(f"{job.path}: {film.name} is joined as it is; leave out --max-size")
    works = [_work(job, chapter) for chapter in chapters]
    lengths = [
        engine_of(part.scene).chapter_seconds(part.scene, chapter)
        for part, chapter in zip(works, chapters, strict=True)
    ]
    segments = []
    for n, (part, chapter) in enumerate(zip(works, chapters, strict=True)):
        done = _share(report, sum(lengths[:n]), lengths[n], sum(lengths))
        mine = data if _of_film(chapter, part.scene, film) else None
        one = segment(part, chapter, chapter.run or mine, done)
        segments.append(dataclasses.replace(one, title=film.parts[chapter.name]))
    return segments


def _of_film(chapter: Chapter, scene: Scene, film: Film) -> bool:
    """Whether a chapter without a run of its own is drawn from the film's data."""
    return chapter.own or scene.reference == film.reference


def _still(job: FilmJob, data: xr.Dataset, report: ProgressCallback | None) -> Path:
    """A picture of the chapter that is asked for, else of that which is the film's poster."""
    film, chapters = job.scene, job.scene.chapters(data)
    wanted = str(job.options.epoch or film.poster or "last")
    chapter = next((one for one in chapters if one.name == wanted), chapters[-1])
    scene = find_scene(chapter.scene).with_options(chapter.options)
    engine = engine_of(scene)
    options: RenderKeywords = {
        "quality": job.options.quality, "theme": job.options.theme,
        "transparent": job.options.transparent, "command": job.options.command,
    }  # fmt: skip
    if not engine.frames:
        options["venue"] = "slide"
    elif chapter.sections or wanted == "last":
        options["epoch"] = chapter.sections[-1] if chapter.sections else "last"
    (part,) = plan(scene, job.path, [job.format.name], render_options(options))
    mine = data if _of_film(chapter, scene, film) else None
    own = load_for(scene, chapter.run or mine, default=scene.reference)
    scene.check(own)
    return engine.draw(part, own, report)


def _share(
    report: ProgressCallback | None, before: float, own: float, whole: float
) -> ProgressCallback | None:
    """A chapter's progress as the whole film's, in seconds."""
    if report is None:
        return None
    return lambda count, total: report(round(before + own * count / max(total, 1)), round(whole))


def _work(job: FilmJob, chapter: Chapter) -> RenderJob:
    """The chapter as a job of its own."""
    scene = find_scene(chapter.scene).with_options(chapter.options)
    engine = engine_of(scene)
    if engine.joining:
        raise InputError(f"{scene.name} has chapters of its own and cannot be one; name these")
    options: RenderKeywords = {
        "quality": job.options.quality,
        "fps": job.options.fps,
        "theme": job.options.theme,
        "transparent": job.options.transparent,
    }
    options |= engine.chapter_options(chapter, job.options)
    kind = job.format if job.format.film else FILM
    (part,) = plan(scene, f"chapter{kind.suffixes[0]}", (), render_options(options))
    if chapter.sections:
        part = dataclasses.replace(part, section="+".join(chapter.sections), alone=True)
    return part


def segment(
    job: RenderJob,
    chapter: Chapter,
    source: xr.Dataset | str | None,
    report: ProgressCallback | None,
) -> Segment:
    """A chapter's file, from the cache or made now; of the scene's reference for None."""
    data = load_for(job.scene, source, default=job.scene.reference)
    job = dataclasses.replace(job, captions=chapter.captions_of(data))
    facts = _decided_by(job, data)
    folder = film_cache.cache_folder() / film_cache.key_of(facts)
    file = folder / f"chapter{job.path.suffix}"
    rows = film_cache.kept_facts(folder, file.name)
    if rows is None:
        with replacing(folder, folder=True) as part:
            rows = _write(dataclasses.replace(job, path=part / file.name), data, report)
            film_cache.keep_facts(part, file.name, rows)
        film_cache.tidy(folder.parent, folder)
    else:
        film_cache.note_use(folder)
        if report:
            report(1, 1)
    captions = tuple(Caption(**row) for row in rows["captions"])
    return Segment(chapter.name, file, rows["frames"], Fraction(rows["fps"]), captions)


def _write(job: RenderJob, data: xr.Dataset, report: ProgressCallback | None) -> dict[str, Any]:
    """Write a chapter's file; its length and its captions as plain data."""
    job.scene.check(data)
    facts = engine_of(job.scene).draw_chapter(job, data, report)
    captions = [dataclasses.asdict(row) for row in facts.captions]
    return {"frames": facts.frames, "fps": str(facts.fps), "captions": captions}


def _decided_by(job: RenderJob, data: xr.Dataset) -> dict[str, Any]:
    """Everything that decides a chapter's bytes, as plain data."""
    kind = type(job.scene)
    files = [Path(str(sys.modules[kind.__module__].__file__)), Path(str(video.__file__))]
    files += engine_of(kind).chapter_sources(kind)
    versions = library_versions("manim", "typst", "pycairo", "numpy", "matplotlib", "av")
    options = dataclasses.asdict(job.options)
    return {
        "chapter": job.scene.name,
        "options": dataclasses.asdict(job.scene),
        "section": job.section,
        "captions": job.captions,
        "data": film_cache.data_hash(data, drawn_of(job.scene, data)),
        "also": film_cache.also_hash(job.scene),
        "source": source_hash(files, film_cache.DATA),
        "screen": (*job.page.pixels, str(job.quality.fps), job.format.name),
        "asked": {key: str(value) for key, value in options.items() if key != "command"},
        "versions": versions,
    }


def captions_of(segments: Sequence[Segment]) -> list[Caption]:
    """The captions of all chapters, by frames of the whole."""
    captions, start = [], 0
    for part in segments:
        captions += [Caption(start + c.start, start + c.stop, c.text) for c in part.captions]
        start += part.frames
    return captions


def join(
    segments: Sequence[Segment],
    path: Path,
    kind: Format,
    film_provenance: Provenance,
    cover: Cover | None = None,
) -> Path:
    """Put finished chapters one after the other, packet by packet.

    Raises :class:`InputError` for a format that cannot be joined, and :class:`WorkError` where
    the chapters were not encoded alike.
    """
    if not kind.joins:
        able = ", ".join(other.suffixes[0] for other in FORMATS.values() if other.joins)
        raise InputError(f"{path}: chapters are joined as {able}; choose one")
    with replacing(path) as part:
        _joined(segments, part, kind, film_provenance, cover)
    return path


def _marks(segments: Sequence[Segment]) -> list[dict[str, Any]]:
    """Where each chapter is, for players that let one jump to it."""
    marks, start = [], 0
    for n, part in enumerate(segments):
        stop = start + part.frames
        marks.append(
            {
                "id": n,
                "start": start,
                "end": stop,
                "time_base": 1 / part.fps,
                "metadata": {"title": part.title or part.name},
            }
        )
        start = stop
    return marks


def _joined(
    segments: Sequence[Segment],
    part: Path,
    kind: Format,
    film_provenance: Provenance,
    cover: Cover | None,
) -> None:
    import av

    start: Fraction = Fraction(0)
    writer: video.Video = writer_of(kind)
    with writer.open(part, film_provenance) as out:
        if len(segments) > 1:
            out.set_chapters(_marks(segments))
        stream: Any = None
        for segment in segments:
            with av.open(str(segment.file)) as source:
                own = source.streams.video[0]
                if stream is None:
                    stream = out.add_stream_from_template(own)
                    # ProRes 4444 would be called another ProRes
                    stream.codec_context.codec_tag = own.codec_context.codec_tag
                    header = own.codec_context.extradata
                    if cover is not None:
                        cover.put(out)
                elif own.codec_context.extradata != header:
                    raise WorkError(
                        f"the chapter {segment.name} was encoded in another way than the first; "
                        "remove the cache and run again"
                    )
                for packet in source.demux(own):
                    if packet.dts is None or packet.pts is None:  # the end
                        continue
                    ticks = round(start / packet.time_base)
                    packet.dts, packet.pts = packet.dts + ticks, packet.pts + ticks
                    packet.stream = stream
                    out.mux(packet)
            start += segment.frames / segment.fps
