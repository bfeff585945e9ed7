"""What a scene sounds like: a tone for each of its values, as loud as the value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

LOWEST, HIGHEST = 110.0, 3_520.0
"""Hertz between which tones lie, five octaves: loud in any loudspeaker, and shrill in none."""

SEMITONE = 2 ** (1 / 12)


@dataclass(frozen=True)
class Sound:
    """Tones, how loud each is at each moment of the scene's clock, and what they are, in words.

    Attributes:
        hertz: pitch of each tone, from about 20 to 20,000.
        amplitude: how loud each is at each clock index, in any unit; NaN is silent.
        words: one sentence for the alt text: what the tones are made of.

    """

    hertz: Float[np.ndarray, " tone"]
    amplitude: Float[np.ndarray, "moment tone"]
    words: str


def scale(count: int) -> Float[np.ndarray, " tone"]:
    """Pitches of so many tones, ascending in hertz: semitones from :data:`LOWEST` on.

    Where that would go above :data:`HIGHEST` the steps are smaller, all alike.
    """
    step = min(SEMITONE, (HIGHEST / LOWEST) ** (1 / max(count - 1, 1)))
    pitches: np.ndarray = LOWEST * step ** np.arange(count)
    return pitches
