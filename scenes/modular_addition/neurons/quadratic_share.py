"""The ReLU multiplies: how much of each neuron is products of waves, before it and after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from grokviz.scenes.any import _marks
from grokviz.scenes.any._papers import NOTEBOOK
from grokviz.scenes.modular_addition import _claims, _neurons
from jaxtyping import Bool, Float

from grokviz.scene import Claim, Drawing, Scene, frequencies, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.layout import pushed_apart
from grokviz.tasks.modular_addition.formulas.neurons import THRESHOLD

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

DEGREES, SIDES = ("linear", "quadratic"), ("pre", "post")

RAISED, LEAST = 2.0, 0.1
"""So many times the products before the ReLU, and so much of a neuron, have they to be after it."""

GAP = 6
"""Between two clusters, in neurons."""

GREY = f"grey: both together below {THRESHOLD:.0%}"

FAINT = 0.32
"""How much of its cluster's colour the sums of waves have; their products have all of it."""


@dataclass(frozen=True)
class QuadraticShare(Scene):
    """Each neuron's quadratic share before and after the ReLU, and their means over training."""

    name = "quadratic-share"
    title = "The ReLU turns sums of waves into their products"
    watch = "a column is a neuron; faint: sums of cos wa, cos wb; full: products cos wa · cos wb"
    source = "notebook of arXiv:2301.05217, analysis during training, animated scatters"
    loops = True
    needs = (
        "linear_share_pre", "linear_share_post", "quadratic_share_pre", "quadratic_share_post",
        "all_neuron_cluster", "active_pairs", "logged_train_loss", "logged_test_loss", "phase_end",
        "embedding_frequency_norm",
    )  # fmt: skip
    clock = "field_epoch"
    aspect = 2.0
    narrow_aspect = 0.72
    ends_with_film = True
    aspects = {  # noqa: RUF012
        "show": dict.fromkeys(("scatters", "before", "active"), (2.0, 0.5))
    }

    show: Literal["rise", "scatters", "before", "active"] = option(
        "rise",
        "each neuron before and after the ReLU, or the notebook's scatters: all that a wave "
        "explains after the ReLU, before it, or by how many pairs activate the neuron",
    )

    def claim(self, data: xr.Dataset) -> Claim:
        """The mean share of products before and after the ReLU, when a film ends."""
        end = _claims.film_end(data, "field_epoch")
        means = {side: float(_means(data, f"quadratic_share_{side}")[end]) for side in SIDES}
        before, after = means["pre"], means["post"]
        late = _neurons.not_generalised(data)
        if late:
            return Claim.instead(late, **means)
        if not _inside(data).any():
            return Claim.instead("No neuron belongs to the cluster of a frequency yet", **means)
        words = f"{before:.0%} to {after:.0%}"
        if not (after >= LEAST and after >= RAISED * before):
            sentence = f"The ReLU takes products of waves from {words} of neurons' variance"
            return Claim.instead(sentence, **means)
        sentence = f"The ReLU lifts products of waves from {words} of neurons' variance"
        return Claim(sentence, self.watch, numbers=means)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Every neuron before and after the ReLU beside the means; or the two scatters."""
        if self.show != "rise":
            left, right = style().beside(figure, (1, 1.35), (1.2, 1), left=5.0, gap=7.0, vgap=4.6)
            groups = _groups(data)
            return Drawing.of(_against(left, data, groups), self._columns(right, data, groups))
        *sides, right = _rooms(figure)
        drawn = [_Shares(axes, data, side) for axes, side in zip(sides, SIDES, strict=True)]
        sides[0].tick_params(labelbottom=False)
        return Drawing.of(*drawn, _curves(right, data))

    def description(self, data: xr.Dataset, i: int) -> str:
        """Mean shares of the clustered neurons at that moment."""
        now, inside = data.isel(field_epoch=i), _inside(data)
        above = float((now["quadratic_share_post"] > now["quadratic_share_pre"]).mean())
        text = (
            f"Shares of {inside.size} neurons at {clocks.at(data, 'field_epoch', i)}. "
            "The share of variance in products of waves is larger after the ReLU than before it in "
            f"{above:.0%} of them."
        )
        if not inside.any():
            return f"{text} No neuron has a cluster."
        mean = {
            name: 100 * float(now[name].values[inside].mean())
            for name in self.needs
            if name.endswith(SIDES)
        }
        return (
            f"{text} Over the {int(inside.sum())} neurons of a cluster its mean is "
            f"{mean['quadratic_share_pre']:.1f}% before and {mean['quadratic_share_post']:.1f}% "
            "after; with the linear terms of its own frequency "
            f"{mean['quadratic_share_post'] + mean['linear_share_post']:.0f}% of a neuron are "
            "explained after it."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        share = (
            "share of a neuron's variance over (a, b) in products of cos and sin of $w_ka$ and "
            "$w_kb$, k the frequency of its cluster"
        )
        if self.show == "rise":
            return (
                f"Left, a column a neuron: full, {share}; faint, in these cosines and sines alone; "
                "above before the ReLU, below after it; neurons by the cluster they end in and by "
                f"their products after it, grey while k explains less than {THRESHOLD:g} of them. "
                f"Right: the means of the products. {NOTEBOOK}"
            )
        return (
            f"Left: {share}, before against after the ReLU (all frequencies for a neuron without "
            "a cluster, grey). Right: share in these and in the linear terms together, by cluster. "
            f"{NOTEBOOK}"
        )

    def _columns(self, axes: Axes, data: xr.Dataset, groups: Groups) -> Drawing:
        """What the neuron's own frequency explains, in a column for each cluster."""
        side = "pre" if self.show == "before" else "post"
        linear, products = (data[f"{d}_share_{side}"].values.astype(float) for d in DEGREES)
        shares = 100 * (linear + products)
        active = data["active_pairs"].values / max(int(data["active_pairs"].max()), 1)
        x, y = [], []
        for place, (_, _, inside) in enumerate(groups):
            across = np.linspace(-0.36, 0.36, max(int(inside.sum()), 2))[: int(inside.sum())]
            spread = np.broadcast_to(across, (len(shares), len(across)))
            if self.show == "active":
                spread = 0.8 * (active[:, inside] - 0.5)
            x.append(place + spread)
            y.append(shares[:, inside])
        axes.set(xlim=(-0.55, len(groups) - 0.45), ylim=(-2, 103))
        axes.set_yticks([0, 50, 100])
        _name_groups(axes, list(map(float, range(len(groups)))), groups)
        style().note(
            axes, "all waves", (len(groups) - 1, 1), (0, 0.5), ha="center",
            xycoords=("data", "axes fraction"), color=style().colours.muted,
        )  # fmt: skip
        when = "before" if side == "pre" else "after"
        axes.set_xlabel("frequency of the neuron's cluster")
        axes.set_ylabel(f"explained by its wave, {when} ReLU (%)")
        return _dots(axes, groups, x, y)


