"""The local learning coefficient through training, above the losses on the same clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from grokviz.scenes.any import _marks
from grokviz.scenes.modular_addition import _claims, _neurons

from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.outcome import losses_of, outcome

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

FALLEN = 0.5
"""At most this share of its highest value is left when the test loss halves."""

ABOVE = 1.2
"""So much higher than the highest chain the axis ends, which leaves room for a number."""

THIN = 0.55
"""The mean's line over that of other curves: the band of its chains is to be seen beside it."""


@dataclass(frozen=True)
class LearningCoefficient(Scene):
    """The estimate over training with the spread of its chains, and the losses below it."""

    name = "learning-coefficient"
    title = "The learning coefficient falls while the test loss is still high"
    watch = "high: the training loss rises in many directions"
    source = "arXiv:2308.12108 (Lau, Furman, Wang, Murfet and Wei), for arXiv:2301.05217"
    needs = (
        "learning_coefficient", "learning_coefficient_trace", "restricted_loss", "phase_end",
        "logged_train_loss", "logged_test_loss",
    )  # fmt: skip
    recipe = "modular-addition-59"
    reference = "learning-coefficient"
    clock = "field_epoch"
    aspect = 1.75
    narrow_aspect = 0.85
    stills = ("grok", "last")

    traces: bool = option(False, "show beside it how the chains ran at the moment shown")

    def claim(self, data: xr.Dataset) -> Claim:
        """The highest estimate, and what is left of it when the run groks."""
        turn = _turn(data)
        if turn is None:
            return Claim.instead(outcome(data).sentence, _watch(data))
        numbers = {"peak": turn.peak, "left": turn.left}
        peak, left = _digits(turn.peak), _digits(turn.left)
        if not (turn.apart and turn.left <= FALLEN * turn.peak):
            sentence = (
                f"The learning coefficient is {left} when the test loss halves, {peak} at most"
            )
            return Claim.instead(f"{sentence} before", _watch(data), **numbers)
        sentence = (
            f"The learning coefficient falls from {peak} to {left} while the test loss is still "
            f"{turn.test:.2g}"
        )
        return Claim(sentence, _watch(data), numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The estimate above the losses; with ``traces`` the chains beside both."""
        rooms: list[Any] = [figure]
        if self.traces:
            narrow = style().narrow(figure)
            shape: dict[str, Any] = {"height_ratios": (1, 0.55)} if narrow else {}
            rows, columns = (2, 1) if narrow else (1, 2)
            shape = shape or {"width_ratios": (0.66, 0.34)}
            rooms = [*figure.subfigures(rows, columns, hspace=0, wspace=0, **shape)]
            for room in rooms:
                room.set_facecolor("none")
        phases = _neurons.phases(figure)
        upper, lower = style().stack(
            rooms[0], (1.15, 1), left=5.0, right=7.0, vgap=1.2,
            top=1.7 if phases == "named" else 0.4,
        )  # fmt: skip
        parts = [_estimate(upper, data, phases), _losses(lower, data, phases)]
        panels.without_time(upper)
        if self.traces:
            parts.append(_chains(rooms[1], data))
        return Drawing.of(*parts)

    def description(self, data: xr.Dataset, i: int) -> str:
        """The estimate of each chain at that moment, and the losses."""
        chains = _finite(data)[i]
        values = ", ".join(_digits(value) for value in chains)
        now = int(data["field_epoch"].values[i])
        losses = ", ".join(
            f"{split} {np.interp(now, *losses_of(data, split)):.2g}"
            for split in ("train", "test")
            if len(losses_of(data, split).epochs)
        )
        losses = f" Losses: {losses}." if losses else ""
        return (
            "The local learning coefficient over epochs, a line with a band over the chains it is "
            "sampled with, above the train, test and restricted loss. At "
            f"{clocks.at(data, 'field_epoch', i)} the {len(chains)} chains give {values}.{losses}"
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition, what is sampled, and the citation."""
        return (
            "Local learning coefficient $n\\beta\\,(E[L] - L(w^*))$ of the training loss, "
            "$\\beta = 1/\\log n$, the mean over weights sampled around those of each checkpoint "
            f"by {data.sizes['chain']} chains of Langevin dynamics; line: mean of the chains, "
            "band: lowest to highest. It is defined at a minimum; before one it may be negative. "
            "Restricted loss: on all pairs, with the key waves alone. After Lau et al. (2023), "
            "arXiv:2308.12108."
        )


def _finite(data: xr.Dataset) -> np.ndarray:
    """The estimates of each chain, NaN where a chain has left all numbers."""
    chains: np.ndarray = data["learning_coefficient"].values.astype(float)
    return np.where(np.isfinite(chains), chains, np.nan)


def _watch(data: xr.Dataset) -> str:
    """What a high estimate says, and how far the chains are from one another."""
    chains = _finite(data)
    apart = chains.max(axis=1) - chains.min(axis=1)
    if len(chains.T) < 2 or not np.isfinite(apart).any():
        return LearningCoefficient.watch
    widest = _digits(float(np.nanmax(apart)))
    return f"{LearningCoefficient.watch}; band: {len(chains.T)} chains, within {widest}"


class _Turn(NamedTuple):
    """The highest estimate before the run groks, and what is left then.

    ``apart`` is whether every chain at the first lies above every chain at the second.
    """

    epochs: tuple[int, int]
    peak: float
    left: float
    apart: bool
    test: float


def _turn(data: xr.Dataset) -> _Turn | None:
    """That of a run that grokked, with an estimate near then; None of any other."""
    run, epochs = outcome(data), data["field_epoch"].values
    if run.delay is None or run.grokked is None:
        return None
    end = int(np.abs(epochs - run.grokked).argmin())
    chains = _finite(data)
    known = np.isfinite(chains).all(axis=1)
    if abs(epochs[end] - run.grokked) > _claims.NEAR * run.grokked or not known[end]:
        return None
    means = np.where(known, chains.mean(axis=1), -np.inf)
    top = int(means[: end + 1].argmax())
    test = float(np.interp(epochs[end], *losses_of(data, "test")))
    apart = bool(chains[top].min() > chains[end].max())
    return _Turn(
        (int(epochs[top]), int(epochs[end])), float(means[top]), float(means[end]), apart, test
    )


def _digits(value: float) -> str:
    """An estimate as it is written: its spread leaves no more digits."""
    if not np.isfinite(value):
        return "no number"
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.1f}"


