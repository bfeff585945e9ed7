"""The slow exchange behind sudden grokking: memorising gives way to the waves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _neurons
from grokviz.scenes.modular_addition.progress import _all_waves

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.outcome import outcome

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

SHARES = {"memorising": "memorising_share", "generalising": "generalising_share"}

PARTS = {"memorising": "without waves", "generalising": "waves alone"}
"""What is left of the logits for each share, as it stands beside the curves."""

ALL = "excluded:\nno wave at all"
"""The name of the loss without all waves of a + b, not the key ones alone."""


HIGH = 0.5
"""So much of its largest the test loss has to be where the generalising share overtakes."""


@dataclass(frozen=True)
class MemoriseThenGeneralise(Scene):
    """The memorising and the generalising share, and where asked for the losses above them."""

    name = "memorise-then-generalise"
    panels = ("shares", "progress")
    title = "The model slowly interpolates from memorising to generalising"
    watch = "probability of the right training answer, by the waves alone or without them"
    source = "thread, claim that the model slowly interpolates; arXiv:2301.05217, section 5"
    disputed = (
        "Disputed: in sparse parity a few neurons take over from a dense circuit "
        "(arXiv:2303.11873)."
    )
    needs = (
        "loss", "restricted_loss", "excluded_loss_2d", "memorising_share", "generalising_share",
        "phase_end", "logged_train_loss", "logged_test_loss",
    )  # fmt: skip
    aspect = 1.7
    narrow_aspect = 1.0
    aspects = {  # noqa: RUF012
        "losses": dict.fromkeys(("log", "linear"), (1.7, 0.8)),
        "train": {True: (1.7, 0.8)}, "separate": {True: (1.7, 0.8)},
        "removed": {"all": (1.7, 0.8)},
    }  # fmt: skip
    stills = ("last",)
    ends_with_film = True

    losses: Literal["none", "log", "linear"] = option(
        "none", "the test loss above, and how losses there are spaced"
    )
    train: bool = option(False, "the test and the training loss above")
    separate: bool = option(False, "the test, the restricted and the excluded loss above")
    removed: Literal["key", "all"] = option(
        "key",
        "what the excluded loss is without: the key waves, or all waves of a + b, which draws it "
        "above too",
    )

    def variables(self) -> tuple[str, ...]:
        """With the loss without all waves, where it is drawn."""
        return (*self.needs, _all_waves.variables("loss")[1]) if self._every else self.needs

    @property
    def _every(self) -> bool:
        return self.removed == "all"

    def _excluded(self, data: xr.Dataset) -> np.ndarray:
        """The excluded loss that was asked for; NaN where it was not measured."""
        values: np.ndarray = data[_all_waves.variables("loss")[self._every]].values.astype(float)
        return values

    def claim(self, data: xr.Dataset) -> Claim:
        """Where the generalising share overtakes, and how high the test loss is there."""
        run, even = outcome(data), _even(data)
        if run.delay is None:
            return Claim.instead(run.sentence)
        if even is None:
            return Claim.instead("The generalising share never overtakes the memorising one")
        test = data["loss"].sel(split="test").values.astype(float)
        now = float(test[np.abs(data["epoch"].values - even[0]).argmin()])
        at = f"at {run.word} {even[0]:,.0f}"
        numbers = {"at": even[0], "test": now, "largest": float(np.nanmax(test))}
        if run.grokked is None or even[0] >= run.grokked or not now >= HIGH * numbers["largest"]:
            sentence = f"Waves overtake memorising {at}, with the test loss down to {now:.2g}"
            return Claim.instead(sentence, **numbers)
        sentence = "Waves overtake memorising before the test loss halves"
        return Claim(sentence, self.watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The shares, and where the test loss halves; or below the losses, on the same epochs."""
        narrow, even = style().narrow(figure), _even(data)
        if self._alone:
            lower = style().panels(figure, left=5.8, right=8.8)[0][0]
        else:
            upper, lower = style().stack(figure, (1.35, 1), left=5.8, right=8.8, vgap=1.4)
        shares = panels.CurvePanel(
            lower,
            data,
            _shares(data),
            ylabel="probability (%)"
            if style().narrow(figure)
            else "right answer's\nprobability (%)",
            ylim=(-4, 104),
            yticks=(0, 50, 100),
            phases="none" if narrow or self._alone else "shaded",
        )
        parts = [_dashed(shares).along(data["epoch"])]
        if even is not None:
            parts.append(_mark(lower, data, even))
        if self._alone:
            return Drawing.of(*parts, _neurons.halves(lower, data))
        loss = panels.CurvePanel(
            upper, data, self._losses(data), ylabel="loss (nats)", log=self.losses != "linear",
            phases=_neurons.phases(figure),
        )  # fmt: skip
        panels.without_time(upper)
        high = [] if even is None else [_still_high(upper, data, even[0])]
        if self._every and _all_waves.is_sparse(self._excluded(data)):
            high.append(_all_waves.dots(loss, ALL, data))
        return Drawing.of(_dashed(loss).along(data["epoch"]), *parts, *high)

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError also unless it is known which pairs the run was trained on."""
        super().check(data)
        if not any(np.isfinite(data[name]).any() for name in SHARES.values()):
            raise InputError(
                f"{cls.name} compares training pairs with the others, and this run does not say "
                "which they are; import it with --set train-fraction=N and --set split-seed=N"
            )

    def description(self, data: xr.Dataset, i: int) -> str:
        """Shares and losses at that moment, and where the shares are equal."""
        now = data.isel(epoch=i)
        shares = ", ".join(f"{name} {100 * float(now[key]):.2g}%" for name, key in SHARES.items())
        even, without = _even(data), self._excluded(data)[i]
        crossed = "it never is the larger one"
        if even is not None:
            at = f"{clocks.word(data)} {even[0]:,.0f}"
            crossed = f"the generalising one is larger from {at} on ({even[1]:.0f}%)"
        above = "Memorising and generalising shares over epochs"
        if not self._alone:
            above = "Losses over epochs above, memorising and generalising shares below"
        return (
            f"{above}. At {clocks.at(data, 'epoch', i)}: {shares}; test loss "
            f"{float(now['loss'].sel(split='test')):.3g}, restricted "
            f"{float(now['restricted_loss'].sel(split='test')):.3g}, excluded "
            f"{f'{without:.3g}' if np.isfinite(without) else 'not measured'}. Of the two {crossed}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the shares' definition in a line, and the citation."""
        first = "with those at all frequencies taken out" if self._every else "in the first case"
        parts = f" Excluded loss: training loss {first}; restricted loss: test loss in the second."
        if self._every and _all_waves.is_sparse(self._excluded(data)):
            parts += _all_waves.DOTS
        parts = parts if self._apart else ""
        return (
            "Memorising share: mean probability of the right answer on the training pairs with cos "
            "and sin of $w_k(a+b)$ at the key frequencies, fitted on all pairs, test pairs "
            "included, taken out of the logits; generalising "
            f"share: the same with these alone kept.{parts} {after('section 5')}"
        )

    @property
    def _alone(self) -> bool:
        """Whether no losses are drawn."""
        return self.losses == "none" and not self.train and not self._apart

    @property
    def _apart(self) -> bool:
        """Whether the restricted and the excluded loss are drawn."""
        return self.separate or self._every

    def _losses(self, data: xr.Dataset) -> dict[str, panels.Curve]:
        colours, whole = style().colours, panels.splits(data, "loss")
        restricted = data["restricted_loss"].sel(split="test")
        without, alone = PARTS.values()
        values = self._excluded(data)
        excluded = panels.at_checkpoints(data, values, colours.muted).where(np.isfinite(values))
        curves = {"test": whole["test"]}
        if self._apart:
            curves[ALL if self._every else f"excluded:\n{without}"] = excluded
            curves[f"restricted:\n{alone}"] = panels.at_checkpoints(data, restricted)
        return {**curves, "train": whole["train"]} if self.train else curves


