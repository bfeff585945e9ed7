"""What the scenes of phase changes share: panels over steps, heads' names, and the fall."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any import _marks

from grokviz.dataset.learning import Curve, first_low, smooth
from grokviz.dataset.numerics.curves import FALL_WIDTH
from grokviz.errors import InputError
from grokviz.scene import clock as clocks
from grokviz.scene import panels, style
from grokviz.scene.curves import EndNames
from grokviz.scene.outcome import losses_of, outcome

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

AFTER = 1.8
"""A film ends when so many times the epochs until the fall's end are over."""

OTHERS = "other heads"
"""The name that stands for all curves of the heads that are not in colour."""

LEFT = 0.25
"""A test loss has come down where at most this share of its largest value is left."""


DROP = 0.05
"""A loss drops where it loses this share within :data:`SOON`."""

SOON = 0.005
"""This share of a run is a moment."""

SPIKE = 3.0
"""The training loss spikes where it is so many times its running median."""

RARE = 0.5
"""Spikes are rare up to this share of the time: drops would not come with all of them by chance."""


TOGETHER = 0.9
"""Two losses are said to rise together where they do in this share of the spikes."""


@dataclass(frozen=True)
class Overfit:
    """A run that memorised and whose test loss came down later.

    Attributes:
        memorised: the first epoch with a training loss below 0.1.
        largest, last: of the running medians of the test loss, in nats.

    """

    memorised: int
    largest: float
    last: float


def overfit(data: xr.Dataset) -> Overfit | None:
    """How far a run overfitted and overcame it; None where it did not do both.

    The test loss is largest when half of the time until it memorised is over, or later, and comes
    down to a quarter of that.
    """
    memorised, test = first_low(losses_of(data, "train")), smooth(losses_of(data, "test"))
    if memorised is None or not len(test.loss):
        return None
    top = int(np.argmax(test.loss))
    largest, last = float(test.loss[top]), float(test.loss[-1])
    risen = test.epochs[top] >= memorised / 2 and largest > test.loss[0]
    return Overfit(memorised, largest, last) if risen and last <= LEFT * largest else None


def no_fall(data: xr.Dataset) -> str:
    """What is true of a run whose loss did not fall at once on fresh data."""
    train = smooth(losses_of(data, "train")).loss
    if data.sizes["tested_epoch"] or not len(train) or outcome(data).diverged is not None:
        return outcome(data).sentence
    return f"The loss on fresh data goes from {train[0]:.2g} to {train[-1]:.2g}"


def peak(data: xr.Dataset, memorised: int) -> tuple[float, float, float]:
    """When the test loss is largest once half of the time to memorise is over; there and last."""
    finite = np.isfinite(data["logged_test_loss"].values)
    epochs, test = data["tested_epoch"].values[finite], data["logged_test_loss"].values[finite]
    top = int(np.where(epochs >= memorised / 2, test, -np.inf).argmax())
    return float(epochs[top]), float(test[top]), float(test[-1])


def slingshots(data: xr.Dataset, memorised: int) -> list[float]:
    """The spikes of the training loss with which the test loss dropped, one a drop.

    None where a drop came without one, or where spikes are not rare. Only what comes after the
    run had memorised counts.
    """
    train, test = (_finite(losses_of(data, split), memorised) for split in ("train", "test"))
    if len(train.loss) < 2 or len(test.loss) < 2:
        return []
    soon = SOON * float(test.epochs[-1])
    fall = 1 - np.interp(test.epochs + soon, *test) / np.maximum(test.loss, 1e-30)
    drops = np.flatnonzero(fall >= DROP)
    times = train.loss / np.maximum(np.interp(train.epochs, *smooth(train)), 1e-30)
    spikes = train.epochs[times >= SPIKE]
    time = np.linspace(float(train.epochs[0]), float(train.epochs[-1]), 1000)
    near_spike = (np.abs(time[:, None] - spikes) <= 2 * soon).any(axis=1)
    if not drops.size or near_spike.mean() > RARE:
        return []
    at = []
    for group in np.split(drops, np.flatnonzero(np.diff(test.epochs[drops]) > soon) + 1):
        begin, end = test.epochs[group[0]] - soon, test.epochs[group[-1]] + 2 * soon
        near = np.flatnonzero((train.epochs >= begin) & (train.epochs <= end))
        if not near.size or times[near].max() < SPIKE:
            return []
        at.append(float(train.epochs[near[times[near].argmax()]]))
    return at


