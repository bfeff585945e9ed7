"""The notebook's third animation: the ranks of the embedding and of the neuron-logit map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from grokviz.scenes.modular_addition import _claims

from grokviz.dataset.numerics import ties
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.bars import Bars

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

MATRICES = {"$W_L$": "neuron_logit_singular_value", "$W_E$": "embedding_singular_value"}
NAMES = {"$W_E$": "embedding $W_E$", "$W_L$": "neuron-logit map $W_L$"}
SMALL = 0.1
"""A singular value below this share of the largest is of a direction that hardly matters."""

FEWER = 0.5
"""The share of its first directions that a matrix keeps at most, where it has collapsed."""


@dataclass(frozen=True)
class SingularValues(Scene):
    """Singular values of W_L and of W_E at each moment, beside the loss."""

    name = "singular-values"
    title = "The weights collapse onto a few directions, the output's first"
    watch = "the tail of the neuron-logit map dies while the test loss falls"
    source = "notebook of arXiv:2301.05217, analysis during training; paper, section 4.2"
    loops = True
    needs = (*MATRICES.values(), "logged_train_loss", "logged_test_loss", "phase_end")
    aspect = 2.0
    narrow_aspect = 0.72
    stills = ("grok+10000", "grok-3000", "last")

    scale: Literal["linear", "log"] = option("linear", "how values are spaced")

    def claim(self, data: xr.Dataset) -> Claim:
        """From how many directions to how many the neuron-logit map falls."""
        end = _claims.film_end(data)
        first, last = (_count(data, "$W_L$", i) for i in (0, end))
        numbers = {"first": first, "last": last}
        if 0 < last <= FEWER * first:
            keys = data.sizes.get("key_frequency", 0)
            each = "two a key frequency" if last == 2 * keys else ""
            embedding = f"the embedding keeps {_count(data, '$W_E$', end)}"
            strong = "strong: over a tenth of the largest"
            watch = "; ".join(words for words in (strong, each, embedding) if words)
            sentence = f"The neuron-logit map falls from {first} directions to {last}"
            return Claim(sentence, watch, numbers=numbers)
        words = f"The neuron-logit map has {last} directions at {_claims.moment(data, end)}"
        return _claims.instead(data, f"{words}, {first} at first" if end else words, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Bars by rank for both matrices, and the loss."""
        wide, high = style().ems(figure)
        if style().narrow(figure):
            edge = 0.62 * high
            rooms = style().stack(
                figure, (1, 1), left=5.2, bottom=high - edge + 2.0, vgap=1.8, top=1.0
            )
            losses = style().panels(figure, top=edge + 3.4, left=5.2)[0][0]
        else:
            edge = 0.62 * wide
            rooms = style().stack(figure, (1, 1), left=4.8, right=wide - edge, vgap=1.8)
            losses = style().panels(figure, left=edge + 5.5)[0][0]
        bars = [self._ranks(axes, data, m) for axes, m in zip(rooms, MATRICES, strict=True)]
        panels.without_time(rooms[0])
        rooms[1].set_xlabel("rank of the singular value")
        return Drawing.of(*bars, panels.LossPanel(losses, data).along(data["epoch"]))

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
            f"Bars of the singular values by rank at {clocks.at(data, 'epoch', i)}: "
            f"{'; '.join(words)}. Beside them the losses: train "
            f"{panels.loss_at(data, 'train', i)}, test {panels.loss_at(data, 'test', i)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Singular values of the neuron-logit map $W_L = W_U W_out$ and of the embedding $W_E$ "
            "and the loss; strong: those above a tenth of the largest, which are counted as "
            f"directions; line: the values at {_claims.moment(data, 0)}. "
            "A wave is two directions, its cosine and its sine. "
            "After the notebook of Nanda et al. (2023), arXiv:2301.05217, section 4.2."
        ).replace("W_out", "W_{\\mathrm{out}}")

    def _ranks(self, axes: Axes, data: xr.Dataset, matrix: str) -> Drawing:
        """Bars of singular values by rank, and how many of them are large."""
        from matplotlib.ticker import MaxNLocator

        values = data[MATRICES[matrix]].values.astype(float)
        inside = values[data["epoch"].values <= panels.horizon(data)]
        finite = inside[np.isfinite(inside)]
        top = float(finite.max()) if (finite > 0).any() else 1.0
        low = 0.0
        if self.scale == "log":
            low = top / 3000
            axes.set_yscale("log")
        else:
            axes.yaxis.set_major_locator(MaxNLocator(3))
        count = values.shape[1]
        axes.set(xlim=(0.2, count + 0.8), ylim=(low, 1.08 * top))
        axes.set_xticks(list(dict.fromkeys([1, *range(20, count - 5, 20), count])))
        axes.set_ylabel("singular value")
        words = "above a tenth" + ("" if style().narrow(axes.figure) else " of the largest")
        rest, ink, ranks = style().colours.rest, style().colours.ink, np.arange(1.0, count + 1)
        bars = Bars(axes, ranks, np.maximum(values, low), rest, width=0.8, foot=low, trace=0)
        self._draw_first(axes, data, matrix, low)
        text = axes.text(
            0.99, 0.9, "", transform=axes.transAxes, ha="right", va="top", fontweight="bold",
        )  # fmt: skip
        name = NAMES[matrix] if style().slide else matrix

        def update(i: int) -> None:
            large = _large(values[i])
            bars.update(i)
            bars.now.set_facecolors([ink if value else rest for value in large])
            text.set_text(f"{name}: {large.sum()} {words}")

        return Drawing([bars.moving, text], update)

    def _draw_first(self, axes: Axes, data: xr.Dataset, matrix: str, low: float) -> None:
        """A line over the values at the first moment, and how many of them are large."""
        values, colour = data[MATRICES[matrix]].values[0].astype(float), style().colours.muted
        values = np.maximum(np.nan_to_num(values, posinf=low, neginf=low), low)
        edges = np.arange(len(values) + 1) + 0.5
        axes.stairs(values, edges, baseline=None, color=colour, lw=0.6 * style().line, zorder=3)
        k = 3 * len(values) // 5
        style().label(
            axes, k + 1, values[k], f"{_claims.moment(data, 0)}: {_count(data, matrix, 0)}",
            lift=0.35, ha="left", color=colour, zorder=4,
        )  # fmt: skip


def _large(values: np.ndarray) -> np.ndarray:
    """Which singular values are above a tenth of the largest; none that is no number."""
    return ties.exceeds(values, SMALL * float(np.max(values)))


def _count(data: xr.Dataset, matrix: str, i: int) -> int:
    """How many directions a matrix has."""
    return int(_large(data[MATRICES[matrix]].values[i].astype(float)).sum())
