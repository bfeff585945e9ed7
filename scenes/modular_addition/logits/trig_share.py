"""How much of the neurons and of the logits the algorithm's own terms explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any._papers import NOTEBOOK
from grokviz.scenes.modular_addition import _claims

from grokviz.scene import Claim, Drawing, Scene, option, panels, style, timeline
from grokviz.scene import clock as clocks
from grokviz.scene.drawing import Part
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

LESS = 0.5
"""The neurons' share is at most this much of the logits', where the two are told apart."""

LARGE, SMALL = 1.9, 1.05
"""The size of a share's number, in ems; and in a column."""

SHARES = {
    "neurons before ReLU": "trig_fraction_neurons_pre",
    "neurons after ReLU": "trig_fraction_neurons",
    "logits": "trig_fraction_logits",
}
"""In the order of the network."""

NAMES = ("neurons before the ReLU", "neurons after it", "answers")


@dataclass(frozen=True)
class TrigShare(Scene):
    """Share of variance in cos and sin of w(a + b): neurons before and after the ReLU, logits."""

    name = "trig-share"
    title = "The answers fill with waves of a + b, the neurons do not"
    watch = "Each panel fills by how much waves of a + b explain, from the neurons to the answers"
    source = "notebook of arXiv:2301.05217, analysis during training"
    needs = (*SHARES.values(), "logged_train_loss", "logged_test_loss", "phase_end")
    aspect = 2.1
    narrow_aspect = 1.0
    stills = ("grok+10600", "grok-3000", "last")

    scale: Literal["linear", "log"] = option("linear", "how shares are spaced")

    def claim(self, data: xr.Dataset) -> Claim:
        """How far the waves' share of the logits grows, and that of the neurons."""
        logits, neurons = (
            _claims.Growth.of(data, data[name].values.astype(float))
            for name in ("trig_fraction_logits", "trig_fraction_neurons")
        )
        numbers = {"logits": logits.last, "neurons": neurons.last}
        if logits.holds and neurons.last <= LESS * logits.last:
            return Claim(self.title, self.watch, numbers=numbers)
        held, most = (percent(share.last) for share in (neurons, logits))
        words = f"Waves of a + b explain {most} of the answers and {held} of the neurons"
        return _claims.instead(data, words, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A panel for each stage of the network, filled by its share, and when the run turned."""
        narrow = style().narrow(figure)
        rooms = style().panels(
            figure, (1, 1, 1), left=3.4 if narrow else 4.6, right=0.6 if narrow else 2.2,
            top=4.4 if narrow else 3.2, gap=1.9 if narrow else 1.8,
        )[0]  # fmt: skip
        parts = list[Part]()
        for n, (axes, variable) in enumerate(zip(rooms, SHARES.values(), strict=True)):
            share = data[variable].values.astype(float)
            parts.append(_Fill(axes, data, share, log=self.scale == "log"))
            parts.append(timeline.Turns(axes, data, named=not narrow))
            name = ("before\nthe ReLU", "after it", "answers")[n] if narrow else NAMES[n]
            at = 0.5 if narrow else 1.8
            style().note(axes, name, (0, 1), (0, at), fontweight="bold")
            if n:
                axes.tick_params(labelleft=False)
        rooms[0].set_ylabel("share explained (%)")
        return Drawing.of(*parts)

    def description(self, data: xr.Dataset, i: int) -> str:
        """The three shares and the test loss at that moment."""
        now = data.isel(epoch=i)
        shares = ", ".join(
            f"{name} {float(now[variable]):.1%}" for name, variable in SHARES.items()
        )
        return (
            "Areas of the share of variance explained by cos and sin of w(a + b) at the key "
            f"frequencies over epochs. At {clocks.at(data, 'epoch', i)}: {shares}; test loss "
            f"{panels.loss_at(data, 'test', i)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "From left to right: share of variance over all pairs that cos and sin of $w_k(a+b)$ "
            "explain at the key frequencies over training, mean over the neurons before and after "
            f"the ReLU and over the logits of all classes. {NOTEBOOK}"
        )


class _Fill:
    """An area under a share over training, with the share at the moment as a number."""

    def __init__(self, axes: Axes, data: xr.Dataset, share: np.ndarray, *, log: bool) -> None:
        from matplotlib.patheffects import withStroke

        current_style, colours = style(), style().colours
        self.axes, self.epochs, self.share = axes, data["epoch"].values.astype(float), share
        self.short, self.low = panels.horizon(data), 0.01 if log else 0.0
        if log:
            axes.set_yscale("log")
        self.highest = 5.0 if log else 50.0
        self.y = np.clip(np.nan_to_num(100 * share), self.low, 100)
        panels.thousands(axes)
        axes.set(ylim=(self.low, 100), xlim=(0, max(self.short, 1.0)), xlabel=clocks.word(data))
        axes.set_yticks([0.01, 1, 100] if log else [0, 50, 100])
        axes.set_yticklabels(["0.01", "1", "100"] if log else ["0", "50", "100"])
        axes.grid(visible=False)
        axes.set_facecolor(colours.grid)
        axes.spines["left"].set_visible(False)
        axes.minorticks_off()
        look: dict[str, Any] = {"lw": 0, "zorder": 1.5}
        if current_style.ghost:
            axes.fill_between(self.epochs, self.low, self.y, color=colours.ink, alpha=0.14, **look)
        self.area = axes.fill_between([0.0], [0.0], [0.0], color=colours.ink, alpha=0.86, **look)
        (self.edge,) = axes.plot([], [], color=colours.ink, zorder=3)
        size = SMALL if current_style.narrow(axes.figure) else LARGE
        self.text = axes.annotate(
            "", (0.06, 0), (0, 0.4 * current_style.points), xycoords=axes.get_yaxis_transform(),
            textcoords="offset points", fontsize=size * current_style.points, fontweight="bold",
            va="bottom", zorder=4,
            path_effects=[withStroke(linewidth=current_style.points / 5, foreground=colours.grid)],
        )  # fmt: skip

    @property
    def moving(self) -> list[Any]:
        return [self.area, self.edge, self.text]

    def update(self, i: int) -> None:
        end = self.epochs[-1] if self.epochs[i] > self.short else self.short
        if end != self.axes.get_xlim()[1]:
            self.axes.set_xlim(0, max(end, 1.0))
        x, y = self.epochs[: i + 1], self.y[: i + 1]
        self.area.set_data(x, np.full_like(y, self.low), y)
        self.edge.set_data(x, y)
        known = bool(np.isfinite(self.share[i]))
        self.text.set_text(percent(float(self.share[i])) if known else "")
        # on what is not yet filled at the left, above the highest there
        high = self.y[self.epochs <= 0.5 * end].max(initial=self.low)
        self.text.xy = (0.06, min(float(high), self.highest))
