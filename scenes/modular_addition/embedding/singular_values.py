"""The notebook's third animation: the ranks of the embedding and of the neuron-logit map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from grokviz.scene import Scene, option, panels, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

MATRICES = {"$W_E$": "embedding_singular_value", "$W_L$": "neuron_logit_singular_value"}
SMALL = 0.1


@dataclass(frozen=True)
class SingularValues(Scene):
    """Singular values of W_E and of W_L at each moment, beside the loss."""

    name = "singular-values"
    title = "The weights collapse onto a few directions, two for each wave"
    watch = "the tail of singular values dies while the test loss falls"
    source = "notebook of arXiv:2301.05217, analysis during training; paper, section 4.2"
    loops = True
    needs = (*MATRICES.values(), "logged_train_loss", "logged_test_loss", "phase_end", "loss")
    aspect = 2.0
    narrow_aspect = 0.6
    stills = ("grok-3000", "last")

    scale: Literal["linear", "log"] = option("linear", "how values are spaced")

    def draw(self, figure: FigureBase, data: xr.Dataset) -> dict[str, Any]:
        """Bars by rank for both matrices, and the loss."""
        current_style = style()
        wide, high = current_style.ems(figure)
        if current_style.narrow(figure):
            edge = 0.62 * high
            bottom = high - edge + 2.0
            grid = current_style.panels(
                figure, heights=(1, 1), left=5.2, bottom=bottom, vgap=1.8, top=1.0
            )
            losses = current_style.panels(figure, top=edge + 3.4, left=5.2)[0][0]
        else:
            edge = 0.62 * wide
            grid = current_style.panels(
                figure, heights=(1, 1), left=4.8, right=wide - edge, vgap=1.8
            )
            losses = current_style.panels(figure, left=edge + 5.5)[0][0]
        upper, lower = (row[0] for row in grid)
        bars = [
            self._draw_bars(axes, data, name)
            for axes, name in zip((upper, lower), MATRICES, strict=True)
        ]
        upper.tick_params(labelbottom=False)
        lower.set_xlabel("rank of the singular value")
        loss = panels.loss_panel(losses, data)
        moving = [[b["been"], b["now"], b["text"]] for b in bars]
        return {"bars": bars, "loss": loss, "moving": [moving, panels.moving(loss)]}

    def update(self, artists: dict[str, Any], data: xr.Dataset, i: int) -> None:
        """Bars, how high each has been, how many are left, and the marker."""
        for bars in artists["bars"]:
            values = bars["values"][i]
            bars["now"].set_verts(_columns(values, bars["low"]))
            bars["been"].set_verts(_columns(bars["highest"][i], bars["low"]))
            bars["now"].set_facecolors(
                np.where(_large(values)[:, None], bars["strong"], bars["weak"])
            )
            bars["text"].set_text(f"{bars['name']}: {_large(values).sum()} {bars['words']}")
        panels.update_loss_panel(artists["loss"], float(data["epoch"].values[i]))

    def alt_text(self, data: xr.Dataset, i: int) -> str:
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
        at, loss = int(data["epoch"].values[i]), data["loss"].isel(epoch=i)
        return (
            f"Bars of the singular values by rank at epoch {at}: {'; '.join(words)}. Beside them "
            f"the losses: train {float(loss.sel(split='train')):.2g}, test "
            f"{float(loss.sel(split='test')):.2g}."
        )

    def caption(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Singular values of the embedding $W_E$ and of the neuron-logit map $W_L = W_U W_out$ "
            "and the loss; pale: the largest value so far. Each wave takes two directions, its "
            "cosine and its sine. After the notebook of Nanda et al. (2023), arXiv:2301.05217, "
            "section 4.2."
        ).replace("W_out", "W_{\\mathrm{out}}")

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after clean-up: little moves later."""
        return 0, panels.horizon(data)

    def _draw_bars(self, axes: Axes, data: xr.Dataset, name: str) -> dict[str, Any]:
        from matplotlib.collections import PolyCollection
        from matplotlib.colors import to_rgba
        from matplotlib.ticker import MaxNLocator

        current_style = style()
        colours = current_style.colours
        values = data[MATRICES[name]].values.astype(float)
        top = float(values[data["epoch"].values <= panels.horizon(data)].max())
        low = 0.0
        if self.scale == "log":
            low = top / 3000
            axes.set_yscale("log")
        else:
            axes.yaxis.set_major_locator(MaxNLocator(3))
        been = PolyCollection([], facecolors=colours.rest, alpha=0.35, lw=0, zorder=1.8)
        now = PolyCollection([], facecolors=colours.rest, lw=0, zorder=2.0)
        axes.add_collection(been, autolim=False)
        axes.add_collection(now, autolim=False)
        ranks = values.shape[1]
        axes.set(xlim=(0.2, ranks + 0.8), ylim=(low, 1.08 * top))
        axes.set_xticks([1, *range(20, ranks - 5, 20), ranks])
        axes.set_ylabel("singular value")
        text = axes.text(
            0.99, 0.9, "", transform=axes.transAxes, ha="right", va="top", fontweight="bold",
        )  # fmt: skip
        words = "above a tenth" + ("" if current_style.narrow(axes.figure) else " of the largest")
        return {
            "now": now, "been": been, "text": text, "values": values, "low": low, "name": name,
            "words": words,
            "highest": np.maximum.accumulate(values),
            "strong": to_rgba(colours.ink), "weak": to_rgba(colours.rest),
        }  # fmt: skip


def _large(values: np.ndarray) -> np.ndarray:
    large: np.ndarray = values > SMALL * values.max()
    return large


def _columns(heights: np.ndarray, low: float) -> np.ndarray:
    """Corners of every bar: (bar, 4, 2)."""
    x = np.arange(1.0, len(heights) + 1)
    left, right, foot = x - 0.4, x + 0.4, np.full_like(heights, low)
    across = np.stack([left, left, right, right], axis=1)
    top = np.maximum(heights, low)
    return np.stack([across, np.stack([foot, top, top, foot], axis=1)], axis=2)
