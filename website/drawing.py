"""Stills and films of the gallery, cached by a hash of their inputs."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from grokviz.errors import GrokvizError, InputError
from grokviz.files import replacing
from grokviz.media import library_versions
from grokviz.media.formats import FILM, STILL, format_of
from grokviz.parallel import Pool
from grokviz.render import figures
from grokviz.render.engine import engine_of
from grokviz.render.films.cache import DATA, data_hash, key_of
from grokviz.render.render import render
from grokviz.scene.film import Film
from grokviz.scene.registry import scene as find_scene
from grokviz.scene.scene import Scene
from grokviz.slides.poster import last_frame
from grokviz.sources import source_hash

LIBRARIES = ("grokviz", "matplotlib", "numpy", "av", "pillow", "manim", "typst")
"""The libraries whose versions affect a picture."""


@dataclass(frozen=True)
class DrawingJob:
    """One file to draw, as sent to a worker process.

    Attributes:
        scene, path, options: what is drawn, into which file, and what ``render`` is told.
        film, chapter: of a poster the film whose last frame it is, and the chapter of it.
        run, drawn: what is drawn other than the scene's own reference and defaults.

    """

    scene: str
    path: Path
    options: Mapping[str, Any]
    film: Path | None = None
    chapter: str | None = None
    run: str | None = None
    drawn: Scene | None = None


def has_still(scene: type[Scene]) -> bool:
    """Whether a scene can be drawn as a picture."""
    return scene.able(STILL)


def poster(film: DrawingJob, scene: type[Scene]) -> DrawingJob:
    """The poster of a film: its last frame, or that of the part it names."""
    path = film.path.with_suffix(STILL.suffixes[0])
    if not (issubclass(scene, Film) and scene.poster):
        return replace(film, path=path, film=film.path)
    if scene.joined():
        return replace(film, path=path, film=film.path, chapter=scene.parts[scene.poster])
    # only a joined film has marks of its parts to be read back by
    return replace(film, path=path)


def still(scene: type[Scene], folder: Path, quality: str) -> DrawingJob:
    """The job of a scene's picture at its last moment."""
    return _work(scene, folder, STILL.suffixes[0], {"quality": quality})


def film(scene: type[Scene], folder: Path, quality: str) -> DrawingJob:
    """The job of a scene's film."""
    return _work(scene, folder, FILM.suffixes[0], {"quality": quality})


def drawable(scene: type[Scene]) -> bool:
    """Whether the engine of a scene is installed, such as manim for films."""
    return engine_of(scene).lacking() is None


def _work(scene: type[Scene], folder: Path, suffix: str, options: Mapping[str, Any]) -> DrawingJob:
    path = path_of(folder / f"{scene.name}{suffix}", _data(scene), options)
    return DrawingJob(scene.name, path, options)


def path_of(path: Path, data: str, options: Mapping[str, Any]) -> Path:
    """The file in which a picture is kept: ``path`` with a hash of all that it depends on."""
    inputs = {
        "data": data,
        "code": _code(),
        "versions": library_versions(*LIBRARIES),
        **options,
    }
    return path.with_stem(f"{path.stem}-{key_of(inputs)[:16]}")


@lru_cache(maxsize=1)
def _code() -> str:
    """A hash of all scenes and of the code that draws them."""
    package = Path(inspect.getfile(figures)).parents[1]
    folders = [package / name for name in ("scene", "render", "pages", "media")]
    folders += [Path(path) for path in importlib.import_module("grokviz.scenes").__path__]
    return source_hash(folders, DATA)


@cache
def _data(scene: type[Scene], run: str | None = None) -> str:
    """A hash of a scene's data; for a composed film, of its chapters' data."""
    data = figures.loaded(run or scene.reference, ())
    hashes = [data_hash(data, scene.needs)]
    chapters = scene().chapters(data) if issubclass(scene, Film) else ()
    hashes += [_data(find_scene(part.scene, user=False), part.run) for part in chapters]
    return "".join(hashes)


def draw(work: Sequence[DrawingJob], jobs: int, say: Callable[[str], None]) -> None:
    """Draw the missing files and report each; all failures together raise one error.

    Raises:
        InputError: with each scene that cannot be drawn, and its reason.

    """
    missing = [item for item in work if item.film is None and not item.path.exists()]
    # films first, since they take longest, so that all workers finish at about the same time
    missing.sort(key=lambda item: (not format_of(item.path).film, item.scene))
    failures = []
    for count, (item, failure) in enumerate(_draw_each(missing, jobs), 1):
        say(f"[{count}/{len(missing)}] {failure or item.path.name}")
        failures += [failure] if failure else []
    if failures:
        raise InputError("the gallery cannot be drawn: " + "; ".join(failures))
    for item in work:
        if item.film is not None and not item.path.exists():
            with replacing(item.path) as part:
                part.write_bytes(last_frame(item.film, item.chapter)[0])


def _draw_each(work: Sequence[DrawingJob], jobs: int) -> Iterator[tuple[DrawingJob, str]]:
    if jobs == 1 or len(work) < 2:
        yield from ((item, _draw(item)) for item in work)
        return
    with Pool(min(jobs, len(work))) as pool:
        yield from zip(work, pool.map(_draw, work), strict=True)


def _draw(work: DrawingJob) -> str:
    """Draw one file in a worker; returns an error as a sentence, or ""."""
    try:
        scene = work.drawn or find_scene(work.scene, user=False)()
        render(scene, figures.loaded(work.run or scene.reference, ()), work.path, **work.options)
    except GrokvizError as error:
        return f"{work.scene}: {error}"
    except Exception as error:  # a scene may raise anything, and the report must name it
        return f"{work.scene}: {type(error).__name__}: {' '.join(str(error).split())}"
    return ""


def tidy(folder: Path, work: Sequence[DrawingJob]) -> None:
    """Remove outdated files of the same scenes."""
    names = {item.path.name for item in work}
    # a file's name is the scene's, a dash, and 16 digits of the hash
    current = {(item.path.name[:-21], item.path.suffix) for item in work}
    for file in folder.glob("*"):
        if (file.name[:-21], file.suffix) in current and file.name not in names:
            file.unlink(missing_ok=True)
