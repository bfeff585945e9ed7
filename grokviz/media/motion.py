"""How things move in films: for how long, and how they begin and end; docs/look.md says why."""

from __future__ import annotations

FADE = 0.4
"""Seconds in which a text comes or goes."""

SWAPPED = 0.4
"""Opacity from which a caption comes up that takes another one's place: no frame has none."""

MOVE, TRANSFORM = 1.0, 2.5
"""Seconds in which one thing moves (0.8 to 1.2), and in which one picture becomes another."""

BEFORE, REST = 0.4, 1.0
"""Seconds for which a picture stands before and after something moves."""

STAND = 2.5
"""Seconds for which a film stands at a moment of its own, which its second line names."""

AT_LEAST, A_WORD = 1.0, 1 / 3
"""Minimum seconds of a caption, and additional seconds per word."""


def ease(share: float) -> float:
    """How far something has moved after a share of its time: it begins and ends at rest."""
    t = min(max(share, 0.0), 1.0)
    return t * t * t * (t * (6 * t - 15) + 10)
