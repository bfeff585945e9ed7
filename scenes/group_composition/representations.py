"""When each representation comes into the logits, a line each, beside the test accuracy."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.any import _marks
from grokviz.scenes.group_composition import _groups as groups
from jaxtyping import Float, Int

from grokviz.errors import InputError
from grokviz.media import typefaces
from grokviz.scene import Claim, Drawing, Scene, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.curves import Levels
from grokviz.scene.spoken import capitalised, percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

APART = 2.0
"""How many times later than the one before it the last must come to be said to be last."""

MOST = 7
"""So many lines have room; of more representations those that end strongest are drawn."""

ACCURACY = "test accuracy"

THICK, THIN = 1.7, 0.8
"""How thick the line of the title and those of no title are, in those of other pictures."""


@dataclass(frozen=True)
class Representations(Scene):
    """A line for the similarity with each key character, and a dot at half of its highest."""

    name = "representations"
    title = "Even or odd comes last"
    watch = "How strongly the answers show each representation of S4; a dot: half of its highest"
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
        lines, group = _Lines(data), groups.group_of(data)
        first, last = float(lines.half[0]), float(lines.half[-1])
        before = float(lines.half[-2:][0])
        numbers = {"first": first, "before": before, "last": last,
                   "count": float(len(lines.half))}  # fmt: skip
        watch = self.watch.replace("S4", group or "a group")
        if lines.last is not None:
            sentence = f"{_subject(lines.last, group)} comes last"
            return Claim(sentence, watch, sentence == self.title, numbers)
        by = clocks.at(data, "epoch", int(np.searchsorted(lines.epochs, last)))
        sentence = (
            f"All {len(lines.half)} representations are half there by {by}"
            if len(lines.half) > 1
            else f"The one representation learnt is half there by {by}"
        )
        return Claim.instead(sentence, watch, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """All lines on one axis, with the test accuracy."""
        lines, colours = _Lines(data), style().colours
        axes = style().panels(figure, left=5.2, right=2.0, top=1.8, bottom=3.2)[0][0]
        panel = _Panel(
            axes, data, lines.curves, ylabel="each as a share of its highest", phases="none",
            ylim=(0, 1.06), yticks=(0, 0.25, 0.5, 0.75, 1), end=float(lines.epochs[-1]) or 1.0,
        )  # fmt: skip
        axes.yaxis.set_major_formatter(lambda value, _: percent(value))
        for name, trace in panel.traces.items():
            times = THICK if name == lines.told else THIN if lines.told else 1.0
            for line in trace.lines:
                if not name.startswith(ACCURACY):
                    line.set_linewidth(times * line.get_linewidth())
        # lines that stand back have names that can be read
        named = {
            name: dataclasses.replace(curve, colour=colours.words(curve.colour))
            for name, curve in panel.curves.items()
        }
        half = f"half by {clocks.word(data)} {clocks.spaced(float(lines.half[-1]))}"
        marks = [
            _marks.Mark(*_half_way(curve), half if name == lines.told else "", curve.colour)
            for name, curve in named.items()
        ]
        marks = _marks.clear(axes, marks, named.values())
        told = groups.short_meaning(lines.last or "", groups.group_of(data))
        if told:
            # what the title speaks of
            named = {
                f"{name}: {told}" if name == lines.told else name: curve
                for name, curve in named.items()
            }
        names = _marks.OnCurves(axes, named, named.values(), marks)
        _name_others(axes, {name: named[name].colour for name in names.others})
        levels = Levels(axes, panel.curves)

        def update(i: int) -> None:
            for part in (names, levels):
                part.update(float(lines.epochs[i]))

        return Drawing.of(
            panel.along(lines.epochs), _marks.draw(axes, marks, lines.epochs),
            Drawing([*names.moving, *levels.moving], update),
        )  # fmt: skip

    def description(self, data: xr.Dataset, i: int) -> str:
        """The similarities of that moment, and when each had half of its top."""
        lines = _Lines(data)
        shown = zip(lines.names, lines.similarity, lines.half, strict=True)
        now, order = zip(
            *((f"{name} {values[i]:.2f}", f"{name} {half:,.0f}") for name, values, half in shown),
            strict=True,
        )
        accuracy = data["accuracy"].sel(split="test").values[i]
        test = "" if np.isnan(accuracy) else f" The test accuracy is {percent(accuracy)}."
        return (
            f"At {clocks.at(data, 'epoch', i)} the similarities with the characters are: "
            f"{', '.join(now)}.{test} The {clocks.word(data)}s of half of each one's top: "
            f"{', '.join(order)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "How strongly a representation shows: the similarity, which is the cosine of the "
            "logits of all x, y and z, less their means over z, with the character of xyz⁻¹; each "
            "as a share of its highest. Dashed: the test accuracy, as a share of its own. Dots are "
            "where each line first has half of its highest. Drawn are representations above "
            "0.005 at the end; one comes last that has half at twice the epoch of any other, "
            f"or later. After {self.source}."
        )


class _Lines:
    """The curves in the order in which they first have half of their top.

    Attributes:
        epochs: the clock.
        half: when each had half of its top.
        names: in words.
        similarity: with each character.
        last: the name in the data of the one that is learnt last; None where none is.
        told: its name in words, or empty.
        curves: all of them as shares of their tops, and the test accuracy.

    """

    def __init__(self, data: xr.Dataset) -> None:
        self.epochs: Int[np.ndarray, " epoch"] = data["epoch"].values
        similarity = data["similarity"].values.astype(float).clip(0)
        key = np.flatnonzero(data["key_representation"].values > 0)
        strongest = key[np.argsort(-similarity[-1, key], kind="stable")][:MOST]
        half = np.array([self._half(similarity[:, k]) for k in strongest])
        order = np.lexsort((strongest, half))
        shown = strongest[order]
        self.half: Float[np.ndarray, " line"] = half[order]
        every = [str(name) for name in data["representation"].values]
        self.names = [groups.representation(every[k]) for k in shown]
        self.similarity = [similarity[:, k] for k in shown]
        apart = len(shown) > 1 and self.half[-1] >= APART * max(float(self.half[-2]), 1.0)
        self.last = every[shown[-1]] if apart and len(strongest) == len(key) else None
        self.told = self.names[-1] if self.last is not None else ""
        current = style().colours
        inner = range(1, len(every))
        self.curves = {
            name: panels.Curve.of(
                self.epochs, values / max(float(values.max()), 1e-30),
                # beside the line of the title the others are one grey
                current.faint if self.told not in ("", name) else current.frequency(k, inner),
            )
            for k, name, values in zip(shown, self.names, self.similarity, strict=True)
        }  # fmt: skip
        accuracy = data["accuracy"].sel(split="test").values.astype(float)
        most = float(np.nanmax(accuracy, initial=0.0))
        if most > 0:
            curve = panels.Curve.of(self.epochs, accuracy / most, current.test)
            name = ACCURACY if most > 0.995 else f"{ACCURACY}, at most {percent(most)}"
            self.curves[name] = dataclasses.replace(curve, dashed=True)

    def _half(self, values: Float[np.ndarray, " epoch"]) -> float:
        """The first epoch at which half of the largest value is reached."""
        return float(self.epochs[int((values >= 0.5 * values.max()).argmax())])


def _half_way(curve: panels.Curve) -> tuple[float, float]:
    """Where a curve first has half of its highest, on its line from one checkpoint to the next."""
    half = 0.5 * float(np.nanmax(curve.y))
    at = int((np.nan_to_num(curve.y) >= half).argmax())
    if at == 0 or not curve.y[at - 1] < half:
        return float(curve.x[at]), float(curve.y[at])
    (x0, x1), (y0, y1) = curve.x[at - 1 : at + 1], curve.y[at - 1 : at + 1]
    return float(x0 + (x1 - x0) * (half - y0) / (y1 - y0)), half


class _Panel(panels.CurvePanel):
    """Curves that are named where they are clear of one another, not at their ends."""

    def name_curves(self, end: float) -> None:
        """Name none."""


def _name_others(axes: Axes, names: Mapping[str, str]) -> None:
    """The names, in their colours, for which no line has room: in a row above all of them."""
    em, at = style().pixels(axes, style().small) / axes.bbox.width, 0.0
    for name, colour in names.items():
        wide = em * (typefaces.width(name) + 1.2)
        if at + wide < 1 + em:
            style().note(axes, name, (at, 1), (0, 0.4), color=colour, fontweight="bold")
        at += wide


def _subject(name: str, group: str) -> str:
    """A representation as what a sentence is about; the sign by its two values, where known."""
    if meaning := groups.short_meaning(name, group):
        return capitalised(meaning)
    words = groups.representation(name)
    if words.startswith(("dimension", "frequency")):
        return f"The representation of {words}"
    return f"The representation {words}" if " " in words else f"The {words} representation"
