"""Stills and films of the gallery, drawn once and kept by what they are made of."""

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
"""Whose versions decide what a picture looks like."""


@dataclass(frozen=True)
class Work:
    """One file to be drawn: what a worker process is handed."""

    scene: str
    path: Path
    wish: Mapping[str, Any]
    film: Path | None = None
    chapter: str | None = None


def has_still(scene: type[Scene]) -> bool:
    """Whether it can be drawn as a picture: a film joined of chapters cannot."""
    return scene.able(STILL)


def poster(film: Work, scene: type[Scene]) -> Work:
    """The last frame of a film, or of the chapter that stands for it."""
    chapter = scene.parts[scene.poster] if issubclass(scene, Film) and scene.poster else None
    return replace(
        film, path=film.path.with_suffix(STILL.suffixes[0]), film=film.path, chapter=chapter
    )


def still(scene: type[Scene], folder: Path, quality: str) -> Work:
    """A scene's picture: its last moment, or its film's last frame."""
    return _work(scene, folder, STILL.suffixes[0], {"quality": quality})


def film(scene: type[Scene], folder: Path, quality: str) -> Work:
    """A scene's film."""
    return _work(scene, folder, FILM.suffixes[0], {"quality": quality})


def drawable(scene: type[Scene]) -> bool:
    """Whether what draws it is installed: always, but for films without manim."""
    return engine_of(scene).lacking() is None


def _work(scene: type[Scene], folder: Path, suffix: str, wish: Mapping[str, Any]) -> Work:
    made_of = {
        "data": _data(scene),
        "code": _code(),
        "versions": library_versions(*LIBRARIES),
        **wish,
    }
    key = key_of(made_of)[:16]
    return Work(scene.name, folder / f"{scene.name}-{key}{suffix}", wish)


@lru_cache(maxsize=1)
def _code() -> str:
    """A hash of all scenes and of all that draws them."""
    package = Path(inspect.getfile(figures)).parents[1]
    folders = [package / name for name in ("scene", "render", "pages", "media")]
    folders += [Path(place) for place in importlib.import_module("grokviz.scenes").__path__]
    return source_hash(folders, DATA)


@cache
def _data(scene: type[Scene], run: str | None = None) -> str:
    """A hash of what the scene draws; of a composed film, of what its chapters draw."""
    data = figures.loaded(run or scene.reference, ())
    hashes = [data_hash(data, scene.needs)]
    chapters = scene().chapters(data) if issubclass(scene, Film) else ()
    hashes += [_data(find_scene(part.scene, user=False), part.run) for part in chapters]
    return "".join(hashes)


def draw(work: Sequence[Work], jobs: int, say: Callable[[str], None]) -> None:
    """Draw what is not there yet, and say what is done; all that failed is one error.

    Raises:
        InputError: naming each scene that cannot be drawn, with its reason.

    """
    missing = [item for item in work if item.film is None and not item.path.exists()]
    # the films that take longest first: no worker should wait for the last one
    missing.sort(key=lambda item: (not format_of(item.path).film, item.scene))
    failures = []
    for done, (item, failure) in enumerate(_drawn(missing, jobs), 1):
        say(f"[{done}/{len(missing)}] {failure or item.path.name}")
        failures += [failure] if failure else []
    if failures:
        raise InputError("the gallery cannot be made: " + "; ".join(failures))
    for item in work:
        if item.film is not None and not item.path.exists():
            with replacing(item.path) as part:
                part.write_bytes(last_frame(item.film, item.chapter)[0])


def _drawn(work: Sequence[Work], jobs: int) -> Iterator[tuple[Work, str]]:
    if jobs == 1 or len(work) < 2:
        yield from ((item, _draw(item)) for item in work)
        return
    with Pool(min(jobs, len(work))) as pool:
        yield from zip(work, pool.map(_draw, work), strict=True)


def _draw(work: Work) -> str:
    """Draw one in a worker; what goes wrong comes back as a sentence."""
    try:
        scene = find_scene(work.scene, user=False)
        render(scene(), figures.loaded(scene.reference, ()), work.path, **work.wish)
    except GrokvizError as error:
        return f"{work.scene}: {error}"
    except Exception as error:  # a scene may fail in any way, and its name must be said
        return f"{work.scene}: {type(error).__name__}: {' '.join(str(error).split())}"
    return ""


def tidy(folder: Path, work: Sequence[Work]) -> None:
    """Remove what was drawn before of the same scenes and would come out differently now."""
    names = {item.path.name for item in work}
    # a name is the scene's, a dash, 16 digits of its key
    known = {(item.path.name[:-21], item.path.suffix) for item in work}
    for file in folder.glob("*"):
        if (file.name[:-21], file.suffix) in known and file.name not in names:
            file.unlink(missing_ok=True)
