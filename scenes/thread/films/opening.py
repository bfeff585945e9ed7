"""The question.

Drawn alone by ``manim -qm scenes/thread/films/opening.py Opening``.
"""

from __future__ import annotations

from grokviz.scenes.thread.films._card import Card

from grokviz.scene.films.toolkit import words


class Opening(Card):
    """A heading and three lines."""

    film = "opening"

    def construct(self) -> None:
        """Play the only section."""
        ink, muted = self.colours.ink, self.colours.muted
        one, two, question = self.options.question(self.data)
        self.section("question")
        self.show_all(
            f"Grokking. {one} {two} {question}",
            words("Grokking", ink, px=88, bold=True, at=(960, 390)),
            words(one, muted, px=42, at=(960, 560)),
            words(two, muted, px=42, at=(960, 630)),
            words(question, ink, px=42, bold=True, at=(960, 740)),
        )
