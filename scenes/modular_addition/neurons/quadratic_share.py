"""The ReLU multiplies: neurons that carry a wave's products, before it and after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any._papers import NOTEBOOK

from grokviz.scene import Drawing, Scene, frequencies, option, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

DEGREES, SIDES = ("linear", "quadratic"), ("pre", "post")


@dataclass(frozen=True)
class QuadraticShare(Scene):
    """Each neuron's quadratic share before and after the ReLU, and all that its wave explains."""

    name = "quadratic-share"
    title = "The ReLU turns sums of waves into their products"
    watch = "a dot is a neuron; those of a wave rise off the line of no change"
    source = "notebook of arXiv:2301.05217, analysis during training, animated scatters"
    loops = True
    needs = (
        "linear_share_pre", "linear_share_post", "quadratic_share_pre", "quadratic_share_post",
        "all_neuron_cluster", "active_pairs", "logged_test_loss", "phase_end",
        "embedding_frequency_norm",
    )  # fmt: skip
    clock = "field_epoch"
    aspect = 2.0
    narrow_aspect = 0.5

    side: Literal["pre", "post"] = option("post", "second panel: shares before or after the ReLU")
    spread: Literal["even", "active"] = option(
        "even", "dots across a column: evenly, or by how many pairs activate the neuron"
    )

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The two scatters."""
        left, right = style().beside(figure, (1, 1.35), (1.2, 1), left=5.0, gap=7.0, vgap=4.6)
        groups = _groups(data)
        return Drawing.of(_against(left, data, groups), self._columns(right, data, groups))

    def description(self, data: xr.Dataset, i: int) -> str:
        """Mean shares of the clustered neurons at that moment."""
        now = data.isel(field_epoch=i)
        inside = data["all_neuron_cluster"].values > 0
        above = float((now["quadratic_share_post"] > now["quadratic_share_pre"]).mean())
        text = (
            f"Two scatter plots of {inside.size} neurons at {clocks.at(data, 'field_epoch', i)}. "
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
            f"{mean['quadratic_share_pre']:.1f} % before and {mean['quadratic_share_post']:.1f} % "
            "after; with the linear terms of its own frequency "
            f"{mean['quadratic_share_post'] + mean['linear_share_post']:.0f} % of a neuron are "
            "explained after it."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Left: share of each neuron's variance over (a, b) in products of cos and sin of "
            "$w_ka$ and $w_kb$, before against after the ReLU, k the frequency of its cluster "
            "(all frequencies for a neuron without one, grey). Right: share in these and in the "
            "linear terms together, by cluster. "
            f"{NOTEBOOK}"
        )

    def _columns(self, axes: Axes, data: xr.Dataset, groups: Groups) -> Drawing:
        """What the neuron's own frequency explains, in a column for each cluster."""
        linear, products = (data[f"{d}_share_{self.side}"].values.astype(float) for d in DEGREES)
        shares = 100 * (linear + products)
        active = data["active_pairs"].values / max(int(data["active_pairs"].max()), 1)
        x, y = [], []
        for place, (_, _, inside) in enumerate(groups):
            across = np.linspace(-0.36, 0.36, max(int(inside.sum()), 2))[: int(inside.sum())]
            spread = np.broadcast_to(across, (len(shares), len(across)))
            if self.spread == "active":
                spread = 0.8 * (active[:, inside] - 0.5)
            x.append(place + spread)
            y.append(shares[:, inside])
        axes.set(xlim=(-0.55, len(groups) - 0.45), ylim=(-2, 103))
        axes.set_yticks([0, 50, 100])
        axes.set_xticks(range(len(groups)), [name for name, _, _ in groups], fontweight="bold")
        for tick, (_, colour, _) in zip(axes.get_xticklabels(), groups, strict=True):
            tick.set_color(colour)
        style().note(
            axes, "all waves", (len(groups) - 1, 1), (0, 0.5), ha="center",
            xycoords=("data", "axes fraction"), color=style().colours.muted,
        )  # fmt: skip
        side = "before" if self.side == "pre" else "after"
        axes.set_xlabel("frequency of the neuron's cluster")
        axes.set_ylabel(f"explained by its wave, {side} ReLU (%)")
        return _dots(axes, groups, x, y)


Groups = list[tuple[str, str, np.ndarray]]


def _groups(data: xr.Dataset) -> Groups:
    """Name, colour and members of each cluster, those without one last."""
    colours, cluster = style().colours, data["all_neuron_cluster"].values
    groups: Groups = [
        (str(k), frequencies.colour(int(k), data), cluster == k)
        for k in np.unique(cluster[cluster > 0])
    ]
    return [*groups, ("none", colours.train, cluster <= 0)]


def _against(axes: Axes, data: xr.Dataset, groups: Groups) -> Drawing:
    """Quadratic share after the ReLU against the one before."""
    from matplotlib.ticker import MaxNLocator

    current_style, colours = style(), style().colours
    pre, post = (100 * data[f"quadratic_share_{s}"].values.astype(float) for s in SIDES)
    top = 1.06 * max(float(pre.max()), float(post.max()))
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
    members = [inside for _, _, inside in groups]
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
