"""A passage comes back.

Drawn alone by ``manim -qm scenes/repeated_subsequence/films/induction_task.py InductionTask``.
"""

from __future__ import annotations

from typing import Any

import manim as mn
import numpy as np
from grokviz.scenes.repeated_subsequence._induction import LOOKS

from grokviz.scene.films.toolkit import FADE, SMALL, FilmScene, Line, length, place, stroke, words
from grokviz.scene.spoken import percent

ROWS, LEFT, RIGHT = (330.0, 690.0), 128.0, 1792.0
"""Middles of the two rows of tokens, and where they begin and end."""
HIGH, WIDEST = 84.0, 80.0
"""Height of a box, and its width at most."""
THICK = 12.0
"""Pixels of a line that has all the attention."""
LEAST = 0.05
"""Attention below this is not drawn."""


class InductionTask(FilmScene):
    """Two rows of one sequence, the passage in both, and the way from one to the other."""

    film = "induction-task"

    def construct(self) -> None:
        """Play the only section."""
        (self.one, self.two), self.count = self.options.rows(self.data)
        self.beside = self.options.beside(self.data)
        self.tokens = [int(token) for token in self.data["shown_token"].values]
        cells = self.count + 2 * self.beside
        self.wide = min((RIGHT - LEFT) / cells, WIDEST)
        self.start = 960 - self.wide * cells / 2
        self.section("task")
        self.come_back()
        self.look_up()
        self.attend()

    def x(self, step: int) -> float:
        """The middle of a box, counted from the passage's first."""
        return self.start + self.wide * (step + self.beside + 0.5)

    def box(self, row: int, step: int, *, asked: bool = False) -> tuple[Any, Any]:
        """A token in its box, brighter in the passage; an empty one for a question."""
        inside = 0 <= step < self.count
        colour = self.colours.answer if asked else self.colours.train
        frame = mn.RoundedRectangle(
            width=length(self.wide - 8), height=length(HIGH), corner_radius=length(12),
            stroke_color=colour if inside else self.colours.faint, stroke_width=stroke(3),
            fill_color=colour if inside else self.colours.background,
            fill_opacity=0.22 if inside else 0,
        ).move_to(place(self.x(step), ROWS[row]))  # fmt: skip
        token = self.tokens[(self.one, self.two)[row] + step]
        text = words(str(token), self.colours.ink if inside else self.colours.muted, px=SMALL,
                     bold=inside, at=(self.x(step), ROWS[row] + 12))  # fmt: skip
        return frame, text

    # --- the passage ------------------------------------------------------------------

    def come_back(self) -> None:
        """Write one row after the other."""
        steps = range(-self.beside, self.count + self.beside)
        self.boxes = {(row, step): self.box(row, step) for row in (0, 1) for step in steps}
        edge, left = self.x(self.count - 1) + self.wide / 2, self.x(0) - self.wide / 2
        names = [
            words("a passage", self.colours.muted, px=SMALL, at=(edge, ROWS[0] - 66),
                  anchor="right"),
            words("later, the same passage", self.colours.muted, px=SMALL,
                  at=(left, ROWS[1] + 92), anchor="left"),
        ]  # fmt: skip
        first = [part for (row, _), box in self.boxes.items() if row == 0 for part in box]
        second = [part for (row, step), box in self.boxes.items()
                  if row == 1 and step < 1 for part in box]  # fmt: skip
        self.add(*first, names[0])
        text = "A simpler task: in a row of numbers, a passage comes back."
        self.say(text, mn.Succession(
            mn.Wait(0.6),
            mn.LaggedStart(*map(mn.FadeIn, [names[1], *second]), lag_ratio=0.4, run_time=3.0),
        ))  # fmt: skip

    def look_up(self) -> None:
        """From the token to the same one before, one step on, and what stands there comes back."""
        token = str(self.tokens[self.two])
        (above, _), (below, shown) = self.boxes[0, 0], self.box(1, 1, asked=True)
        asked = words("?", self.colours.answer, px=52, bold=True,
                      at=(self.x(1), ROWS[1] + 19))  # fmt: skip
        text = f"What follows {token}? Look up what followed it last time: this is induction."
        seconds = self.reading(text)
        up = Line(np.array([self.top(1, 0), self.foot(0, 0)]), self.colours.ink, 5)
        on = self._arrow(self.top(0, 0), self.top(0, 1))
        down = Line(np.array([self.foot(0, 1), self.top(1, 1)]), self.colours.answer, 5)
        goal = self.boxes[0, 1][0].copy().set_color(self.colours.answer)
        self.say(text, mn.FadeIn(below), mn.FadeIn(asked))
        part = (seconds - FADE) / 4
        self.play(mn.Create(up), mn.Indicate(above, 1.12, self.colours.ink), run_time=part)
        self.play(mn.Create(on), mn.FadeIn(goal), run_time=part)
        self.play(mn.Create(down), run_time=part)
        self.play(mn.FadeOut(asked), mn.FadeIn(shown), run_time=part)
        self.leaving = [up, on, down, goal, below, shown]

    def top(self, row: int, step: int) -> tuple[float, float]:
        """The middle of a box's upper edge."""
        return self.x(step), ROWS[row] - HIGH / 2

    def foot(self, row: int, step: int) -> tuple[float, float]:
        """The middle of a box's lower edge."""
        return self.x(step), ROWS[row] + HIGH / 2

    def _arrow(self, start: tuple[float, float], stop: tuple[float, float]) -> Line:
        """An arc from one box to the next, above them."""
        t = np.linspace(0, np.pi, 30)
        middle, wide = (start[0] + stop[0]) / 2, (stop[0] - start[0]) / 2
        return Line(np.stack([middle - wide * np.cos(t), start[1] - 4 - 38 * np.sin(t)], axis=1),
                    self.colours.ink, 5)  # fmt: skip

    # --- a network that does so ---------------------------------------------------------

    def attend(self) -> None:
        """Go on along the passage; from each token the trained head's attention."""
        looks, share = self.options.looks(self.data), self.options.share(self.data)
        self.hold()
        text = (
            "A trained network does so. The lines: where one head, a part that looks back, looks."
            if share >= LOOKS
            else "The lines are where one head of the network, a part that looks back, looks: "
            f"{percent(share)} there."
        )
        steps = range(self.count)
        rest = [self.boxes[1, step] for step in range(1, self.count + self.beside)]
        lines = [mn.VGroup(*self._attention(looks[step], step)) for step in steps]
        shown = [mn.AnimationGroup(mn.FadeIn(lines[n]), *map(mn.FadeIn, rest[n] if n < len(rest)
                                                            else ())) for n in steps]  # fmt: skip
        late = [mn.FadeIn(part) for box in rest[self.count :] for part in box]
        self.say(text, *map(mn.FadeOut, self.leaving), run_time=FADE)
        self.play(mn.LaggedStart(*shown, *late, lag_ratio=0.5,
                                 run_time=self.reading(text) - FADE))  # fmt: skip

    def _attention(self, looks: np.ndarray, step: int) -> list[Line]:
        """Lines from a token of the second copy up to the first, as wide as its attention."""
        return [
            Line(np.array([self.top(1, step), self.foot(0, key)]), self.colours.train,
                 THICK * float(weight), 0.35 + 0.6 * float(min(weight, 1)))
            for key, weight in enumerate(looks)
            if weight >= LEAST and key < self.count + self.beside
        ]  # fmt: skip
