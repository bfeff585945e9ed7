"""Heights on a grid: their scale, and the curves between them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

PERCENTILE = 99.5
"""The share of a field's heights, in per cent, that its scale holds: few spikes do not count."""


def percentile_scale(field: Float[np.ndarray, "a b"]) -> Float[np.ndarray, "a b"]:
    """A field less its middle, in units of the 99.5th percentile of how far it is from there.

    The middle is half-way between the 0.5th and the 99.5th percentile. Nearly all is between -1
    and 1, and what is not is cut off; a field of one value is 0. What is no number counts as 0.
    """
    numbers = np.nan_to_num(field, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = np.percentile(numbers, [100 - PERCENTILE, PERCENTILE])
    reach = (high - low) / 2
    # a constant has rounding errors of its own size
    if reach <= 1e-9 * max(abs(low), abs(high), 1e-30):
        return np.zeros_like(numbers)
    scaled: Float[np.ndarray, "a b"] = np.clip((numbers - (low + high) / 2) / reach, -1, 1)
    return scaled


def interpolated(
    field: Float[np.ndarray, "a b"],
    rows: Float[np.ndarray, " row"],
    columns: Float[np.ndarray, " column"],
) -> Float[np.ndarray, "row column"]:
    """A field that goes round in both directions, between its values.

    The cubic spline through the values, at fractional rows and columns; at whole ones it is
    ``field``. Its curvature has no steps, which would be seen as lines where light falls on it.
    """
    down = _along(_control(field, 0), rows)
    across: Float[np.ndarray, "row column"] = _along(_control(down.T, 0), columns).T
    return across


def _along(control: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The spline with these control points along its first axis, at places along it."""
    whole = np.floor(places).astype(int)
    t = (places - whole)[:, None]
    u = 1 - t
    shares = (u**3 / 6, 2 / 3 - t**2 + t**3 / 2, 2 / 3 - u**2 + u**3 / 2, t**3 / 6)
    total = np.zeros((len(places), control.shape[1]))
    for step, share in enumerate(shares, -1):
        total += share * control[(whole + step) % len(control)]
    return total


def _control(field: np.ndarray, axis: int) -> np.ndarray:
    """The control points of the spline: 1/6, 4/6 and 1/6 of three neighbours are a value."""
    count = field.shape[axis]
    mixing = (2 + np.cos(2 * np.pi * np.arange(count // 2 + 1) / count)) / 3
    shape = [1, 1]
    shape[axis] = len(mixing)
    waves = np.fft.rfft(field, axis=axis) / mixing.reshape(shape)
    control: np.ndarray = np.fft.irfft(waves, count, axis=axis)
    return control


def cells(field: Float[np.ndarray, "a b"], factor: int) -> Float[np.ndarray, "rows columns"]:
    """The surface through a field over one whole round, each value in the middle of its cell.

    Args:
        field: values that go round in both directions.
        factor: steps across a cell, an even number: cell i is rows ``i * factor`` to
            ``(i + 1) * factor``, both included, and its value stands half-way.

    """
    rows, columns = ((np.arange(count * factor + 1) - factor / 2) / factor for count in field.shape)
    return interpolated(field, rows, columns)


def eased(share: float) -> float:
    """How far a move is after a share of its time: slow at both ends (6t^5 - 15t^4 + 10t^3)."""
    t = min(max(share, 0.0), 1.0)
    return t**3 * (10 - 15 * t + 6 * t**2)


def in_turn(share: float, places: Float[np.ndarray, " move"], each: float) -> np.ndarray:
    """How far each of many moves is, from 0 to 1, that begin one after another.

    Args:
        share: of the time of all of them.
        places: where in their order each is, from 0 to 1.
        each: the share of the time that one takes.

    """
    return np.array([eased((share - (1 - each) * place) / each) for place in places.tolist()])
