"""The local learning coefficient through training, beside the test loss on the same scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from grokviz.scenes.modular_addition import _claims

from grokviz.dataset.numerics.langevin import convergence
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.outcome import losses_of, outcome

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

FALLEN = 0.5
"""It has fallen from when on it stays at most this share of its highest value."""

BEFORE = 0.5
"""It falls before the test loss where it has by this share of the epochs until that halves."""

ABOVE = 1.2
"""So much higher than the highest chain the axis ends, which leaves room for a number."""

BEYOND = 1.6
"""The axis ends after so many times the epochs until the test loss halves."""

THIN = 0.55
"""The mean's line over that of other curves: the band of its chains is to be seen beside it."""


OTHERS = ("restricted_loss", "excluded_loss_2d", "sum_squared_weights")

NAMES = {
    "complexity (learning coefficient)": 0.2, "complexity": 0.2, "test loss": 0.5,
    "key waves alone": 0.74, "without them": 0.66, "squared weights": 0.56,
}  # fmt: skip
"""What is drawn, and where along the axis its name stands."""


@dataclass(frozen=True)
class LearningCoefficient(Scene):
    """The estimate and the test loss over training, each as a share of its highest value."""

    name = "learning-coefficient"
    title = "The model's complexity falls while the test loss is still high"
    watch = "Complexity: in how many directions changing the weights raises the training loss"
    source = "arXiv:2308.12108 (Lau, Furman, Wang, Murfet and Wei), for arXiv:2301.05217"
    needs = (
        "learning_coefficient", "learning_coefficient_trace", "phase_end", "logged_train_loss",
        "logged_test_loss",
    )  # fmt: skip
    recipe = "modular-addition-59"
    reference = "learning-coefficient"
    clock = "field_epoch"
    aspect = 1.75
    narrow_aspect = 0.85
    stills = ("grok", "last")
    ends_with_film = True

    traces: bool = option(False, "show beside it how the chains ran at the moment shown")
    others: bool = option(
        False, "the restricted and the excluded loss, and the squared weights, beside it too"
    )

    def variables(self) -> tuple[str, ...]:
        """With the other progress measures, where they are drawn."""
        return (*self.needs, *OTHERS) if self.others else self.needs

    def claim(self, data: xr.Dataset) -> Claim:
        """How much earlier the estimate has halved than the test loss."""
        turn = _turn(data)
        if turn is None:
            return Claim.instead(outcome(data).sentence, _watch(data))
        numbers = {"peak": turn.peak, "left": turn.left, "grokked": turn.grokked}
        if turn.fallen is None:
            sentence = "The model's complexity does not halve for good before the test loss does"
            return Claim.instead(sentence, _watch(data), **numbers)
        numbers["fallen"] = turn.fallen
        gap = f"{turn.gap} {clocks.word(data)}s"
        if not (turn.apart and turn.fallen <= BEFORE * turn.grokked):
            side = "before" if turn.fallen < turn.grokked else "after"
            sentence = f"The model's complexity halves {gap} {side} the test loss"
            return Claim.instead(sentence, _watch(data), **numbers)
        sentence = f"The model's complexity halves {gap} before the test loss"
        return Claim(sentence, _watch(data), numbers=numbers)

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after the test loss has halved, when both curves are low."""
        return 0, _end(data)

    def index_of(self, data: xr.Dataset, wanted: str | int | None) -> int:
        """Of no moment asked for the last of the film: both curves as far as they are shown."""
        if wanted is None:
            return clocks.index_up_to(data, self.clock, _end(data))
        return super().index_of(data, wanted)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The estimate and the test loss; with ``traces`` the chains beside both."""
        rooms: list[Any] = [figure]
        if self.traces:
            narrow = style().narrow(figure)
            shape: dict[str, Any] = {"height_ratios": (1, 0.55)} if narrow else {}
            rows, columns = (2, 1) if narrow else (1, 2)
            shape = shape or {"width_ratios": (0.66, 0.34)}
            rooms = [*figure.subfigures(rows, columns, hspace=0, wspace=0, **shape)]
            for room in rooms:
                room.set_facecolor("none")
        (axes,), *_ = style().panels(rooms[0], left=5.0, right=2.2, top=1.2, bottom=3.3)
        parts = [_falls(axes, data, _others(data) if self.others else {})]
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
        if self.others:
            each = ", ".join(f"{name} {curve.y[i]:.2g}" for name, curve in _others(data).items())
            losses += f" In per cent of the highest: {each}."
        agree = _agreement(data)[i]
        spread = f" (split R-hat {agree:.2f})" if np.isfinite(agree) else ""
        return (
            "The local learning coefficient over epochs, with a band over the chains it is sampled "
            "with, and the test loss, each as a share of its highest value. At "
            f"{clocks.at(data, 'field_epoch', i)} the {len(chains)} chains give {values}{spread}."
            f"{losses}"
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition, what is sampled, and the citation."""
        return (
            "Local learning coefficient $n\\beta\\,(E[L] - L(w^*))$ of the training loss, "
            "$\\beta = 1/\\log n$, the mean over weights sampled around those of each checkpoint "
            f"by {data.sizes['chain']} chains of Langevin dynamics; line: mean of the chains, "
            f"band: lowest to highest. {_diagnosis(data)}It is defined at a minimum; before one it "
            "may be negative. "
            f"{'All' if self.others else 'Both'} curves are shares of their highest values; the "
            "arrow is from where complexity stays at most half to where the test loss does. "
            f"{DEFINED if self.others else ''}After Lau et al. (2023), "
            "arXiv:2308.12108."
        )


def _finite(data: xr.Dataset) -> np.ndarray:
    """The estimates of each chain, NaN where a chain has left all numbers."""
    chains: np.ndarray = data["learning_coefficient"].values.astype(float)
    return np.where(np.isfinite(chains), chains, np.nan)


DEFINED = (
    "Key waves alone: restricted loss, on all pairs with cos and sin of $w_k(a+b)$ alone at the "
    "key frequencies, fitted on all pairs, test pairs included; without them: excluded loss, on "
    "the training pairs; squared weights: the sum of all. "
)
"""The other measures."""


def _agreement(data: xr.Dataset) -> np.ndarray:
    """Split R-hat of the chains of each checkpoint, after their burn-in; NaN of short ones."""
    ends = data["stretch"]
    burn_in = float(ends.attrs.get("burn_in", 0))
    start = int(np.searchsorted(ends.values, burn_in, side="right"))
    traces = data["learning_coefficient_trace"].values.astype(float)
    traces = np.where(np.isfinite(traces), traces, np.nan)
    return np.array([convergence(trace, start) for trace in traces])


def _diagnosis(data: xr.Dataset) -> str:
    """How far the halves of the chains agree, over all checkpoints."""
    agree = _agreement(data)
    agree = agree[np.isfinite(agree)]
    if not agree.size:
        return ""
    return (
        f"Split R-hat of the chains, 1 where their halves agree: {np.median(agree):.2f} in the "
        f"median of the checkpoints, at most {agree.max():.2f}. "
    )


def _others(data: xr.Dataset) -> dict[str, panels.Curve]:
    """The other progress measures at the same checkpoints, in per cent of their highest."""
    colours = style().colours
    at = {"epoch": data["field_epoch"].values}
    rows = {
        "key waves alone": (data["restricted_loss"].sel(split="all"), colours.ink),
        "without them": (data["excluded_loss_2d"], colours.muted),
        "squared weights": (data["sum_squared_weights"].sum("parameter"), colours.faint),
    }
    curves = {}
    for name, (values, colour) in rows.items():
        numbers = values.sel(at).values.astype(float)
        top = numbers[np.isfinite(numbers)].max(initial=0)
        curves[name] = panels.Curve.of(at["epoch"], 100 * numbers / (top or 1.0), colour)
    return curves


def _watch(data: xr.Dataset) -> str:
    """What the estimate tells, and of how many chains it is, each an estimate of its own."""
    chains = _finite(data)
    if len(chains.T) < 2 or not np.isfinite(chains).any():
        return LearningCoefficient.watch
    return f"{LearningCoefficient.watch} (band: {len(chains.T)} estimates)"


class _Turn(NamedTuple):
    """When the estimate has halved for good, and when the test loss has.

    ``peak`` is the highest mean up to the latter, ``left`` the mean then. ``apart`` is whether
    every chain at the peak lies above every chain once it has fallen, ``spread`` how far apart
    the chains halve, ``loss`` the highest test loss.
    """

    top: int
    peak: float
    left: float
    fallen: float | None
    grokked: float
    apart: bool
    spread: float
    loss: float

    @property
    def gap(self) -> str:
        """How far apart both halve, in no more digits than the chains agree on."""
        size = abs(self.grokked - (self.grokked if self.fallen is None else self.fallen))
        if not np.isfinite(self.spread) or self.spread < 1:
            return f"{size:,.0f}"
        digits = int(np.ceil(np.log10(self.spread)))
        # not to nothing where the chains agree on no digit
        digits = min(digits, int(np.log10(max(size, 1))))
        return f"about {round(size, -digits):,.0f}"


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
    peak = float(means[top])
    fallen, after = _halving(epochs, means, peak, top)
    each = [
        _halving(epochs, np.where(known, chain, -np.inf), float(chain[top]), top)[0]
        for chain in chains.T
    ]
    times = [np.nan if time is None else time for time in each]
    apart = fallen is not None and bool(chains[top].min() > chains[after].max())
    spread = float(np.ptp(times))
    test = losses_of(data, "test").loss
    highest = float(test[np.isfinite(test)].max(initial=0))
    left, grokked = float(means[end]), float(run.grokked)
    return _Turn(int(epochs[top]), peak, left, fallen, grokked, apart, spread, highest)


def _halving(
    epochs: np.ndarray, means: np.ndarray, peak: float, top: int
) -> tuple[float | None, int]:
    """From when on a line stays below half of its peak, None for never, and its next checkpoint."""
    high = np.flatnonzero(means > FALLEN * peak)
    after = int(high[-1]) + 1 if high.size else top + 1
    if not peak > 0 or after >= len(epochs):
        return None, after
    if not np.isfinite(means[after]):
        return float(epochs[after]), after
    # where the line that is drawn comes down to half
    around = slice(after - 1, after + 1)
    return float(np.interp(-FALLEN * peak, -means[around], epochs[around])), after


def _digits(value: float) -> str:
    """An estimate as it is written: its spread leaves no more digits."""
    if not np.isfinite(value):
        return "no number"
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.1f}"


def _end(data: xr.Dataset) -> float:
    """Where the axis and the film end: at a checkpoint a while after the test loss halves."""
    run, epochs, last = outcome(data), data["field_epoch"].values, panels.horizon(data)
    if run.grokked is not None:
        last = min(last, BEYOND * run.grokked)
    return float(epochs[clocks.index_up_to(data, "field_epoch", last)])


class _Panel(panels.CurvePanel):
    """Both curves, with their names above them."""

    def name_curves(self, end: float) -> panels.LineNames:
        """The names where the curves are apart."""
        at = {name: NAMES[name] * end for name in self.curves}
        return panels.LineNames(self.axes, self.curves, at, above=[*at], ha="left")


def _falls(axes: Axes, data: xr.Dataset, others: dict[str, panels.Curve]) -> Drawing:
    """Curves in percent of their highest values, and how far apart the first two halve."""
    epochs, colours = data["field_epoch"].values, style().colours
    chains = _finite(data)
    means, unit = chains.mean(axis=1), _unit(data)
    low, high = unit * chains.min(axis=1), unit * chains.max(axis=1)
    mean = panels.Curve.of(epochs, unit * means, colours.frequencies[2])
    # in a column there is no room for more
    name = "complexity" if style().narrow(axes.figure) else "complexity (learning coefficient)"
    curves = {name: mean}
    test = losses_of(data, "test")
    largest = float(test.loss[np.isfinite(test.loss)].max(initial=0))
    if largest > 0:
        end = _end(data)
        share = 100 * test.loss / largest
        curves["test loss"] = panels.Curve.thinned(test.epochs, share, colours.test, end)
    curves |= others
    bottom = min(0.0, *low[np.isfinite(low)], 0.0)
    panel = _Panel(
        axes, data, curves, ylabel="share of the highest value (%)", clock="field_epoch",
        phases="none", ylim=(max(bottom, -20.0) - 2, 116), yticks=(0, 50, 100), end=_end(data),
    )  # fmt: skip
    axes.axhline(0, color=colours.faint, lw=0.3 * style().line, zorder=1.2)
    for name in others:
        for line in panel.traces[name].lines:
            line.set_linewidth(THIN * line.get_linewidth())
    return Drawing.of(_band(axes, epochs, low, high), panel.along(epochs), _apart(axes, data))


def _unit(data: xr.Dataset) -> float:
    """How many per cent of the highest mean an estimate of 1 is."""
    means = _finite(data).mean(axis=1)
    finite = means[np.isfinite(means)]
    return 100 / (float(finite.max()) if finite.size and finite.max() > 0 else 1.0)


def _apart(axes: Axes, data: xr.Dataset) -> Drawing:
    """An arrow from where the estimate has halved to where the test loss has, and its length."""
    turn, colours = _turn(data), style().colours
    if turn is None or turn.fallen is None or not turn.fallen < turn.grokked:
        return Drawing()
    level, ink = 100 * FALLEN, colours.ink
    arrow = axes.annotate(
        "", (turn.grokked, level), (turn.fallen, level), zorder=6,
        arrowprops={"arrowstyle": "<|-|>", "color": ink, "lw": 0.8 * style().line, "shrinkA": 0,
                    "shrinkB": 0},
    )  # fmt: skip
    gap = f"{turn.gap} {clocks.word(data)}s"
    middle = (turn.fallen + turn.grokked) / 2
    text = style().label(axes, middle, level, gap, lift=0.4, color=ink, zorder=7)
    parts, epochs = [arrow, text], data["field_epoch"].values
    if style().ghost and not style().narrow(axes.figure):
        test, loss = losses_of(data, "test"), f"{turn.loss:.2g} nats"
        high = float(test.epochs[np.nan_to_num(test.loss, posinf=0).argmax()])
        size = f"{_digits(turn.peak)} directions"
        for x, value, words, tint in (
            (turn.top, _unit(data) * turn.peak, size, colours.frequencies[2]),
            (high, 100.0, loss, colours.test),
        ):
            style().label(
                axes, x, value, f"  {words}", lift=0.35, color=colours.words(tint), zorder=7,
                ha="left",
            )  # fmt: skip

    return panels.shown_from(parts, epochs, turn.grokked)


def _band(axes: Axes, epochs: np.ndarray, low: np.ndarray, high: np.ndarray) -> Drawing:
    """From the lowest chain to the highest, as far as the moment shown."""
    colour, opacity = style().colours.frequencies[2], 0.5
    if style().ghost:
        axes.fill_between(epochs, low, high, color=colour, alpha=0.4 * opacity, lw=0, zorder=2)
    past = axes.fill_between(epochs, low, high, color=colour, alpha=opacity, lw=0, zorder=2.5)

    def update(i: int) -> None:
        past.set_data(epochs[: i + 1], low[: i + 1], high[: i + 1])

    return Drawing([past], update)


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
    muted = colours.muted
    current_style.note(axes, "each chain as it runs", (0, 1), (0, 0.6), color=muted)
    agree = _agreement(data)
    words = current_style.note(axes, "", (1, 1), (-0.4, -1.4), ha="right", color=muted)

    def update(i: int) -> None:
        for line, values in zip(lines, traces[i], strict=True):
            line.set_ydata(values)
        words.set_text(f"split R-hat {agree[i]:.2f}" if np.isfinite(agree[i]) else "")

    return Drawing([*lines, words], update)
