"""What is asked of a deck beside its slides."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

SlideProgress = Callable[[str, int, int], None]
"""Called with a scene, and what is done and all there is: films, or frames of that scene's film."""

Skipped = Callable[[str, str], None]
"""Called with a scene and the reason why it is left out."""


@dataclass(frozen=True)
class SlideOptions:
    """What a user may ask of a deck.

    Attributes:
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

    """

    run: str | os.PathLike[str] | None = None
    quality: str = "m"
    theme: str = "light"
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
