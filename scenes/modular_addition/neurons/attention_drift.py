"""Whom each head looks at on average: lopsided while memorising, even afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.dataset import ties
from grokviz.scene import Scene, grids, panels, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


@dataclass(frozen=True)
class AttentionDrift(Scene):
    """Mean attention from '=' by head and position, and its difference between a and b."""

    name = "attention-drift"
    title = "Attention is lopsided first and ends even between a and b"
    watch = "each head favours one input until the test loss falls; then both alike"
    source = "Colab of arXiv:2301.05217, analysis during training (animations 7 and 8)"
    needs = (
        "attention_mean", "head_frequency", "embedding_frequency_norm",
        "logged_test_loss", "phase_end", "loss",
    )  # fmt: skip
    aspect = 2.3
    narrow_aspect = 0.72
    stills = ("grok-3000", "last")

    def draw(self, figure: FigureBase, data: xr.Dataset) -> dict[str, Any]:
        """Heads by positions as a table, and lines of the difference."""
        narrow = style().narrow(figure)
        rooms = style().panels(
            figure, widths=(1,) if narrow else (1, 2), heights=(1, 2.2) if narrow else (1,),
            left=4.9, top=3.0, gap=7.0, vgap=5.6,
        )  # fmt: skip
        first, second = (rooms[0][0], rooms[1][0]) if narrow else rooms[0]
        table = _Table.of(first, data)
        lines = _differences(second, data)
        return {"table": table, "lines": lines, "moving": [table.moving, panels.moving(lines)]}

    def update(self, artists: dict[str, Any], data: xr.Dataset, i: int) -> None:
        """Means at that epoch, and the past of the lines."""
        artists["table"].show(data["attention_mean"].values[i])
        panels.update_loss_panel(artists["lines"], float(data["epoch"].values[i]))
        if artists["lines"]["named_at"] != artists["lines"]["end"]:
            _name_heads(artists["lines"])

    def alt_text(self, data: xr.Dataset, i: int) -> str:
        """Means of each head, and the largest lopsidedness of all."""
        now = data["attention_mean"].isel(epoch=i)
        heads = [
            f"head {int(h)} {float(now.sel(head=h, position='a')):.2f} to a and "
            f"{float(now.sel(head=h, position='b')):.2f} to b"
            for h in data["head"].values
        ]
        whole = data["attention_mean"]
        gap = whole.sel(position="a") - whole.sel(position="b")
        at = ties.first_largest(np.abs(gap.values).max(axis=1))
        return (
            f"Mean attention from '=' at epoch {int(now['epoch'])}: {'; '.join(heads)}. Beside "
            "it the difference between a and b over epochs, whose largest absolute value is "
            f"{float(np.abs(gap.values).max()):.2f}, at epoch {int(data['epoch'].values[at])}, "
            f"and at the end {float(np.abs(gap.values[-1]).max()):.3f}."
        )

    def caption(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Mean over all pairs of the attention from '=' to a, to b and to itself, for every "
            "head, and the mean attention to a less that to b over training; heads have the "
            "colour of their frequency in the last checkpoint. After the notebook of Nanda et al. "
            "(2023), arXiv:2301.05217."
        )

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after clean-up: the means stay even from there on."""
        return 0, panels.horizon(data)


@dataclass
class _Table:
    """A cell for each head and position, its number written in it."""

    image: Any
    texts: list[list[Any]]

    @classmethod
    def of(cls, axes: Axes, data: xr.Dataset) -> _Table:
        heads, positions = data.sizes["head"], data.sizes["position"]
        image = grids.heat(axes, (heads, positions))
        axes.invert_yaxis()
        names = ["to " + str(name) for name in data["position"].values]
        axes.set_xticks(range(positions), names)
        axes.set_yticks(range(heads), [f"head {h}" for h in data["head"].values])
        axes.tick_params(pad=0.3 * style().points)
        axes.set_title("mean attention from =", fontweight="normal", pad=0.5 * style().points)
        gap: dict[str, Any] = {
            "color": style().colours.background,
            "lw": style().line * 0.7,
            "zorder": 2,
        }
        for y in range(1, heads):
            axes.axhline(y - 0.5, **gap)
        for x in range(1, positions):
            axes.axvline(x - 0.5, **gap)
        texts = [
            [axes.text(x, y, "", ha="center", va="center", zorder=3) for x in range(positions)]
            for y in range(heads)
        ]
        return cls(image, texts)

    @property
    def moving(self) -> list[Any]:
        return [self.image, *(text for row in self.texts for text in row)]

    def show(self, mean: np.ndarray) -> None:
        self.image.set_data(mean)
        # ink or paper, whichever stands out from the cell
        shades = self.image.cmap(self.image.norm(mean))[..., :3] @ [0.299, 0.587, 0.114]
        for row, values, lights in zip(self.texts, mean, shades, strict=True):
            for text, value, light in zip(row, values, lights, strict=True):
                text.set_text(f"{value:.2f}")
                text.set_color("#1d2129" if light > 0.55 else "#ffffff")


def _differences(axes: Axes, data: xr.Dataset) -> dict[str, Any]:
    """A line for each head: attention to a less that to b."""
    current_style, epochs = style(), data["epoch"].values.astype(float)
    mean = data["attention_mean"]
    gap = (mean.sel(position="a") - mean.sel(position="b")).values
    curves = {}
    for n, head in enumerate(data["head"].values):
        k = int(data["head_frequency"].values[-1, n])
        colour = current_style.colours.frequency(k, panels.embedded(data))
        curves[f"_head {head}"] = panels.Curve(epochs, gap[:, n], colour)
    artists = panels.curve_panel(
        axes, data, curves, ylabel="attention to a less that to b", named=True
    )
    top = 1.15 * max(float(np.abs(gap).max()), 0.05)
    axes.set_ylim(-top, top)
    _name_heads(artists)
    return artists


def _name_heads(artists: dict[str, Any]) -> None:
    """Names on the lines while they are apart: the upper half above, the lower below."""
    current_style, curves = style(), artists["curves"]
    x = next(iter(curves.values())).x
    at = int(np.abs(x - 0.1 * panels.horizon(artists["data"])).argmin())
    middle = float(np.median([curve.y[at] for curve in curves.values()]))
    flush = "right" if x[at] > 0.7 * artists["end"] else "left"
    for name, curve in curves.items():
        side = 1 if curve.y[at] >= middle else -1
        current_style.label(
            artists["axes"], x[at], curve.y[at], name[1:], lift=0.3 * side, ha=flush,
            va="bottom" if side > 0 else "top", color=curve.colour, zorder=6,
        )  # fmt: skip
    artists["named_at"] = artists["end"]
