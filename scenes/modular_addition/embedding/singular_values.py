"""The notebook's third animation: the ranks of the embedding and of the neuron-logit map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.modular_addition import _claims

from grokviz.dataset.numerics import ties
from grokviz.scene import Claim, Drawing, Scene, option, panels, style, timeline
from grokviz.scene import clock as clocks
from grokviz.scene.drawing import Part

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

MATRICES = {"$W_L$": "neuron_logit_singular_value", "$W_E$": "embedding_singular_value"}
NAMES = {"$W_E$": "numbers into the network, $W_E$", "$W_L$": "neurons to answers, $W_L$"}
SMALL = 0.1
"""A singular value below this share of the largest is of a direction that hardly matters."""

FEWER = 0.5
"""The share of its first directions that a matrix keeps at most, where it has collapsed."""


@dataclass(frozen=True)
class SingularValues(Scene):
    """Singular values of W_L and of W_E over training, a line each."""

    name = "singular-values"
    title = "The weights collapse onto a few directions, the output's first"
    watch = "Each line is a direction's strength, grey if gone by now"
    source = "notebook of arXiv:2301.05217, analysis during training; paper, section 4.2"
    loops = True
    needs = (*MATRICES.values(), "logged_train_loss", "logged_test_loss", "phase_end")
    aspect = 2.0
    narrow_aspect = 1.05
    aspects = {"show": {"both": (2.0, 0.8)}}  # noqa: RUF012
    stills = ("grok+10000", "grok-3000", "last")

    scale: Literal["linear", "log"] = option("linear", "how values are spaced")
    show: Literal["output", "both"] = option(
        "output", "the map from neurons to answers alone, or the embedding too"
    )

    def claim(self, data: xr.Dataset) -> Claim:
        """From how many directions to how many the neuron-logit map falls."""
        end = _claims.film_end(data)
        first, last = (_count(data, "$W_L$", i) for i in (0, end))
        numbers = {"first": first, "last": last}
        if 0 < last <= FEWER * first:
            some = _claims.in_words(last, "direction")
            sentence = f"The neurons come to write the answer in only {some}"
            keys = data.sizes.get("key_frequency", 0)
            each = f"; two are left for each of {_claims.in_words(keys, 'wave')}"
            watch = f"{self.watch}{each if keys > 1 and last == 2 * keys else ''}"
            return Claim(sentence, watch, numbers=numbers)
        words = f"The neuron-logit map has {last} directions at {_claims.moment(data, end)}"
        return _claims.instead(data, f"{words}, {first} at first" if end else words, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A line a singular value, with when the run turned."""
        narrow = style().narrow(figure)
        right, matrices = 6.6 if narrow else 8.0, list(MATRICES)[: 2 if self.show == "both" else 1]
        top = 3.2 if self.show == "both" else 1.8
        rooms = style().beside(
            figure, (1.9, 1)[: len(matrices)], (1.3, 1)[: len(matrices)], left=4.6, right=right,
            top=top, gap=right + 4.4, vgap=5.4,
        )  # fmt: skip
        parts = list[Part]()
        for axes, matrix in zip(rooms, matrices, strict=True):
            lines = _Lines(axes, data, matrix, log=self.scale == "log")
            parts += [lines, timeline.Turns(axes, data)]
            if self.show == "both":
                name = matrix if narrow else NAMES[matrix]
                style().note(axes, name, (0, 1), (0, 1.9), fontweight="bold")
        return Drawing.of(*parts)

    def description(self, data: xr.Dataset, i: int) -> str:
        """How many values are large, and how far the next one falls."""
        words = []
        for name, variable in MATRICES.items():
            values = data[variable].isel(epoch=i).values
            count = int(_large(values).sum())
            after = f", the next is {values[count]:.2g}" if count < len(values) else ""
            words.append(
                f"{name.strip('$')} has {count} of {len(values)} above a tenth of its largest, "
                f"{values[0]:.3g}{after}"
            )
        return (
            f"Lines of the singular values over training, at {clocks.at(data, 'epoch', i)}: "
            f"{'; '.join(words)}. Losses: train {panels.loss_at(data, 'train', i)}, test "
            f"{panels.loss_at(data, 'test', i)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        both = "and of the embedding $W_E$ " if self.show == "both" else ""
        return (
            f"Singular values of the neuron-logit map $W_L = W_U W_out$ {both}"
            "over training; in ink: those above a tenth of the largest, which are counted as "
            "directions, at the moment shown. "
            "A wave is two directions, its cosine and its sine. "
            "After the notebook of Nanda et al. (2023), arXiv:2301.05217, section 4.2."
        ).replace("W_out", "W_{\\mathrm{out}}")


class _Lines:
    """A line a singular value, in ink while it is large, and how many are."""

    def __init__(self, axes: Axes, data: xr.Dataset, matrix: str, *, log: bool) -> None:
        from matplotlib.collections import LineCollection
        from matplotlib.colors import to_rgba_array
        from matplotlib.ticker import MaxNLocator

        current_style, colours = style(), style().colours
        self.axes, self.epochs = axes, data["epoch"].values.astype(float)
        self.values = data[MATRICES[matrix]].values.astype(float)
        self.end = panels.horizon(data)
        inside = self.values[self.epochs <= self.end]
        finite = inside[np.isfinite(inside)]
        top = float(finite.max()) if (finite > 0).any() else 1.0
        low = top / 3000 if log else 0.0
        if log:
            axes.set_yscale("log")
        else:
            axes.yaxis.set_major_locator(MaxNLocator(4))
        self.values = np.maximum(self.values, low)
        panels.thousands(axes)
        axes.set(xlim=(0, self.end), ylim=(low, 1.06 * top), xlabel=clocks.word(data))
        axes.set_ylabel("singular value")
        self.faces = to_rgba_array([colours.faint, colours.ink])
        self.wide = np.array([0.28, 0.6]) * current_style.line
        self.lines: Any = LineCollection([], zorder=3, capstyle="butt")
        axes.add_collection(self.lines, autolim=False)
        if current_style.ghost:
            ghost: Any = LineCollection(
                self._segments(len(self.epochs)), colors=colours.rest, lw=self.wide[0], zorder=2
            )
            axes.add_collection(ghost, autolim=False)
        look: dict[str, Any] = {"ha": "left", "va": "center", "linespacing": 1.1}
        self.words = [
            current_style.note(axes, "", (1, 0), (0.6, 0), fontweight="bold", color=colour, **look)
            for colour in (colours.ink, colours.muted)
        ]

    @property
    def moving(self) -> list[Any]:
        return [self.lines, *self.words]

    def update(self, i: int) -> None:
        end = self.epochs[-1] if self.epochs[i] > self.end else self.end
        if end != self.axes.get_xlim()[1]:
            self.axes.set_xlim(0, max(end, 1.0))
        large = _large(self.values[i])
        # what is large lies above what is not, as the largest come first
        self.lines.set_segments(self._segments(i + 1))
        self.lines.set_color(self.faces[large.astype(int)[::-1]])
        self.lines.set_linewidth(self.wide[large.astype(int)[::-1]])
        self._say(i, large)

    def _segments(self, stop: int) -> np.ndarray:
        """Points of each line up to a checkpoint, the smallest value's first."""
        shown = np.nan_to_num(self.values[:stop, ::-1], posinf=0.0, neginf=0.0)
        x = np.broadcast_to(self.epochs[:stop, None], shown.shape)
        return np.stack([x, shown], axis=2).swapaxes(0, 1)

    def _say(self, i: int, large: np.ndarray) -> None:
        """How many are large and how many have faded, level with their lines."""
        count, values = int(large.sum()), np.nan_to_num(self.values[i])
        groups = (values[large], values[~large])
        words = ("direction" if count == 1 else "directions", "faded")
        em = style().pixels(self.axes, style().small) / self.axes.bbox.height
        across = self.axes.transData + self.axes.transAxes.inverted()
        levels = [
            float(across.transform((0, max(group.mean(), 1e-12)))[1]) if group.size else 0.0
            for group in groups
        ]
        low = min(max(levels[1], 0.5 * em), 1.0)
        high = min(max(levels[0], low + 2.6 * em), 1.0)
        for text, group, word, level in zip(self.words, groups, words, (high, low), strict=True):
            text.set_text(f"{group.size}\n{word}" if group.size else "")
            text.xy = (1, level)


def _large(values: np.ndarray) -> np.ndarray:
    """Which singular values are above a tenth of the largest; none that is no number."""
    return ties.exceeds(values, SMALL * float(np.max(values)))


def _count(data: xr.Dataset, matrix: str, i: int) -> int:
    """How many directions a matrix has."""
    return int(_large(data[MATRICES[matrix]].values[i].astype(float)).sum())
