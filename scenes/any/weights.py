"""The distribution of the entries of a tensor through training, as ridges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any import _tensors as tensors
from grokviz.scenes.any._spoken import labelled, spoken

from grokviz.errors import InputError
from grokviz.media.theme import colour_map
from grokviz.options import whole
from grokviz.scene import Claim, Drawing, Scene, option, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

RIDGES = 22
POINTS = 240
RIDGE_POINTS = 960
SHARPEST = 1 / 55
"""No curve is smoothed by more than this share of its axis."""

DENSE = 0.25
SMOOTH = 0.3
"""A ridge is smoothed by this share of the narrowest range of so many of its entries."""

LETTERS = 99
"""So many have room in the headings of a row of panels together; fewer in a narrow column."""

TALL = 4.5
"""Height of the highest ridge, in distances between ridges."""

VALLEY = 1 / 3
"""Entries are in two groups where between both peaks they are no more than so dense as at one."""

GROUP = 0.2
"""The least share of the entries that is a group."""

WIDER = 1.5
"""Entries spread or shrink where 90% of them lie in a range so many times as wide, or narrow."""


@dataclass(frozen=True)
class Weights(Scene):
    """A ridge for each of some checkpoints, the first behind; in front, the moment shown."""

    name = "weights"
    title = "Weights do not stay as they were drawn: their distribution changes"
    watch = "Each ridge is the distribution of its entries at one moment, each to its own height"
    source = "kurtosis: doi.org/10.1037/1082-989X.2.3.292; compare arXiv:2301.05217, figure 7"
    needs = ("entry_quantile", "entry_kurtosis")
    reference = "modular-addition-59"
    clock = "field_epoch"
    aspect = 1.7
    narrow_aspect = 0.62

    tensors: str = option("*", "names of tensors, or patterns such as '*attn*', with commas")
    most: int = option(1, "at most so many tensors, those whose kurtosis changes most", whole())

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless a tensor has entries that differ at two checkpoints."""
        super().check(data)
        if data.sizes["field_epoch"] < 2 or not _spread(data).any():
            raise InputError(
                f"{cls.name} draws how weights are distributed from checkpoint to checkpoint, "
                "which takes two checkpoints of a tensor whose entries differ; record or import "
                "more of them"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """A tensor whose entries come to be two groups, else the one whose spread changes most."""
        place, levels = self._foremost(data), data["level"].values
        name, (_, last) = spoken(tensors.names_of(data)[place]), _first_and_last(data, place)
        if two := _split(data, place):
            sentence = f"The entries of {name} split into two groups"
            return Claim(sentence, self.watch, numbers={"left": two[0], "right": two[1]})
        change, spread = _widening(data, place), float(np.diff(_range(levels, last))[0])
        numbers = {"change": change, "last": spread}
        if not max(change, 1 / max(change, 1e-30)) >= WIDER:
            words = f"The entries of {name} stay nearly as they were drawn"
            return Claim.instead(words, self.watch, **numbers)
        words = f"spread to {change:.1f} times their first width"
        if change < 1:
            words = f"shrink to {_share(change)} of their first width"
        return Claim(f"The entries of {name} {words}", self.watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A panel for each tensor."""
        places, narrow = self._places(data), style().narrow(figure)
        names = [labelled(name) for name in tensors.names_of(data)]
        # a heading takes two lines where a panel has no room for one
        letters = max(len(names[p]) + len(_told(data, p)) for p in places)
        above = letters > LETTERS / (3.5 if narrow else len(places))
        if narrow:
            places = places[:2]
            grid = style().stack(
                figure, (1,) * len(places), left=4.6, right=1.2, top=3.3 if above else 2.2,
                bottom=3.3, vgap=5.1 if above else 4.0,
            )  # fmt: skip
        else:
            grid = style().panels(
                figure, (1,) * len(places), left=4.6, right=1.6, top=3.5 if above else 2.4,
                bottom=3.3, gap=1.8,
            )[0]  # fmt: skip
        return Drawing.of(*(
            _ridges(axes, data, place, names[place], first=narrow or n == 0, above=above)
            for n, (axes, place) in enumerate(zip(grid, places, strict=True))
        ), *(
            _peaks(axes, data, place) for axes, place in zip(grid, places, strict=True)
        ))  # fmt: skip

    def film_span(self, data: xr.Dataset) -> None:
        """All of the run: the sentence is of its end."""

    def description(self, data: xr.Dataset, i: int) -> str:
        """The middle of the distribution and its tails at that moment."""
        names, levels = tensors.names_of(data), data["level"].values
        low, high = (int(np.abs(levels - level).argmin()) for level in (0.01, 0.99))
        told = []
        for place in self._places(data):
            one = data["entry_quantile"].values[i, place]
            if np.isfinite(one).all():
                told.append(f"{names[place]} from {one[low]:.2g} to {one[high]:.2g}")
        at = clocks.at(data, self.clock, i)
        return (
            f"Distributions of weights through training. At {at}, without the outermost percent "
            f"at either end: {', '.join(told) or 'no entry is a number'}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            f"Densities of the entries of a tensor, from {data.sizes['level']} of their quantiles, "
            f"at {len(_moments(data))} checkpoints, the first behind, each to its own height, and "
            "in front at the moment shown; above each panel where 90% of the entries are. The axis "
            "leaves out the outermost thousandth at either end. Shown is the tensor whose entries "
            "split the clearest, else that whose width changes most; of more, those whose excess "
            "kurtosis changes most (DeCarlo, 1997, https://doi.org/10.1037/1082-989X.2.3.292)."
        )

    def _able(self, data: xr.Dataset) -> list[int]:
        """The tensors that the option chooses and whose entries differ; InputError for none."""
        every = [str(name) for name in data["parameter"].values]
        lack = "the name of no tensor of this run whose entries differ"
        return tensors.choose(every, self.tensors, _spread(data), lack)

    def _places(self, data: xr.Dataset) -> list[int]:
        """The tensors shown, in the model's order: that of the sentence, and others."""
        able = self._able(data)
        kurtosis = data["entry_kurtosis"].values
        change = [_ends(kurtosis[:, i]) for i in able]
        size = np.array([-1.0 if one is None else abs(one[1] - one[0]) for one in change])
        size[able.index(self._foremost(data))] = np.inf
        return [able[k] for k in sorted(np.argsort(-size, kind="stable")[: self.most])]

    def _foremost(self, data: xr.Dataset) -> int:
        """The tensor of which the sentence speaks: that which splits the most, of matrices first.

        Where none does, the one whose width changes most.
        """
        able = self._able(data)
        split = {place: two for place in able if (two := _split(data, place))}
        if split:
            return min(split, key=lambda place: split[place][2])
        change = [abs(np.log(max(_widening(data, place), 1e-30))) for place in able]
        return able[int(np.argmax(change))]


def _first_and_last(data: xr.Dataset, place: int) -> np.ndarray:
    """The quantiles of a tensor at the first and the last moment at which all are known."""
    values = data["entry_quantile"].values[:, place].astype(float)
    ends: np.ndarray = values[np.isfinite(values).all(axis=1)][[0, -1]]
    return ends


def _split(data: xr.Dataset, place: int) -> tuple[float, float, float] | None:
    """The two groups in which a tensor's entries end that began as one; None without them."""
    levels, (first, last) = data["level"].values, _first_and_last(data, place)
    two = groups(levels, last)
    return None if two is None or groups(levels, first) else two


def _widening(data: xr.Dataset, place: int) -> float:
    """How many times as wide as at first the range is in which 90% of the entries end."""
    levels = data["level"].values
    first, last = (float(np.diff(_range(levels, q))[0]) for q in _first_and_last(data, place))
    return last / first if first > 0 else 1.0


def _share(share: float) -> str:
    """A share as "a third", where it is nearly one over a whole number, else in percent."""
    words = {2: "half", 3: "a third", 4: "a quarter", 5: "a fifth"}
    near = words.get(round(1 / share)) if share > 0 else None
    return near if near and abs(share * round(1 / share) - 1) < 0.06 else f"{100 * share:.0f}%"


def density(
    levels: np.ndarray, quantiles: np.ndarray, grid: np.ndarray, width: float
) -> np.ndarray:
    """Density on an even grid of a distribution that is even between its quantiles, smoothed by a
    normal curve of this width.
    """
    step = grid[1] - grid[0]
    edges = np.concatenate([grid - step / 2, grid[-1:] + step / 2])
    # of quantiles that are equal, a share of the entries is there
    apart = np.maximum.accumulate(quantiles + 1e-6 * step * np.arange(len(quantiles)))
    mass = np.diff(np.interp(edges, apart, levels, left=0.0, right=1.0))
    reach = np.arange(-int(4 * width / step) - 1, int(4 * width / step) + 2) * step
    bell = np.exp(-0.5 * np.square(reach / width))
    smooth: np.ndarray = np.convolve(mass, bell / bell.sum(), mode="same") / step
    return smooth


def ridge(levels: np.ndarray, quantiles: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Density on an even grid, smoothed by less than its densest part is wide."""
    starts = np.linspace(0, 1 - DENSE, 200)
    ends = np.interp(starts + DENSE, levels, quantiles)
    narrowest = float((ends - np.interp(starts, levels, quantiles)).min())
    step, span = float(grid[1] - grid[0]), float(grid[-1] - grid[0])
    return density(
        levels, quantiles, grid, float(np.clip(SMOOTH * narrowest, step, span * SHARPEST))
    )


def _told(data: xr.Dataset, place: int) -> str:
    """The longest words above a panel: of the first moment, or of the last."""
    values, levels = data["entry_quantile"].values[:, place].astype(float), data["level"].values
    known = values[np.isfinite(values).all(axis=1)]
    return max((f"90% of the entries {_within(levels, one)}" for one in known[[0, -1]]), key=len)


def _ridges(
    axes: Axes, data: xr.Dataset, place: int, name: str, *, first: bool, above: bool
) -> Drawing:
    """Ridges up to the moment, one behind the other, and that of the moment in front."""
    current_style, colours = style(), style().colours
    values, levels = data["entry_quantile"].values[:, place].astype(float), data["level"].values
    known = np.isfinite(values).all(axis=1)
    inner = np.abs(values[known][:, (levels >= 0.001) & (levels <= 0.999)])
    edge = 1.04 * float(inner.max()) or 1.0
    grid = np.linspace(-edge, edge, RIDGE_POINTS)
    shapes = {i: ridge(levels, values[i], grid) for i in np.flatnonzero(known)}
    # each to its own height, or a sharp one would leave the others flat
    shapes = {i: TALL * one / max(float(one.max()), 1e-12) for i, one in shapes.items()}
    moments = _moments(data)
    scale = colour_map(colours.sequential)
    ridges: dict[int, list[Any]] = {}
    for n, i in enumerate(moments):
        if i not in shapes:
            continue
        base, z = len(moments) - n, 2 + 0.1 * n
        tint = scale(0.3 + 0.55 * n / max(len(moments) - 1, 1))
        ridges[i] = [
            axes.fill_between(
                grid, base, base + shapes[i], color=colours.background, lw=0, zorder=z
            ),
            axes.fill_between(grid, base, base + shapes[i], color=tint, alpha=0.28, lw=0, zorder=z),
            *axes.plot(
                grid, base + shapes[i], color=tint, lw=0.55 * current_style.line, zorder=z + 0.05
            ),
        ]
    (now,) = axes.plot([], [], color=colours.ink, lw=1.1 * current_style.line, zorder=9)
    axes.set(xlim=(-edge, edge), ylim=(-0.6, len(moments) + TALL + 0.4))
    axes.axvline(0, color=colours.faint, lw=0.3 * current_style.line, zorder=8, ls=(0, (2, 3)))
    axes.set_xlabel("value of an entry")
    axes.set_label(name)
    current_style.note(axes, name, (0, 1), (0, 1.55 if above else 0.45), fontweight="bold")
    note = current_style.note(
        axes, "", (0 if above else 1, 1), (0, 0.45), ha="left" if above else "right",
        color=colours.muted,
    )  # fmt: skip
    when = _ticks(axes, data, moments, first=first)

    def update(i: int) -> None:
        for at, artists in ridges.items():
            for artist in artists:
                artist.set_visible(at <= i)
        shape = shapes.get(i)
        now.set_data(([], []) if shape is None else (grid, shape))
        note.set_text("" if shape is None else f"90% of the entries {_within(levels, values[i])}")
        when.set_text(clocks.spaced(data["field_epoch"].values[i]) if first else "")

    return Drawing([list(ridges.values()), now, note, when], update)


def _peaks(axes: Axes, data: xr.Dataset, place: int) -> Drawing:
    """Where the two groups of the end are densest, if it has them, on the axis below them."""
    two = _split(data, place)
    if two is None:
        return Drawing()
    values = data["entry_quantile"].values[:, place].astype(float)
    last = int(np.flatnonzero(np.isfinite(values).all(axis=1))[-1])
    current_style, ink, levels = style(), style().colours.answer, data["level"].values
    edge = axes.get_xlim()[1]
    grid = np.linspace(-edge, edge, RIDGE_POINTS)
    shape = ridge(levels, values[last], grid)
    heights = TALL * np.interp(two[:2], grid, shape) / max(float(shape.max()), 1e-12)
    parts: list[Any] = []
    for x, y in zip(two, heights, strict=False):
        parts += axes.plot(
            [x, x], [axes.get_ylim()[0], y], color=ink, lw=0.5 * current_style.line, zorder=9.4
        )
        parts.append(axes.annotate(
            _signed(x), (x, 0), (0, -0.35 * current_style.small), ha="center", va="top",
            xycoords=("data", "axes fraction"), textcoords="offset points", color=ink,
            fontsize=current_style.small, fontweight="bold", annotation_clip=False,
        ))  # fmt: skip
    # no number of the axis stands where these do
    wide = 4.4 * current_style.pixels(axes, current_style.small) * 2 * edge / axes.bbox.width
    axes.set_xticks([
        tick for tick in axes.get_xticks()
        if abs(tick) <= edge and min(abs(tick - x) for x in two[:2]) > wide
    ])  # fmt: skip

    def update(i: int) -> None:
        # on the ridge in front, which is that of the end only then
        for part in parts:
            part.set_visible(bool(i >= last))

    return Drawing(parts, update)


def _ticks(axes: Axes, data: xr.Dataset, moments: np.ndarray, *, first: bool) -> Any:
    """Epochs of some ridges at the left, and the sizes of the weights below.

    Returns an empty text at the ridge in front, for its epoch.
    """
    from matplotlib.ticker import MaxNLocator

    current_style = style()
    axes.grid(visible=False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(3, symmetric=True))
    axes.set_yticks([])
    beside: dict[str, Any] = {
        "xycoords": ("axes fraction", "data"), "ha": "right", "va": "center",
        "annotation_clip": False,
    }  # fmt: skip
    if first:
        # the last ridges leave room for the epoch of the one in front
        places = np.linspace(0, max(len(moments) - 4, 0), min(4, len(moments)))
        shown = np.unique(places.round()).astype(int)
        epochs = data["field_epoch"].values[moments[shown]]
        axes.set_yticks(
            [len(moments) - n for n in shown], [clocks.spaced(epoch) for epoch in epochs],
            fontsize=current_style.small,
        )  # fmt: skip
        current_style.note(
            axes, clocks.word(data), (0, len(moments)), (-0.45, 1.3), **beside,
            color=current_style.colours.muted,
        )  # fmt: skip
    return current_style.note(axes, "", (0, 0), (-0.45, 0), fontweight="bold", **beside)


def _moments(data: xr.Dataset) -> np.ndarray:
    """Places on the clock of the ridges: most of them where training begins, as it moves most."""
    epochs = data["field_epoch"].values.astype(float) - data["field_epoch"].values[0]
    count = min(RIDGES, len(epochs))
    wanted = epochs[-1] * np.linspace(0, 1, count) ** 2.5
    return np.unique([int(np.abs(epochs - one).argmin()) for one in wanted])


def _spread(data: xr.Dataset) -> np.ndarray:
    """Whether the entries of each tensor differ at two checkpoints or more."""
    values = data["entry_quantile"].values.astype(float)
    known = np.isfinite(values).all(axis=2)
    apart = np.where(known, values[:, :, -1] > values[:, :, 0], False)
    enough: np.ndarray = apart.sum(axis=0) > 1
    return enough


def _ends(values: np.ndarray) -> tuple[float, float] | None:
    known = values[np.isfinite(values)]
    return (float(known[0]), float(known[-1])) if len(known) > 1 else None


def groups(levels: np.ndarray, quantiles: np.ndarray) -> tuple[float, float, float] | None:
    """Where two groups of entries are densest, and how dense the valley between them is.

    The valley in shares of the lower peak; None where it is no valley, or a group is small.
    """
    edge = float(np.abs(quantiles).max())
    if not edge > 0:
        return None
    grid = np.linspace(-edge, edge, POINTS)
    shape = density(levels, quantiles, grid, 4 * edge * SHARPEST)
    low, high = np.interp([GROUP, 1 - GROUP], levels, quantiles)
    best = None
    for k in np.flatnonzero((grid > low) & (grid < high)):
        left, right = int(shape[:k].argmax()), k + int(shape[k:].argmax())
        depth = float(shape[k] / max(min(shape[left], shape[right]), 1e-30))
        if depth <= VALLEY and (best is None or depth < best[2]):
            best = float(grid[left]), float(grid[right]), depth
    return best


def _range(levels: np.ndarray, quantiles: np.ndarray) -> tuple[float, float]:
    """Between which values 90% of the entries are."""
    low, high = np.interp([0.05, 0.95], levels, quantiles)
    return float(low), float(high)


def _within(levels: np.ndarray, quantiles: np.ndarray) -> str:
    """The same in words: within so much of 0, where it is even about it."""
    low, high = _range(levels, quantiles)
    if abs(low + high) <= 0.1 * (high - low):
        return f"within \u00b1{(high - low) / 2:.2g}"
    return f"from {_signed(low)} to {_signed(high)}"


def _signed(value: float) -> str:
    return f"{value:.2g}".replace("-", "\u2212")
