"""How much of the neurons and of the logits the algorithm's own terms explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from grokviz.scenes.any import _marks
from grokviz.scenes.any._papers import NOTEBOOK
from grokviz.scenes.modular_addition import _claims

from grokviz.dataset.learning import LOW
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.outcome import outcome

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import FigureBase

LESS = 0.5
"""The neurons' share is at most this much of the logits', where the two are told apart."""

HIGH = 0.9
"""A share above it has its number below the line, where the panel has room."""

APART = 0.1
"""So far apart shares have to be for both to have their numbers."""

DASHES = {"neurons after ReLU": (3.0, 1.0), "neurons before ReLU": (1.0, 1.0)}
"""Three greys alone do not tell lines apart."""

SHARES = {
    "logits": "trig_fraction_logits",
    "neurons after ReLU": "trig_fraction_neurons",
    "neurons before ReLU": "trig_fraction_neurons_pre",
}


@dataclass(frozen=True)
class TrigShare(Scene):
    """Share of variance in cos and sin of w(a + b): logits, neurons after and before the ReLU."""

    name = "trig-share"
    title = "Waves of a + b take over the logits, not the neurons"
    watch = "the neurons carry much else; what reaches the logits is nearly all waves"
    source = "notebook of arXiv:2301.05217, analysis during training"
    needs = (*SHARES.values(), "logged_train_loss", "logged_test_loss", "phase_end")
    aspect = 1.7
    narrow_aspect = 0.85
    stills = ("grok+10600", "grok-3000", "last")

    scale: Literal["linear", "log"] = option("linear", "how shares are spaced")

    def claim(self, data: xr.Dataset) -> Claim:
        """How far the waves' share of the logits grows, and that of the neurons."""
        logits, neurons = (
            _claims.Growth.of(data, data[name].values.astype(float))
            for name in ("trig_fraction_logits", "trig_fraction_neurons")
        )
        numbers = {"logits": logits.last, "neurons": neurons.last}
        held = _claims.rounded_percent(neurons.last)
        most = _claims.rounded_percent(logits.last)
        if logits.holds and neurons.last <= LESS * logits.last:
            words = f"Waves of a + b reach {most} of logit variance, {held} of neuron variance"
            return Claim(words, _when(data), numbers=numbers)
        words = f"Waves of a + b hold {most} of logit variance, {held} of neuron variance"
        return _claims.instead(data, words, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The three shares, and the loss below on the same epochs."""
        linear, narrow = self.scale == "linear", style().narrow(figure)
        right = 7.2 if narrow else 12.6
        upper, lower = style().stack(figure, (1.7, 1), left=6.0, right=right, vgap=1.4)
        shares = _Shares(
            upper, data, _curves(data, short=narrow),
            ylabel="share of variance\nover all pairs (%)",
            log=not linear,
            # on a logarithmic axis: before the first updates the shares are those of noise
            ylim=(0, 100) if linear else (0.01, 200), yticks=(0, 50, 100) if linear else None,
            # in a column too few of the phases could be named
            phases="none" if narrow else "named",
        )  # fmt: skip
        loss = panels.CurvePanel(
            lower,
            data,
            panels.losses(data),
            ylabel="loss (nats)",
            log=True,
            phases="none" if narrow else "shaded",
        )
        panels.without_time(upper)
        named = _moments(data) if self.claim(data).holds else []
        marks = _marks.draw(upper, named, data["epoch"])
        return Drawing.of(shares.along(data["epoch"]), marks, loss.along(data["epoch"]))

    def description(self, data: xr.Dataset, i: int) -> str:
        """The three shares and the test loss at that moment."""
        now = data.isel(epoch=i)
        shares = ", ".join(
            f"{name} {float(now[variable]):.1%}" for name, variable in SHARES.items()
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


def _at_turns(data: xr.Dataset) -> list[int]:
    """The checkpoints at which the test loss is half its peak, and is low; none without them."""
    run, epochs = outcome(data), data["epoch"].values
    if run.grokked is None or run.generalised is None:
        return []
    at = np.searchsorted(epochs, [run.grokked, run.generalised], side="right") - 1
    return [int(i) for i in np.maximum(at, 0)]


def _when(data: xr.Dataset) -> str:
    """The share of the logits when the test loss is half its peak and when it is low, in words."""
    shares = data["trig_fraction_logits"].values[_at_turns(data)]
    if not shares.size:
        return ""
    halved, low = (_claims.rounded_percent(float(share)) for share in shares)
    return f"{halved} of the logits at half the peak test loss, {low} when it is below {LOW:g}"


def _moments(data: xr.Dataset) -> list[_marks.Mark]:
    """The shares that the line of what to watch names, and those of the title."""
    end, logits = _claims.film_end(data), data["trig_fraction_logits"].values
    places, above = [("trig_fraction_logits", end)], float(logits[end])
    for i in reversed(_at_turns(data)):
        # of moments that are close the later has its number, which would lie on the other's
        if above - float(logits[i]) >= APART:
            places.append(("trig_fraction_logits", i))
            above = float(logits[i])
    places.append(("trig_fraction_neurons", end))
    epochs, ink = data["epoch"].values, style().colours.ink
    marks = []
    for name, i in places:
        share = float(data[name].values[i])
        lift = -0.85 if share > HIGH else 0.8 if i == end else 0.35
        words = _claims.rounded_percent(share)
        marks.append(_marks.Mark(float(epochs[i]), 100 * share, words, ink, "right", lift))
    return marks


class _Shares(panels.CurvePanel):
    """The shares, told apart by dashes too."""

    def set_limits(self) -> None:
        """The limits are given, and on a logarithmic axis the ticks are few."""
        if self.log:
            super().set_limits()

    def trace(self, name: str, curve: panels.Curve) -> panels.Trace:
        """The curve with its dashes."""
        trace = super().trace(name, curve)
        dashes = DASHES.get(_long(name))
        if dashes is not None:
            trace.dash(dashes)
        return trace


def _curves(data: xr.Dataset, *, short: bool) -> dict[str, panels.Curve]:
    """The shares in ink and greys; ``short`` breaks their names into two lines."""
    colours = style().colours
    shades = (colours.ink, colours.muted, colours.faint)
    return {
        name.replace(" ", "\n", 1) if short else name: panels.at_checkpoints(
            data, 100 * data[variable].values.astype(float), shade
        )
        for (name, variable), shade in zip(SHARES.items(), shades, strict=True)
    }


def _long(name: str) -> str:
    """The name of a share on one line."""
    return name.replace("\n", " ")
