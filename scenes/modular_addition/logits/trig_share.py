"""How much of the neurons and of the logits the algorithm's own terms explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from grokviz.scenes.any._papers import NOTEBOOK

from grokviz.scene import Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import FigureBase

SHARES = {
    "logits": "trig_fraction_logits",
    "neurons\nafter ReLU": "trig_fraction_neurons",
    "neurons\nbefore ReLU": "trig_fraction_neurons_pre",
}


@dataclass(frozen=True)
class TrigShare(Scene):
    """Share of variance in cos and sin of w(a + b): logits, neurons after and before the ReLU."""

    name = "trig-share"
    title = "Waves of a + b take over the logits before the test loss falls"
    watch = "the neurons carry much else; what reaches the logits is nearly all waves"
    source = "notebook of arXiv:2301.05217, analysis during training"
    needs = (*SHARES.values(), "logged_train_loss", "logged_test_loss", "phase_end")
    aspect = 1.7
    narrow_aspect = 0.85
    stills = ("grok-3000", "last")

    scale: Literal["linear", "log"] = option("linear", "how shares are spaced")

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The three shares, and the loss below on the same epochs."""
        upper, lower = style().stack(figure, (1.5, 1), left=5.2, right=9.0, vgap=1.4)
        linear = self.scale == "linear"
        shares = panels.CurvePanel(
            upper, data, _curves(data), ylabel="share of variance (%)", log=not linear,
            # on a logarithmic axis: before the first updates the shares are those of noise
            ylim=(0, 100) if linear else (0.01, 200), yticks=(0, 50, 100) if linear else None,
            phases="named",
        )  # fmt: skip
        loss = panels.CurvePanel(lower, data, panels.losses(data), ylabel="loss", log=True)
        panels.without_time(upper)
        return Drawing.of(shares.along(data["epoch"]), loss.along(data["epoch"]))

    def description(self, data: xr.Dataset, i: int) -> str:
        """The three shares and the test loss at that moment."""
        now = data.isel(epoch=i)
        shares = ", ".join(
            f"{name.replace(chr(10), ' ')} {float(now[variable]):.1%}"
            for name, variable in SHARES.items()
        )
        return (
            "Share of variance explained by cos and sin of w(a + b) at the key frequencies over "
            f"epochs. At {clocks.at(data, 'epoch', i)}: {shares}; test loss "
            f"{panels.loss_at(data, 'test', i)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Share of variance over all pairs that cos and sin of $w_k(a+b)$ explain at the key "
            "frequencies, mean over the logits of all classes and over the neurons before and "
            f"after the ReLU. {NOTEBOOK}"
        )


def _curves(data: xr.Dataset) -> dict[str, panels.Curve]:
    colours = style().colours
    shades = (colours.ink, colours.muted, colours.faint)
    return {
        name: panels.at_checkpoints(data, 100 * data[variable].values.astype(float), shade)
        for (name, variable), shade in zip(SHARES.items(), shades, strict=True)
    }
