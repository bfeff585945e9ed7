"""What manim scenes of films are made with: docs/films.md shows how to write one.

``FilmScene`` is manim's ``Scene`` with the film's data, options and colours, its title, the
strip of captions below and the epoch above; the rest are texts, formulas and quick shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import manim as mn
from manim.animation.animation import prepare_animation

from grokviz.dataset.references.reference import load
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

__all__ = [
    "BODY",
    "CAPTION",
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
    "formula",
    "length",
    "mathematics",
    "mono",
    "place",
    "stroke",
    "words",
]

MARGIN = 128
"""Pixels kept free at the left and right."""
STAGE = (150, 890)
"""First and last pixel row of what a film shows; above is its title, below its captions."""
_CAPTION_LINE, _LEADING, _FOOT = 958, 56, 1046
_LONGEST = 72
"""Characters of a caption's line."""
FADE = 0.4
REST = 1.0
"""Seconds that a section's last picture stands longer."""
AT_LEAST, A_WORD = 1.0, 1 / 3
"""Seconds that a caption stays at least, and for each of its words."""


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
        # its hashes leave out most of a large array: a film could be of another run's data
        mn.config.disable_caching = True
        super().__init__(renderer=renderer, camera_class=FilmCamera, **kwargs)
        if renderer is None and not mn.config.transparent:
            self.camera.background_color = self.colours.background
        self.captions: list[tuple[int, int, str]] = []
        self._caption: Any = None
        self._sentence = ("", 0.0)
        self._skipping, self._left_out, self._section_from = False, 0, 0
        self._begins = False
        self.moment = mono("", self.colours.ink, at=(0, 0))

    @property
    def keys(self) -> list[int]:
        """The key frequencies, ascending."""
        return frequencies.key_frequencies(self.data)

    def other(self, name: str) -> Any:
        """The dataset of a bundled reference that the specification lists under ``also``."""
        return load(name, self.options.also[name])

    def colour(self, frequency: int) -> str:
        """The colour that the frequency has in every picture of the run."""
        return self.colours.frequency(frequency, frequencies.embedded(self.data))

    def setup(self) -> None:
        """Title above, and below on what the film is made of."""
        if self.context.title:
            self.add(words(self.context.title, self.colours.ink, px=TITLE, bold=True,
                           at=(MARGIN, 100), anchor="left"))  # fmt: skip
        self.add(words(about(self.data).replace("$", ""), self.colours.muted, px=SMALL,
                       at=(MARGIN, _FOOT), anchor="left"))  # fmt: skip

    def tear_down(self) -> None:
        """The last caption stays until it is read, and the picture a moment longer."""
        self.hold()
        self.wait(1.5)
        self._keep_caption()

    # --- time ------------------------------------------------------------------

    def frame_number(self) -> int:
        """How many frames there are so far, without those of sections left out."""
        count: int = round(self.renderer.time * mn.config.frame_rate)
        return count - self._left_out

    def play(self, *animations: Any, **kwargs: Any) -> None:
        """Play animations, for a whole number of frames."""
        super().play(*animations, **kwargs)

    def wait(self, duration: float = 1.0, **kwargs: Any) -> None:
        """Let the picture stand, for a whole number of frames."""
        frames = max(round(duration * mn.config.frame_rate), 1)
        # manim rounds down what floating point makes a little too short
        super().wait((frames + 1e-3) / mn.config.frame_rate, **kwargs)

    def section(self, name: str, *leaving: Any) -> None:
        """Begin a section of the specification, once the caption has been read.

        What leaves the screen between sections leaves in the new one, so that the last frame
        of each section is a whole picture: slides show it as poster.
        """
        self.hold(REST if self._caption is not None else 0)
        self._begins = self._leave_out(bool(self.context.only) and name not in self.context.only)
        self.next_section(name, skip_animations=self._skipping)
        if self._begins:
            # nobody has seen what was shown before
            self.remove(*leaving)
        elif leaving:
            self.play(*map(mn.FadeOut, leaving), run_time=0.5)

    def first(self, whole: str, alone: str) -> str:
        """A section's first words: ``alone`` where it begins a film without those before it.

        Then nobody has seen what the others explain.
        """
        return alone if self._begins else whole

    def _leave_out(self, skip: bool) -> bool:
        """Time goes on in a section that is left out, and frames do not.

        Whether the section that begins is drawn and the one before it was not.
        """
        was = self._skipping
        if was:
            self._left_out += self.frame_number() - self._section_from
        if was or skip:
            self._keep_caption()
            if self._caption is not None:
                self.remove(self._caption)
            self._caption = None
        self._skipping, self._section_from = skip, self.frame_number()
        return was and not skip

    # --- captions and the epoch -------------------------------------------------

    def say(self, text: str, *animations: Any, run_time: float | None = None) -> None:
        """Show a caption in the place of the last one, while ``animations`` play.

        The last one has been on screen for a second and a third of a second a word by then.
        ``$...$`` in it is a formula.
        """
        self.hold()
        lines = _broken(text)
        first = _CAPTION_LINE - (len(lines) - 1) * _LEADING / 2
        shown = words("\n".join(lines), self.colours.ink, px=CAPTION, at=(960, first))
        if self._caption is not None:
            self.play(mn.FadeOut(self._caption, run_time=FADE / 2))
        self._keep_caption()
        self._caption, self._since = shown, self.frame_number()
        self._sentence = (text.replace("$", ""), FADE + AT_LEAST + A_WORD * len(text.split()))
        if run_time is not None:
            animations = tuple(_timed(animation, run_time) for animation in animations)
        self.play(mn.FadeIn(shown, run_time=FADE), *animations)

    def hold(self, more: float = 0.0) -> None:
        """Wait until the caption has been read, and ``more`` seconds."""
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
        """Write the epoch (or what the run counts) at its place above, in equal figures."""
        text = f"{unit} {spaced(value)}"
        # one object whose points change: manim lists what moves once, when a play begins
        self.moment.points = mono(text, self.colours.ink, px=38, at=(1920 - 61, 100)).points
        if self.moment not in self.mobjects:
            self.add(self.moment)

    def show_last_moment(self) -> None:
        """Write that the trained network is shown: the run's last checkpoint."""
        self.show_moment(self.data["epoch"].values[-1], word(self.data))

    def sweep(
        self, update: Callable[[float], None], *mobjects: Any, run_time: float, rate: Any = None
    ) -> Any:
        """An animation that calls ``update(share)``, 0 to 1, and draws ``mobjects`` anew.

        The epoch above is drawn anew too, so that ``update`` may set it.
        """
        return mn.UpdateFromAlphaFunc(
            mn.Group(*mobjects, self.moment), lambda _, share: update(share),
            run_time=run_time, rate_func=rate or mn.smooth,
        )  # fmt: skip


def _timed(animation: Any, run_time: float) -> Any:
    animation = prepare_animation(animation)
    animation.run_time = run_time
    return animation


def _broken(text: str) -> list[str]:
    """One line, or two of nearly equal length."""
    if "\n" in text or len(text) <= _LONGEST:
        return text.split("\n")
    gaps = [i for i, letter in enumerate(text) if letter == " " and text[:i].count("$") % 2 == 0]
    middle = min(gaps, key=lambda i: abs(i - len(text) / 2))
    return [text[:middle], text[middle + 1 :]]