def jumps(data: xr.Dataset, memorised: int) -> int:
    """How often the training loss spikes once it is memorised, the test loss rising each time.

    0 unless it does nearly every time, and more than once.
    """
    train, test = (losses_of(data, split) for split in ("train", "test"))
    after = _finite(train, memorised)
    if len(after.loss) < 2 or len(test.loss) < 2:
        return 0
    times = after.loss / np.maximum(np.interp(after.epochs, *smooth(train)), 1e-30)
    spikes = after.epochs[times >= SPIKE]
    soon = SOON * float(after.epochs[-1])
    groups = np.split(spikes, np.flatnonzero(np.diff(spikes) > soon) + 1) if spikes.size else []
    rises = 0
    for group in groups:
        near = (test.epochs >= group[0] - soon) & (test.epochs <= group[-1] + soon)
        before, after_it = (
            np.interp(at, *test) for at in (group[0] - 2 * soon, group[-1] + 2 * soon)
        )
        rises += bool(near.any() and test.loss[near].max() > max(before, after_it))
    return len(groups) if len(groups) > 1 and rises >= TOGETHER * len(groups) else 0


def _finite(curve: Curve, first: float) -> Curve:
    """The values from an epoch on that are numbers."""
    shown = np.isfinite(curve.loss) & (curve.epochs >= first)
    return Curve(curve.epochs[shown], curve.loss[shown].astype(float))


def loss_near(data: xr.Dataset, at: float) -> float:
    """The mean of the five training losses that were logged nearest to an epoch."""
    epochs, loss = data["logged_epoch"].values, data["logged_train_loss"].values
    finite = np.isfinite(loss)
    near = np.argsort(np.abs(epochs[finite] - at), kind="stable")[:5]
    return float(loss[finite][near].mean()) if near.size else float("nan")


def fall_marks(data: xr.Dataset, moments: Sequence[float]) -> list[_marks.Mark]:
    """Dots on the loss on fresh data at some epochs, with its mean there."""
    colour, marks = style().colours.ink, []
    for moment in moments:
        loss = loss_near(data, moment)
        marks.append(_marks.Mark(moment, loss, f"{loss:.2g}", colour, "left", 0.9))
    return marks


def require_losses(name: str, data: xr.Dataset, *, positive: bool = False) -> None:
    """Raise InputError unless a loss that is a number, or one above 0, was logged."""
    for split in ("train", "test"):
        values = data[f"logged_{split}_loss"].values
        if (np.isfinite(values) & ((values > 0) | (not positive))).any():
            return
    kind = "number above 0" if positive else "number"
    raise InputError(
        f"{name} draws the losses that training logged, and this run has none that is a {kind}; "
        "record them with run.step, or import a file that has them"
    )


def fall(data: xr.Dataset) -> tuple[float, float] | None:
    """First and last epoch of the training loss' fall, if it has one: the middles of the means."""
    begin, end = (int(data["event_epoch"].sel(event=f"fall {w}")) for w in ("begins", "ends"))
    if begin < 0 or end <= begin:
        return None
    return max(0.0, begin - FALL_WIDTH / 2), end - FALL_WIDTH / 2


def span(data: xr.Dataset, clock: str = "epoch", after: float = AFTER) -> float:
    """The last epoch of a film: a while after the fall where data is fresh, else the last."""
    last, fall_span = float(data[clock].values[-1]), fall(data)
    if fall_span is None or data.sizes["tested_epoch"]:
        return last
    return min(last, after * fall_span[1])


