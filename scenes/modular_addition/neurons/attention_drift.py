"""Whom each head looks at on average: lopsided while memorising, even afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any._papers import NOTEBOOK
from grokviz.scenes.modular_addition import _claims, _neurons
from jaxtyping import Float

from grokviz.dataset.numerics import ties
from grokviz.scene import Claim, Drawing, Scene, grids, option, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


LOPSIDED = 0.2
"""A difference in mean attention that is plain to see, of numbers that sum to 1."""

EVEN = 0.05
"""A difference that is none to the eye."""

BEYOND = 1.25
"""The axis ends after so many times the epochs until no head leans any more."""

LIGHT = np.array([0.299, 0.587, 0.114])
"""How much red, green and blue count in the light of a colour."""


@dataclass(frozen=True)
class AttentionDrift(Scene):
    """Mean attention from '=' by head and position, and its difference between a and b."""

    name = "attention-drift"
    title = "Attention leans to one number, then weighs both alike"
    watch = "Averaged over all pairs; heads still lean to a or b when the test loss halves"
    source = "Colab of arXiv:2301.05217, analysis during training (animations 7 and 8)"
    needs = (
        "attention_mean", "logged_train_loss", "logged_test_loss", "phase_end",
    )  # fmt: skip
    aspect = 1.9
    narrow_aspect = 0.95
    aspects = {"table": {True: (2.3, 0.72)}}  # noqa: RUF012
    ends_with_film = True

    table: bool = option(False, "the mean attention of each head as a table beside the lines")

    def claim(self, data: xr.Dataset) -> Claim:
        """How far apart a and b were, and how near they are at the end, of a run that grokked."""
        gap = np.abs(_gap(data)).max(axis=1)
        if not np.isfinite(gap).any():
            return Claim.instead("The attention is no number")
        top, last = float(np.nanmax(gap)), float(gap[_ends(data, gap)])
        numbers = {"largest": top, "last": last}
        late = _neurons.not_generalised(data)
        if late:
            return Claim.instead(late, **numbers)
        if top < LOPSIDED:
            return Claim.instead(f"No head prefers a or b by more than {top:.2f}", **numbers)
        if last > EVEN:
            return Claim.instead(f"At the end a head still prefers a or b by {last:.2f}", **numbers)
        sentence = "Heads lean to one of the two numbers at first, later to neither"
        watch = self.watch if _waits(data, gap) else self.watch.partition(";")[0]
        return Claim(sentence, watch, numbers=numbers)

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after no head leans any more."""
        return 0, _end(data)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Lines of the difference, alone or beside heads by positions as a table."""
        if self.table:
            first, second = style().beside(
                figure, (1, 2), (1, 2.2), left=4.9, top=3.0, gap=7.0, vgap=5.6
            )
            beside = _table(first, data)
        else:
            second = style().panels(figure, left=5.0, right=1.4, top=1.0)[0][0]
            beside = _lean(second, data)
        lines = _differences(second, data, phases="named" if self.table else "none")
        parts = [] if self.table else [_neurons.halves(second, data)]
        return Drawing.of(beside, lines.along(data["epoch"]), *parts, _extremes(second, data))

    def description(self, data: xr.Dataset, i: int) -> str:
        """Means of each head, and the largest lopsidedness of all."""
        now = data["attention_mean"].isel(epoch=i)
        heads = [
            f"head {int(h)} {float(now.sel(head=h, position='a')):.2f} to a and "
            f"{float(now.sel(head=h, position='b')):.2f} to b"
            for h in data["head"].values
        ]
        gap = np.abs(_gap(data)).max(axis=1)
        at = ties.first_largest(np.nan_to_num(gap))
        return (
            f"Mean attention from '=' at {clocks.at(data, 'epoch', i)}: {'; '.join(heads)}. Drawn "
            "is the difference between a and b over epochs, whose largest absolute value is "
            f"{float(gap[at]):.2f}, at {clocks.at(data, 'epoch', at)}; at the last it is "
            f"{float(gap[-1]):.3f}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Mean over all pairs of the attention from '=' to a minus that to b over training, for "
            f"every head{', beside the means themselves' if self.table else ''}. {NOTEBOOK}"
        )


def _gap(data: xr.Dataset) -> Float[np.ndarray, "epoch head"]:
    """Mean attention to a less that to b."""
    mean = data["attention_mean"]
    gap: np.ndarray = (mean.sel(position="a") - mean.sel(position="b")).values.astype(float)
    return gap


def _end(data: xr.Dataset) -> float:
    """Where the axis ends: a while after no head leans any more, or where all films do."""
    epochs, last = data["epoch"].values, _claims.film_end(data)
    leans = np.flatnonzero(~(np.abs(_gap(data)[: last + 1]).max(axis=1) <= EVEN))
    if not leans.size or leans[-1] == last:
        return float(epochs[last])
    stop = BEYOND * float(epochs[leans[-1]])
    return float(epochs[min(last, clocks.index_up_to(data, "epoch", stop))])


def _ends(data: xr.Dataset, gap: Float[np.ndarray, " epoch"]) -> int:
    """The last moment of the film whose difference is a number; else the last of all."""
    finite = np.flatnonzero(np.isfinite(gap))
    inside = finite[data["epoch"].values[finite] <= _end(data)]
    return int((inside if inside.size else finite)[-1])


def _waits(data: xr.Dataset, gap: Float[np.ndarray, " epoch"]) -> bool:
    """Whether the difference is still more than half of its largest when the run groks."""
    grokked = clocks.grok_epoch(data)
    if grokked is None:
        return False
    at = int(np.abs(data["epoch"].values - grokked).argmin())
    return bool(gap[at] > np.nanmax(gap) / 2)


def _table(axes: Axes, data: xr.Dataset) -> Drawing:
    """A cell for each head and position, its number written in it."""
    heads, positions = data.sizes["head"], data.sizes["position"]
    image = grids.heat(axes, (heads, positions))
    axes.invert_yaxis()
    axes.set_xticks(range(positions), [f"to {name}" for name in data["position"].values])
    axes.set_yticks(range(heads), [f"head {h}" for h in data["head"].values])
    axes.tick_params(pad=0.3 * style().points)
    axes.set_title("mean attention from =", fontweight="normal", pad=0.5 * style().points)
    gap: dict[str, Any] = {"color": style().colours.background, "lw": style().line * 0.7}
    for y in range(1, heads):
        axes.axhline(y - 0.5, zorder=2, **gap)
    for x in range(1, positions):
        axes.axvline(x - 0.5, zorder=2, **gap)
    texts = [
        axes.text(x, y, "", ha="center", va="center", zorder=3)
        for y in range(heads) for x in range(positions)
    ]  # fmt: skip

    from matplotlib.colors import to_rgb

    ends = (style().colours.ink, style().colours.background)
    dark, bright = sorted(ends, key=lambda colour: float(np.dot(to_rgb(colour), LIGHT)))

    def update(i: int) -> None:
        mean = data["attention_mean"].values[i]
        image.set_data(mean)
        # ink or paper, whichever stands out from the cell
        shades = image.cmap(image.norm(mean))[..., :3] @ LIGHT
        for text, value, light in zip(texts, mean.ravel(), shades.ravel(), strict=True):
            text.set(text=f"{value:.2f}", color=dark if light > 0.55 else bright)

    return Drawing([image, *texts], update)


class _Heads(panels.CurvePanel):
    """Lines that are named while apart: the lowest below, the highest above, others on them."""

    def name_curves(self, end: float) -> _Names:
        """At a tenth of the film, flush with it where the axis ends soon after."""
        if not self.curves:
            return _Names(self.axes, {}, {})
        x = next(iter(self.curves.values())).x
        at = int(np.abs(x - 0.1 * panels.horizon(self.data)).argmin())
        order = sorted(self.curves, key=lambda name: float(self.curves[name].y[at]))
        places = dict.fromkeys(self.curves, float(x[at]))
        # beside one another, since their lines may be nearer than names are high
        inner = sorted(order[1:-1], key=lambda name: abs(float(self.curves[name].y[at])))
        for n, name in enumerate(inner):
            here = int(np.abs(x - (0.1 + 0.12 * n) * panels.horizon(self.data)).argmin())
            places[name] = float(x[here])
        flush: Any = "right" if x[at] > 0.7 * end else "left"
        names = _Names(self.axes, self.curves, places, above=order[1:], ha=flush)
        names.put_beside_lines(order[1:-1])
        return names


class _Names(panels.LineNames):
    """Names that are left out where they would stand on one another."""

    def put_beside_lines(self, names: Sequence[str]) -> None:
        """Put these beside their own lines, away from the middle, where the others meet."""
        for name in names:
            if name in self.texts:
                curve = self.curves[name]
                below = bool(np.interp(self.at[name], curve.x, np.nan_to_num(curve.y)) < 0)
                lift = (-0.15 if below else 0.15) * style().small
                self.texts[name].set(va="top" if below else "bottom", position=(0, lift))

    def update(self, moment: float) -> None:
        """Put them on the lines, as many as are apart."""
        super().update(moment)
        em, taken = style().pixels(self.axes, style().small), list[float]()
        for text in self.texts.values():
            lift = style().pixels(self.axes, text.xyann[1])
            # to the middle of a name
            lift += {"bottom": 0.5, "top": -0.5}.get(text.get_va(), 0.0) * em
            at = float(self.axes.transData.transform(text.xy)[1]) + lift
            text.set_visible(all(abs(at - other) > 0.9 * em for other in taken))
            if text.get_visible():
                taken.append(at)


def _differences(axes: Axes, data: xr.Dataset, *, phases: Literal["named", "none"]) -> _Heads:
    """A line for each head, attention to a less that to b; the one that leans most in ink."""
    gap, colours = _gap(data), style().colours
    most = _most(gap)
    curves = {
        f"head {head}": panels.at_checkpoints(
            data, gap[:, n], colours.ink if n == most else colours.muted
        )
        for n, head in enumerate(data["head"].values)
    }
    reach = _reach(gap)
    return _Heads(
        axes, data, curves, ylabel="mean attention to a minus to b", ylim=(-reach, reach),
        phases=phases, end=_end(data),
    )  # fmt: skip


def _reach(gap: Float[np.ndarray, "epoch head"]) -> float:
    """How far the axis goes to either side of even."""
    return 1.2 * max(float(np.abs(gap[np.isfinite(gap)]).max(initial=0.0)), 0.05)


def _most(gap: Float[np.ndarray, "epoch head"]) -> int:
    """Which head leans most of all."""
    return ties.first_largest(np.nan_to_num(np.abs(gap)).max(axis=0))


def _lean(axes: Axes, data: xr.Dataset) -> Drawing:
    """The middle, what either side of it means, and how far each head is from it."""
    current_style, epochs, gap = style(), data["epoch"].values.astype(float), _gap(data)
    axes.axhline(0, color=current_style.colours.faint, lw=0.5 * current_style.line, zorder=1.5)
    for words, y in (("more to a", 0.93), ("more to b", 0.07)):
        current_style.note(
            axes, words, (0.985, y), ha="right", va="center", fontsize=current_style.points,
            fontweight="bold", color=current_style.colours.muted,
        )  # fmt: skip
    # of every head, the one that leans most in ink
    areas, leans = [], np.nan_to_num(gap).T
    for n, lean in enumerate(leans):
        tint = current_style.colours.ink if n == _most(gap) else current_style.colours.muted
        areas.append(axes.fill_between(epochs, 0, lean, color=tint, alpha=0.12, lw=0))

    def update(i: int) -> None:
        for area, lean in zip(areas, leans, strict=True):
            area.set_data(epochs[: i + 1], np.zeros(i + 1), lean[: i + 1])

    return Drawing(areas, update)


def _extremes(axes: Axes, data: xr.Dataset) -> Drawing:
    """The largest difference of all, and that at the film's end, each from then on."""
    gap = _gap(data)
    size = np.abs(gap).max(axis=1)
    if not np.isfinite(size).any():
        return Drawing()
    current_style, epochs = style(), data["epoch"].values
    first, last = ties.first_largest(np.nan_to_num(size)), _ends(data, size)
    parts = []
    for i, digits in {first: 2, last: 3}.items():
        y = float(gap[i, ties.first_largest(np.abs(gap[i]))])
        mark: dict[str, Any] = {"color": current_style.colours.ink, "zorder": 6}
        (dot,) = axes.plot(epochs[i], y, "o", ms=0.32 * current_style.points, mew=0, **mark)
        # heads are named on the other side of their lines
        under = i == first and y > 0
        # clear of the line that marks the moment
        ahead = 0.0 if i == first else 0.008 * float(np.ptp(axes.get_xlim()))
        text = current_style.label(
            axes, float(epochs[i]) - ahead, y, f"{abs(y):.{digits}f}", lift=-0.5 if under else 0.4,
            va="top" if under else "bottom", ha="left" if i == first else "right", **mark,
        )  # fmt: skip
        parts.append((epochs[i], dot, text))

    def update(i: int) -> None:
        for at, *artists in parts:
            for artist in artists:
                artist.set_visible(current_style.ghost or bool(epochs[i] >= at))

    return Drawing([artist for _, *both in parts for artist in both], update)
