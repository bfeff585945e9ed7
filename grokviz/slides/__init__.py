"""``slides``: a deck with one film per slide, as PowerPoint or as a page for a browser.

This package assembles a deck and writes it for each program; :mod:`grokviz.render` draws its
films.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Unpack

from grokviz import plugins
from grokviz.errors import InputError
from grokviz.files import check_writable
from grokviz.media.formats import FILM
from grokviz.media.theme import theme
from grokviz.parallel import check_jobs
from grokviz.render.job import options_of
from grokviz.render.quality import quality
from grokviz.slides.contents import SlideSource, slide_sources
from grokviz.slides.deck import Deck, gather
from grokviz.slides.options import SkipCallback, SlideKeywords, SlideOptions, SlideProgress
from grokviz.strays import temporary_folder

WRITERS = {
    ".pptx": "grokviz.slides.powerpoint",
    ".html": "grokviz.slides.page",
}
"""The module of each output by suffix; its ``write(deck, path)`` writes the file."""

__all__ = ["Deck", "plan", "slides"]


def slides(
    scenes: Sequence[str | os.PathLike[str]] = (),
    out: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = "talk.html",
    *,
    report: SlideProgress | None = None,
    frames: SlideProgress | None = None,
    skipped: SkipCallback | None = None,
    **more: Unpack[SlideKeywords],
) -> list[Path]:
    """Write a deck: a slide for each scene, with its film embedded and playing automatically.

    Args:
        scenes: names of scenes, and films or pictures (``.mp4``, ``.png``) that grokviz has
            written; by default the scenes of the thread's story that can be drawn.
        out: one or several files of the same slides, each ``.pptx`` or ``.html``.
        report: called with (scene, completed, total) films after each film.
        frames: called with (scene, completed, total) frames; only if films are drawn one at a
            time.
        skipped: called with (scene, reason) for each scene of the story that cannot be drawn.
        **more: the fields of :class:`~grokviz.slides.options.SlideOptions`: ``run``,
            ``quality``, ``theme``, ``title``, ``films``, ``loop``, ``user``, ``jobs`` and
            ``command``.

    Returns:
        The files written.

    Raises:
        InputError: an unknown scene, suffix, theme or quality; python-pptx is missing.
        WorkError: the disk or an encoder failed; old files are unchanged.

    """
    options = options_of(SlideOptions, "slides", more)
    with plugins.user_code(options.user), _film_folder(options.films) as folder:
        paths, sources = _plan(scenes, out, options, skipped)
        deck = gather(sources, folder, options, report, frames)
        for path in paths:
            _writer(path)(deck, path)
    return paths


def plan(
    scenes: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    skipped: SkipCallback | None = None,
    **more: Unpack[SlideKeywords],
) -> tuple[list[Path], list[SlideSource]]:
    """Plan the files and slides before anything is drawn; raises as ``slides`` does."""
    options = options_of(SlideOptions, "slides", more)
    with plugins.user_code(options.user):
        return _plan(scenes, out, options, skipped)


def _plan(
    scenes: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    options: SlideOptions,
    skipped: SkipCallback | None,
) -> tuple[list[Path], list[SlideSource]]:
    theme(options.theme)
    quality(options.quality, FILM)
    check_jobs(options.jobs)
    paths = [Path(p) for p in ([out] if isinstance(out, (str, os.PathLike)) else out)]
    for path in paths:
        _writer(path)
        check_writable(path)
    return paths, slide_sources(scenes, options, skipped)


def _writer(path: Path) -> Callable[[Deck, Path], None]:
    """The writer of a file; raises ``InputError`` before any film is drawn if it cannot be used."""
    if path.suffix.lower() not in WRITERS:
        raise InputError(f"{path}: slides are written as {' or '.join(WRITERS)}; choose one")
    module: Any = importlib.import_module(WRITERS[path.suffix.lower()])
    module.ready()
    write: Callable[[Deck, Path], None] = module.write
    return write


@contextlib.contextmanager
def _film_folder(folder: str | os.PathLike[str] | None) -> Iterator[Path]:
    if folder is not None:
        check_writable(Path(folder) / "film.mp4")
        yield Path(folder)
        return
    with temporary_folder("slides") as temporary:
        yield temporary