def last_shown(data: xr.Dataset, clock: str = "epoch") -> int:
    """The index of the last moment of a film."""
    return clocks.index_up_to(data, clock, span(data, clock))


def end(data: xr.Dataset, clock: str = "epoch") -> float:
    """The last moment of a film, at which its axes end."""
    return float(data[clock].values[last_shown(data, clock)])


def losses(data: xr.Dataset) -> dict[str, panels.Curve]:
    """The logged losses; on fresh data there is one, which is train and test loss alike."""
    colours = style().colours
    train = data["logged_epoch"].values, data["logged_train_loss"].values
    if not data.sizes["tested_epoch"]:
        return {"loss on\nfresh data": panels.Curve.of(*train, colours.ink)}
    test = data["tested_epoch"].values, data["logged_test_loss"].values
    return {
        "train": panels.Curve.of(*train, colours.train),
        "test": panels.Curve.of(*test, colours.test),
    }


def require_checkpoints(name: str, data: xr.Dataset, clock: str = "epoch") -> None:
    """Raise InputError unless there is more than one checkpoint along a clock."""
    if data.sizes[clock] < 2:
        raise InputError(
            f"{name} draws what changes from checkpoint to checkpoint, and there is only one; "
            "import a folder of checkpoints, or record several with run.step"
        )


@dataclass
class ChangePanel(panels.CurvePanel):
    """Curves without the points at which nothing was measured, and the loss' fall shaded.

    A curve without a name is thin. On a logarithmic axis nothing below ``floor`` is drawn.
    """

    _: KW_ONLY
    floor: float = 0.0

    def __post_init__(self) -> None:
        self._fall: list[Any] = []
        super().__post_init__()

    @property
    def moving(self) -> list[Any]:
        """What moves of the curves, and the fall's shade where it appears when it is over."""
        return super().moving if style().ghost else [*super().moving, *self._fall]

    def update(self, epoch: float) -> None:
        """Draw strongly up to ``epoch``, and the fall's shade once it is over."""
        super().update(epoch)
        if self._fall and not self._ghost:
            over = epoch >= self._fall_span[1]
            for artist in self._fall:
                artist.set_visible(over)

    def shown(self, curve: panels.Curve) -> panels.Curve:
        """The finite points; what a logarithmic axis has no place for lies at its foot."""
        curve = super().shown(curve)
        curve = curve.where(np.isfinite(curve.y))
        if not self.log or not (curve.y > 0).any():
            return curve.where(curve.y > 0) if self.log else curve
        floor = self.floor or float(curve.y[curve.y > 0].min()) / 2
        return replace(curve, y=np.maximum(curve.y, floor))

    def trace(self, name: str, curve: panels.Curve) -> panels.Trace:
        """What has no name, or is one of the rest, is thin, and lies below the others."""
        trace = super().trace(name, curve)
        if name.startswith(("_", "other ")):
            for line in trace.lines:
                line.set(linewidth=style().line * 0.5, zorder=1.5)
        return trace

    def shade(self) -> None:
        """The phases of training where there are any, else the loss' fall on fresh data."""
        if not style().narrow(self.axes.figure):
            # in a column there is no room for the names of the phases
            super().shade()
        fall_span = None if self.phases == "none" else fall(self.data)
        if fall_span is None or self.data.sizes["tested_epoch"]:
            return
        colours, self._fall_span = style().colours, fall_span
        tint = panels.see_through(colours.phases[2], colours.background)
        self._fall = [self.axes.axvspan(*fall_span, color=tint, lw=0, zorder=0)]
        if self.phases == "named":
            self._fall.append(self.axes.annotate(
                "the loss falls", (fall_span[0], 1), (0, 0.45 * style().small),
                xycoords=("data", "axes fraction"), textcoords="offset points", ha="left",
                va="baseline", fontsize=style().small, color=colours.muted,
            ))  # fmt: skip

    def set_limits(self) -> None:
        """Limits a little beyond the curves, and few ticks."""
        from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

        values = np.concatenate([[1e-3], *(curve.y for curve in self.curves.values())])
        if not self.log:
            self.axes.yaxis.set_major_locator(MaxNLocator(4))
            self.axes.set_ylim(min(0.0, 1.06 * float(values.min())), 1.06 * float(values.max()))
            return
        if len(values) == 1:
            return
        low, high = np.log10(values[1:].min()), np.log10(values.max())
        room = 0.06 * max(high - low, 0.5)
        self.axes.set_ylim(10 ** (low - room), 10 ** (high + room))
        small = style().pixels(self.axes, style().small)
        intervals = float(np.clip(self.axes.bbox.height / (2 * small), 1, 4))
        step = max(1, int(np.ceil((high - low) / intervals)))
        ticks = np.arange(np.floor(high), np.floor(low) - 1, -step)
        self.axes.yaxis.set_major_locator(FixedLocator([float(10.0**t) for t in ticks]))
        self.axes.yaxis.set_minor_locator(NullLocator())