class Group(NamedTuple):
    """A cluster of neurons."""

    name: str
    colour: str
    inside: Bool[np.ndarray, " all_neuron"]


Groups = list[Group]


def _inside(data: xr.Dataset) -> Bool[np.ndarray, " all_neuron"]:
    """Which neurons have a cluster."""
    inside: np.ndarray = data["all_neuron_cluster"].values > 0
    return inside


def _means(data: xr.Dataset, name: str) -> Float[np.ndarray, " field_epoch"]:
    """The mean over the neurons of a cluster; over all of them where none has one."""
    inside, values = _inside(data), data[name].values.astype(float)
    means: np.ndarray = (values[:, inside] if inside.any() else values).mean(axis=1)
    return means


def _groups(data: xr.Dataset) -> Groups:
    """Each cluster, and the neurons without one last."""
    colours, cluster = style().colours, data["all_neuron_cluster"].values
    groups = [
        Group(str(k), frequencies.colour(int(k), data), cluster == k)
        for k in np.unique(cluster[cluster > 0])
    ]
    return [*groups, Group("none", colours.train, cluster <= 0)]


def _rooms(figure: FigureBase) -> list[Axes]:
    """Axes for the neurons before and after the ReLU, and for the means."""
    wide, high = style().ems(figure)
    if style().narrow(figure):
        edge = 0.62 * high
        names: dict[str, float] = {"left": 5.0, "right": 6.4}
        pair = style().stack(figure, (1, 1), bottom=high - edge, vgap=2.2, top=1.6, **names)
        return [*pair, style().panels(figure, top=edge + 4.6, **names)[0][0]]
    edge = 0.64 * wide
    pair = style().stack(
        figure, (1, 1), left=5.0, right=wide - edge + 6.0, vgap=2.4, bottom=4.0, top=1.6
    )
    return [*pair, style().panels(figure, left=edge + 5.2, right=4.6, bottom=4.0, top=1.6)[0][0]]


