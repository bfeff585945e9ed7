"""When each representation comes into the logits, a ridge each, above the test accuracy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

APART = 2.0
"""How many times later than the one before it the last must come to be said to be last."""

MOST_LANES = 7
"""So many ridges have room; of more representations those that end strongest are drawn."""

HIGH = 0.86
"""The height of the highest ridge, where lanes are one apart."""

ACCURACY = "test accuracy"


@dataclass(frozen=True)
class Representations(Scene):
    """Ridges of the similarity with each key character, in the order in which they come."""

    name = "representations"
    title = "The sign representation is learnt last"
    watch = "A ridge is how like one representation the answers are; dots are half of its top"
    source = "arXiv:2302.03025"
    needs = ("similarity", "key_representation", "accuracy")
    recipe = "group-composition-S4"
    reference = "group-S4-0"
    aspect = 1.8
    narrow_aspect = 0.95

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless the network has learnt a representation."""
        super().check(data)
        if not (data["key_representation"].values > 0).any():
            raise InputError(
                f"{cls.name} draws what the last logits are like, and they are like no character "
                "of the group; train the run further"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """When the first and the last of the representations had half of their top."""
        lanes = _Lanes(data)
        first, last = float(lanes.half[0]), float(lanes.half[-1])
        before = float(lanes.half[-2:][0])
        numbers = {"first": first, "before": before, "last": last,
                   "count": float(len(lanes.half))}  # fmt: skip
        if len(lanes.half) > 1 and lanes.complete and last >= APART * max(before, 1.0):
            name = lanes.names[-2]
            sentence = (
                f"The representation {name} is learnt last" if " " in name
                else f"The {name} representation is learnt last"
            )  # fmt: skip
            return Claim(sentence, self.watch, sentence == self.title, numbers)
        by = clocks.at(data, "epoch", int(np.searchsorted(lanes.epochs, last)))
        sentence = (
            f"All {len(lanes.half)} representations are half there by {by}"
            if len(lanes.half) > 1
            else f"The one representation learnt is half there by {by}"
        )
        return Claim.instead(sentence, self.watch, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The ridges, and below them the test accuracy."""
        lanes = _Lanes(data)
        axes = style().panels(figure, left=10.8, right=2.0, top=0.8, bottom=3.2)[0][0]
        count = len(lanes.names)
        axes.set(xlim=(0, float(lanes.epochs[-1]) or 1.0), ylim=(-0.06, count + 0.02),
                 xlabel=clocks.word(data), yticks=[])  # fmt: skip
        axes.grid(False)
        for side in ("left", "top", "right"):
            axes.spines[side].set_visible(False)
        panels.thousands(axes)
        ridges = [_Ridge(axes, lanes, k) for k in range(count)]

        def update(i: int) -> None:
            for ridge in ridges:
                ridge.update(i)

        return Drawing([one for ridge in ridges for one in ridge.moving], update)

    def description(self, data: xr.Dataset, i: int) -> str:
        """The similarities of that moment, and when each had half of its top."""
        lanes = _Lanes(data)
        now = ", ".join(
            f"{name} {values[i]:.2f}"
            for name, values in zip(lanes.names[:-1], lanes.values, strict=False)
        )
        order = ", ".join(
            f"{name} {int(half):,}" for name, half in zip(lanes.names, lanes.half, strict=False)
        )
        accuracy = lanes.values[-1][i]
        test = "" if np.isnan(accuracy) else f" The test accuracy is {percent(accuracy)}."
        return (
            f"At {clocks.at(data, 'epoch', i)} the similarities with the characters are: {now}."
            f"{test} The {clocks.word(data)}s of half of each one's top: {order}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "Similarity: cosine of the logits of all x, y and z, less their means over z, with the "
            "character of xyz⁻¹. Drawn are representations above 0.005 at the end, on one scale, "
            "in the order in which they first have half of their top; the test accuracy fills its "
            f"ridge at 100%. After {self.source}."
        )


class _Lanes:
    """The curves in their order, the test accuracy last."""

    def __init__(self, data: xr.Dataset) -> None:
        self.epochs: Int[np.ndarray, " epoch"] = data["epoch"].values
        similarity = data["similarity"].values.astype(float).clip(0)
        key = np.flatnonzero(data["key_representation"].values > 0)
        strongest = key[np.argsort(-similarity[-1, key], kind="stable")][:MOST_LANES]
        self.complete = len(strongest) == len(key)
        half = np.array([self._half(similarity[:, k]) for k in strongest])
        order = np.lexsort((strongest, half))
        shown = strongest[order]
        self.half: Float[np.ndarray, " lane"] = half[order]
        names = data["representation"].values
        accuracy = data["accuracy"].sel(split="test").values.astype(float)
        self.names = [*(_words(str(names[k])) for k in shown), ACCURACY]
        self.values = [*(similarity[:, k] for k in shown), accuracy]
        top = max(float(similarity[:, shown].max()), 1e-30)
        self.tops = [*(top for _ in shown), 1.0]
        current = style().colours
        every = [int(k) for k in range(1, len(names))]
        self.colours = [*(current.frequency(int(k), every) for k in shown), current.test]

    def _half(self, values: Float[np.ndarray, " epoch"]) -> float:
        """The first epoch at which half of the largest value is reached."""
        return float(self.epochs[int((values >= 0.5 * values.max()).argmax())])


def _words(name: str) -> str:
    """A representation's name in words: that of 3d a is "of dimension 3, a"."""
    match = re.fullmatch(r"(\d+)d( [a-z])?", name)
    if match is None:
        return name
    return f"of dimension {match[1]}" + (f",{match[2]}" if match[2] else "")


class _Ridge:
    """One lane: the whole run faintly, and what has come by now in full colour."""

    def __init__(self, axes: Axes, lanes: _Lanes, k: int) -> None:
        self.x = lanes.epochs.astype(float)
        self.base = len(lanes.names) - 1 - k
        self.y = self.base + HIGH * np.nan_to_num(lanes.values[k]) / lanes.tops[k]
        colour, current = lanes.colours[k], style()
        axes.fill_between(self.x, self.base, self.y, color=colour, alpha=0.16, lw=0, zorder=1)
        (self.fill,) = axes.fill([0, 0], [self.base] * 2, color=colour, alpha=0.85, lw=0, zorder=2)
        axes.axhline(self.base, color=current.colours.grid, lw=0.8 * current.line, zorder=0)
        axes.annotate(
            lanes.names[k], (0, (self.base + 0.12)), (-0.6 * current.points, 0),
            xycoords=axes.get_yaxis_transform(), textcoords="offset points", ha="right",
            va="bottom", color=current.colours.words(colour), fontweight="bold",
            fontsize=current.small,
        )  # fmt: skip
        self.moving: list[Any] = [self.fill]
        self.half = lanes.half[k] if k < len(lanes.half) else None
        if self.half is not None:
            at = int(np.searchsorted(lanes.epochs, self.half))
            (self.dot,) = axes.plot(
                [self.half], [self.y[at]], "o", color=current.colours.ink, zorder=4,
                markersize=0.42 * current.points, markeredgewidth=0, clip_on=False,
            )  # fmt: skip
            self.moving.append(self.dot)

    def update(self, i: int) -> None:
        """Show what has come by the moment."""
        x, y = self.x[: i + 1], self.y[: i + 1]
        corners = np.concatenate([[[x[0], self.base]], np.stack([x, y], 1), [[x[-1], self.base]]])
        self.fill.set_xy(corners)
        if self.half is not None:
            self.dot.set_visible(bool(self.half <= self.x[i]))
