"""A plane through weight space: its limits, and the epochs beside a path through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.scene import clock as clocks
from grokviz.scene import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROUND = (1, 2, 5)
"""First digits of the epochs that are written beside the path."""

NEAR = 0.03
"""They are written at checkpoints that are off by no more than this share."""

APART = 0.13
"""Epochs are written no nearer to one another than this share of the picture's width."""


def square(axes: Axes, points: np.ndarray, times: float = 1.3) -> None:
    """Limits around the path and so many times as far, with the same scale along both axes."""
    low, high = points.min(axis=0), points.max(axis=0)
    middle, size = (low + high) / 2, np.maximum(high - low, 1e-9)
    room = np.array([axes.bbox.width, axes.bbox.height])
    unit = times * float((size / room).max())
    (left, right), (bottom, top) = (
        (middle[k] - unit * room[k] / 2, middle[k] + unit * room[k] / 2) for k in range(2)
    )
    axes.set(xlim=(left, right), ylim=(bottom, top))


def epochs_beside(
    axes: Axes,
    points: np.ndarray,
    epochs: np.ndarray,
    word: str,
    others: list[np.ndarray] | None = None,
    *,
    ends: bool = False,
) -> list[tuple[int, list[Any]]]:
    """Round epochs at the checkpoints nearest to them, where they do not touch.

    ``others`` are places, in shares of the axes, where texts stand already; those of the epochs
    are added to them. With them the last checkpoint, where a name stands, is left out, unless
    ``ends``.
    """
    current_style = style()
    last = others is None or ends
    candidates = [0, len(epochs) - 1] if last else [0]
    for power in range(10):
        for digit in ROUND:
            wanted = digit * 10**power
            near = int(np.abs(epochs - wanted).argmin())
            if abs(epochs[near] - wanted) <= NEAR * wanted:
                candidates.append(near)
    span = np.array([np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())])
    places, centre = points / span, (points / span).mean(axis=0)
    placed = [] if others is None else others
    words: list[tuple[int, list[Any]]] = []
    if not last:
        candidates = [i for i in candidates if i != len(epochs) - 1]
    for i in dict.fromkeys(candidates):
        away = aside(places, i, centre)
        at = places[i] + 0.035 * away
        if any(np.abs((at - other) * (1, 1.6)).max() < APART for other in placed):
            continue
        placed.append(at)
        written = clocks.spaced(epochs[i])
        if not i:
            written = f"{word} {written}".strip()
        text = current_style.label(
            axes, *points[i], written, color=current_style.colours.muted, zorder=6,
            fontweight="normal", ha=side(away[0], ("right", "center", "left")),
            va=side(away[1], ("top", "center", "bottom")),
        )  # fmt: skip
        text.set_position(at * span)
        words.append((i, [text]))
    return words


def aside(places: np.ndarray, i: int, centre: np.ndarray) -> np.ndarray:
    """The direction across the path that leads away from its middle; at its ends along it."""
    ahead = places[min(i + 2, len(places) - 1)] - places[max(i - 2, 0)]
    if i in (0, len(places) - 1):
        ahead = ahead if i else -ahead
    else:
        ahead = np.array([-ahead[1], ahead[0]])
        ahead = ahead if ahead @ (places[i] - centre) >= 0 else -ahead
    size = float(np.hypot(*ahead))
    return ahead / size if size > 0 else np.array([0.0, 1.0])


def side(away: float, sides: tuple[str, str, str]) -> str:
    """How a text is aligned that stands so far to one side."""
    return sides[1 + int(np.sign(away)) * (abs(away) > 0.4)]
