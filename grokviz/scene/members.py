"""Curves of families: what scenes of many runs draw of each member."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from grokviz.scene.curves import Curve, Levels, Marker, Trace
from grokviz.scene.drawing import Drawing
from grokviz.scene.style import style

if TYPE_CHECKING:
    import xarray as xr

NEEDS = ("member_name", "member_epoch", "member_train_loss", "member_test_epoch",
         "member_test_loss", "memorised_epoch", "generalised_epoch")  # fmt: skip
"""What any scene of many runs needs: their names, their curves and when they learned."""


def curve(data: xr.Dataset, member: int, name: str, colour: str) -> Curve:
    """A curve of one member: ``train_loss``, ``test_loss``, or what is logged with the first.

    It has the points that the member has; none where it never logged this.
    """
    clock = "member_test_epoch" if name == "test_loss" else "member_epoch"
    x, y = data[clock].values[member], data[f"member_{name}"].values[member]
    mask = (x >= 0) & np.isfinite(y)
    return Curve.of(x[mask], y[mask], colour)


def losses(data: xr.Dataset, member: int) -> dict[str, Curve]:
    """Train and test loss of one member, in their colours; what it did not log is left out."""
    colours = style().colours
    curves = {
        "train": curve(data, member, "train_loss", colours.train),
        "test": curve(data, member, "test_loss", colours.test),
    }
    return {name: one for name, one in curves.items() if one.x.size}


def span(curves: Iterable[Curve]) -> tuple[float, float]:
    """The least and the largest positive value of some curves; 0.1 and 1 where there is none."""
    values = [c.y[np.isfinite(c.y) & (c.y > 0)] for c in curves]
    flat = np.concatenate([*values, np.empty(0)])
    return (float(flat.min()), float(flat.max())) if flat.size else (0.1, 1.0)


def drawing(traces: Sequence[Trace], markers: Sequence[Marker], data: xr.Dataset) -> Drawing:
    """Curves that are drawn up to the epoch shown, and markers that stand at it."""
    epochs = data["epoch"].values.astype(float)

    def update(i: int) -> None:
        for trace in traces:
            trace.update(float(epochs[i]))
        for marker in markers:
            marker.update(float(epochs[i]))

    curves = Drawing([[t.moving for t in traces], [m.line for m in markers]], update)
    return Drawing.of(curves, levels(traces, data))


def levels(traces: Sequence[Trace], data: xr.Dataset) -> Drawing:
    """The levels that curves have come to, where the future is not drawn."""
    epochs = data["epoch"].values.astype(float)
    lines = [Levels(trace.line.axes, {"": trace.curve}) for trace in traces]

    def update(i: int) -> None:
        for line in lines:
            line.update(float(epochs[i]))

    return Drawing([line.moving for line in lines], update)


def value_at(data: xr.Dataset, member: int, split: str, epoch: float) -> float | None:
    """A member's loss at an epoch; None before it logged one, after its end, or without any."""
    points = losses(data, member).get(split)
    if points is None or not points.x[0] <= epoch <= points.x[-1]:
        return None
    return float(np.interp(epoch, points.x, points.y))


def learnt(data: xr.Dataset, member: int, name: str = "generalised_epoch") -> str:
    """When a member memorised or generalised, in words."""
    at = int(data[name].values[member])
    verb = name.partition("_")[0]
    return f"never {verb}" if at < 0 else f"{verb} at {at:,}"


def display(name: str) -> str:
    """A member's name as it is written in pictures: ``seed=1`` as ``seed 1``."""
    return name.rpartition("/")[2].replace("=", " ").replace("train-fraction", "fraction")
