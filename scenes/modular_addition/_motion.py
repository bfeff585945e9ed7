"""Film time of scenes whose films move a camera or hands: shots, and how they begin and end."""

from __future__ import annotations

MOMENTS = 960
"""Of a film that moves along nothing of the data: sixty a second of sixteen."""


def ease(share: float) -> float:
    """From 0 to 1 without a jerk: place, speed and acceleration begin and end at rest."""
    x = min(max(share, 0.0), 1.0)
    return x * x * x * (10 - 15 * x + 6 * x * x)


def share_of(i: int) -> float:
    """How much of a film has passed at moment ``i``; its still, 0, is of its end."""
    return 1.0 if i == 0 else (i - 1) / (MOMENTS - 1)


def shot(now: float, start: float, stop: float) -> float:
    """How far a movement from ``start`` to ``stop`` of a film has come, eased."""
    return ease((now - start) / (stop - start))
