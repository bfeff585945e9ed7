"""What a scene sounds like: a tone for each of its values, as loud as the value, or a hiss."""

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
        noise: which share of each tone's power is noise at each clock index, from 0 to 1; None for
            pure tones.
        words: one sentence for the alt text: what the tones are made of.

    """

    hertz: Float[np.ndarray, " tone"]
    amplitude: Float[np.ndarray, "moment tone"]
    words: str
    noise: Float[np.ndarray, "moment tone"] | None = None


def standing_out(values: Float[np.ndarray, "moment tone"]) -> Float[np.ndarray, "moment tone"]:
    """How much of noise each tone is, of values that stand out or do not, from 0 to 1.

    The median of a moment's values over the value: what is as others are is noise, what is many
    times as large is a tone. What is no number is silent, and counts as noise.

    Source: K. Fitz and L. Haken, Journal of the Audio Engineering Society 50 (2002) 879, of tones
    with a share of noise; that it is this share is ours.
    """
    sizes = np.where(np.isfinite(values), np.abs(values), 0.0)
    middle = np.median(sizes, axis=1, keepdims=True)
    noise: np.ndarray = np.divide(middle, sizes, out=np.ones_like(sizes), where=sizes > middle)
    return noise


def scale(count: int) -> Float[np.ndarray, " tone"]:
    """Pitches of so many tones, ascending in hertz: semitones from :data:`LOWEST` on.

    Where that would go above :data:`HIGHEST` the steps are smaller, all alike.
    """
    step = min(SEMITONE, (HIGHEST / LOWEST) ** (1 / max(count - 1, 1)))
    pitches: np.ndarray = LOWEST * step ** np.arange(count)
    return pitches
