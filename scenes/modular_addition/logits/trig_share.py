"""How much of the neurons and of the logits the algorithm's own terms explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from grokviz.scene import Scene, option, panels, style

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
    needs = (*SHARES.values(), "logged_train_loss", "logged_test_loss", "phase_end", "loss")
    aspect = 1.7
    narrow_aspect = 0.85
    stills = ("grok-3000", "last")

    scale: Literal["linear", "log"] = option("linear", "how shares are spaced")

    def draw(self, figure: FigureBase, data: xr.Dataset) -> dict[str, Any]:
        """The three shares, and the loss below on the same epochs."""
        heights = (1.5, 1)
        upper, lower = (
            row[0] for row in style().panels(figure, heights=heights, left=5.2, right=9.0, vgap=1.4)
        )
        shares = panels.curve_panel(
            upper, data, self._curves(data), ylabel="share of variance (%)",
            log=self.scale == "log", named=True,
            # on a logarithmic axis: before the first updates the shares are those of noise
            ylim=(0, 100) if self.scale == "linear" else (0.01, 200),
        )  # fmt: skip
        if self.scale == "linear":
            upper.set_yticks([0, 50, 100])
        upper.set_xlabel("")
        upper.tick_params(labelbottom=False)
        loss = panels.curve_panel(lower, data, panels.losses(data), ylabel="loss", log=True)
        return {"panels": [shares, loss], "moving": [panels.moving(p) for p in (shares, loss)]}

    def update(self, artists: dict[str, Any], data: xr.Dataset, i: int) -> None:
        """The past of each curve, and the markers."""
        for panel in artists["panels"]:
            panels.update_loss_panel(panel, float(data["epoch"].values[i]))

    def alt_text(self, data: xr.Dataset, i: int) -> str:
        """The three shares and the test loss at that moment."""
        now = data.isel(epoch=i)
        shares = ", ".join(
            f"{name.replace(chr(10), ' ')} {float(now[variable]):.1%}"
            for name, variable in SHARES.items()
        )
        return (
            "Share of variance explained by cos and sin of w(a + b) at the key frequencies over "
            f"epochs. At epoch {int(now['epoch'])}: {shares}; test loss "
            f"{float(now['loss'].sel(split='test')):.2g}."
        )

    def caption(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Share of variance over all pairs that cos and sin of $w_k(a+b)$ explain at the key "
            "frequencies, mean over the logits of all classes and over the neurons before and "
            "after the ReLU. After the notebook of Nanda et al. (2023), arXiv:2301.05217."
        )

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after clean-up: little moves later."""
        return 0, panels.horizon(data)

    def _curves(self, data: xr.Dataset) -> dict[str, panels.Curve]:
        colours, x = style().colours, data["epoch"].values.astype(float)
        shades = (colours.ink, colours.muted, colours.faint)
        return {
            name: panels.Curve(x, 100 * data[variable].values.astype(float), shade)
            for (name, variable), shade in zip(SHARES.items(), shades, strict=True)
        }
