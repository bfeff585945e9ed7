"""Films of several chapters: each made and kept by itself, joined without encoding again."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grokviz.errors import InputError, WorkError
from grokviz.files import replacing
from grokviz.media import Provenance, library_versions
from grokviz.render.films import kept as keeping
from grokviz.render.films.kept import Caption
from grokviz.scene.film import Chapter, Film

if TYPE_CHECKING:
    import xarray as xr

    from grokviz.render.render import Job
    from grokviz.scene.scene import Scene

Report = Callable[[int, int], None]
JOINABLE = ("mp4", "webm", "mov")


@dataclass(frozen=True)
class Segment:
    """A finished chapter: its file, its frames, the captions on them, and what it is called."""

    name: str
    file: Path
    frames: int
    fps: Fraction
    captions: tuple[Caption, ...]
    title: str = ""


def perform_joined(job: Job, data: xr.Dataset, report: Report | None = None) -> Path:
    """Make a composed film, one of its chapters, or its captions."""
    from grokviz.render.films.engine import provenance, write_captions

    segments = all_segments(job, data, report)
    if job.section:
        segments = [segment for segment in segments if segment.name == job.section]
    if job.format.name == "srt":
        return write_captions(job.path, captions_of(segments), segments[0].fps)
    return join(segments, job.path, job.format.name, provenance(job, data))


def all_segments(job: Job, data: xr.Dataset, report: Report | None = None) -> list[Segment]:
    """Every chapter of a composed film, from the cache or made now."""
    film = job.scene
    assert isinstance(film, Film)
    chapters = film.chapters(data)
    if [chapter.name for chapter in chapters] != list(film.parts):
        raise InputError(f"{film.name}: parts and chapters() do not name the same chapters")
    if job.wish.max_size is not None:
        raise InputError(f"{job.path}: {film.name} is joined as it is; leave out --max-size")
    works = [_work(job, chapter, data) for chapter in chapters]
    lengths = [
        _seconds(scene, chapter) for (scene, _), chapter in zip(works, chapters, strict=True)
    ]
    segments = []
    for n, ((_, part), chapter) in enumerate(zip(works, chapters, strict=True)):
        done = _share(report, sum(lengths[:n]), lengths[n], sum(lengths))
        mine = data if part.scene.reference == film.reference else None
        made = segment(part, chapter, chapter.run or mine, done)
        segments.append(dataclasses.replace(made, title=film.parts[chapter.name]))
    return segments


def _share(report: Report | None, before: float, own: float, whole: float) -> Report | None:
    """A chapter's progress as the whole film's, in seconds."""
    if report is None:
        return None
    return lambda count, total: report(round(before + own * count / max(total, 1)), round(whole))


def _seconds(scene: Scene, chapter: Chapter) -> float:
    if not isinstance(scene, Film):
        return chapter.seconds
    share = len(chapter.sections) / len(scene.parts) if chapter.sections else 1
    return scene.seconds * share


def _work(job: Job, chapter: Chapter, data: xr.Dataset) -> tuple[Scene, Job]:
    """The chapter as a job of its own."""
    from grokviz.render.render import checked, plan
    from grokviz.scene.registry import scene as find

    scene = find(chapter.scene).with_options(chapter.options)
    wish: dict[str, Any] = {
        "quality": job.wish.quality,
        "fps": job.wish.fps,
        "theme": job.wish.theme,
        "transparent": job.wish.transparent,
    }
    if not isinstance(scene, Film):
        wish |= {"duration": chapter.seconds, "hold": chapter.hold, "style": job.wish.style}
    kind = job.format.name if job.format.film else "mp4"
    (part,) = plan(scene, f"chapter.{kind}", (), checked(wish))
    if chapter.sections:
        part = dataclasses.replace(part, section="+".join(chapter.sections), alone=True)
    return scene, part


def segment(
    job: Job, chapter: Chapter, source: xr.Dataset | str | None, report: Report | None
) -> Segment:
    """A chapter's file, from the cache or made now; of the scene's reference for None."""
    from grokviz.dataset.references.reference import load

    found = load(source, job.scene.needs, default=job.scene.reference)
    facts = _decided_by(job, found)
    folder = keeping.cache_folder() / keeping.key_of(facts)
    file = folder / f"chapter{job.path.suffix}"
    if not (folder / keeping.FACTS).is_file() or not file.is_file():
        with replacing(folder, folder=True) as part:
            rows = _made(dataclasses.replace(job, path=part / file.name), found, report)
            (part / keeping.FACTS).write_text(json.dumps(rows), "utf-8")
        keeping.tidy(folder.parent, folder)
    else:
        os.utime(folder / keeping.FACTS)  # the oldest unused are removed first
        if report:
            report(1, 1)
    rows = json.loads((folder / keeping.FACTS).read_text("utf-8"))
    captions = tuple(Caption(**row) for row in rows["captions"])
    return Segment(chapter.name, file, rows["frames"], Fraction(rows["fps"]), captions)


def _made(job: Job, data: xr.Dataset, report: Report | None) -> dict[str, Any]:
    """Write a chapter's file; how long it is and what is said in it."""
    from grokviz.render.render import perform

    fps = Fraction(job.quality.fps).limit_denominator(1001)
    perform(job, data, report)
    if isinstance(job.scene, Film):
        from grokviz.render.films.engine import keep

        kept = keep(job, data)
        start, stop = kept.span(job.section)
        said = [dataclasses.asdict(row) for row in kept.said(job.section)]
        return {"frames": stop - start, "fps": str(fps), "captions": said}
    frames = max(round(job.wish.duration * fps), 1)
    words = Caption(0, frames, f"{job.scene.title}: {job.scene.watch}.")
    return {"frames": frames, "fps": str(fps), "captions": [dataclasses.asdict(words)]}


