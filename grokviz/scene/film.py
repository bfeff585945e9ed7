"""The contract of a manim film: what it is and what it needs, known without manim.

A film is two things. Its specification, a class of this module's :class:`Film`, lies in
``scenes/``; its fields are the options a user may set. Its drawing, an ordinary manim scene
on :class:`grokviz.scene.films.toolkit.FilmScene`, lies in ``scenes/films/``.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from grokviz.errors import InputError
from grokviz.scene.scene import Scene

if TYPE_CHECKING:
    import xarray as xr

    from grokviz.media.formats import Format


@dataclass(frozen=True)
class Chapter:
    """One part of a composed film: a scene or film by name, with options and seconds.

    ``seconds`` and ``hold`` are for scenes drawn with matplotlib, as ``--duration`` and
    ``--hold``; a manim film has its own length, of which ``sections`` takes some that follow
    one another. ``run`` names another run than the whole's; one that is ``own``
    is drawn from the whole's, whatever reference its scene has. ``captions`` are said below a scene
    drawn with matplotlib, each for as long as it is read: texts, or what finds them in its data.
    """

    name: str
    scene: str
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    seconds: float = 0.0
    hold: float = 2.0
    run: str | None = None
    own: bool = False
    sections: tuple[str, ...] = ()
    captions: tuple[str, ...] | Callable[[xr.Dataset], Sequence[str]] = ()

    def captions_of(self, data: xr.Dataset) -> tuple[str, ...]:
        """The captions, true of the chapter's data."""
        return tuple(self.captions(data)) if callable(self.captions) else self.captions


@dataclasses.dataclass(frozen=True)
class Film(Scene):
    """Base of every film drawn with manim. Beside what a :class:`Scene` says of itself:

    Class attributes:
        drawn_by: ``module:Class`` of the manim scene, the module relative to the folder of the
            file that the specification is in, such as ``films.clock:Clock``.
        seconds: how long it is, to a second: for progress, lists and slides.
        parts: its sections by name, each with what it is called on a slide; the names that the
            manim scene gives to ``next_section``, in order.
        poster: the part whose last frame stands for the film as a still and in the gallery; the
            last part, if none.
        also: bundled references that it shows beside its own data, each with what it needs.
        counts: whether it goes through epochs and shows each where ``show_moment`` says it, from
            the first to the last of its ``film_span``: a still of such a film takes ``--epoch N``.
    """

    engine = "manim"
    clock = None
    drawn_by: ClassVar[str] = ""
    seconds: ClassVar[float] = 0.0
    parts: ClassVar[Mapping[str, str]] = {}
    poster: ClassVar[str] = ""
    also: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    counts: ClassVar[bool] = False

    @classmethod
    def moves(cls) -> bool:
        """A film does."""
        return True

    @classmethod
    def able(cls, kind: Format) -> bool:
        """Every film format, a page, captions and stills; fewer films where it is joined."""
        if cls.joined():
            return kind.joins or kind.content in ("captions", "page", "pixels")
        return kind.content != "figure"

    @classmethod
    def made_by(cls) -> str:
        """Films of chapters are made by joining these."""
        return "chapters" if cls.joined() else cls.engine

    @classmethod
    def joined(cls) -> bool:
        """Whether it is composed of chapters."""
        return cls.chapters is not Film.chapters

    def film_span(self, data: xr.Dataset) -> tuple[float, float] | None:
        """The first and the last epoch that it counts; by default all of the data's."""
        if not self.counts or "epoch" not in data.coords:
            return None
        return float(data["epoch"].values[0]), float(data["epoch"].values[-1])

    def heading(self, data: xr.Dataset) -> str:
        """The title where it holds: a film's numbers come when it has said what they count."""
        claim = self.claim(data)
        return self.title if claim.holds else claim.sentence

    def require(self, data: xr.Dataset) -> None:
        """Raise InputError unless what the film tells is true of this data.

        It is asked before anything is drawn; by default every film can be.
        """

    def chapters(self, data: xr.Dataset) -> tuple[Chapter, ...]:
        """The chapters of a composed film, in order; none for any other film."""
        return ()

    @classmethod
    def file(cls) -> Path:
        """The file of the manim scene; raises ``InputError`` if it does not exist."""
        module, _, _ = cls.drawn_by.partition(":")
        home = Path(str(sys.modules[cls.__module__].__file__)).resolve().parent
        path = home.joinpath(*module.split(".")).with_suffix(".py")
        if not path.is_file():
            raise InputError(
                f"{cls.name} is drawn by {cls.drawn_by}, and there is no {path}; put it there"
            )
        return path
