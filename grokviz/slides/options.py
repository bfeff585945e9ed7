"""The options of a deck."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

SlideProgress = Callable[[str, int, int], None]
"""Called with a scene and the completed and total films, or frames of its film."""

SkipCallback = Callable[[str, str], None]
"""Called with a scene that is skipped, and the reason."""


@dataclass(frozen=True)
class SlideOptions:
    """The options that a user may set.

    Attributes:
        run: run directory, ``.nc`` file or reference; by default each scene's own reference.
        quality: size and rate of the films, by letter.
        theme: light or dark.
        title: title of the deck, on a slide of its own; by default there is no title slide.
        films: a folder in which to keep the films and reuse those that would be the same; by
            default none are kept.
        loop: whether films repeat; by default as each scene says.
        user: whether to find scenes in ``./scenes`` and plug-ins too.
        jobs: how many films to draw at the same time.
        command: the command that writes the deck, for its provenance.

    """

    run: str | os.PathLike[str] | None = None
    quality: str = "m"
    theme: str = "dark"
    title: str = ""
    films: str | os.PathLike[str] | None = None
    loop: bool | None = None
    user: bool = True
    jobs: int = 1
    command: str = ""


class SlideKeywords(TypedDict, total=False):
    """The fields of :class:`SlideOptions` as keywords of ``slides``."""

    run: str | os.PathLike[str] | None
    quality: str
    theme: str
    title: str
    films: str | os.PathLike[str] | None
    loop: bool | None
    user: bool
    jobs: int
    command: str
