"""How much of the neurons and of the logits the algorithm's own terms explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any._papers import NOTEBOOK
from grokviz.scenes.modular_addition import _claims

from grokviz.scene import Claim, Drawing, Scene, option, panels, style, timeline
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

LESS = 0.25
"""The neurons' share is at most this much of the logits', where the two are told apart."""

SHARES = {
    "neurons before ReLU": "trig_fraction_neurons_pre",
    "neurons after ReLU": "trig_fraction_neurons",
    "logits": "trig_fraction_logits",
}
"""In the order of the network."""

NAMES = ("neurons before\nReLU", "neurons", "answers")
"""What the curves are called, in that order."""


@dataclass(frozen=True)
class TrigShare(Scene):
    """Share of variance in cos and sin of w(a + b): neurons before and after the ReLU, logits."""

    name = "trig-share"
    title = "The sum a + b shows in the answers, hardly in the neurons"
    watch = "An answer adds up the neurons; what depends on a and b in other ways cancels"
    source = "notebook of arXiv:2301.05217, analysis during training"
    needs = (*SHARES.values(), "logged_train_loss", "logged_test_loss", "phase_end")
    aspect = 1.9
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
        words = f"The sum a + b explains {most} of the answers and {held} of the neurons"
        return _claims.instead(data, words, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A curve for each stage of the network, and when the run turned."""
        narrow, colours = style().narrow(figure), style().colours
        axes = style().panels(
            figure, left=3.4 if narrow else 5.0, right=7.2 if narrow else 8.6, top=2.0
        )[0][0]
        tints = (colours.muted, colours.ink, colours.answer)
        curves = {
            name: panels.at_checkpoints(data, 100 * data[variable].values.astype(float), tint)
            for name, variable, tint in zip(NAMES, SHARES.values(), tints, strict=True)
        }
        log = self.scale == "log"
        panel = _Shares(
            axes, data, curves, ylabel="variation due to a + b alone (%)", log=log, phases="none",
            ylim=(0.01, 120) if log else (0, 103), yticks=[0.01, 1, 100] if log else [0, 50, 100],
        )  # fmt: skip
        axes.grid(visible=False)
        if log:
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        parts = [panel.along(data["epoch"].values), timeline.Turns(axes, data)]
        return Drawing.of(*([] if log else [_ground(axes, curves[NAMES[-1]])]), *parts)

    def description(self, data: xr.Dataset, i: int) -> str:
        """The three shares and the test loss at that moment."""
        now = data.isel(epoch=i)
        shares = ", ".join(
            f"{name} {float(now[variable]):.1%}" for name, variable in SHARES.items()
        )
        return (
            "Curves of the share of variance explained by cos and sin of w(a + b) at the key "
            f"frequencies over epochs. At {clocks.at(data, 'epoch', i)}: {shares}; test loss "
            f"{panels.loss_at(data, 'test', i)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Share of variance over all pairs that cos and sin of $w_k(a+b)$ explain at the key "
            "frequencies over training: mean over the neurons before and after the ReLU, and over "
            f"the logits of all classes. {NOTEBOOK}"
        )


def _ground(axes: Axes, curve: panels.Curve) -> Drawing:
    """The ground below a curve up to the moment: how much of 100% it takes."""
    low = np.zeros(len(curve.x))
    look: dict[str, Any] = {"color": curve.colour, "lw": 0, "zorder": 1.2}
    if style().ghost:
        axes.fill_between(curve.x, low, curve.y, alpha=0.05, **look)
    ground = axes.fill_between(curve.x, low, curve.y, alpha=0.14, **look)

    def update(i: int) -> None:
        ground.set_data(curve.x[: i + 1], low[: i + 1], curve.y[: i + 1])

    return Drawing([ground], update)


class _Shares(panels.CurvePanel):
    """Curves of shares, each with what it has come to at its end."""

    def name_curves(self, end: float) -> panels.EndNames:
        """The names at the curves' ends, with the shares there."""
        return _Ends(self.axes, self.curves)

    @property
    def moving(self) -> list[Any]:
        """Of a still the names too: their shares are those of the moment."""
        return [*super().moving, *(self.names.moving if self.names else [])]

    def update(self, epoch: float) -> None:
        """Draw up to ``epoch``, with the shares of that moment."""
        super().update(epoch)
        self._name_at(epoch)


class _Ends(panels.EndNames):
    """Names of curves, each with its share at the moment."""

    def update(self, moment: float) -> None:
        """Write the shares, and put them where the curves are."""
        for name, text in self.texts.items():
            curve = self.curves[name]
            known = np.isfinite(curve.y) & (curve.x <= moment)
            share = percent(float(curve.y[known][-1]) / 100) if known.any() else "unknown"
            # beside a curve there is no room for words
            text.set_text(f"{name}: {share.replace('under ', '<').replace('over ', '>')}")
        super().update(moment)
