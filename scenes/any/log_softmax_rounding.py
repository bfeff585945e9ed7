"""Where the log-softmax runs out of bits: what torch itself returns, precision by precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any import _marks

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, style
from grokviz.scene.curves import DASHES
from grokviz.scene.style import MarginKeywords

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

STEP = 2.0**-23
"""The distance from 1 to the next number that float32 has: 1.19e-7."""

TASK = 113
"""The number of classes that is named: the answers of addition mod 113."""


@dataclass(frozen=True)
class LogSoftmaxRounding(Scene):
    """The loss of two logits in three precisions, and where it is gone."""

    name = "log-softmax-rounding"
    title = "Arithmetic in 32 bits rounds a small loss to zero"
    watch = "The further the right answer leads, the smaller the loss: 32 bits have it in steps"
    source = "thread, tweet 14; arXiv:2605.06152"
    disputed = (
        "Disputed: whether without weight decay rounding is what stops grokking "
        "(arXiv:2501.04697), and whether it makes the slingshots (arXiv:2605.06152)."
    )
    needs = (
        "log_softmax_value", "rounding_threshold", "rounding_threshold_theory", "gap_loss",
        "gap_right_gradient", "gap_wrong_gradient",
    )  # fmt: skip
    recipe = "modular-addition-float32"
    reference = "rounding"
    clock = "x"
    aspect = 2.0
    narrow_aspect = 1.1
    aspects = {  # noqa: RUF012
        "beside": dict.fromkeys(("thresholds", "gradients"), (2.1, 0.72))
    }
    stills = ("16.64", "16.63", "last")

    beside: Literal["nothing", "thresholds", "gradients"] = option(
        "nothing", "second panel: where it gets to zero by classes, or the loss's gradients"
    )
    bfloat16: bool = option(False, "bfloat16, beside float32 and float64")
    table: bool = option(False, "what is returned at x in a corner of stills too, as in films")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless there are values and thresholds, at more than one lead."""
        super().check(data)
        names = ("log_softmax_value", "rounding_threshold", "rounding_threshold_theory")
        numbers = all(np.isfinite(data[name].values).all() for name in names)
        if data.sizes["x"] < 2 or not data.sizes["classes"] or not numbers:
            raise InputError(
                f"{cls.name} draws what the log-softmax returns at many leads, and this data has "
                "none, or no numbers; leave out --run and --epochs to draw it from the bundled data"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """From what lead on float32 returns no loss at all, and what float64 does there."""
        x, first = data["x"].values.astype(float), _first(data)
        double = data["log_softmax_value"].sel(precision="float64").values
        if first is None:
            return Claim.instead(f"Up to a lead of {x[-1]:g} float32 still returns a loss")
        lead = f"{x[first]:.2f}"
        if not (double < 0).all():
            return Claim.instead(f"From a lead of {lead} on float32 returns no loss")
        rest = -float(double[first])
        watch = (
            f"Once the right answer leads by {lead}, its loss is 0; in 64 bits it is {_short(rest)}"
        )
        return Claim(self.title, watch, numbers={"lead": float(x[first]), "rest": rest})

    def index_of(self, data: xr.Dataset, wanted: str | int | None) -> int:
        """Where no lead is asked for: that of the sentence, as it says it."""
        first = _first(data)
        if wanted is not None or first is None:
            return super().index_of(data, wanted)
        later = data["x"].values[first:]
        return first + int(np.abs(later - round(float(later[0]), 2)).argmin())

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The steps; thresholds or gradients at their right where asked."""
        values, narrow = self._returned(data), style().narrow(figure)
        room: MarginKeywords = {
            "left": 5.4 if narrow else 5.6, "right": 2.2, "top": 1.8 if narrow else 2.6,
        }  # fmt: skip
        if self.beside == "nothing":
            left = style().panels(figure, **room)[0][0]
        else:
            left, right = style().beside(figure, (1.3, 1), (1, 1), gap=7.2, vgap=5.2, **room)
            (_draw_thresholds if self.beside == "thresholds" else _draw_gradients)(right, data)
        _draw_frame(left, data)
        table = self.table or not style().ghost
        return Drawing.of(_steps(left, data, values, table=table), _gone(left, data))

    def description(self, data: xr.Dataset, i: int) -> str:
        """What is returned at x, and the thresholds."""
        values, x = self._returned(data), float(data["x"].values[i])
        losses = ", ".join(f"{1e-7 * abs(v[i]):.3g} in {name}" for name, v in values.items())
        table = data["rounding_threshold"].sel(precision="float32")
        expected = data["rounding_threshold_theory"].sel(precision="float32")
        gone = "; ".join(
            f"{int(n)} classes: {float(table.sel(classes=n)):.5g}, expected "
            f"{float(expected.sel(classes=n)):.5g}"
            for n in table["classes"].values if int(n) in (2, 10, TASK, 512)
        )  # fmt: skip
        panel = {
            "nothing": "",
            "thresholds": "Beside it the lead at which float32's loss is exactly 0, by classes. ",
            "gradients": "Beside it the gradients of the right and a wrong logit, by lead. ",
        }[self.beside]
        return (
            f"The loss that torch's log-softmax returns for the larger of the logits 0 and x: at x "
            f"{x:g} {losses}. {panel}Zero is reached at these leads in float32: {gone}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """What was measured with what, and the citation."""
        version = data.attrs.get("torch_version", "")
        device = data.attrs.get("device", "")
        with_torch = f" by torch {version} on {device}" if version else ""
        thresholds = (
            "Threshold: the smallest lead over all other classes, which are equal, with a loss of "
            "exactly 0, measured; dashed: ln(n \u2212 1) + 24 ln 2, where exact sums would put it. "
        )
        return (
            "Loss where the right logit is x and the other 0: minus the log-softmax, as returned"
            f"{with_torch}. Float32 has no number between 1 and "
            "$1 + 2^{-23}$, so that the loss moves in steps of 1.19e-7. "
            f"{thresholds if self.beside == 'thresholds' else ''}"
            "After tweet 14 of the thread on arXiv:2301.05217, and arXiv:2605.06152."
        )

    def _names(self, data: xr.Dataset) -> list[str]:
        names = [str(name) for name in data["precision"].values]
        return [name for name in names if self.bfloat16 or name != "bfloat16"]

    def _returned(self, data: xr.Dataset) -> dict[str, np.ndarray]:
        """The loss that is returned, in units of 1e-7."""
        table = data["log_softmax_value"]
        return {name: 1e7 * abs(table.sel(precision=name).values) for name in self._names(data)}


def _first(data: xr.Dataset) -> int | None:
    """The index of the first lead from which on float32 returns no loss; None without one."""
    seen = np.flatnonzero(data["log_softmax_value"].sel(precision="float32").values < 0)
    first = int(seen[-1]) + 1 if seen.size else 0
    return first if first < data.sizes["x"] else None


def _short(loss: float) -> str:
    """A small loss with two digits: "5.9e-8"."""
    return f"{loss:.1e}".replace("e-0", "e-")


def _draw_frame(axes: Axes, data: xr.Dataset) -> None:
    """Axes as high as the exact values, and the steps that float32 has."""
    current_style, x = style(), data["x"].values
    rest = current_style.colours.rest
    top = 1.08 * float(1e7 * np.log1p(np.exp(-x)).max())
    axes.set(xlim=(x[0], x[-1]), ylim=(-0.14 * top, top))
    axes.set_xlabel("x, the lead of the correct one of two logits")
    axes.set_ylabel("loss, $\\times 10^{-7}$ nats")
    levels = [k * STEP * 1e7 for k in range(1, 4) if k * STEP * 1e7 < top]
    for height in levels:
        axes.axhline(height, color=rest, lw=current_style.line * 0.3, zorder=1)
    axes.grid(visible=False)
    axes.set_yticks([0, *levels], ["0", *(f"{level:.2f}" for level in levels)])


def _gone(axes: Axes, data: xr.Dataset) -> Drawing:
    """The lead from which on float32 returns no loss, and what float64 returns there."""
    x, first = data["x"].values.astype(float), _first(data)
    double = -data["log_softmax_value"].sel(precision="float64").values
    if first is None or not double[first] > 0:
        return Drawing()
    tints, at, rest = _colours(), float(x[first]), float(double[first])
    marks = [
        _marks.Mark(at, 0, f"{at:.2f}", tints["float32"], "right", -0.95),
        _marks.Mark(at, 1e7 * rest, _short(rest), tints["float64"], lift=0.75),
    ]
    return _marks.draw(axes, marks, x)


NAMES = {"float32": (0.53, "center"), "float64": (0.26, "left"), "bfloat16": (0.01, "left")}
"""Where above its line the name of each precision stands: a share of it, and on which side."""


BITS = {"float32": "32 bits", "float64": "64 bits"}
"""What is said of the precisions in the title, at their lines."""


def _written(data: xr.Dataset, name: str, *, narrow: bool) -> str:
    """The name of a precision, and from which lead on it has no loss where all shown are later."""
    gone = data["rounding_threshold"].sel(precision=name)
    if 2 not in gone["classes"] or float(gone.sel(classes=2)) > data["x"].values[0]:
        bits = BITS.get(name, name)
        return bits if narrow or name not in BITS else f"{bits} ({name})"
    return f"{name}: 0{chr(10) if narrow else ' '}from x = {float(gone.sel(classes=2)):.2f} on"


def _steps(axes: Axes, data: xr.Dataset, values: dict[str, np.ndarray], *, table: bool) -> Drawing:
    """What is returned up to an x, in every precision, and in a table its numbers there."""
    current_style, x, narrow = style(), data["x"].values, style().narrow(axes.figure)
    lines, dots, names, places = {}, {}, {}, {}
    for name, returned in values.items():
        share, ha = NAMES.get(name, (0.5, "left"))
        places[name] = int(share * (len(x) - 1))
        names[name] = current_style.label(
            axes, x[places[name]], returned[places[name]], _written(data, name, narrow=narrow),
            lift=0.4, ha=ha, color=_colours()[name], linespacing=1.05, zorder=5,
        )  # fmt: skip
        look: dict[str, Any] = {"color": _colours()[name]}
        wide = current_style.line * (1.3 if name == "float32" else 0.9)
        (lines[name],) = axes.plot([], [], lw=wide, zorder=4, **look)
        if name == "bfloat16":
            lines[name].set_linestyle((0, DASHES))
        if current_style.ghost:
            axes.plot(
                x, returned, lw=0.7 * wide, ls=lines[name].get_linestyle(), alpha=0.6, zorder=2,
                **look,
            )  # fmt: skip
        size = current_style.points * 0.42
        (dots[name],) = axes.plot([], [], "o", ms=size, mew=0, zorder=6, **look)
    marker = axes.axvline(
        x[0], color=current_style.colours.ink, lw=current_style.line * 0.5, zorder=1.5
    )
    # in the free corner above the curve
    mono = {"family": "monospace", "ha": "right", "va": "top", "zorder": 6}
    patch = {"fc": current_style.colours.background, "ec": "none", "pad": current_style.points / 5}
    now = {
        name: current_style.note(
            axes, "", (0.985, 0.98), (0, -1.35 * row), color=_colours()[name], bbox=patch, **mono
        )
        for row, name in enumerate(values if table else ())
    }

    def update(i: int) -> None:
        for name, v in values.items():
            lines[name].set_data(x[: i + 1], v[: i + 1])
            dots[name].set_data([x[i]], [v[i]])
            # before its line has come to its place a name would stand on others
            names[name].set_visible(current_style.ghost or i >= places[name])
        marker.set_xdata([x[i], x[i]])
        rows = _now(values, i)
        for name, text in now.items():
            text.set_text(rows[name])

    artists = [list(part.values()) for part in (lines, dots, names, now)]
    return Drawing([marker, artists], update)


def _colours() -> dict[str, str]:
    colours = style().colours
    blue = colours.frequencies[0]
    return {"float32": colours.ink, "float64": blue, "bfloat16": colours.muted}


def _now(values: dict[str, np.ndarray], i: int) -> dict[str, str]:
    """What is returned at this x, a row for each precision, equally wide at all x."""
    wide = max(map(len, values))
    rows = {}
    for name, v in values.items():
        value = "0" if v[i] == 0 else f"{1e-7 * v[i]:.4e}".replace("e-0", "e-")
        rows[name] = f"{name.ljust(wide)} {value.replace('-', chr(0x2212)).rjust(12)}"
    return rows


def _draw_thresholds(axes: Axes, data: xr.Dataset) -> None:
    """The lead at which float32's loss is zero, measured and expected."""
    from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

    current_style, colours = style(), style().colours
    n = data["classes"].values.astype(float)
    measured = data["rounding_threshold"].sel(precision="float32").values
    expected = data["rounding_threshold_theory"].sel(precision="float32").values
    axes.set_xscale("log")
    axes.plot(
        n, expected, color=colours.muted, lw=current_style.line * 0.6, ls=(0, (4, 2)), zorder=2
    )
    axes.plot(n, measured, "o", color=colours.ink, ms=current_style.points * 0.4, mew=0, zorder=3)
    axes.set(xlim=(n[0] / 1.4, n[-1] * 1.4), xlabel="classes, n", ylabel="lead with a loss of 0")
    axes.set_ylim(min(measured.min(), expected.min()) - 0.5, expected.max() + 0.8)
    axes.xaxis.set_major_locator(FixedLocator([2, 10, 100, 512]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    j = int(np.argmin(np.abs(n - 100)))
    current_style.label(
        axes, n[j], expected[j], "exact sums", lift=0.35, ha="right", color=colours.muted, zorder=5
    )
    if TASK in n:
        j = int(np.flatnonzero(n == TASK)[0])
        ring: dict[str, Any] = {
            "mfc": "none",
            "mec": colours.ink,
            "mew": current_style.line * 0.5,
            "zorder": 4,
        }
        axes.plot(n[j], measured[j], "o", ms=current_style.points * 0.8, **ring)
        text = f"{TASK} classes\nmeasured {measured[j]:.4f}\nexact sums {expected[j]:.4f}"
        current_style.note(axes, text, (0.98, 0.05), ha="right", va="bottom", linespacing=1.25)


def _draw_gradients(axes: Axes, data: xr.Dataset) -> None:
    """Gradients of the right and of a wrong logit in float32 and float64, by lead."""
    from matplotlib.ticker import LogLocator, NullLocator

    current_style, colours = style(), style().colours
    gap = data["gap"].values
    styles = {"float64": (_colours()["float64"], 0.5, 2), "float32": (colours.ink, 1.0, 3)}
    axes.set_yscale("log")
    ends: dict[str, np.ndarray] = {}
    for which, word in (("right", "right class"), ("wrong", "each wrong class")):
        for name, (colour, wide, above) in styles.items():
            size = np.abs(data[f"gap_{which}_gradient"].sel(precision=name).values)
            shown = np.where(size > 0, size, np.nan)
            axes.plot(gap, shown, color=colour, lw=current_style.line * wide, zorder=above)
            ends[word] = shown if name == "float64" else ends.get(word, shown)
            if name == "float32" and which == "right" and (size == 0).any():
                gone = float(gap[np.argmax(size == 0)])
                level = float(shown[np.isfinite(shown)][-1])
                current_style.label(
                    axes, gone, level, f"exactly 0\nfrom {gone:g}", lift=0.3, ha="left",
                    color=colours.ink, zorder=5,
                )  # fmt: skip
    axes.set(xlim=(gap[0], gap[-1] * 1.02), xlabel=f"lead over {TASK - 1} other classes")
    axes.set_ylabel("size of the loss's gradient")
    axes.yaxis.set_major_locator(LogLocator(numticks=6))
    axes.yaxis.set_minor_locator(NullLocator())
    for word, shown in ends.items():
        above = word == "right class"
        j = int((0.36 if above else 0.72) * len(gap))
        current_style.label(
            axes, gap[j], shown[j], word, lift=0.6 if above else -0.6, zorder=5,
            va="bottom" if above else "top", ha="left" if above else "right",
        )  # fmt: skip
