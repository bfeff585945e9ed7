"""How large the steps of training are, and where they lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.any import _marks
from grokviz.scenes.any import _tensors as tensors

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

MOST = 6
"""So many parts of the model have a line with a name."""

SMALLER = 0.5
"""Steps become smaller where those of the end have at most this share of the largest ones."""

RISES = 1.1
"""The smallest has a number of its own where the last is at least so many times as large."""

WHOLE = "with the way\nstart \u2192 end"
"""The name of the cosine of a step with the way from the first checkpoint to the last."""


@dataclass(frozen=True)
class Steps(Scene):
    """The distance that all weights move in an epoch, and the direction of each step."""

    name = "steps"
    title = "Steps of training become smaller, and keep their direction"
    watch = "cosine: 1 is the same direction, 0 a right angle, below 0 backwards"
    source = "thread: 'it is NOT a random walk'; arXiv:1712.09913, section 7"
    needs = ("step_size", "step_cosine", "step_whole_cosine", "start_distance", "phase_end")
    reference = "modular-addition-59"
    clock = "step_epoch"
    aspect = 1.8
    narrow_aspect = 0.75

    tensors: str = option("*", "names of tensors, or patterns such as '*attn*', with commas")
    parts: bool = option(False, "a line for each part of the model, as for tensors chosen by name")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless the weights take two steps."""
        super().check(data)
        if not np.isfinite(whole_cosines(data)[0]).any():
            raise InputError(
                f"{cls.name} draws the steps of training and their turns, and the weights of this "
                "run take no two steps; record or import three checkpoints or more that differ"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """How much smaller the steps become, how far they turn, and where the last ones lead."""
        (_, largest), (_, least), (_, last) = self._ends(data)
        before, whole = whole_cosines(data)
        turn = float(np.degrees(np.arccos(np.nanmedian(before))))
        angle = _degrees(whole[np.isfinite(whole)][-1])
        numbers = {"largest": largest, "last": last, "turn": turn, "angle": angle}
        if not 0 < last <= SMALLER * largest:
            per = _per(data)
            sentence = f"Steps do not shrink: their length{per} is {last:.2g} at the end"
            return Claim.instead(sentence, self.watch, **numbers)
        again = ", then grow" if last >= RISES * least else ""
        sentence = f"Steps shrink {_fold(largest, least):,.0f}-fold{again}; "
        sentence += f"the last are at {angle:.0f}\u00b0 to the whole way"
        return Claim(sentence, self.watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The speeds above, the cosines below."""
        rows = tensors.rows_of(data, self.tensors, MOST)
        if not self.parts and self.tensors == "*":
            rows = tensors.Rows([], [])
        longest = max(len("with the way"), *map(len, rows.names), 0)
        upper, lower = style().stack(
            figure, (1.25, 1), left=6.6, right=0.62 * longest + 1.2, top=2.4, vgap=1.6
        )
        colours, epochs = style().colours, data["step_epoch"].values.astype(float)
        tints, lines = tensors.colours_of(rows, data), {}
        for name, members, tint in zip(rows.names, rows.members, tints, strict=True):
            size = tensors.together(data["step_size"].values, tensors.Rows([name], [members]))
            lines[name] = _curve(epochs, size[:, 0] / _spacing(data), tint)
        lines["all weights"] = _curve(epochs, self._speed(data), colours.ink)
        last, whole = whole_cosines(data)
        cosines = {
            "with the\nstep before": _curve(epochs, last, colours.frequencies[0]),
            WHOLE: _curve(epochs, whole, colours.frequencies[1]),
        }
        moving = {name: line for name, line in lines.items() if (line.y > 0).any()}
        end = float(epochs[-1])
        fast = panels.CurvePanel(
            upper, data, moving, ylabel=f"step length{_per(data, line=True)} (L2)", log=True,
            end=end, clock=self.clock, phases="named",
        )  # fmt: skip
        for name, trace in fast.traces.items():
            if name != "all weights":
                for line in trace.lines:
                    line.set_linewidth(0.55 * style().line)
        low = min(-0.05, *(float(np.nanmin(line.y, initial=0)) for line in cosines.values()))
        along = panels.CurvePanel(
            lower, data, cosines, ylabel="cosine of a\nstep's direction", ylim=(low - 0.3, 1.06),
            end=end, clock=self.clock,
            yticks=[tick for tick in (-1, -0.5, 0, 0.5, 1) if tick >= low],
        )  # fmt: skip
        panels.without_time(upper)
        lower.axhline(0, color=colours.muted, lw=0.4 * style().line, ls=(0, (2, 3)), zorder=1.8)
        ends = [
            _marks.Mark(
                float(x),
                float(y),
                f"{_signed(y)}: {_degrees(y):.0f}\u00b0",
                curve.colour,
                "right",
                -1.1,
            )
            for name, curve in cosines.items()
            for x, y in zip(curve.x[-1:], curve.y[-1:], strict=True)
            if name == WHOLE
        ]
        ends = _marks.clear(lower, ends, cosines.values())
        return Drawing.of(
            fast.along(epochs),
            along.along(epochs),
            _marks.draw(upper, self._marks(data), epochs),
            _marks.draw(lower, ends, epochs),
            self._shrinking(upper, data),
        )

    def _marks(self, data: xr.Dataset) -> list[_marks.Mark]:
        """The largest step, the smallest after it, and the last."""
        (top, largest), (low, least), (near, last) = self._ends(data)
        ink = style().colours.ink
        marks = [_marks.Mark(top, largest, f"{largest:.2g}", ink, "left", 0.8)]
        if last <= SMALLER * largest:
            if last > RISES * least:
                marks.append(_marks.Mark(low, least, f"{least:.2g}", ink, "center", -1.1))
            marks.append(_marks.Mark(near, last, f"{last:.2g}", ink, "right", 1.1))
        return marks

    def _shrinking(self, axes: Axes, data: xr.Dataset) -> Drawing:
        """A bracket from the largest step down to the smallest after it, with how many times."""
        (_, largest), (low, least), (_, last) = self._ends(data)
        if not 0 < last <= SMALLER * largest or not least > 0:
            return Drawing()
        small, ink = style().small, style().colours.ink
        level = axes.plot(
            [self._ends(data)[0][0], low], [largest] * 2, color=ink, lw=0.35 * style().line,
            ls=(0, (2, 3)), zorder=2,
        )  # fmt: skip
        bracket = axes.plot(
            [low, low], [largest, least], "_-", color=ink, lw=0.8 * style().line, zorder=2,
            ms=0.5 * small, mew=0.8 * style().line,
        )  # fmt: skip
        text = style().label(
            axes, low, float(np.sqrt(largest * least)), f"{_fold(largest, least):,.0f}-fold",
            lift=0.01, ha="left", va="center", color=ink, zorder=6,
        )  # fmt: skip
        text.set_position((0.6 * small, 0))
        parts, epochs = [*level, *bracket, text], data["step_epoch"].values

        def update(i: int) -> None:
            for part in parts:
                part.set_visible(style().ghost or bool(epochs[i] >= low))

        return Drawing(parts, update)

    def film_span(self, data: xr.Dataset) -> None:
        """All of the run: the whole way is that of all of it."""

    def description(self, data: xr.Dataset, i: int) -> str:
        """The step that ends at that moment."""
        speed, (last, whole) = self._speed(data), whole_cosines(data)
        told = [f"the weights move {speed[i]:.3g} per {clocks.word(data)}"] * bool(
            np.isfinite(speed[i])
        )
        for cosine, words in ((last, "the step before"), (whole, "the whole way")):
            if np.isfinite(cosine[i]):
                told.append(f"the cosine of their step with {words} is {cosine[i]:.2f}")
        at = clocks.at(data, self.clock, i)
        return (
            "How fast all weights move, and the direction of each step. Up to "
            f"{at} {', '.join(told) or 'no step is over'}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        word = clocks.word(data)
        return (
            f"Above: Euclidean (L2) length of the change since the checkpoint before, per {word}; "
            "numbers: the largest, the smallest after it, and the last. Below: cosine "
            "between the step of all weights and the one before it, and the way from the first "
            "checkpoint to the last. Turns depend "
            f"on the spacing of checkpoints, here {_spacing(data)[-1]:g} {word}s. After the thread "
            "on Nanda et al. (2023), arXiv:2301.05217, and Li et al. (2018), arXiv:1712.09913."
        )

    def _ends(self, data: xr.Dataset) -> list[tuple[float, float]]:
        """When and how fast the weights move at most, least after that, and in the end."""
        speed, epochs = self._speed(data), data["step_epoch"].values.astype(float)
        known = np.flatnonzero(np.isfinite(speed))
        top, end = int(np.nanargmax(speed)), int(known[-1])
        least = top + int(np.nanargmin(speed[top:]))
        return [(float(epochs[k]), float(speed[k])) for k in (top, least, end)]

    def _speed(self, data: xr.Dataset) -> np.ndarray:
        """Way of all weights per epoch; NaN at the first checkpoint."""
        squares = np.square(data["step_size"].values.astype(float)).sum(axis=1)
        return np.sqrt(squares) / _spacing(data)


def _per(data: xr.Dataset, *, line: bool = False) -> str:
    """What a step's length is for, maybe on a line of its own; nothing where that is a step."""
    word = clocks.word(data)
    return "" if word == "step" else f"{chr(10) if line else ' '}per {word}"


def _fold(largest: float, least: float) -> float:
    """How many times smaller, of the numbers as they are written on the curve."""
    return float(f"{largest:.2g}") / float(f"{least:.2g}")


def _degrees(cosine: float) -> float:
    """The angle of a cosine, which may be past 1 by rounding."""
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _signed(value: float) -> str:
    """A cosine in two decimals, with a minus as long as a plus."""
    return f"{value:.2f}".replace("-", "\u2212")


def whole_cosines(data: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of the steps of all weights with the step before, and with the whole way; NaN where
    there is none.
    """
    size = data["step_size"].values.astype(float)
    way = data["start_distance"].values.astype(float)[-1]
    whole = np.sqrt(np.square(size).sum(axis=1))
    before = np.concatenate([[np.nan], whole[:-1]])
    # inner products of all weights are the sums of those of the tensors
    last = np.nan_to_num(data["step_cosine"].values.astype(float))[1:] * size[1:] * size[:-1]
    along = np.nan_to_num(data["step_whole_cosine"].values.astype(float)) * size * way
    turns = np.concatenate([[np.nan], np.nansum(last, axis=1)])
    return _ratio(turns, whole * before), _ratio(
        np.nansum(along, axis=1), whole * np.sqrt(np.square(way).sum())
    )


def _ratio(product: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    known = np.isfinite(product) & (lengths > 0)
    return np.clip(
        np.divide(product, lengths, out=np.full(len(lengths), np.nan), where=known), -1, 1
    )


def _spacing(data: xr.Dataset) -> np.ndarray:
    """Epochs since the checkpoint before; 1 at the first."""
    return np.concatenate([[1.0], np.diff(data["step_epoch"].values.astype(float))])


def _curve(x: np.ndarray, y: np.ndarray, colour: str) -> panels.Curve:
    curve = panels.Curve.of(x, y, colour)
    return curve.where(np.isfinite(curve.y))