class _Shares:
    """A column a neuron on one side of the ReLU: products of waves, and on them their sums."""

    def __init__(self, axes: Axes, data: xr.Dataset, side: str) -> None:
        from matplotlib.collections import PolyCollection

        groups = _groups(data)
        groups = groups[:-1] if len(groups) > 1 else groups
        sizes = [int(group.inside.sum()) for group in groups]
        order = np.concatenate([np.flatnonzero(group.inside) for group in groups])
        self.group = np.repeat(np.arange(len(groups)), sizes)
        self.x = np.arange(len(order)) + GAP * self.group.astype(float)
        self.colours = np.repeat([group.colour for group in groups], sizes)
        self.last = data["quadratic_share_post"].values[:, order]
        self.linear, self.products = (
            np.nan_to_num(100 * data[f"{d}_share_{side}"].values[:, order].astype(float))
            for d in DEGREES
        )
        axes.grid(visible=False, axis="x")
        axes.set(xlim=(-GAP, self.x[-1] + GAP), ylim=(0, 103), yticks=(0, 50, 100))
        when = "before the ReLU" if side == "pre" else "after the ReLU"
        style().note(axes, when, (0, 1), (0, 0.5), fontweight="bold")
        axes.set_ylabel("variance (%)")
        self.areas: Any = [PolyCollection([], lw=0, zorder=2, aa=False) for _ in DEGREES]
        for area in self.areas:
            axes.add_collection(area, autolim=False)
        centres = [float(self.x[self.group == n].mean()) for n in range(len(groups))]
        self.names = {}
        axes.set_xticks([])
        if side == "post":
            of = f"{len(order)} of {data.sizes['all_neuron']} neurons, by their cluster's frequency"
            axes.set_xlabel("neurons, by cluster" if style().narrow(axes.figure) else of)
            self.names = _name_groups(axes, centres, groups)
        self.keyed = side == "pre" and not style().narrow(axes.figure)
        self.grey = style().note(
            axes, "", (1, 1), (0, 0.5), ha="right", color=style().colours.muted
        )
        look: dict[str, Any] = {"ha": "left", "va": "center", "linespacing": 1.05}
        self.words = [
            style().note(axes, "", (1, 0), (0.4, 0), color=style().colours.muted, **look),
            style().note(axes, "", (1, 0), (0.4, 0), fontweight="bold", **look),
        ]

    @property
    def moving(self) -> list[Any]:
        return [*self.areas, *self.names.values(), *self.words, self.grey]

    def update(self, i: int) -> None:
        # within a cluster by what they come to, at each moment anew, so that they make a curve
        order = np.lexsort((self.last[i], self.group))
        linear, products = self.linear[i, order], self.products[i, order]
        own = linear + products >= 100 * THRESHOLD
        face = _rgb(np.where(own, self.colours, style().colours.faint))
        paper = _rgb([style().colours.background])
        # a little wider than their distance, so that no seam shows between two
        for area, low, high, faces in zip(
            self.areas, (products, np.zeros_like(products)), (products + linear, products),
            (FAINT * face + (1 - FAINT) * paper, face), strict=True,
        ):  # fmt: skip
            area.set_verts(_columns(self.x, low, high, 1.04))
            area.set_facecolor(faces)
        # a cluster is named once the first of its neurons is explained by its frequency
        for n, name in self.names.items():
            name.set_visible(style().ghost or bool(own[self.group == n].any()))
        self.grey.set_text("" if own.all() or not self.keyed else GREY)
        self._say(float(linear.mean()), float(products.mean()))

    def _say(self, linear: float, products: float) -> None:
        """The means, level with their areas or near them."""
        axes = self.words[0].axes
        line = 1.1 * style().pixels(axes, style().small) / axes.bbox.height
        wanted = [products / 206, (products + linear / 2) / 103]
        below, above = pushed_apart(wanted, [2 * line] * 2, -0.1, 1.1)
        for word, text, level in zip(
            self.words, (f"sums\n{linear:.0f}%", f"products\n{products:.0f}%"), (above, below),
            strict=True,
        ):  # fmt: skip
            word.set_text(text)
            word.xy = (1, level)


