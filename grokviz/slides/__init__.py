"""``slides``: a deck with a film a slide, as PowerPoint or as one page for a browser."""

from __future__ import annotations

import contextlib
import importlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from grokviz.errors import InputError
from grokviz.files import check_place
from grokviz.render.quality import quality as size_of
from grokviz.slides.deck import Deck, Order, Skipped, gather, order
from grokviz.slides.films import Report

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
    run: str | os.PathLike[str] | None = None,
    quality: str = "m",
    theme: str = "light",
    title: str = "",
    films: str | os.PathLike[str] | None = None,
    loop: bool | None = None,
    user: bool = True,
    jobs: int = 1,
    command: str = "",
    report: Report | None = None,
    frames: Report | None = None,
    skipped: Skipped | None = None,
) -> list[Path]:
    """Write a deck: a slide for each scene, its film embedded and starting by itself.

    Args:
        scenes: names of scenes, and films or pictures (``.mp4``, ``.png``) that grokviz has
            written; by default the thread's story in its order, as far as it can be drawn.
        out: one file or several of the same slides, each ``.pptx`` or ``.html``.
        run: run directory, ``.nc`` file or reference; by default each scene's own reference.
        quality: size and rate of the films, by letter.
        theme: light or dark.
        title: of the deck; a title slide begins it then.
        films: a folder in which the films are kept, and from which those are taken that would
            come out the same; by default none are kept.
        loop: whether films go round; by default each as its scene says.
        user: whether scenes of ``./scenes`` and plugins are found too.
        jobs: how many films are drawn at the same time.
        command: what made the deck, for its provenance.
        report: called with (scene, done, all) for every film that is there.
        frames: called with (scene, done, all) frames of the film at hand, one at a time only.
        skipped: called with (scene, reason) for what the story lacks the data for.

    Returns:
        The files written.

    Raises:
        InputError: an unknown scene, suffix, theme or quality; python-pptx is not there.
        WorkError: the disk or an encoder failed; old files are as they were.

    """
    paths, wanted = plan(
        scenes, out, run=run, quality=quality, theme=theme, user=user, jobs=jobs, skipped=skipped
    )
    with _kept(films) as folder:
        made = gather(
            wanted, folder, quality=quality, theme=theme, title=title, loop=loop, user=user,
            jobs=jobs, command=command, report=report, frames=frames,
        )  # fmt: skip
        for path in paths:
            _writer(path)(made, path)
    return paths


def plan(
    scenes: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    run: str | os.PathLike[str] | None = None,
    quality: str = "m",
    theme: str = "light",
    user: bool = True,
    jobs: int = 1,
    skipped: Skipped | None = None,
) -> tuple[list[Path], list[Order]]:
    """The files, and what each slide will be, before anything is drawn; raises as ``slides``."""
    from grokviz.media.theme import theme as look

    look(theme)
    size_of(quality, "mp4")
    if jobs < 1:
        raise InputError(f"-j {jobs} is not possible; give at least 1")
    paths = [Path(p) for p in ([out] if isinstance(out, (str, os.PathLike)) else out)]
    for path in paths:
        _writer(path)
        check_place(path)
    return paths, order(scenes, run=run, user=user, skipped=skipped)


def _writer(path: Path) -> Callable[[Deck, Path], None]:
    """What writes this file; whether it can is found before any film is drawn."""
    if path.suffix.lower() not in WRITERS:
        raise InputError(f"{path}: slides are written as {' or '.join(WRITERS)}; choose one")
    module: Any = importlib.import_module(WRITERS[path.suffix.lower()])
    module.ready()
    write: Callable[[Deck, Path], None] = module.write
    return write


@contextlib.contextmanager
def _kept(folder: str | os.PathLike[str] | None) -> Iterator[Path]:
    if folder is not None:
        yield Path(folder)
        return
    with tempfile.TemporaryDirectory(prefix="grokviz-slides-") as own:
        yield Path(own)
