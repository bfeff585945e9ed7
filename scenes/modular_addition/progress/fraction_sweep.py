"""From a phase change to grokking: the same training with less and less data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any._papers import after

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, members, option, panels, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

LEVELS = {"train": 0.03, "test": 0.3}
"""The loss at which each curve is named, where it falls through it."""

SLOWER = 3.0
"""So many times as long the smallest fraction has to take to generalise as the largest."""

AS_FAST = 1.5
"""Two epochs of memorising are alike within this factor."""

OURS, PUBLISHED = "ours", "published"
DASHES = (0, (1.2, 1.4))
LIFTS = {"memorised": -0.6, "generalised": 0.6}
"""How far a name stands above its dots, in ems."""
ON_ITS_WAY = {"memorised": -0.6, "generalised": 2.5}
"""The same on its way to its place, past the number of the first dot."""

NONE = panels.Curve.of([], [], "none")


@dataclass(frozen=True)
class FractionSweep(Scene):
    """Losses at one training fraction after another, and epochs to generalise against it."""

    name = "fraction-sweep"
    panels = ("family",)
    title = "A phase change turns into grokking as data shrinks"
    watch = "memorising takes about as long on any; generalising far longer on little data"
    source = "thread, tweet 3; arXiv:2301.05217, appendix D and figure of data fractions"
    loops = True
    needs = (*members.NEEDS, "member_fraction", "member_source", "fraction_member")
    reference = "fraction-sweep"
    clock = "fraction"
    aspect = 2.1
    narrow_aspect = 0.72
    stills = ("last",)

    time: Literal["log", "linear"] = option("log", "how epochs are spaced, in both panels")
    trail: bool = option(True, "test losses of larger fractions, faintly")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError also unless there is a run with a known training fraction."""
        super().check(data)
        if not data.sizes["fraction"]:
            raise InputError(
                f"{cls.name} draws runs of modular addition at several training fractions, and "
                "there is none here; grokviz explore shows the curves of any runs"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """How much longer less data took, where it did; else how many fractions generalise."""
        epochs = _epochs(data, _sources(data)[0], "generalised_epoch")
        fractions = data["fraction"].values.astype(float)  # they fall
        at = np.flatnonzero(np.isfinite(epochs))
        if at.size > 1 and epochs[at[-1]] >= SLOWER * epochs[at[0]]:
            first, last = (f"{epochs[i]:,.0f} {w}" for i, w in ((at[0], "epochs"), (at[-1], "")))
            much, little = (f"{100 * fractions[i]:g}%" for i in (at[0], at[-1]))
            sentence = f"Generalising takes {first} on {much} of the data, {last}on {little}"
            numbers = {"much": float(epochs[at[0]]), "little": float(epochs[at[-1]])}
            return Claim(sentence, _watch(data, fractions, epochs, at), numbers=numbers)
        return Claim.instead(f"{at.size} of {epochs.size} training fractions generalise")

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The curves of one fraction on the left, all fractions on the right."""
        room = {"right": 1.6, "top": 1.2} if style().narrow(figure) else {}
        left, right = style().beside(
            figure, (1.15, 1), (1, 1), **{"left": 5.0, "gap": 7.0, "vgap": 5.2, **room}
        )
        curves = [_losses(data, i) for i in range(data.sizes["fraction"])]
        self._frame(left, curves)
        return Drawing.of(
            _losses_in_turn(left, curves, _percents(data), trail=self.trail),
            _dots(right, data, self.time),
        )

    def description(self, data: xr.Dataset, i: int) -> str:
        """When the runs of this fraction memorised and generalised, and both ends of the sweep."""
        fractions = data["fraction"].values
        runs = []
        for source in _sources(data):
            member = _member(data, source, i)
            if member >= 0:
                mark = "" if source == OURS else f" ({source})"
                test = members.losses(data, member).get("test")
                top = f", test loss at most {test.y.max():.3g}" if test is not None else ""
                runs.append(
                    f"{members.learnt(data, member, 'memorised_epoch')} and "
                    f"{members.learnt(data, member)}{top}{mark}"
                )
        ends = " and ".join(_end(data, j) for j in (0, len(fractions) - 1))
        return (
            "Training and test loss over epochs at one training fraction, and the epoch of "
            f"generalising against the fraction. At fraction {fractions[i]:g}: "
            f"{'; '.join(runs) or 'no run'} (first losses below 0.1). Over the sweep {ends}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the rule, the sources of the runs, and the citation."""
        count = len(data["fraction"])
        beside = " Rings: the published sweep." if PUBLISHED in _sources(data) else ""
        return (
            f"Modular addition trained on {count} fractions of all pairs, from "
            f"{data['fraction'].values.max():g} to {data['fraction'].values.min():g}: losses at "
            "one of them, and the first epoch with a loss below 0.1 against the fraction."
            f"{beside} {after('appendix D')}"
        )

    def _frame(self, axes: Axes, curves: list[dict[str, panels.Curve]]) -> None:
        """Axes that hold the losses at all fractions."""
        axes.set_xscale(self.time)
        axes.set_yscale("log")
        every = [curve for losses in curves for curve in losses.values()]
        last = max((curve.x[-1] for curve in every), default=1.0)
        low, top = members.span(every)
        axes.set(xlabel="epoch", ylabel="loss (nats)", ylim=(low / 3, top * 4))
        axes.set_xlim(*((10, 2 * last) if self.time == "log" else (-0.1 * last, 1.1 * last)))
        _decades(axes)
        if self.time == "linear":
            panels.thousands(axes)


def _percents(data: xr.Dataset) -> list[str]:
    """The training fractions in per cent."""
    return [f"{100 * fraction:g}%" for fraction in data["fraction"].values.astype(float)]


def _losses_in_turn(
    axes: Axes, curves: list[dict[str, panels.Curve]], percents: list[str], *, trail: bool
) -> Drawing:
    """The losses at one fraction, and faintly the test losses at those before it."""
    current_style = style()
    width, red = current_style.line * 0.45, current_style.colours.test
    before = [
        axes.plot(c["test"].x, c["test"].y, color=red, alpha=0.3, lw=width, zorder=2)[0]
        if "test" in c else axes.plot([], [])[0]
        for c in curves
    ]  # fmt: skip
    looks: dict[str, dict[str, Any]] = {
        PUBLISHED: {"color": red, "lw": current_style.line * 0.7, "ls": DASHES, "zorder": 3},
        "train": {"color": current_style.colours.train, "zorder": 4},
        "test": {"color": red, "zorder": 5},
    }
    lines = {name: axes.plot([], [], **look)[0] for name, look in looks.items()}
    if trail and len(curves) > 1:
        muted = current_style.colours.muted
        current_style.note(axes, "faint: trained on more", (0, 1.01), va="bottom", color=muted)
    names = {}
    for name, (side, across) in {"train": ("right", -0.5), "test": ("left", 0.5)}.items():
        names[name] = current_style.label(
            axes, 1, 1, name, lift=0.01, ha=side, va="center", zorder=6,
            color=looks[name]["color"],
        )  # fmt: skip
        names[name].set_position((across * current_style.small, 0))

    def update(i: int) -> None:
        now = curves[i]
        for name, line in lines.items():
            curve = now.get(name, NONE)
            line.set_data(curve.x, curve.y)
        for name, text in names.items():
            text.set_visible(name in now)
            if name in now:
                text.xy = _through(now[name], LEVELS[name])
        names["test"].set_text(f"test,\n{percents[i]}")
        for j, line in enumerate(before):
            line.set_visible(trail and j < i)

    return Drawing([before, list(lines.values()), list(names.values())], update)


def _dots(axes: Axes, data: xr.Dataset, time: str) -> Drawing:
    """Epoch of memorising and of generalising at each fraction; what is to come, faintly."""
    current_style, colours = style(), style().colours
    x, sources = data["fraction"].values.astype(float), _sources(data)
    axes.set_yscale(time)
    dots, epochs = [], []
    ends: dict[str, tuple[str, np.ndarray]] = {}
    for source in sources:
        for name, colour in (("memorised", colours.train), ("generalised", colours.test)):
            y = _epochs(data, source, f"{name}_epoch")
            if time == "log":
                y = np.maximum(y, 1.0)  # epoch 0 has no place on the axis
            if np.isfinite(y).any():
                look = _look(colour, ring=source != sources[0])
                if current_style.ghost:
                    axes.plot(x, y, **look | {"alpha": 0.28})
                dots += axes.plot([], [], **look)
                epochs.append(y)
                ends.setdefault(name, (colour, y))
    _limits(axes, x, epochs, time)
    names = {name: _name(axes, name, colour) for name, (colour, _) in ends.items()}
    if not dots:
        current_style.note(axes, "no run learned", (0.5, 0.5), ha="center", color=colours.muted)
    if PUBLISHED in sources and len(dots) > 2:
        current_style.note(axes, "dotted: published", (0, 1.01), va="bottom", color=colours.muted)
    marker = axes.axvline(x[0], color=colours.ink, lw=current_style.line * 0.5, zorder=2.5)

    def update(i: int) -> None:
        for line, y in zip(dots, epochs, strict=True):
            line.set_data(x[: i + 1], y[: i + 1])
        marker.set_xdata([x[i], x[i]])
        for name, text in names.items():
            y = ends[name][1]
            j = _middle(y)
            # where the future is not drawn a name goes along to its place
            j = j if current_style.ghost else int(min(j, i))
            text.set_visible(bool(np.isfinite(y[j])))
            # on its way it stands above the number of the first dot, until the dots are above that
            clear = j == _middle(y) or y[j] > 1.5 * y[np.isfinite(y)][0]
            lift = LIFTS[name] if clear else ON_ITS_WAY[name]
            text.set_position((0, lift * current_style.small))
            text.xy = (_inside(axes, x[j], text), np.nan_to_num(y[j], nan=1.0))

    moving = Drawing([marker, *dots, *names.values()], update)
    return Drawing.of(moving, _ends(axes, data, time))


def _ends(axes: Axes, data: xr.Dataset, time: str) -> Drawing:
    """How long the largest and the smallest fraction that generalise take, at their dots."""
    epochs = _epochs(data, _sources(data)[0], "generalised_epoch")
    at = np.flatnonzero(np.isfinite(epochs))
    x, least = data["fraction"].values.astype(float), 1.0 if time == "log" else 0.0
    texts = {}
    for i in {int(k) for k in at[[0, -1]]} if at.size else ():
        last = i == at[-1]
        texts[i] = style().label(
            axes, x[i], max(float(epochs[i]), least), f"{epochs[i]:,.0f}", ha="left",
            lift=0.01 if last else 0.9, va="center" if last else "bottom",
            color=style().colours.test, zorder=6,
        )  # fmt: skip
        if last:
            texts[i].set_position((0.5 * style().small, 0))

    def update(i: int) -> None:
        for moment, text in texts.items():
            text.set_visible(style().ghost or i >= moment)

    return Drawing(list(texts.values()), update)


def _name(axes: Axes, name: str, colour: str) -> Any:
    """A name above its dots, or below them."""
    below = name == "memorised"
    return style().label(
        axes, 1, 1, name, lift=LIFTS[name], color=colour, zorder=6,
        va="top" if below else "bottom", ha="center" if below else "right",
    )  # fmt: skip


def _inside(axes: Axes, x: float, text: Any) -> float:
    """The place nearest to ``x`` at which a name does not run over the left axis."""
    width = 0.64 * style().pixels(axes, style().small) * len(text.get_text())
    room = axes.bbox.x0 + (width if text.get_ha() == "right" else width / 2)
    at = max(float(axes.transData.transform((x, axes.get_ylim()[0]))[0]), room)
    return float(axes.transData.inverted().transform((at, axes.bbox.y0))[0])


def _watch(data: xr.Dataset, fractions: np.ndarray, epochs: np.ndarray, at: np.ndarray) -> str:
    """How long memorising took where all fractions are alike, and which generalised last."""
    memorised = _epochs(data, _sources(data)[0], "memorised_epoch")[at]
    if not memorised.max() <= AS_FAST * memorised.min():
        return ""
    watch = f"memorising takes {memorised.min():,.0f} to {memorised.max():,.0f} epochs on any"
    slowest = int(at[np.argmax(epochs[at])])
    if epochs[slowest] <= epochs[at[-1]]:
        return watch
    return f"{watch}; generalising longest on {100 * fractions[slowest]:g}%"


def _look(colour: str, *, ring: bool) -> dict[str, Any]:
    """How dots are drawn: of the published runs rings that a dotted line joins."""
    points, line = style().points, style().line
    look: dict[str, Any] = {"color": colour, "marker": "o", "lw": line * 0.5}
    if ring:
        ringed = {"ms": points * 0.44, "mew": line * 0.4, "mfc": "none", "ls": DASHES, "zorder": 3}
        return look | ringed
    return look | {"ms": points * 0.42, "mew": 0, "ls": "-", "zorder": 4}


def _losses(data: xr.Dataset, i: int) -> dict[str, panels.Curve]:
    """What is drawn at a fraction: our losses, and the published test loss."""
    curves = {}
    runs = [(source, _member(data, source, i)) for source in _sources(data)]
    runs = [(source, member) for source, member in runs if member >= 0]
    if runs:
        # a sweep of published runs alone is drawn as ours would be
        curves = members.losses(data, runs[0][1])
    for source, member in runs[1:]:
        beside = members.losses(data, member)
        if source == PUBLISHED and "test" in beside:
            curves[PUBLISHED] = beside["test"]
    return curves


def _sources(data: xr.Dataset) -> list[str]:
    """The kinds of runs that there are, ours first."""
    names = [str(name) for name in data["source"].values]
    return [n for k, n in enumerate(names) if (data["fraction_member"].values[:, k] >= 0).any()]


def _member(data: xr.Dataset, source: str, i: int) -> int:
    return int(data["fraction_member"].sel(source=source).values[i])


def _epochs(data: xr.Dataset, source: str, name: str) -> np.ndarray:
    """An epoch of each fraction's run; NaN where it never came, or where there is no run."""
    indices = data["fraction_member"].sel(source=source).values
    epochs = data[name].values[np.maximum(indices, 0)].astype(float)
    return np.where((indices >= 0) & (epochs >= 0), epochs, np.nan)


def _middle(y: np.ndarray) -> int:
    """The finite value around which a curve is named: in the middle of those there are."""
    finite = np.flatnonzero(np.isfinite(y))
    return int(finite[len(finite) // 2])


def _end(data: xr.Dataset, j: int) -> str:
    member = next((m for m in data["fraction_member"].values[j] if m >= 0), -1)
    fraction = float(data["fraction"].values[j])
    epoch = members.learnt(data, int(member)) if member >= 0 else "no run"
    return f"fraction {fraction:g} {epoch}"


def _through(curve: panels.Curve, level: float) -> tuple[float, float]:
    """Where a curve falls through a level for good; its end where it does not."""
    above = np.flatnonzero(curve.y >= level)
    if not above.size or above[-1] + 1 >= len(curve.x):
        return float(curve.x[-1]), float(curve.y[-1])
    return float(curve.x[above[-1] + 1]), level


def _decades(axes: Axes) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    axes.yaxis.set_major_locator(LogLocator(numticks=6))
    axes.yaxis.set_minor_locator(NullLocator())
    if axes.get_xscale() == "log":
        axes.xaxis.set_major_locator(LogLocator(numticks=6))
        axes.xaxis.set_minor_locator(NullLocator())


def _limits(axes: Axes, x: np.ndarray, epochs: list[np.ndarray], time: str) -> None:
    """From much data on the left to little on the right, with room for names."""
    from matplotlib.ticker import NullLocator

    values = np.concatenate([y[np.isfinite(y)] for y in epochs] or [np.ones(1)])
    span = max(float(x.max() - x.min()), 0.5)
    axes.set_xlim(x.max() + 0.06 * span, x.min() - 0.25 * span)
    axes.set_ylim(
        *(
            (values.min() / 3, values.max() * 3)
            if time == "log"
            else (-0.12 * values.max(), 1.15 * values.max())
        )
    )
    axes.yaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda share, _: f"{100 * share:g}%")
    axes.set(xlabel="share of the data to train on", ylabel="epochs to a loss of 0.1")
