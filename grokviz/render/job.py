"""What is asked of a picture beside its scene's own options, and the file to be made of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from grokviz.errors import InputError
from grokviz.media.formats import FORMATS, Format
from grokviz.media.plain import clean_text
from grokviz.media.theme import AUTO, Theme
from grokviz.media.venues import Page, find_venue
from grokviz.render.quality import DURATION, Quality
from grokviz.render.sizes import usual_bytes
from grokviz.scene.scene import Scene

if TYPE_CHECKING:
    import xarray as xr

HOLD = 2.0
T = TypeVar("T")


@dataclass(frozen=True)
class RenderOptions:
    """Everything a user may ask of a picture beside the scene's own options.

    Attributes:
        quality: size and rate of a film by letter; the format's own by default.
        fps: frames a second of a film, in place of the quality's.
        duration, hold: seconds of a film, and for how many of them its end stays; by default
            for 2, or for a quarter of a short film.
        epoch: the moment of a still: a number, ``last``, ``grok``, ``grok-N`` or ``grok+N``.
        epochs: the checkpoints of a film, ``A:B:STEP``.
        theme: light, dark, or ``auto``: what the medium has (``default_theme`` of
            ``grokviz.media.theme``).
        style: an ``.mplstyle`` file, merged last.
        venue: whose widths and type sizes stills have, a file ``NAME.toml`` of one, or ``slide``.
        columns: of the venue, 1 or 2.
        title: another title than the scene's, or ``none``.
        transparent: whether there is no background.
        ghost: whether what comes after the moment shown is drawn too, faintly; by default it is
            in stills, and not in films and pages.
        max_size: megabytes that a film or page may have.
        sections: whether a film is written as a file for each of its chapters.
        sound: whether a film has the sound that its scene makes of the data.
        command: the command that makes the picture, for its provenance.

    """

    quality: str | None = None
    fps: float | None = None
    duration: float = DURATION
    hold: float | None = None
    epoch: str | int | None = None
    epochs: str | None = None
    theme: str = AUTO
    style: Path | None = None
    venue: str | None = None
    columns: int = 2
    title: str | None = None
    transparent: bool = False
    ghost: bool | None = None
    max_size: float | None = None
    sections: bool = False
    sound: bool = False
    command: str = ""

    def __post_init__(self) -> None:
        """Clean what is written into pictures."""
        for name in ("title", "command"):
            if isinstance(value := getattr(self, name), str):
                object.__setattr__(self, name, clean_text(value))

    @property
    def held(self) -> float:
        """Seconds that a film's end stays: a short one moves most of its time."""
        return min(HOLD, self.duration / 4) if self.hold is None else self.hold


class RenderKeywords(TypedDict, total=False):
    """The fields of :class:`RenderOptions` as keywords of ``render``."""

    quality: str | None
    fps: float | None
    duration: float
    hold: float | None
    epoch: str | int | None
    epochs: str | None
    theme: str
    style: Path | None
    venue: str | None
    columns: int
    title: str | None
    transparent: bool
    ghost: bool | None
    max_size: float | None
    sections: bool
    sound: bool
    command: str