def _rgb(colours: Sequence[str]) -> Float[np.ndarray, "colour 3"]:
    """Colours as numbers from 0 to 1."""
    from matplotlib.colors import to_rgba_array

    return np.asarray(to_rgba_array(list(colours)))[:, :3]


def _columns(
    x: np.ndarray, low: np.ndarray, high: np.ndarray, width: float
) -> Float[np.ndarray, "column 4 2"]:
    """Corners of columns from one height to another."""
    left, right = x - width / 2, x + width / 2
    across = np.stack([left, left, right, right], axis=1)
    return np.stack([across, np.stack([low, high, high, low], axis=1)], axis=2)


def _name_groups(axes: Axes, centres: list[float], groups: Groups) -> dict[int, Any]:
    """The names of the clusters below their neurons: as many as fit, the largest first."""
    em = style().pixels(axes, style().small) / axes.bbox.width * float(np.ptp(axes.get_xlim()))
    axes.set_xticks([])
    axes.xaxis.labelpad = 1.6 * style().small
    taken: list[tuple[float, float]] = []
    names = {}
    for n in sorted(range(len(groups)), key=lambda n: -int(groups[n].inside.sum())):
        half = 0.4 * em * (len(groups[n].name) + 0.6)
        if all(abs(centres[n] - at) > half + other for at, other in taken):
            taken.append((centres[n], half))
            names[n] = style().note(
                axes, groups[n].name, (centres[n], 0), (0, -0.4), ha="center", va="top",
                xycoords=("data", "axes fraction"), color=groups[n].colour, fontweight="bold",
            )  # fmt: skip
    return names


def _curves(axes: Axes, data: xr.Dataset) -> Drawing:
    """The means before and after the ReLU over training."""
    epochs, ink = data["field_epoch"].values, style().colours.ink
    curves = {
        name: panels.Curve.of(epochs, 100 * _means(data, f"quadratic_share_{side}"), ink)
        for side, name in (("post", "after"), ("pre", "before"))
    }
    top = 1.2 * max(float(np.nan_to_num(curve.y).max()) for curve in curves.values()) or 1.0
    panel = panels.CurvePanel(
        axes, data, curves, ylabel="products (%)", ylim=(-0.03 * top, top), phases="none"
    )
    for name, trace in panel.traces.items():
        if name.startswith("before"):
            trace.dash()
    end = _claims.film_end(data, "field_epoch")
    marks = [
        _marks.Mark(
            float(epochs[end]), float(curve.y[end]), f"{curve.y[end]:.0f}%", ink, "right", 0.85
        )
        for curve in panel.curves.values()
    ]
    return Drawing.of(panel.along(epochs), _marks.draw(axes, marks, epochs))


def _against(axes: Axes, data: xr.Dataset, groups: Groups) -> Drawing:
    """Quadratic share after the ReLU against the one before."""
    from matplotlib.ticker import MaxNLocator

    current_style, colours = style(), style().colours
    pre, post = (100 * data[f"quadratic_share_{s}"].values.astype(float) for s in SIDES)
    top = 1.06 * max(float(np.nan_to_num(values).max()) for values in (pre, post, 0.01))
    axes.grid(False)
    axes.plot([0, top], [0, top], color=colours.faint, lw=current_style.line * 0.35, zorder=1)
    current_style.label(
        axes, 0.5 * top, 0.46 * top, "no change", color=colours.muted, va="top",
        ha="left", fontweight="normal",
    )  # fmt: skip
    axes.set(
        xlim=(-0.03 * top, top), ylim=(-0.03 * top, top),
        xlabel="quadratic share before ReLU (%)", ylabel="quadratic share after ReLU (%)",
    )  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    members = [group.inside for group in groups]
    return _dots(axes, groups, [pre[:, m] for m in members], [post[:, m] for m in members])


def _dots(axes: Axes, groups: Groups, x: list[np.ndarray], y: list[np.ndarray]) -> Drawing:
    """A dot a neuron, in the colour of its group; what has no cluster lies beneath."""
    look: dict[str, Any] = {"ms": style().points * 0.26, "mew": 0, "alpha": 0.75}
    dots = [
        axes.plot([], [], "o", color=colour, zorder=2 + (name != "none"), **look)[0]
        for name, colour, _ in groups
    ]

    def update(i: int) -> None:
        for group, across, up in zip(dots, x, y, strict=True):
            group.set_data(across[i], up[i])

    return Drawing(dots, update)
