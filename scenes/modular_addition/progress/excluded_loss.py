"""The paper's first progress measure: what training loses when one wave is taken away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from grokviz.scenes.any import _ridges
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _neurons
from grokviz.scenes.modular_addition.progress import _all_waves
from jaxtyping import Bool, Float

from grokviz.scene import Claim, Drawing, Scene, frequencies, option, panels, published, style
from grokviz.scene import clock as clocks
from grokviz.scene.bars import Bars
from grokviz.scene.drawing import Part
from grokviz.scene.outcome import outcome

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

NAMED = 8
"""So many lines of key frequencies have room for a name; the others are grey."""

TERMS = {"2d": "cos and sin of w(a + b)", "3d": "cos w(a + b \u2212 c)"}


PUBLISHED = "published_excluded_loss_by_frequency"

SHORT = "A line leaves the others as training leans on its wave"

LEANS = 2.0
"""Without a wave that training leans on, the loss is so many times that without any other wave."""

TESTED = 2.2
"""How high the hill of the test loss is, in rows."""

BAR, THIN = 0.86, 0.1
"""How thick a bar is where the loss is largest, and at least, in rows."""

KEY = (0.62, 0.035, 0.17)
"""Where on the axis the scale of thickness begins, how long its samples are, how far apart."""

MUCH = 1e9
"""So many times is as thick as a bar becomes."""

NEAR = 0.01
"""A checkpoint so near the end of the axis, as a share of it, has no other before that."""

MOST = 0.5
"""The share of the key waves that training has to lean on before the test loss falls."""


@dataclass(frozen=True)
class ExcludedLoss(Scene):
    """Train loss without each frequency in turn, beside the train and the test loss."""

    name = "excluded-loss"
    panels = ("progress",)
    title = "Training uses most key waves before the test loss falls"
    watch = "A dot: the first time that the training loss doubles without that wave"
    source = "arXiv:2301.05217, figures 12 and 15; notebook, analysis during training"
    needs = (
        "excluded_loss_2d_by_frequency", "excluded_accuracy_2d_by_frequency",
        "excluded_loss_3d_by_frequency", "excluded_accuracy_3d_by_frequency",
        "restricted_loss", "restricted_accuracy", "loss", "accuracy", "phase_end",
        "logged_train_loss", "logged_test_loss",
        "embedding_frequency_norm",
    )  # fmt: skip
    aspect = 2.0
    narrow_aspect = 1.0
    ends_with_film = True
    aspects = {"form": {"hills": (2.0, 0.95)}}  # noqa: RUF012
    paper_figures = {"12": {"form": "curves"}, "15": {"form": "curves"}}  # noqa: RUF012

    kind: Literal["2d", "3d"] = option(
        "2d", "what is taken away: cos and sin of w(a+b), or cos w(a+b-c) alone"
    )
    measure: Literal["loss", "accuracy"] = option("loss", "loss or accuracy without the wave")
    form: Literal["hills", "curves", "bars"] = option(
        "hills",
        "a bar a wave from when training leans on it, above the hill of the test loss; the curves "
        "themselves, as of accuracies always; or a bar a wave at one epoch",
    )
    removed: Literal["each", "all"] = option(
        "each", "each wave alone, or all key waves, and all waves of a+b, at once"
    )
    published: bool = option(False, published.HELP)

    def __post_init__(self) -> None:
        if self.removed == "all" and (self.kind != "2d" or self.form == "bars"):
            raise ValueError("removed=all is drawn with kind=2d, as curves; leave these out")

    def variables(self) -> tuple[str, ...]:
        """With those of all waves and the published losses, where they are drawn."""
        own = _all_waves.variables(self.measure) if self.removed == "all" else ()
        theirs = _all_waves.PUBLISHED if self.removed == "all" else PUBLISHED
        others = (published.TRAIN, published.TEST, theirs) if self._behind else ()
        return (*self.needs, *own, *others)

    @property
    def _behind(self) -> bool:
        """Whether there are published curves to draw: the figure shows losses over epochs alone."""
        return (
            self.published and (self.kind, self.measure) == ("2d", "loss") and self.form != "bars"
        )

    @property
    def _hilly(self) -> bool:
        """Whether bars are drawn above a hill; accuracies and what is published are curves."""
        lone = self.removed == "each" and self.measure == "loss"
        return self.form == "hills" and lone and not self._behind

    def _has_hills(self, data: xr.Dataset) -> bool:
        """Whether there is a bar to draw: a run of few checkpoints may have none, but curves."""
        name = f"excluded_loss_{self.kind}_by_frequency"
        keys = frequencies.key_frequencies(data)
        return self._hilly and any(_begins(data, name, k) is not None for k in keys)

    def claim(self, data: xr.Dataset) -> Claim:
        """How many of the key waves training leans on when the run groks."""
        if self.removed == "all":
            return _all_waves.claim(data, self.measure, behind=self._behind)
        run, keys = outcome(data), frequencies.key_frequencies(data)
        if run.delay is None or run.grokked is None or not keys:
            return Claim.instead(run.sentence)
        i = int(np.abs(data["epoch"].values - run.grokked).argmin())
        leant = len(_leant_on(data, f"excluded_loss_{self.kind}_by_frequency", i))
        sentence = f"Training uses {leant} of {len(keys)} key waves before the test loss halves"
        if leant <= MOST * len(keys):
            return Claim.instead(sentence.replace("before", "when"), leant=leant)
        watch = self.watch if self._has_hills(data) else SHORT
        watch = published.watch(watch) if self._behind else watch
        return Claim(sentence, watch, numbers={"leant": leant, "keys": len(keys)})

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Bars from when training leans on a wave, above a hill; or lines; or a bar a wave."""
        if self._has_hills(data):
            return self._hills(figure, data)
        axes = style().panels(figure, left=5.0, right=7.4)[0][0]
        if self.removed == "all":
            return _all_waves.draw(axes, data, self.measure, behind=self._behind)
        if self.form == "bars":
            return self._bars(axes, data)
        losses = self.measure == "loss"
        others = self._others(axes, data)
        panel = panels.CurvePanel(
            axes, data, self._curves(data), log=losses, phases=_neurons.phases(figure),
            ylabel="loss (nats)" if losses else "accuracy (%)",
            ylim=None if losses else (-4, 104), yticks=None if losses else (0, 50, 100),
        )  # fmt: skip
        if not frequencies.key_frequencies(data):
            muted = style().colours.muted
            style().note(axes, "no key frequencies yet", (1, 1), (0, -1.2), ha="right", color=muted)
        return Drawing.of(panel.along(data["epoch"]), others, _neurons.halves(axes, data))

    def description(self, data: xr.Dataset, i: int) -> str:
        """The numbers for each key frequency and for the largest of the rest."""
        if self.removed == "all":
            return _all_waves.description(data, self.measure, i)
        now, keys = self._values(data).isel(epoch=i), frequencies.key_frequencies(data)
        rest = now.drop_sel(frequency=keys)
        whole = data[self.measure].isel(epoch=i)
        values = ", ".join(f"{k}: {float(now.sel(frequency=k)):.2g}" for k in keys)
        values = f"without key frequency {values}; " if keys else ""
        if rest.size:
            bound, worst = ("most", rest.max()) if self.measure == "loss" else ("least", rest.min())
            values += f"without any other at {bound} {float(worst):.2g}; "
        return (
            f"Training {self.measure} over epochs with one frequency's {TERMS[self.kind]} taken "
            f"out of the logits, a line a frequency. At {clocks.at(data, 'epoch', i)}, {values}"
            f"with all of them train {float(whole.sel(split='train')):.2g}, test "
            f"{float(whole.sel(split='test')):.2g}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        if self.removed == "all":
            return _all_waves.definition(data, self.measure, behind=self._behind)
        if self._has_hills(data):
            return self._definition_of_hills(data)
        grokked = self.form == "curves" and outcome(data).grokked is not None
        dotted = " Dotted: the test loss is at half its peak." if grokked else ""
        return (
            f"Excluded {self.measure}: that on the training pairs with {TERMS[self.kind]} "
            "at one frequency, fitted on all pairs, test pairs included, taken out of the logits; "
            "key frequencies in colour, all others in grey, with the unchanged train and test "
            f"{self.measure}.{dotted}"
            f"{published.definition(data) if self._behind else ''} "
            f"{after('figures 12 and 15')}"
        )

    def _definition_of_hills(self, data: xr.Dataset) -> str:
        below = "Below, the test loss, from zero. " if data.sizes["tested_epoch"] else ""
        dotted = "Dotted: it is at half its peak. " if outcome(data).grokked is not None else ""
        return (
            f"Bars: the loss on the training pairs with {TERMS[self.kind]} at one key "
            "frequency, fitted on all pairs, test pairs included, taken out of the logits is, for "
            f"the first time after memorisation, at least {LEANS:g} times that without any "
            "frequency that is not key; as thick as the logarithm of how many times it is. "
            f"{below}{dotted}"
            f"{after('figures 12 and 15')}"
        )

    def _hills(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """From when on training leans on each key wave, the first on top, above the test loss."""
        keys = _neurons.named_keys(data, NAMED)
        begins = {k: _begins(data, f"excluded_loss_{self.kind}_by_frequency", k) for k in keys}
        order = sorted(keys, key=lambda k: (begins[k] is None, begins[k] or 0, k))
        left = 6.6 if style().narrow(figure) else 8.4
        axes = style().panels(figure, left=left, right=1.6, top=1.2)[0][0]
        end, epochs = panels.horizon(data), data["epoch"].values
        test = panels.losses(data)["test"]
        top = float(np.nan_to_num(test.y[test.x <= end], posinf=0).max(initial=0))
        foot = len(order) - 1 + (TESTED + 0.5 if top > 0 else 0.4)
        _ridges.frame(axes, end, foot, 0.8)
        axes.set_xlabel(clocks.word(data))
        tint = {k: frequencies.colour(k, data) for k in order}
        rows = [(f"wave {k}", tint[k], float(row)) for row, k in enumerate(order)]
        parts: list[Part] = [Drawing((), lambda i: _ridges.reach(axes, max(end, float(epochs[i]))))]
        if top > 0:
            rows.append(("test loss", test.colour, foot))
            high = TESTED * _ridges.height(test.y, top)
            hill = _ridges.Ridge(axes, test.x, high, foot, test.colour)
            parts.append(Drawing(hill.moving, lambda i: hill.update(float(epochs[i]))))
        _ridges.name_rows(axes, *zip(*rows, strict=True))
        for label in axes.get_yticklabels()[: len(order)]:
            label.set_va("center_baseline")
        # a row without a bar is a wave that is not leant on
        axes.hlines(
            np.arange(len(order)), epochs[0], end, color=style().colours.rest,
            lw=0.5 * style().line, zorder=1,
        )  # fmt: skip
        times = np.log(np.maximum(_times(data, f"excluded_loss_{self.kind}_by_frequency"), 1))
        every = frequencies.key_frequencies(data)
        shares = {k: times[begins[k] or 0 :, every.index(k)] for k in order}
        begun = [k for k in order if begins[k] is not None]
        largest = max([1e-9, *(float(shares[k].max()) for k in begun)])
        bars = [
            _Bar(order.index(k), int(begins[k] or 0), shares[k] / largest, tint[k]) for k in begun
        ]
        low = test.y[(test.x >= KEY[0] * end) & (test.x <= end)]
        if bars and not style().narrow(figure) and TESTED * low.max(initial=0) < 0.4 * top:
            _scale(axes, end, foot - 0.5 * TESTED, largest)
        halves = _neurons.halves(axes, data, level=1)
        return Drawing.of(*parts, halves, _bars(axes, bars, epochs, end))

    def _values(self, data: xr.Dataset) -> xr.DataArray:
        return data[f"excluded_{self.measure}_{self.kind}_by_frequency"]

    @property
    def _scale(self) -> float:
        return 1.0 if self.measure == "loss" else 100.0

    def _curves(self, data: xr.Dataset) -> dict[str, panels.Curve]:
        curves = panels.splits(data, self.measure, self._scale)
        named = _neurons.named_keys(data, NAMED)
        for k in frequencies.key_frequencies(data):
            values = self._scale * self._values(data).sel(frequency=k).values.astype(float)
            colour = frequencies.colour(k, data) if k in named else style().colours.faint
            name = f"without {k}" if k in named else f"_without {k}"
            curves[name] = panels.at_checkpoints(data, values, colour)
            if self._behind and k in data["published_frequency"].values:
                curves[f"_published {k}"] = published.curve(
                    data, PUBLISHED, colour, published_frequency=k
                )
        return curves | (published.losses(data) if self._behind else {})

    def _bars(self, axes: Axes, data: xr.Dataset) -> Drawing:
        """A bar for each wave, and lines at the unharmed model and at the key waves alone."""
        rest, losses = style().colours.rest, self.measure == "loss"
        heights = self._scale * self._values(data).values.astype(float)
        keys, k = frequencies.key_frequencies(data), data["frequency"].values.astype(float)
        levels = [
            self._scale * data[name].sel(split="train").values
            for name in (self.measure, f"restricted_{self.measure}")
        ]
        face = [frequencies.colour(int(n), data) if n in keys else rest for n in k]
        foot, top = -4.0, 104.0
        if losses:
            axes.set_yscale("log")
            every = np.concatenate([heights.ravel(), *levels])
            every = every[np.isfinite(every) & (every > 0)]
            foot, top = (every.min() / 20, 3 * every.max()) if every.size else (0.1, 1.0)
        axes.set(xlim=(0.2, k[-1] + 0.8), ylim=(foot, top), xlabel="frequency taken away")
        step = 20 if style().narrow(axes.figure) else 10
        axes.set_xticks(frequencies.ticks(int(k[-1]), step))
        axes.set_ylabel(f"training {self.measure}{'' if losses else ' (%)'}")
        heights = np.maximum(np.nan_to_num(heights, nan=foot), foot)
        bars = Bars(axes, k, heights, face, width=0.74, foot=foot, trace=0)
        parts = _across(bars, levels)
        if style().ghost:
            return parts

        def update(i: int) -> None:
            leant = _leant_on(data, f"excluded_loss_{self.kind}_by_frequency", i)
            colours = [c if int(n) in leant else rest for c, n in zip(face, k, strict=True)]
            bars.now.set_facecolor(colours)
            parts.update(i)

        return Drawing(parts.moving, update)

    def _others(self, axes: Axes, data: xr.Dataset) -> Drawing:
        """The frequencies that are not key: they lie on the train curve, or just above it."""
        from matplotlib.collections import LineCollection

        rest = self._values(data).drop_sel(frequency=frequencies.key_frequencies(data))
        values = self._scale * rest.values.astype(float)
        x = np.broadcast_to(data["epoch"].values.astype(float)[:, None], values.shape)
        lines = np.stack([x, values], axis=-1).transpose(1, 0, 2)
        colour, width = style().colours.rest, style().line * 0.35
        if style().ghost:
            whole = LineCollection(list(lines), colors=colour, linewidths=width, alpha=0.4)
            axes.add_collection(whole, autolim=False)
        past = LineCollection([], colors=colour, linewidths=width, zorder=1.5)
        axes.add_collection(past, autolim=False)
        return Drawing([past], lambda i: past.set_segments(list(lines[:, : i + 1])))


@dataclass(frozen=True, eq=False)
class _Bar:
    """A bar on a row from an index on, as thick there as ``shares`` of the thickest."""

    row: int
    begin: int
    shares: Float[np.ndarray, " epoch"]
    colour: str


def _bars(axes: Axes, bars: Sequence[_Bar], epochs: np.ndarray, end: float) -> Drawing:
    """Bars from their starts on, each with a dot there."""
    from matplotlib.collections import PolyCollection

    size, colours = style().points, style().colours
    pasts, dots = [], []

    def corners(bar: _Bar, stop: int) -> list[np.ndarray]:
        x = epochs[bar.begin : stop].astype(float)
        half = np.maximum(BAR * bar.shares[: len(x)], THIN) / 2
        if x.size and 0 < end - x[-1] <= NEAR * end:
            # to the end of the axis, where no checkpoint is before it
            x, half = np.append(x, end), np.append(half, half[-1])
        upper = np.column_stack([x, bar.row - half])
        lower = np.column_stack([x, bar.row + half])
        return [np.concatenate([upper, lower[::-1]])] if len(x) > 1 else []

    for bar in bars:
        if style().ghost:
            whole = corners(bar, len(epochs))
            axes.add_collection(
                PolyCollection(whole, facecolors=bar.colour, alpha=0.3, lw=0, zorder=2.1),
                autolim=False,
            )
        past = PolyCollection([], facecolors=bar.colour, lw=0, zorder=2.2)
        axes.add_collection(past, autolim=False)
        pasts.append(past)
        dots += axes.plot(
            [epochs[bar.begin]], [bar.row], "o", ms=0.6 * size, color=colours.ink, zorder=7,
            mew=0.05 * size, mec=colours.background,
        )  # fmt: skip

    def update(i: int) -> None:
        for bar, past, dot in zip(bars, pasts, dots, strict=True):
            past.set_verts(corners(bar, i + 1))
            dot.set_visible(style().ghost or i >= bar.begin)

    return Drawing([*pasts, *dots], update)


def _scale(axes: Axes, end: float, row: float, largest: float) -> None:
    """Samples of how thick a bar is that stands for so many times the loss, beside one another."""
    colour, (first, long, apart) = style().colours.muted, (share * end for share in KEY)
    most = max(1, int(largest / np.log(10)))
    style().note(
        axes, "training loss without the wave", (first, row - 0.75 * BAR), va="bottom",
        color=colour, xycoords="data",
    )  # fmt: skip
    for n, power in enumerate(sorted({1, most})):
        half = np.clip(BAR * power * np.log(10) / largest, THIN, BAR) / 2
        x = first + n * apart
        corners = [x, x + long, x + long, x], [row - half] * 2 + [row + half] * 2
        axes.fill(*corners, color=colour, lw=0)
        times = f"{10**power:,}" if power < 6 else f"{10 ** (power - 6):,} million"
        style().note(
            axes, f"\u00d7{times}", (x + long, row), (0.3, 0), va="center", color=colour,
            xycoords="data",
        )  # fmt: skip


def _begins(data: xr.Dataset, name: str, k: int) -> int | None:
    """The first moment after memorisation at which training leans on a wave; None for never."""
    ends = clocks.phase_ends(data)
    first = 0 if ends is None else clocks.index_up_to(data, "epoch", float(ends[0]))
    leant = np.flatnonzero(_leans(data, name)[first:, frequencies.key_frequencies(data).index(k)])
    return first + int(leant[0]) if leant.size else None


def _leant_on(data: xr.Dataset, name: str, i: int) -> list[int]:
    """The key frequencies without which the loss is far above that without any other."""
    leant = _leans(data, name)[i]
    return [k for k, far in zip(frequencies.key_frequencies(data), leant, strict=True) if far]


def _leans(data: xr.Dataset, name: str) -> Bool[np.ndarray, "epoch key"]:
    """Whether the loss without a key frequency is far above that without any other."""
    values, rest = _key_and_rest(data, name)
    return values >= LEANS * rest[:, None]


def _times(data: xr.Dataset, name: str) -> Float[np.ndarray, "epoch key"]:
    """How many times the loss without a key frequency is that without any other, as a number."""
    values, rest = _key_and_rest(data, name)
    with np.errstate(over="ignore"):
        times = np.nan_to_num(values / np.maximum(rest, 1e-30)[:, None], nan=1.0, posinf=MUCH)
    bounded: Float[np.ndarray, "epoch key"] = np.minimum(times, MUCH)
    return bounded


def _key_and_rest(
    data: xr.Dataset, name: str
) -> tuple[Float[np.ndarray, "epoch key"], Float[np.ndarray, " epoch"]]:
    """The loss without each key frequency, and the largest without any other."""
    keys, values = frequencies.key_frequencies(data), data[name].values.astype(float)
    key = np.isin(data["frequency"].values, keys)
    rest = np.where(np.isfinite(values), values, 0)[:, ~key].max(axis=1, initial=0)
    return values[:, [list(data["frequency"].values).index(k) for k in keys]], rest


def _across(bars: Bars, levels: list[np.ndarray]) -> Drawing:
    """Bars, and a named line across them for what each wave is taken away from."""
    current_style, axes, colours = style(), bars.axes, style().colours
    lines, texts = [], []
    names = (("all waves", colours.train, "bottom"), ("key waves\nalone", colours.ink, "top"))
    for name, colour, va in names:
        width = current_style.line * 0.6
        lines.append(axes.axhline(bars.foot, color=colour, lw=width, zorder=3))
        texts.append(axes.text(
            1.01, bars.foot, name, transform=axes.get_yaxis_transform(), color=colour, va=va,
            fontsize=current_style.small, fontweight="bold",
        ))  # fmt: skip

    def update(i: int) -> None:
        bars.update(i)
        for line, text, level in zip(lines, texts, levels, strict=True):
            line.set_ydata([level[i], level[i]])
            text.set_y(level[i])

    return Drawing([bars.moving, lines, texts], update)
