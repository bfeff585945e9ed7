"""The toolkit of manim scenes; docs/films.md shows how to write a film.

``FilmScene`` is manim's ``Scene`` with the film's data, options and colours, its title, the
captions below and the epoch above; the rest are texts, formulas and shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import manim as mn
from manim.animation.animation import prepare_animation

from grokviz.dataset.references.reference import load
from grokviz.media import typefaces
from grokviz.media.motion import FADE, REST, SWAPPED, ease
from grokviz.media.spacing import (
    CAPTION_LINE,
    CAPTION_ROW,
    MARGIN,
    MOMENT_AT,
    SOURCE_ROW,
    STAGE,
    TITLE_ROOM,
    TITLE_ROW,
)
from grokviz.media.theme import Colours
from grokviz.scene import frequencies
from grokviz.scene.about import about
from grokviz.scene.clock import spaced, word
from grokviz.scene.films.context import FilmContext, current_context
from grokviz.scene.films.shapes import Bars, Dots, FilmCamera, Heat, Line, Plot, coloured
from grokviz.scene.films.writing import (
    BODY,
    CAPTION,
    SMALL,
    SMALLEST,
    TITLE,
    Anchor,
    formula,
    length,
    mathematics,
    mono,
    place,
    stroke,
    words,
)
from grokviz.scene.spoken import halves, in_lines, reading

__all__ = [
    "BODY",
    "CAPTION",
    "FADE",
    "MARGIN",
    "SMALL",
    "STAGE",
    "TITLE",
    "Anchor",
    "Bars",
    "Dots",
    "FilmScene",
    "Heat",
    "Line",
    "Plot",
    "coloured",
    "ease",
    "formula",
    "length",
    "mathematics",
    "mono",
    "place",
    "stroke",
    "words",
]

_TITLE_TWO = 48.0
"""The type size of a title of two lines."""


class FilmScene(mn.Scene):  # type: ignore[misc]
    """Base of a film's manim scene.

    Class attributes:
        film: the name of the specification that it draws.

    Attributes:
        data: the dataset.
        options: the specification with its options.
        colours: the theme's colours by meaning.
        keys: the frequencies that the trained model computes with.

    """

    film: ClassVar[str] = ""
    camera_kind: ClassVar[type[FilmCamera]] = FilmCamera

    def __init__(self, renderer: Any = None, **kwargs: Any) -> None:
        self.context: FilmContext = current_context(self.film)
        self.data, self.options = self.context.data, self.context.film
        self.colours: Colours = self.context.theme.colours
        # manim's hashes omit most of a large array, so its cache could show another run's data
        mn.config.disable_caching = True
        super().__init__(renderer=renderer, camera_class=FilmCamera, **kwargs)
        if renderer is None and not mn.config.transparent:
            self.camera.background_color = self.colours.background
        self.captions: list[tuple[int, int, str]] = []
        self.noted: list[tuple[int, float | None]] = []
        self._caption: Any = None
        self._source: Any = None
        self._title: Any = None
        self._sentence = ("", 0.0)
        self._skipping, self._is_skipped, self._section_from = False, 0, 0
        self._begins = False
        self.moment = mono("", self.colours.answer, at=(0, 0))

    @property
    def keys(self) -> list[int]:
        """The key frequencies, ascending."""
        return frequencies.key_frequencies(self.data)

    def other(self, name: str) -> Any:
        """The dataset of a bundled reference that the specification lists under ``also``."""
        return load(name, self.options.also[name])

    def colour(self, frequency: int) -> str:
        """The colour of a frequency, the same in every picture of the run."""
        return self.colours.frequency(frequency, frequencies.embedded(self.data))

    def setup(self) -> None:
        """Add the title, and below it the run of the data."""
        if self.context.title:
            self._title = self._heading(self.context.title)
            self.add(self._title)
        self.show_source(about(self.data))

    def show_title(self, title: str) -> None:
        """Write another title above, for a part with a subject of its own.

        One that a user has given stays, and so does none.
        """
        if self._title is None or self.context.title != self.options.heading(self.data):
            return
        self.remove(self._title)
        self._title = self._heading(title)
        self.add(self._title)

    def show_source(self, text: str) -> None:
        """Write below what is drawn: at first the run of the data."""
        if self._source is not None:
            self.remove(self._source)
        self._source = words(text.replace("$", ""), self.colours.muted, px=SMALLEST,
                             at=(MARGIN, SOURCE_ROW), anchor="left")  # fmt: skip
        self.add(self._source)

    def _heading(self, title: str) -> Any:
        """The title in one line, or in two smaller ones, so that it ends before the epoch."""
        lines, px, y = title, TITLE, float(TITLE_ROW)
        if _width(title, TITLE) > TITLE_ROOM:
            lines, y = "\n".join(halves(title)), 56.0
            widest = max(_width(line, _TITLE_TWO) for line in lines.split("\n"))
            px = max(_TITLE_TWO * min(1.0, TITLE_ROOM / widest), SMALL)
        at = (MARGIN, y)
        return words(lines, self.colours.ink, px=px, display=True, at=at, anchor="left")

    def tear_down(self) -> None:
        """Hold the last caption until it can be read, and the picture a moment longer."""
        self.hold()
        self.wait(1.5)
        self._keep_caption()

    # --- time ------------------------------------------------------------------

    def frame_number(self) -> int:
        """Number of frames so far, without those of skipped sections."""
        count: int = round(self.renderer.time * mn.config.frame_rate)
        return count - self._is_skipped

    def play(self, *animations: Any, **kwargs: Any) -> None:
        """Play animations, for a whole number of frames.

        What would fade in at the very beginning is there at once, so that no film begins empty.
        """
        moving = list(animations)
        if not self._skipping and self.frame_number() == 0:
            moving = [animation for animation in animations if type(animation) is not mn.FadeIn]
            self.add(*(fade.mobject for fade in animations if type(fade) is mn.FadeIn))
        if moving or not animations:
            super().play(*moving, **kwargs)
        else:
            longest = max(animation.run_time for animation in animations)
            self.wait(kwargs.get("run_time", longest))

    def wait(self, duration: float = 1.0, **kwargs: Any) -> None:
        """Hold the picture for a whole number of frames."""
        frames = max(round(duration * mn.config.frame_rate), 1)
        # manim would round down a duration that floating point makes slightly too short
        super().wait((frames + 1e-3) / mn.config.frame_rate, **kwargs)

    def section(self, name: str, *leaving: Any) -> None:
        """Begin a section of the specification, once the caption has been read.

        Objects that leave between sections leave in the new one, so that the last frame of each
        section is complete; slides show it as a poster.
        """
        self.hold(REST if self._caption is not None else 0)
        self._begins = self._leave_out(bool(self.context.only) and name not in self.context.only)
        self.next_section(name, skip_animations=self._skipping)
        if self._begins:
            # the audience has not seen the skipped sections
            self.remove(*leaving)
        elif leaving:
            self.play(*map(mn.FadeOut, leaving), run_time=0.5)

    def first(self, whole: str, alone: str) -> str:
        """A section's first caption: ``alone`` if the film starts with this section.

        The audience has then not seen the explanations of earlier sections.
        """
        return alone if self._begins else whole

    def _leave_out(self, skip: bool) -> bool:
        """Skip or resume drawing for a section; time advances in skipped sections too.

        Returns whether this section is drawn and the previous one was not.
        """
        was = self._skipping
        if was:
            self._is_skipped += self.frame_number() - self._section_from
        if was or skip:
            self._keep_caption()
            if self._caption is not None:
                self.remove(self._caption)
            self._caption = None
        self._skipping, self._section_from = skip, self.frame_number()
        return was and not skip

    # --- captions and the epoch -------------------------------------------------

    def say(self, text: str, *animations: Any, run_time: float | None = None) -> None:
        """Replace the caption by another one, while ``animations`` play.

        The last caption is first held for a second and a third of a second per word.
        ``$...$`` in a caption is a formula.
        """
        self.hold()
        lines = in_lines(text)
        first = CAPTION_ROW - (len(lines) - 1) * CAPTION_LINE / 2
        shown = words("\n".join(lines), self.colours.ink, px=CAPTION, at=(960, first))
        comes = mn.FadeIn(shown, run_time=FADE)
        if self._caption is not None:
            self.remove(self._caption)
            comes = mn.UpdateFromAlphaFunc(shown, _come_up, run_time=FADE, rate_func=mn.linear)
        self._keep_caption()
        self._caption, self._since = shown, self.frame_number()
        self._sentence = (text.replace("$", ""), self.reading(text))
        if run_time is not None:
            animations = tuple(_with_run_time(animation, run_time) for animation in animations)
        self.play(comes, *animations)

    @staticmethod
    def reading(text: str) -> float:
        """Seconds for which a caption is shown at least: what lasts as long moves beside it."""
        return reading(text)

    def hold(self, more: float = 0.0) -> None:
        """Hold until the caption can be read, and ``more`` seconds longer."""
        left = 0.0
        if self._caption is not None:
            done = (self.frame_number() - self._since) / mn.config.frame_rate
            left = max(self._sentence[1] - done, 0.0)
        if left + more > 0:
            self.wait(left + more)

    def _keep_caption(self) -> None:
        if self._caption is not None and not self._skipping:
            self.captions.append((self._since, self.frame_number(), self._sentence[0]))

    def show_moment(self, value: float, unit: str = "epoch") -> None:
        """Write the epoch (or step) above, in figures of equal width."""
        self.write_moment(f"{unit} {spaced(value)}")
        if unit in ("epoch", word(self.data)):
            self.note_moment(value)

    def write_moment(self, text: str) -> None:
        """Write above what stands in the epoch's place, in figures of equal width."""
        self.note_moment(None)
        # one object whose points change, since manim lists moving objects only when a play begins
        self.moment.points = mono(text, self.colours.answer, px=44, bold=True, at=MOMENT_AT).points
        if self.moment not in self.mobjects:
            self.add(self.moment)

    def note_moment(self, value: float | None) -> None:
        """Note which epoch is seen from this frame on, so that ``--epoch`` finds it."""
        if not self._skipping:
            self.noted.append((self.frame_number(), None if value is None else float(value)))

    def show_last_moment(self) -> None:
        """Write above that the run's last checkpoint is shown."""
        self.show_moment(self.data["epoch"].values[-1], word(self.data))

    def sweep(
        self, update: Callable[[float], None], *mobjects: Any, run_time: float, rate: Any = None
    ) -> Any:
        """An animation that calls ``update(share)``, 0 to 1, and redraws ``mobjects``.

        The epoch above is redrawn too, so that ``update`` may set it.
        """
        return mn.UpdateFromAlphaFunc(
            mn.Group(*mobjects, self.moment), lambda _, share: update(share),
            run_time=run_time, rate_func=rate or ease,
        )  # fmt: skip


def _come_up(caption: Any, share: float) -> None:
    """Draw a caption that takes the place of another one, some of it from the first frame on."""
    caption.set_fill(opacity=SWAPPED + (1 - SWAPPED) * share)


def _with_run_time(animation: Any, run_time: float) -> Any:
    animation = prepare_animation(animation)
    animation.run_time = run_time
    return animation


def _width(text: str, px: float) -> float:
    """How wide a title is, in pixels."""
    return px * typefaces.width(text, typefaces.DISPLAY, typefaces.DISPLAY_WEIGHT)