def _decided_by(job: Job, data: xr.Dataset) -> dict[str, Any]:
    """Everything that decides a chapter's bytes, as plain data."""
    from grokviz.media import video
    from grokviz.render import render
    from grokviz.sources import source_hash

    kind = type(job.scene)
    files = [Path(str(sys.modules[kind.__module__].__file__)), Path(str(video.__file__))]
    files.append(kind.file() if issubclass(kind, Film) else Path(str(render.__file__)))
    versions = library_versions("manim", "typst", "pycairo", "numpy", "matplotlib", "av")
    wish = {f.name: getattr(job.wish, f.name) for f in dataclasses.fields(job.wish)}
    return {
        "chapter": job.scene.name,
        "options": dataclasses.asdict(job.scene),
        "section": job.section,
        "data": keeping.data_hash(data, job.scene.needs),
        "also": keeping.also_hash(job.scene),
        "source": source_hash(files, keeping.DATA),
        "screen": (*job.page.pixels, str(job.quality.fps), job.format.name),
        "wish": {key: str(value) for key, value in wish.items() if key != "command"},
        "versions": versions,
    }


def captions_of(segments: Sequence[Segment]) -> list[Caption]:
    """The captions of all chapters, by frames of the whole."""
    found, start = [], 0
    for part in segments:
        found += [Caption(start + c.start, start + c.stop, c.text) for c in part.captions]
        start += part.frames
    return found


def join(segments: Sequence[Segment], path: Path, kind: str, made: Provenance) -> Path:
    """Put finished chapters one after the other, packet by packet.

    Raises :class:`InputError` for a format that cannot be joined, and :class:`WorkError` where
    the chapters were not encoded alike.
    """
    if kind not in JOINABLE:
        raise InputError(f"{path}: chapters are joined as .{', .'.join(JOINABLE)}; choose one")
    with replacing(path) as part:
        _joined(segments, part, kind, made)
    return path


def _marks(segments: Sequence[Segment]) -> list[dict[str, Any]]:
    """Where each chapter is, for players that let one jump to it."""
    found, start = [], 0
    for n, part in enumerate(segments):
        stop = start + part.frames
        found.append(
            {
                "id": n,
                "start": start,
                "end": stop,
                "time_base": 1 / part.fps,
                "metadata": {"title": part.title or part.name},
            }
        )
        start = stop
    return found


def _joined(segments: Sequence[Segment], part: Path, kind: str, made: Provenance) -> None:
    import av

    from grokviz.media.video import VIDEOS

    start: Fraction = Fraction(0)
    with VIDEOS[kind].open(part, made) as out:
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
