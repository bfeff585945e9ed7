"""``slides``: a deck with a film a slide, as PowerPoint or as one page for a browser.

Here belong what a deck holds and the programs that show it. Its films are drawn by
:mod:`grokviz.render`, as any others.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Unpack

from grokviz import plugins
from grokviz.errors import InputError
from grokviz.files import check_place
from grokviz.media.formats import FILM
from grokviz.media.theme import theme
from grokviz.parallel import check_jobs
from grokviz.render.job import options_of
from grokviz.render.quality import quality
from grokviz.slides.contents import SlideSource, slide_sources
from grokviz.slides.deck import Deck, gather
from grokviz.slides.options import Skipped, SlideKeywords, SlideOptions, SlideProgress

WRITERS = {
    ".pptx": "grokviz.slides.powerpoint",
    ".html": "grokviz.slides.page",
}
"""The module of each target, by suffix; its ``write(deck, path)`` makes the file."""

__all__ = ["Deck", "plan", "slides"]


def slides(
    scenes: Sequence[str | os.PathLike[str]] = (),
    out: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = "talk.html",
    *,
    report: SlideProgress | None = None,
    frames: SlideProgress | None = None,
    skipped: Skipped | None = None,
    **more: Unpack[SlideKeywords],
) -> list[Path]:
    """Write a deck: a slide for each scene, its film embedded and starting by itself.

    Args:
        scenes: names of scenes, and films or pictures (``.mp4``, ``.png``) that grokviz has
            written; by default the thread's story in its order, as far as it can be drawn.
        out: one file or several of the same slides, each ``.pptx`` or ``.html``.
        report: called with (scene, done, all) for every film that is there.
        frames: called with (scene, done, all) frames of the film at hand, one at a time only.
        skipped: called with (scene, reason) for what the story lacks the data for.
        **more: the fields of :class:`~grokviz.slides.options.SlideOptions`: ``run``,
            ``quality``, ``theme``, ``title``, ``films``, ``loop``, ``user``, ``jobs`` and
            ``command``.

    Returns:
        The files written.

    Raises:
        InputError: an unknown scene, suffix, theme or quality; python-pptx is not there.
        WorkError: the disk or an encoder failed; old files are as they were.

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
    skipped: Skipped | None = None,
    **more: Unpack[SlideKeywords],
) -> tuple[list[Path], list[SlideSource]]:
    """The files, and what each slide will be, before anything is drawn; raises as ``slides``."""
    options = options_of(SlideOptions, "slides", more)
    with plugins.user_code(options.user):
        return _plan(scenes, out, options, skipped)


def _plan(
    scenes: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    options: SlideOptions,
    skipped: Skipped | None,
) -> tuple[list[Path], list[SlideSource]]:
    theme(options.theme)
    quality(options.quality, FILM)
    check_jobs(options.jobs)
    paths = [Path(p) for p in ([out] if isinstance(out, (str, os.PathLike)) else out)]
    for path in paths:
        _writer(path)
        check_place(path)
    return paths, slide_sources(scenes, options, skipped)


def _writer(path: Path) -> Callable[[Deck, Path], None]:
    """What writes this file; whether it can is found before any film is drawn."""
    if path.suffix.lower() not in WRITERS:
        raise InputError(f"{path}: slides are written as {' or '.join(WRITERS)}; choose one")
    module: Any = importlib.import_module(WRITERS[path.suffix.lower()])
    module.ready()
    write: Callable[[Deck, Path], None] = module.write
    return write


@contextlib.contextmanager
def _film_folder(folder: str | os.PathLike[str] | None) -> Iterator[Path]:
    if folder is not None:
        yield Path(folder)
        return
    with tempfile.TemporaryDirectory(prefix="grokviz-slides-") as own:
        yield Path(own)
