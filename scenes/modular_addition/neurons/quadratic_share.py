"""How much of each neuron is products of waves, before the ReLU and after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from grokviz.scenes.any._papers import NOTEBOOK
from grokviz.scenes.modular_addition import _claims, _neurons
from jaxtyping import Bool, Float

from grokviz.scene import Claim, Drawing, Scene, frequencies, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

DEGREES, SIDES = ("linear", "quadratic"), ("pre", "post")

RAISED, LEAST = 2.0, 0.1
"""So many times the products before the ReLU, and so much of a neuron, have they to be after it."""

HARDLY = 0.05
"""At most so much of a neuron is hardly any."""

MOST_NAMED = 9
"""Clusters that have room for a name each: those with most neurons."""


@dataclass(frozen=True)
class QuadraticShare(Scene):
    """Each neuron's share in products of waves before the ReLU and after it, as a thread."""

    name = "quadratic-share"
    title = "The ReLU makes products of waves; hardly any go in"
    watch = "Each thread is a neuron: its share of products of waves before the ReLU, and after it"
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
        "each neuron from before the ReLU to after it, or the notebook's scatters: all that a wave "
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
        if not (after >= LEAST and after >= RAISED * before):
            words = f"{_percent(100 * before)} to {_percent(100 * after)}"
            sentence = f"The ReLU takes products of waves from {words} of neurons' variance"
            return Claim.instead(sentence, **means)
        title = self.title if before <= HARDLY else self.title.split(";")[0]
        rest = float(_means(data, "linear_share_post")[end])
        numbers = {**means, "linear": rest}
        watch = "Each thread is a neuron: how much of it is waves of a times waves of b"
        if self.show != "rise":
            watch = "Each dot is a neuron, after the ReLU"
        return Claim(title, watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A thread a neuron, from before the ReLU to after it; or the two scatters."""
        if self.show != "rise":
            left, right = style().beside(figure, (1, 1.35), (1.2, 1), left=5.0, gap=7.0, vgap=4.6)
            groups = _groups(data)
            return Drawing.of(_against(left, data, groups), self._columns(right, data, groups))
        left, right = (4.4, 1.2) if style().narrow(figure) else (5.0, 1.6)
        room = style().panels(figure, left=left, right=right, top=0.8, bottom=3.2)[0][0]
        return Drawing.of(_Fan(room, data))

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
                f"Threads: {share}, from before the ReLU to after it; thick: the mean of all, in "
                f"numbers too. {NOTEBOOK}"
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


class _Fan:
    """A thread a neuron, from its share before the ReLU up to that after it, and their means."""

    def __init__(self, axes: Axes, data: xr.Dataset) -> None:
        from matplotlib.collections import LineCollection
        from matplotlib.colors import to_rgba
        from matplotlib.ticker import MaxNLocator

        current_style, colours = style(), style().colours
        groups = _groups(data)
        groups = groups[:-1] if len(groups) > 1 else groups
        largest = sorted(groups, key=lambda group: -int(group.inside.sum()))[:MOST_NAMED]
        self.groups = [group for group in groups if group in largest]
        self.shares = [
            np.nan_to_num(100 * data[f"quadratic_share_{side}"].values.astype(float))
            for side in SIDES
        ]
        self.means = [np.nan_to_num(100 * _means(data, f"quadratic_share_{s}")) for s in SIDES]
        shown = np.concatenate([s[:, g.inside] for s in self.shares for g in self.groups], axis=1)
        inside = data["field_epoch"].values <= panels.horizon(data)
        top = 1.06 * max(float(shown[inside].max(initial=0)), 1e-3)
        axes.set(xlim=(0, 1), ylim=(0, top), xticks=[])
        axes.yaxis.set_major_locator(MaxNLocator(4))
        narrow = current_style.narrow(axes.figure)
        axes.set_ylabel("products (%)" if narrow else "products of waves (% of a neuron)")
        axes.grid(visible=False, axis="x")
        self.axes, wide = axes, current_style.line
        # many threads are as bright together as few
        count = sum(int(group.inside.sum()) for group in self.groups)
        alpha = float(np.clip(200 / max(count, 1), 0.3, 0.9))
        self.threads: list[Any] = []
        for group in self.groups:
            self.threads.append(LineCollection(
                [], colors=[to_rgba(group.colour, alpha)], lw=0.5 * wide, zorder=2
            ))  # fmt: skip
            axes.add_collection(self.threads[-1], autolim=False)
        (self.mean,) = axes.plot(
            [], [], "o-", color=colours.ink, lw=1.8 * wide, clip_on=False,
            ms=0.75 * current_style.points, mec=colours.background, mew=0.15 * wide, zorder=4,
        )  # fmt: skip
        size, self.narrow = current_style.points, narrow
        for x, word, side in ((0, "before the ReLU", "left"), (1, "after the ReLU", "right")):
            current_style.note(
                axes, word, (x, 0), (0, -0.4), ha=side, va="top", color=colours.muted, fontsize=size
            )
        look: dict[str, Any] = {"fontweight": "bold", "color": colours.ink, "va": "top"}
        self.words = [
            current_style.note(axes, "", (x, 0), (0, -1.7), ha=side, fontsize=size, **look)
            for x, side in ((0, "left"), (1, "right"))
        ]
        if len(self.groups) > 1:
            current_style.note(
                axes, "coloured by wave", (0, 1), (0.6, -0.4), va="top", color=colours.muted
            )

    @property
    def moving(self) -> list[Any]:
        return [*self.threads, self.mean, *self.words]

    def update(self, i: int) -> None:
        for group, threads in zip(self.groups, self.threads, strict=True):
            threads.set_segments(_threads(*(share[i, group.inside] for share in self.shares)))
        means = [float(mean[i]) for mean in self.means]
        self.mean.set_data([0, 1], means)
        for text, mean in zip(self.words, means, strict=True):
            share = _percent(mean)
            text.set_text(f"mean {share}" if self.narrow else f"{share} on average")


def _percent(share: float) -> str:
    """Per cent, with a digit after the point where it is below ten."""
    return f"{share:.1f}%" if share < 9.95 else f"{share:.0f}%"


def _threads(low: np.ndarray, high: np.ndarray) -> Float[np.ndarray, "neuron end 2"]:
    """Straight lines from one height to another."""
    y = np.stack([low, high], axis=1)
    points: np.ndarray = np.stack([np.broadcast_to([0.0, 1.0], y.shape), y], axis=2)
    return points


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