def _estimate(axes: Axes, data: xr.Dataset, phases: Any) -> Drawing:
    """The mean of the chains with a band from the lowest to the highest, and the title's two."""
    epochs, colours = data["field_epoch"].values, style().colours
    chains = _finite(data)
    low, high = chains.min(axis=1), chains.max(axis=1)
    finite = np.concatenate([low[np.isfinite(low)], high[np.isfinite(high)], [0.0]])
    top = ABOVE * float(finite.max()) or 1.0
    bottom = float(finite.min()) - 0.02 * (top - float(finite.min()))
    panel = panels.CurvePanel(
        axes, data, {"_mean": panels.Curve.of(epochs, chains.mean(axis=1), colours.ink)},
        ylabel="coefficient", clock="field_epoch", phases=phases, ylim=(bottom, top),
    )  # fmt: skip
    for trace in panel.traces.values():
        for line in trace.lines:
            line.set_linewidth(THIN * line.get_linewidth())
    axes.axhline(0, color=colours.faint, lw=0.3 * style().line, zorder=1.2)
    marks, turn = [], _turn(data)
    if turn is not None:
        marks = [
            _marks.Mark(at, value, _digits(value), colours.ink, lift=0.6)
            for at, value in zip(turn.epochs, (turn.peak, turn.left), strict=True)
        ]
        marks = _marks.clear(axes, marks, panel.curves.values())
    return Drawing.of(
        _band(axes, epochs, low, high), panel.along(epochs), _marks.draw(axes, marks, epochs)
    )


def _band(axes: Axes, epochs: np.ndarray, low: np.ndarray, high: np.ndarray) -> Drawing:
    """From the lowest chain to the highest, as far as the moment shown."""
    colour, opacity = style().colours.ink, 0.3
    if style().ghost:
        axes.fill_between(epochs, low, high, color=colour, alpha=0.4 * opacity, lw=0, zorder=2)
    past = axes.fill_between(epochs, low, high, color=colour, alpha=opacity, lw=0, zorder=2.5)

    def update(i: int) -> None:
        past.set_data(epochs[: i + 1], low[: i + 1], high[: i + 1])

    return Drawing([past], update)


def _losses(axes: Axes, data: xr.Dataset, phases: Any) -> Drawing:
    """Train, test and restricted loss, with a dot where the test loss is in the title."""
    colours, epochs = style().colours, data["field_epoch"].values
    restricted = data["restricted_loss"].sel(split="all").values
    curves = {**panels.losses(data), "restricted": panels.at_checkpoints(data, restricted)}
    panel = panels.CurvePanel(
        axes, data, curves, ylabel="loss (nats)", log=True, clock="field_epoch",
        phases="shaded" if phases == "named" else phases,
    )  # fmt: skip
    turn = _turn(data)
    marks = [] if turn is None else [
        _marks.Mark(turn.epochs[1], turn.test, f"{turn.test:.2g}", colours.test, lift=0.6)
    ]  # fmt: skip
    marks = _marks.clear(axes, marks, panel.curves.values())
    return Drawing.of(panel.along(epochs), _marks.draw(axes, marks, epochs))


def _chains(room: FigureBase, data: xr.Dataset) -> Drawing:
    """How each chain ran from the checkpoint shown, with the burn-in shaded."""
    current_style, colours = style(), style().colours
    axes = current_style.panels(room, left=4.4, right=1.2, top=1.7)[0][0]
    updates = data["stretch"].values
    traces = data["learning_coefficient_trace"].values.astype(float)
    burn_in = float(data["stretch"].attrs.get("burn_in", 0))
    axes.axvspan(0, burn_in, color=colours.faint, alpha=0.25, lw=0, zorder=0.5)
    current_style.note(axes, "burn-in", (0, 1), (0.4, -1.4), color=colours.muted)
    lines = [
        axes.plot(
            updates, np.full(len(updates), np.nan), color=colours.ink, alpha=0.75,
            lw=THIN * current_style.line,
        )[0]
        for _ in range(traces.shape[1])
    ]  # fmt: skip
    finite = np.concatenate([traces[np.isfinite(traces)], [0.0, 1.0]])
    # an estimate that is a hundred first and a tenth in the end has room for both
    axes.set_yscale("symlog", linthresh=1)
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.set(
        xlim=(0, float(updates[-1])), xlabel="updates of a chain",
        ylim=(ABOVE * float(finite.min()), 3 * float(finite.max())),
    )  # fmt: skip
    current_style.note(axes, "each chain as it runs", (0, 1), (0, 0.6), color=colours.muted)

    def update(i: int) -> None:
        for line, values in zip(lines, traces[i], strict=True):
            line.set_ydata(values)

    return Drawing(lines, update)