def _dashed(panel: panels.CurvePanel) -> panels.CurvePanel:
    """A panel whose memorising part is dashed."""
    for name, trace in panel.traces.items():
        if name.endswith(PARTS["memorising"]):
            trace.dash()
    return panel


def _shares(data: xr.Dataset) -> dict[str, panels.Curve]:
    """What each part of the logits does by itself, in the colours of its loss above."""
    colours = {"memorising": style().colours.muted, "generalising": style().colours.ink}
    return {
        f"{name}:\n{PARTS[name]}": panels.at_checkpoints(data, 100 * data[key], colours[name])
        for name, key in SHARES.items()
    }


def _even(data: xr.Dataset) -> tuple[float, float] | None:
    """The checkpoint, and the percentage there, where the generalising share has overtaken."""
    shares = [100 * data[key].values.astype(float) for key in SHARES.values()]
    lead = shares[1] - shares[0]
    after = 1 + np.flatnonzero((lead[:-1] < 0) & (lead[1:] >= 0))
    if not after.size:
        return None
    return float(data["epoch"].values[after[-1]]), float(shares[1][after[-1]])


def _mark(axes: Axes, data: xr.Dataset, even: tuple[float, float]) -> Drawing:
    """A dot where the shares are equal, from then on where the future is not drawn."""
    from matplotlib.text import Annotation

    current_style, colours = style(), style().colours
    size = current_style.points * 0.32
    (dot,) = axes.plot(*even, "o", color=colours.ink, ms=size, mew=0, zorder=4)
    text = f"equal at\n{clocks.word(data)} {even[0]:,.0f}"
    # beside the curves' crossing there is room, and a line leads to the dot
    lead = {"arrowstyle": "-", "color": colours.muted, "lw": current_style.line * 0.4}
    name = axes.figure.add_artist(Annotation(
        text, even, (0, 0), va="center",
        xycoords=axes.transData, textcoords="offset points",
        fontsize=current_style.small, color=colours.ink, linespacing=1.05, zorder=6,
        arrowprops={**lead, "shrinkA": 1, "shrinkB": size / 2},
    ))  # fmt: skip
    epochs, always = data["epoch"].values, current_style.ghost
    em = current_style.pixels(axes, current_style.small)

    def update(i: int) -> None:
        left = (axes.transData.transform(even)[0] - axes.bbox.x0) / em > 13
        name.set(ha="right" if left else "left")
        name.set_position(((-6.0 if left else 4.4) * current_style.small, 0))
        for artist in (dot, name):
            artist.set_visible(always or bool(epochs[i] >= even[0]))

    return Drawing([dot, name], update)


def _still_high(axes: Axes, data: xr.Dataset, at: float) -> Drawing:
    """The test loss where the shares are equal, marked on its curve from then on."""
    current_style, colour = style(), style().colours.test
    test = data["loss"].sel(split="test").values.astype(float)
    now = float(test[np.abs(data["epoch"].values - at).argmin()])
    if not np.isfinite(now) or (now <= 0 and axes.get_yscale() == "log"):
        return Drawing()
    size = current_style.points * 0.32
    (dot,) = axes.plot(at, now, "o", color=colour, ms=size, mew=0, zorder=6)
    name = current_style.label(axes, at, now, f"{now:.2g}", lift=0.3, color=colour, zorder=6)
    epochs, always = data["epoch"].values, current_style.ghost

    def update(i: int) -> None:
        for artist in (dot, name):
            artist.set_visible(always or bool(epochs[i] >= at))

    return Drawing([dot, name], update)