@dataclass(frozen=True)
class RenderJob:
    """One file to be made, ``seconds`` long; of one ``alone``, only the section is drawn.

    ``captions`` are said below a film that is a chapter.
    """

    path: Path
    format: Format
    scene: Scene
    options: RenderOptions
    theme: Theme
    page: Page
    quality: Quality = field(default=Quality(0, 0, 0))
    seconds: float = 0.0
    section: str | None = None
    alone: bool = False
    captions: tuple[str, ...] = ()

    @property
    def ghost(self) -> bool:
        """Whether the future is drawn, faintly."""
        if self.options.ghost is not None:
            return self.options.ghost
        return not (self.format.film or self.format.page)

    def heading(self, data: xr.Dataset) -> str | None:
        """What stands above the picture; None for nothing."""
        if self.options.title is not None:
            return None if self.options.title.lower() == "none" else self.options.title
        headed = self.scene.headed and self.theme.medium == "slide"
        return self.scene.heading(data) if headed else None

    def line(self) -> str:
        """What ``--dry-run`` says."""
        wide, high = self.page.pixels
        if not self.format.film:
            size = f"{self.page.width:.4g} x {self.page.height:.4g} in"
            size = f"{wide} x {high} px" if self.theme.medium == "slide" else size
            return f"{self.path}: {self.scene.name}, {self.format.name}, {size}{self._usual_size()}"
        length = f"section {self.section}" if self.section else f"{self.seconds:g} s"
        return (
            f"{self.path}: {self.scene.name}, {self.format.name}, {wide} x {high} px, "
            f"{length} at {float(self.quality.fps):g} frames a second{self._expected_size()}"
        )

    def _usual_size(self) -> str:
        """About how large a still or page is, to a factor of two, of our scenes."""
        wide, high = self.page.pixels
        size = usual_bytes(self.scene, self.format.name, wide * high)
        return "" if size is None else f", about {_round(size / 1e6):g} MB"

    def _expected_size(self) -> str:
        """How large a film of this size, rate and length usually is; of a section nobody knows."""
        if self.section or not self.format.bits:
            return ""
        least, most = self._megabytes(self.format.bits)
        limit = self.options.max_size
        if limit is not None and most > limit:
            return f", at most {limit:g} MB"
        smaller = "".join(
            f"; as {kind.suffixes[0]}, usually {low:g} to {high:g} MB"
            for kind, (low, high) in self._smaller()
        )
        return f", usually {least:g} to {most:g} MB{smaller}"

    def _megabytes(self, bits: tuple[float, float]) -> tuple[float, float]:
        """The least and the most that a film takes at so many bits a pixel."""
        wide, high = self.page.pixels
        pixels = wide * high * self.seconds * float(self.quality.fps)
        least, most = (_round(pixels * one / 8e6) for one in bits)
        return least, most

    def _smaller(self) -> Iterator[tuple[Format, tuple[float, float]]]:
        """Formats of the same kind of file whose largest films are smaller than these."""
        own, asked = self.format, self.options
        for kind in FORMATS.values():
            if kind.mime != own.mime or not (kind.bits and own.bits and self.scene.able(kind)):
                continue
            able = kind.alpha >= asked.transparent and bool(kind.sound) >= asked.sound
            if able and kind.bits[1] < own.bits[0]:
                yield kind, self._megabytes(kind.bits)


def _round(megabytes: float) -> float:
    """To one digit, two from 100 on: no film is known better before it is drawn."""
    return float(f"{megabytes:.{1 if megabytes < 100 else 2}g}")


def options_of(kind: type[T], verb: str, given: Mapping[str, Any]) -> T:
    """The options ``kind`` with these fields; an ``InputError`` names one it does not have."""
    known = [option.name for option in dataclasses.fields(kind)]  # type: ignore[arg-type]
    for name in given:
        if name not in known:
            raise InputError(
                f"{verb}: unexpected keyword argument {name!r}; it takes {', '.join(known)}"
            )
    return kind(**given)


def render_options(given: Mapping[str, Any]) -> RenderOptions:
    """The options with these fields; an ``InputError`` names one that is not possible."""
    options = options_of(RenderOptions, "render", given)
    if not 0 < options.duration <= 3600:
        raise InputError(f"--duration {options.duration:g} is not possible; give 1 to 3600 seconds")
    if not 0 <= options.held <= 3600:
        raise InputError(f"--hold {options.held:g} is not possible; give 0 to 3600 seconds")
    if options.max_size is not None and not 0 < options.max_size < 1e6:
        raise InputError(f"--max-size {options.max_size:g} is not possible; give megabytes above 0")
    find_venue(options.venue or "slide", options.columns)
    return options
