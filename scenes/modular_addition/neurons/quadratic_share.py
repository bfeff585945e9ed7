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

GAP = 0.3
"""Between the lanes, each of which is 1 high."""

GOLDEN = (5**0.5 - 1) / 2
"""Multiples of the golden ratio lie in [0, 1) as evenly as any, however many there are."""

BASES = (1 + GAP, 0.0)
"""Where the lanes begin: before the ReLU above, after it below."""


@dataclass(frozen=True)
class QuadraticShare(Scene):
    """Each neuron's share in products of waves before the ReLU and after it, a dot each."""

    name = "quadratic-share"
    title = "The ReLU makes products of waves; hardly any go in"
    watch = "Each dot is a neuron: its share of products of waves before the ReLU, and after it"
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
        "each neuron before the ReLU and after it, or the notebook's scatters: all that a wave "
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
        watch = "Each dot is a neuron: how much of it is waves of a times waves of b"
        if self.show != "rise":
            watch = "Each dot is a neuron, after the ReLU"
        return Claim(title, watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A dot a neuron before the ReLU and one after it; or the two scatters."""
        if self.show != "rise":
            left, right = style().beside(figure, (1, 1.35), (1.2, 1), left=5.0, gap=7.0, vgap=4.6)
            groups = _groups(data)
            return Drawing.of(_against(left, data, groups), self._columns(right, data, groups))
        left = 8.6 if style().narrow(figure) else 11.0
        room = style().panels(figure, left=left, right=1.6, top=0.8, bottom=3.6)[0][0]
        return Drawing.of(_Lanes(room, data))

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
                f"Dots: {share}, before the ReLU above and after it below, spread in height so "
                f"that they do not hide one another; the line: the mean of all. {NOTEBOOK}"
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


class _Lanes:
    """A dot a neuron at its share before the ReLU, above, and after it, below, and their means."""

    def __init__(self, axes: Axes, data: xr.Dataset) -> None:
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
        axes.set(xlim=(-0.015 * top, top), ylim=(-0.05, 2 + GAP), yticks=[])
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        narrow = current_style.narrow(axes.figure)
        axes.set_xlabel("products (%)" if narrow else "products of waves (% of a neuron)")
        axes.grid(visible=False, axis="y")
        wide, size = current_style.line, current_style.points
        self.rows = self._rows()
        self.dots = [
            axes.plot(
                [], [], "o", color=group.colour, ms=0.3 * size, mew=0, alpha=0.9, zorder=2,
                clip_on=False,
            )[0]
            for _ in SIDES
            for group in self.groups
        ]  # fmt: skip
        (self.mean,) = axes.plot(
            [], [], color=colours.ink, lw=1.2 * wide, zorder=4, solid_joinstyle="round"
        )
        look: dict[str, Any] = {"ha": "right", "xycoords": ("axes fraction", "data")}
        self.words = []
        for base, word in zip(BASES, ("before", "after"), strict=True):
            current_style.note(
                axes, f"{word} the ReLU", (0, base + 0.5), (-0.8, 0.2), va="bottom",
                color=colours.muted, fontsize=size if not narrow else None, **look,
            )  # fmt: skip
            self.words.append(
                current_style.note(
                    axes, "", (0, base + 0.5), (-0.8, -0.2), va="top", fontweight="bold",
                    color=colours.ink, fontsize=size if not narrow else None, **look,
                )
            )  # fmt: skip
        if len(self.groups) > 1:
            current_style.note(
                axes, "coloured by wave", (1, 1), (-0.4, -0.2), ha="right", va="top",
                color=colours.muted,
            )  # fmt: skip

    def _rows(self) -> list[Float[np.ndarray, " neuron"]]:
        """Heights of each group's neurons in a lane: spread evenly, whatever their share."""
        count = len(self.groups[0].inside)
        spread = 0.04 + 0.92 * (GOLDEN * np.arange(count) % 1)
        return [spread[group.inside] for group in self.groups]

    @property
    def moving(self) -> list[Any]:
        return [*self.dots, self.mean, *self.words]

    def update(self, i: int) -> None:
        dots = iter(self.dots)
        for base, shares in zip(BASES, self.shares, strict=True):
            for group, rows in zip(self.groups, self.rows, strict=True):
                next(dots).set_data(shares[i, group.inside], base + rows)
        means = [float(mean[i]) for mean in self.means]
        self.mean.set_data(np.repeat(means, 2), [base + end for base in BASES for end in (1, 0)])
        for text, mean in zip(self.words, means, strict=True):
            text.set_text(f"{_percent(mean)} on average")


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