def after_names(marks: Sequence[_marks.Mark], names: Any, end: float) -> list[_marks.Mark]:
    """The marks; one at the end of the test loss after its name, where names stay in the panel."""
    has_names = isinstance(names, EndNames) and style().labels is None
    test = names.texts.get("test") if has_names else None
    return [mark._replace(name=test) if mark.x == end else mark for mark in marks]


def rooms(
    figure: FigureBase,
    data: xr.Dataset,
    heights: Sequence[float],
    right: float,
    vgap: float = 1.4,
) -> list[Axes]:
    """Panels below one another on the same steps, with room for names at their right and above."""
    named = clocks.phase_ends(data) is not None and not style().narrow(figure)
    named |= fall(data) is not None and not data.sizes["tested_epoch"]
    axes = style().stack(
        figure, heights, left=5.0, right=right, vgap=vgap, top=2.6 if named else 1.0
    )
    return axes


def tested_on(data: xr.Dataset) -> str:
    """A sentence on how many fresh sequences training logged its test loss; "" where none did."""
    count = json.loads(data.attrs.get("settings") or "{}").get("test-examples")
    if not data.sizes["tested_epoch"] or not isinstance(count, int):
        return ""
    return f" The test loss is of {count:,} fresh sequences."


def fresh(data: xr.Dataset) -> str:
    """The sequences on which the loss was measured from the weights."""
    if "held_out_sequences" in data:
        return f"{int(data['held_out_sequences']):,} fresh sequences"
    # until version 0.1
    return "the few fresh sequences on which attention is measured"


def overfitting(data: xr.Dataset) -> str:
    """The test loss at its start, its largest and its last, and when it was memorised."""
    word, tested = clocks.word(data), data["tested_epoch"].values
    test = data["logged_test_loss"].values
    if not np.isfinite(test).any():
        return "No test loss is a number."
    top = int(np.nanargmax(np.where(np.isfinite(test), test, np.nan)))
    words = [
        f"The test loss begins at {test[0]:.3g}, is largest at {word} {tested[top]:,}, "
        f"{test[top]:.3g}, and ends at {test[-1]:.3g}"
    ]
    memorised = int(data["event_epoch"].sel(event="memorised"))
    if memorised >= 0:
        words.append(f"the training loss is first below 0.1 at {word} {memorised:,}")
    return f"{'; '.join(words)}."


def digit_names(data: xr.Dataset, *, short: bool = False) -> list[str]:
    """The digits of the answer by what they count, the most significant first."""
    count = data.sizes["digit"]
    places = ["1s", "10s", "100s", "1ks", "10ks", "100ks"]
    if not short:
        places = ["ones", "tens", "hundreds", "thousands", "ten thousands", "hundred thousands"]
    places += [f"$10^{{{n}}}$s" for n in range(6, count)]
    return ["carry", *reversed(places[: count - 1])]


def digit_colours(data: xr.Dataset) -> list[str]:
    """A colour for each digit."""
    palette = style().colours.frequencies
    return [palette[k % len(palette)] for k in range(data.sizes["digit"])]
