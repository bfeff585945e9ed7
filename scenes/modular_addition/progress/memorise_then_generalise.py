"""The slow exchange behind sudden grokking: memorising gives way to the waves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from grokviz.scene import Scene, option, panels, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

SHARES = {"memorising": "memorising_share", "generalising": "generalising_share"}


@dataclass(frozen=True)
class MemoriseThenGeneralise(Scene):
    """Test loss with restricted and excluded loss, and below them the two shares."""

    name = "memorise-then-generalise"
    panels = ("shares", "progress")
    title = "The model slowly interpolates from memorising to generalising"
    watch = "the shares trade places over thousands of epochs; the test loss falls at the end"
    source = "thread, claim that the model slowly interpolates; arXiv:2301.05217, section 5"
    needs = (
        "loss", "restricted_loss", "excluded_loss_2d", "memorising_share", "generalising_share",
        "phase_end",
    )  # fmt: skip
    aspect = 1.7
    narrow_aspect = 0.8
    stills = ("grok-3000", "grok+6000")

    losses: Literal["log", "linear"] = option("log", "how losses are spaced")
    train: bool = option(True, "the training loss, beside the others")

    def draw(self, figure: FigureBase, data: xr.Dataset) -> dict[str, Any]:
        """Losses above, shares below, on the same epochs."""
        upper, lower = (
            row[0] for row in style().panels(
                figure, heights=(1.35, 1), left=5.0, right=8.2, vgap=1.4
            )
        )  # fmt: skip
        log = self.losses == "log"
        loss = panels.curve_panel(
            upper, data, self._losses(data), ylabel="loss (nats)", log=log, named=True
        )
        loss["lines"]["restricted"].set_linestyle((0, (2.5, 1.2)))
        upper.set_xlabel("")
        upper.tick_params(labelbottom=False)
        shares = panels.curve_panel(lower, data, _shares(data), ylabel="share (%)", ylim=(-4, 104))
        lower.set_yticks([0, 50, 100])
        even = _even(data)
        if even is not None and not style().narrow(figure):
            _mark(lower, even)
        drawn = [loss, shares]
        return {"panels": drawn, "moving": [panels.moving(panel) for panel in drawn]}

    def update(self, artists: dict[str, Any], data: xr.Dataset, i: int) -> None:
        """The past of each curve, and the markers."""
        for panel in artists["panels"]:
            panels.update_loss_panel(panel, float(data["epoch"].values[i]))

    def alt_text(self, data: xr.Dataset, i: int) -> str:
        """Shares and losses at that moment, and where the shares are equal."""
        now = data.isel(epoch=i)
        shares = ", ".join(f"{name} {100 * float(now[key]):.2g} %" for name, key in SHARES.items())
        even = _even(data)
        crossed = "it never is the larger one"
        if even is not None:
            crossed = (
                f"the generalising one is larger from epoch {even[0]:.0f} on ({even[1]:.0f} %)"
            )
        return (
            "Losses over epochs above, memorising and generalising shares below. At epoch "
            f"{int(now['epoch'])}: {shares}; test loss {float(now['loss'].sel(split='test')):.3g}, "
            f"restricted {float(now['restricted_loss'].sel(split='test')):.3g}, excluded "
            f"{float(now['excluded_loss_2d']):.3g}. Of the two {crossed}."
        )

    def caption(self, data: xr.Dataset) -> str:
        """With the shares' definition in a line, and the citation."""
        return (
            "Memorising share: mean probability of the right answer on the training pairs with cos "
            "and sin of $w_k(a+b)$ at the key frequencies taken out of the logits; generalising "
            "share: the same with these alone kept. Excluded loss: training loss in the first "
            "case; restricted loss: test loss in the second. After Nanda et al. (2023), "
            "arXiv:2301.05217, section 5."
        )

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after clean-up: nothing moves later."""
        return 0, panels.horizon(data)

    def _losses(self, data: xr.Dataset) -> dict[str, panels.Curve]:
        colours = style().colours
        curves = {
            "test": _curve(data, data["loss"].sel(split="test"), colours.test),
            "excluded": _curve(data, data["excluded_loss_2d"], colours.muted),
            "restricted": _curve(data, data["restricted_loss"].sel(split="test"), colours.ink),
        }
        if self.train:
            curves["train"] = _curve(data, data["loss"].sel(split="train"), colours.train)
        return curves


def _shares(data: xr.Dataset) -> dict[str, panels.Curve]:
    """What each part of the logits does by itself, in the colours of its loss above."""
    colours = {"memorising": style().colours.muted, "generalising": style().colours.ink}
    return {name: _curve(data, 100 * data[key], colours[name]) for name, key in SHARES.items()}


def _curve(data: xr.Dataset, values: xr.DataArray, colour: str) -> panels.Curve:
    return panels.Curve(data["epoch"].values.astype(float), values.values.astype(float), colour)


def _even(data: xr.Dataset) -> tuple[float, float] | None:
    """The checkpoint, and the percentage there, where the generalising share has overtaken."""
    shares = [100 * data[key].values.astype(float) for key in SHARES.values()]
    lead = shares[1] - shares[0]
    after = 1 + np.flatnonzero((lead[:-1] < 0) & (lead[1:] >= 0))
    if not after.size:
        return None
    return float(data["epoch"].values[after[-1]]), float(shares[1][after[-1]])


def _mark(axes: Axes, even: tuple[float, float]) -> None:
    from matplotlib.text import Annotation

    current_style, colours = style(), style().colours
    axes.plot(*even, "o", color=colours.ink, ms=current_style.points * 0.32, mew=0, zorder=4)
    text = f"equal at\nepoch {even[0]:,.0f}".replace(",", "\u2009")
    # on the figure: a panel whose axis grows writes its own texts anew
    axes.figure.add_artist(Annotation(
        text, even, (2.4 * current_style.small, 0), xycoords=axes.transData,
        textcoords="offset points",
        ha="left", va="center", fontsize=current_style.small, color=colours.muted,
    ))  # fmt: skip
