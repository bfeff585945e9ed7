"""Arrays that training recorded, each drawn by its shape, and when they take their form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any import _array_views as views
from grokviz.scenes.any import _marks
from grokviz.scenes.any import _recorded as arrays
from grokviz.scenes.any._spoken import counted, sentence

from grokviz.errors import InputError
from grokviz.options import whole
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

NEAR = 0.1
"""An array has its last form where its distance from it is at most this share of its norm."""

EARLY = 0.5
"""It takes its form early where that is so before this share of the time."""

LEAST, BELOW = 13.0, 14.0
"""Ems that an array takes in a column, and what stands below all of them."""

ROOM = 44
"""Names of arrays stand in the title up to so many characters."""

POLYGONS = {
    3: "a triangle", 4: "a quadrilateral", 5: "a pentagon", 6: "a hexagon", 8: "an octagon"
}  # fmt: skip
"""What so many corners are called."""

STRIP = 0.27
"""Height of the panel of differences, as a share of the figure's."""


@dataclass(frozen=True)
class Arrays(Scene):
    """Recorded arrays as heatmap, curves or points, and how far they are from their last form."""

    name = "arrays"
    title = "Recorded arrays take their last form early in training"
    watch = "Settled is what stays within 10% of its last form from then on"
    source = "example: arXiv:2209.10652, figure 2"
    needs = ("array_entry", "array_shape", "array_kept_shape")
    reference = "recorded-features"
    clock = "array_epoch"
    aspect = 1.7
    narrow_aspect = 0.42

    array: str = option("*", "names of arrays, or patterns such as 'attention*', with commas")
    show: Literal["shape", "heatmap", "curves", "scatter"] = option(
        "shape", "how arrays are drawn: by their shape, or those that can be so"
    )
    part: str = option("", "of more dimensions, the index along each but the last two, as 0,3")
    entries: int = option(12, "up to so many entries are curves of the epoch", whole(0))
    most: int = option(1, "at most so many arrays", whole())

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless an array of numbers was recorded."""
        super().check(data)
        if not np.isfinite(data["array_entry"].values).any():
            raise InputError(
                f"{cls.name} draws arrays that training recorded, and those of this run have no "
                "number in them; record some with run.step(epoch, arrays={'name': array})"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """From when on the arrays shown are near their last forms, or the first of them is."""
        shown, word = self._shown(data), clocks.word(data)
        one, name = shown[0], sentence(shown[0].name)
        epochs, shares = data["array_epoch"].values, one.differences()
        last = clocks.spaced(epochs[one.known[-1]])
        if one.known.size < 2:
            return Claim.instead(f"{name} was recorded at {word} {last} alone")
        if not np.isfinite(shares).any():
            return Claim.instead(f"{name} is 0 at {word} {last}, its last")
        near, largest = self._near(data, one), float(np.nanmax(shares))
        if near is None:
            words = f"{name} stayed within {percent(largest)} of the last form at every {word}"
            return Claim.instead(words, self.watch, largest=largest)
        every = [self._near(data, other) for other in shown]
        if len(shown) > 1 and None not in every:
            near = max(moment for moment in every if moment is not None)
            name = sentence(_list([other.name for other in shown]))
        at = f"{word} {clocks.spaced(near)}"
        kinds = {self._kind(other) for other in shown}
        marks = [
            mark for kind, mark in (("scatter", "rings"), ("curves", "lines")) if kind in kinds
        ]
        watch = self.watch
        if marks:
            whole = "the array" if len(shown) == 1 else "each array"
            rest = f"{whole} as a whole stays within {percent(NEAR)} of its last form"
            watch = f"From the {' and '.join(marks)} on, {rest}"
        span = float(epochs[one.known[-1]] - epochs[one.known[0]])
        early = near - float(epochs[one.known[0]]) <= EARLY * span
        if not early:
            return Claim.instead(f"{name} settled only by {at}", watch, near=near, largest=largest)
        numbers = {"near": near, "largest": largest}
        polygon = self._polygon(data, shown)
        if polygon is not None:
            rows = one.name if one.name.endswith("s") else f"rows of {one.name}"
            words = f"The {counted(one.shape[0])} {rows} settle into {polygon} by {at}"
            all_of = f"all {counted(one.shape[0])} together"
            watch = f"From {at} (rings) on, {all_of} stay within {percent(NEAR)} of where they end"
            return Claim(words, watch, numbers=numbers)
        return Claim(f"{name} settled by {at}", watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The arrays beside one another, or below, and their differences below all of them."""
        shown = self._shown(data)
        if style().narrow(figure):
            shown = shown[: max(1, int((style().ems(figure)[1] - BELOW) // LEAST))]
        timed = [one for one in shown if np.isfinite(one.differences()).sum() > 1]
        # a single array of points, or of curves over time, has its moment in its own picture
        alone = len(shown) == 1 and self._kind(shown[0]) != "heatmap"
        polygon = self._polygon(data, shown) is not None
        rooms, strip = _rooms(
            figure, ["polygon" if polygon else self._kind(one) for one in shown],
            strip=bool(timed) and not alone,
        )  # fmt: skip
        # not those of rows and entries, which come from the other end
        palette = style().colours
        tints = [palette.ink, *palette.frequencies[4:], *palette.frequencies[:4]] * len(shown)
        tints = tints[: len(shown)]
        parts: list[Any] = []
        every = [moment for one in shown if (moment := self._near(data, one)) is not None]
        settled = max(every, default=None)
        for axes, one, tint in zip(rooms, shown, tints, strict=True):
            kind = self._kind(one)
            axes.set_label(one.name)
            if kind == "curves":
                # points beside have their numbers in the same colours
                numbered = not any(
                    self._kind(other) == "scatter" and other.shape[0] == one.shape[-1]
                    for other in shown
                )
                parts.append(views.curves(axes, data, one, self.entries, named=numbered))
                if settled is not None and axes.get_xlim()[1] > settled:
                    parts.append(_settled(axes, data, settled))
            elif kind == "scatter":
                known = np.flatnonzero(data["array_epoch"].values == settled)
                near = int(known[0]) if known.size else None
                last = float(data["array_epoch"].values[one.known[-1]])
                named = None
                if polygon and settled is not None:
                    named = (_at(data, settled), _at(data, last))
                parts.append(views.scatter(axes, one, near, named=named))
            else:
                parts.append(views.heatmap(axes, one))
            if not polygon:  # of which the sentence says the name
                style().note(axes, one.name, (0, 1), (0, 0.6), color=tint, fontweight="bold")
        if strip is not None:
            colours = [tint for one, tint in zip(shown, tints, strict=True) if one in timed]
            parts.append(self._strip(strip, data, timed, colours))
        return Drawing.of(*parts)

    def film_span(self, data: xr.Dataset) -> None:
        """All of the run: the last form is that of its end."""

    def description(self, data: xr.Dataset, i: int) -> str:
        """The least and the largest entry of each array at that moment."""
        told = []
        for one in self._shown(data):
            now = one.values[i][np.isfinite(one.values[i])]
            if not now.size:
                continue
            apart = one.differences()[i]
            words = f"{one.name} goes from {now.min():.3g} to {now.max():.3g}"
            if now.size == 1:
                words = f"{one.name} is {now[0]:.3g}"
            if np.isfinite(apart):
                words = f"{words} and is {percent(apart)} of its last norm away from its last form"
            told.append(words)
        at = clocks.at(data, self.clock, i)
        return f"Recorded arrays. At {at} {'; '.join(told) or 'none was recorded'}."

    def definition(self, data: xr.Dataset) -> str:
        """With how much of each is drawn, and the citation."""
        few = [
            f"{one.name} ({' by '.join(f'{n:,}' for n in one.shape)}) at "
            f"{' by '.join(str(n) for n in one.values.shape[1:])} evenly spread places"
            for one in self._shown(data)
            if one.values.shape[1:] != one.shape
        ]
        some = f" Too large to be drawn whole: {', '.join(few)}." if few else ""
        return (
            "Arrays as training recorded them, each on one scale at all moments; where a heatmap "
            "has outliers, the strongest colours take in a hundredth of its entries. How near: "
            f"Euclidean distance from the last form over the norm of that form.{some} For such "
            "arrays of a toy model, compare Elhage et al. (2022), arXiv:2209.10652, figure 2."
        )

    def _kind(self, one: arrays.Recorded) -> arrays.Kind:
        return one.kind if self.show == "shape" else self.show

    def _shown(self, data: xr.Dataset) -> list[arrays.Recorded]:
        """The arrays drawn: of each kind the first, then others."""
        every = arrays.recorded(data, self.array, self.part)
        able = [one for one in every if self.show == "shape" or one.can(self.show)]
        if not able:
            what = "with numbers" if self.show == "shape" else _WANTED[self.show]
            raise InputError(
                f"array={self.array} chooses no array {what}; leave out show=, or choose another"
            )
        firsts = {self._kind(one): one for one in reversed(able)}
        telling = ("scatter", "heatmap", "curves")
        order = sorted(
            able,
            key=lambda one: (one is not firsts[self._kind(one)], telling.index(self._kind(one))),
        )[: self.most]
        kinds = ("heatmap", "scatter", "curves")
        return sorted(order, key=lambda one: kinds.index(self._kind(one)))

    def _polygon(self, data: xr.Dataset, shown: Sequence[arrays.Recorded]) -> str | None:
        """The polygon that the rows of a single array of points come to be the corners of, from
        when they have settled on; None where they are none, or are one at first.
        """
        one, near = shown[0], self._near(data, shown[0])
        if len(shown) > 1 or self._kind(one) != "scatter" or near is None:
            return None
        after = [i for i in one.known if data["array_epoch"].values[i] >= near]
        orders = [views.corners(one.values[i].astype(float)) for i in (one.known[0], *after)]
        formed = orders[0] is None and all(order is not None for order in orders[1:])
        return POLYGONS.get(one.shape[0]) if formed else None

    def _near(self, data: xr.Dataset, one: arrays.Recorded) -> float | None:
        """The first epoch from which on an array is near its last form; None of one that always
        is.
        """
        far = np.flatnonzero(np.nan_to_num(one.differences()) > NEAR)
        after = one.known[one.known > far[-1]] if far.size else far
        return float(data["array_epoch"].values[after[0]]) if after.size else None

    def _strip(
        self, axes: Axes, data: xr.Dataset, timed: Sequence[arrays.Recorded], colours: Sequence[Any]
    ) -> Drawing:
        """The differences of arrays from their last forms, and a dot where the first is near."""
        epochs = data["array_epoch"].values.astype(float)
        curves = {
            one.name: panels.Curve.of(epochs[one.known], 100 * one.differences()[one.known], tint)
            for one, tint in zip(timed, colours, strict=True)
        }
        panel = panels.CurvePanel(
            axes, data, {f"_{name}": curve for name, curve in curves.items()},
            ylabel="distance\nto last (%)", clock="array_epoch", phases="none",
            end=float(epochs[-1]),
        )  # fmt: skip
        if len(curves) > 1:
            _name(axes, curves)
        axes.axhline(100 * NEAR, color=style().colours.muted, lw=style().line * 0.5, ls=":")
        style().note(
            axes, percent(NEAR), (1, 100 * NEAR), (0.3, 0), color=style().colours.muted,
            xycoords=axes.get_yaxis_transform(), va="center",
        )  # fmt: skip
        moments = [(self._near(data, one), n) for n, one in enumerate(timed)]
        known = [(moment, n) for moment, n in moments if moment is not None]
        marks = []
        if known:
            near, n = max(known)
            share = 100 * timed[n].differences()[int(np.searchsorted(epochs, near))]
            text = f"{clocks.word(data)} {clocks.spaced(near)}"
            marks = [_marks.Mark(near, float(share), text, colours[n], "left", 0.9)]
        return Drawing.of(panel.along(epochs), _marks.draw(axes, marks, epochs))


_WANTED = {
    "heatmap": "of two dimensions",
    "scatter": "of three rows or more and two columns",
    "curves": "with numbers",
}


def _name(axes: Axes, curves: Mapping[str, panels.Curve]) -> None:
    """Names of curves below one another at the right, where each comes down to 0."""
    for n, (name, curve) in enumerate(curves.items()):
        style().note(
            axes, name, (1, 1), (-0.6, -1.1 - 1.25 * n), ha="right", color=curve.colour,
            fontweight="bold",
        )  # fmt: skip


def _at(data: xr.Dataset, moment: float) -> str:
    """A moment in words."""
    return f"{clocks.word(data)} {clocks.spaced(moment)}"


def _settled(axes: Axes, data: xr.Dataset, at: float) -> Drawing:
    """A dotted line at the moment from which on arrays have settled, once it has come."""
    line = axes.axvline(at, color=style().colours.ink, lw=0.5 * style().line, ls=":", zorder=1.8)
    epochs, whole = data["array_epoch"].values, style().ghost
    return Drawing([line], lambda i: line.set_visible(whole or bool(epochs[i] >= at)))


def _rooms(
    figure: FigureBase, kinds: Sequence[str], *, strip: bool
) -> tuple[list[Axes], Axes | None]:
    """Axes for each array, and for their differences."""
    current_style = style()
    high, count = current_style.ems(figure)[1], len(kinds)
    if current_style.narrow(figure):
        heights = (*(1.0,) * count, 0.55) if strip else (1.0,) * count
        rooms = current_style.stack(figure, heights, left=5.4, right=6.6, top=2.2, vgap=4.6)
        return rooms[:count], rooms[count] if strip else None
    if kinds == ["polygon"]:  # which has no axes
        return current_style.panels(figure, left=6.6, right=6.6, top=0.2, bottom=0.2)[0], None
    below = (STRIP * high + 6.8) if strip else 3.6
    gaps = 6.4 if "curves" in kinds else 3.6
    (rooms,) = current_style.panels(
        figure, [1.0] * count, left=5.4, right=5.0 if kinds[-1] == "curves" else 2.0, top=2.2,
        bottom=below, gap=gaps,
    )  # fmt: skip
    if not strip:
        return rooms, None
    lower = current_style.panels(
        figure, left=5.4, right=7.0, top=high - 3.3 - STRIP * high, bottom=3.3
    )[0][0]
    return rooms, lower


def _list(names: Sequence[str]) -> str:
    """Names one after another, or how many they are where that is shorter than a title."""
    told = f"{', '.join(names[:-1])} and {names[-1]}"
    return told if len(told) <= ROOM else f"all {len(names)} arrays"
