"""Whose work it is.

Drawn alone by ``manim -qm scenes/thread/films/credits.py Credits``.
"""

from __future__ import annotations

from grokviz.scenes.thread.credits import MADE, ROWS
from grokviz.scenes.thread.films._card import Card

from grokviz.scene.films.toolkit import BODY, SMALL, TITLE, words


class Credits(Card):
    """All sources at once."""

    film = "credits"

    def construct(self) -> None:
        """Play the only section."""
        ink, muted, left = self.colours.ink, self.colours.muted, 240
        shown = [words("Sources", ink, px=TITLE, bold=True, at=(left, 205), anchor="left")]
        for n, (what, who) in enumerate(ROWS):
            y = 320 + 135 * n
            shown.append(words(what, ink, px=BODY + 3, bold=True, at=(left, y), anchor="left"))
            shown.append(words(who, muted, px=BODY, at=(left, y + 50), anchor="left"))
        shown.append(words(MADE, muted, px=SMALL, at=(left, 890), anchor="left"))
        self.section("credits")
        self.show_all(f"Sources. {'; '.join(': '.join(row) for row in ROWS)}. {MADE}", *shown)
