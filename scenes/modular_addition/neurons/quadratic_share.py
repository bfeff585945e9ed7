"""How much of each neuron is products of waves, before the ReLU and after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from grokviz.scenes.any._papers import NOTEBOOK
from grokviz.scenes.modular_addition import _claims, _neurons
from jaxtyping import Bool, Float

from grokviz.media import typefaces
from grokviz.scene import Claim, Drawing, Scene, frequencies, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.bars import Bars
from grokviz.scene.layout import pushed_apart
from grokviz.scene.spoken import percent
from grokviz.tasks.modular_addition.formulas.neurons import RELU_PRODUCT_SHARE

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

DEGREES, SIDES = ("linear", "quadratic"), ("pre", "post")

RAISED, LEAST = 2.0, 0.1
"""So many times the products before the ReLU, and so much of a neuron, have they to be after it."""

STEP, STEPS = 1 / 256, 4
"""Shares are stored as multiples of this; a bin of the histograms holds so many of them."""

IDEAL = "ReLU(cos a + cos b)"
"""What the ReLU makes of exactly one wave of a and the same of b."""


@dataclass(frozen=True)
class QuadraticShare(Scene):
    """How many neurons have which share in products of waves, before the ReLU and after it."""

    name = "quadratic-share"
    title = "The ReLU makes the products of waves that a sum needs"
    watch = "cos(a + b) = cos a cos b \u2212 sin a sin b: to add, a network has to multiply"
    source = "notebook of arXiv:2301.05217, analysis during training, animated scatters"
    loops = True
    needs = (
        "linear_share_pre", "linear_share_post", "quadratic_share_pre", "quadratic_share_post",
        "all_neuron_cluster", "active_pairs", "logged_train_loss", "logged_test_loss", "phase_end",
        "embedding_frequency_norm",
    )  # fmt: skip
    clock = "field_epoch"
    aspect = 2.0
    narrow_aspect = 1.0
    ends_with_film = True
    aspects = {  # noqa: RUF012
        "show": dict.fromkeys(("scatters", "before", "active"), (2.0, 0.5))
    }

    show: Literal["rise", "scatters", "before", "active"] = option(
        "rise",
        "the neurons by their share before the ReLU and after it, or the notebook's scatters: all "
        "that a wave explains after the ReLU, before it, or by how many pairs activate the neuron",
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
        if not (after >= LEAST and after >= RAISED * before):
            words = f"{_percent(100 * before)} to {_percent(100 * after)}"
            sentence = f"The ReLU takes products of waves from {words} of neurons' variance"
            return Claim.instead(sentence, **means)
        rest = float(_means(data, "linear_share_post")[end])
        numbers = {**means, "linear": rest}
        watch = self.watch if self.show == "rise" else "Each dot is a neuron, after the ReLU"
        return Claim(self.title, watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The neurons before the ReLU and after it; or the two scatters."""
        if self.show != "rise":
            left, right = style().beside(figure, (1, 1.35), (1.2, 1), left=5.0, gap=7.0, vgap=4.6)
            groups = _groups(data)
            return Drawing.of(_against(left, data, groups), self._columns(right, data, groups))
        narrow = style().narrow(figure)
        room = style().panels(
            figure, left=2.4 if narrow else 4.2, right=1.4, top=3.0, bottom=3.4
        )[0][0]  # fmt: skip
        return Drawing.of(_Counts(room, data))

    def description(self, data: xr.Dataset, i: int) -> str:
        """Mean shares of the clustered neurons at that moment."""
        now, inside = data.isel(field_epoch=i), _inside(data)
        above = float((now["quadratic_share_post"] > now["quadratic_share_pre"]).mean())
        text = (
            f"Shares of {inside.size} neurons at {clocks.at(data, 'field_epoch', i)}. "
            "The share of variance in products of waves is larger after the ReLU than before it in "
            f"{percent(above)} of them."
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
                f"Neurons of a cluster by their {share}, before the ReLU and after it: histograms "
                "of which the tallest bar is as high as the panel, and lines at the means. Dashed: "
                "the share of the ReLU of cos wa + cos wb, 128 / (9\u03c0\u2074 \u2212 288) = "
                f"{RELU_PRODUCT_SHARE:.1%} over all angles. "
                f"{NOTEBOOK}"
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


class _Counts:
    """How many neurons have which share, before the ReLU and after it, with the mean of each.

    A dashed line is the share of the ReLU of exactly one wave of a and the same of b.
    """

    def __init__(self, axes: Axes, data: xr.Dataset) -> None:
        current_style, inside = style(), _inside(data)
        if not inside.any():
            inside = np.ones_like(inside)
        shares = [
            np.nan_to_num(data[f"quadratic_share_{side}"].values[:, inside].astype(float))
            for side in SIDES
        ]
        shown = data["field_epoch"].values <= panels.horizon(data)
        highest = max(float(share[shown].max(initial=0)) for share in shares)
        edges = _edges(max(1.06 * highest, 1.15 * RELU_PRODUCT_SHARE))
        counts = [_histograms(share, edges) for share in shares]
        tallest = np.maximum(*(count.max(axis=1) for count in counts))[:, None]
        self.axes, self.narrow = axes, current_style.narrow(axes.figure)
        self._set_axes(float(edges[-1]))
        self.means = [np.nan_to_num(_means(data, f"quadratic_share_{side}")) for side in SIDES]
        self.bars, self.lines, self.names = [], [], []
        colours = current_style.colours
        size = current_style.small if self.narrow else current_style.points
        for count, colour in zip(counts, (colours.muted, colours.answer), strict=True):
            bars = Bars(
                axes, 50 * (edges[:-1] + edges[1:]), count / tallest, colour,
                width=92 * (edges[1] - edges[0]), trace=0,
            )  # fmt: skip
            # in the beginning they stand in one place
            bars.now.set_alpha(0.85)
            self.bars.append(bars)
            self.lines += axes.plot([], [], color=colour, lw=0.8 * current_style.line, zorder=4)
            self.names.append(
                current_style.note(
                    axes, "", (0, 1), (0, 0.3), color=colour, fontweight="bold", ha="center",
                    linespacing=1.15, fontsize=size,
                )
            )  # fmt: skip
        self._draw_ideal()

    def _set_axes(self, last: float) -> None:
        """Per cent across; upwards, what stands for neurons is compared and has no numbers."""
        from matplotlib.ticker import MaxNLocator

        self.axes.set(xlim=(-0.6, 100 * last), ylim=(0, 1.08), yticks=[], ylabel="neurons")
        label = "share of a neuron that is products of waves (%)"
        self.axes.set_xlabel("products (%)" if self.narrow else label)
        self.axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        self.axes.grid(visible=False)

    def _draw_ideal(self) -> None:
        """The line of exactly one wave of a and the same of b."""
        colours, at = style().colours, 100 * RELU_PRODUCT_SHARE
        self.axes.axvline(at, color=colours.muted, lw=0.5 * style().line, ls=(0, (4, 3)), zorder=3)
        words = "ideal: " if self.narrow else f"ideal neuron,\n{IDEAL}: "
        style().note(
            self.axes, f"{words}{_percent(at)}", (at, 0.8), (0.5, 0), color=colours.muted,
            va="top", xycoords=self.axes.get_xaxis_transform(), linespacing=1.1,
        )  # fmt: skip

    @property
    def moving(self) -> list[Any]:
        return [*(bars.moving for bars in self.bars), *self.lines, *self.names]

    def update(self, i: int) -> None:
        each = zip(self.bars, self.lines, self.names, self.means, ("before", "after"), strict=True)
        places, widths = [], []
        em = style().pixels(self.axes, style().points) / self.axes.bbox.width
        left, right = self.axes.get_xlim()
        for bars, line, name, mean, word in each:
            bars.update(i)
            at = 100 * float(mean[i])
            line.set_data([at, at], [0, 1.08])
            name.set_text(f"{word} the ReLU\n{_percent(at)} on average")
            places.append((at - left) / (right - left))
            widths.append(em * (typefaces.width("before the ReLU") + 1.2))
        order = [0, 1] if places[0] <= places[1] else [1, 0]
        centres = pushed_apart([places[n] for n in order], widths, 0, 1)
        for n, centre in zip(order, centres, strict=True):
            self.names[n].xy = (centre, 1)


def _histograms(
    shares: Float[np.ndarray, "moment neuron"], edges: Float[np.ndarray, " edge"]
) -> Float[np.ndarray, "moment bin"]:
    """How many neurons of each moment lie between two edges."""
    counts: np.ndarray = np.stack([np.histogram(share, edges)[0] for share in shares])
    return counts.astype(float)


def _edges(highest: float) -> Float[np.ndarray, " edge"]:
    """Edges of bins from 0 to ``highest``: as many stored values in each, and none on an edge."""
    count = int(np.ceil((highest + STEP / 2) / (STEPS * STEP)))
    edges: np.ndarray = STEP * (STEPS * np.arange(count + 1) - 0.5)
    return edges


def _percent(share: float) -> str:
    """Per cent, with a digit after the point where it is below ten."""
    return f"{share:.1f}%" if share < 9.95 else f"{share:.0f}%"


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
