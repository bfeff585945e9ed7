"""The logits' two-dimensional spectrum: products of the key frequencies' waves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.any._papers import after

from grokviz.scene import Drawing, Scene, frequencies, grids, option, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

BEND = 0.5
"""Norms are shown to this power, so that the haze before grokking is seen."""


@dataclass(frozen=True)
class LogitSpectrum(Scene):
    """Norm over the classes of the logits' 2-D Fourier transform, and the loss."""

    name = "logit-spectrum"
    title = "The logits keep only products of the key frequencies' waves"
    watch = "thousands of waves at first; in the end only those in the rings"
    source = "arXiv:2301.05217, figure 4"
    loops = True
    needs = (
        "logit_spectrum", "key_neurons", "embedding_frequency_norm", "logged_train_loss",
        "logged_test_loss", "phase_end",
    )  # fmt: skip
    paper_figures = {"4c": {"loss": False}}  # noqa: RUF012
    clock = "field_epoch"
    aspect = 2.0
    narrow_aspect = 0.57
    stills = ("grok-3000", "last")

    loss: bool = option(True, "the loss beside it")

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The spectrum, rings around the key frequencies, and the loss."""
        current_style, p = style(), data.sizes["component"]
        wide, high = current_style.ems(figure)
        narrow = current_style.narrow(figure)
        share, room = (0.0, 0.0, 1.0, 1.0), None
        if self.loss and narrow:
            share = (0, 13.6 / high, 1, 1)
            room = current_style.panels(figure, top=high - 13.6 + 3.2, left=4.9)[0][0]
        elif self.loss:
            left = high - 3.65 + 4.7
            share = (0, 0, left / wide, 1)
            room = current_style.panels(figure, left=left + 5.4)[0][0]
        axes = grids.square_axes(figure, 1, 1, p, left=3.7, bottom=2.4, share=share)[0]
        # the constant's norm says nothing of a and b, and would hide the rest
        top = float(data["logit_spectrum"].values[-1].ravel()[1:].max())
        image = grids.heat(axes, (p, p), top=top**BEND)
        _name_components(axes, p)
        _rings(axes, frequencies.key_frequencies(data), data)
        text = grids.figure_above(axes)

        def update(i: int) -> None:
            norms = data["logit_spectrum"].values[i].astype(float)
            image.set_data(norms.T**BEND)
            text.set_text(f"{_ringed(norms, data):.0%} of the variance in the rings")

        drawing = Drawing([image, text], update)
        if room is None:
            return drawing
        return Drawing.of(drawing, panels.LossPanel(room, data).along(data["field_epoch"]))

    def description(self, data: xr.Dataset, i: int) -> str:
        """How much of the logits' variance the key frequencies' products hold."""
        norms = data["logit_spectrum"].values[i].astype(float)
        keys = frequencies.key_frequencies(data)
        return (
            f"Heatmap of the norm of the logits' 2-D Fourier transform at "
            f"{clocks.at(data, 'field_epoch', i)}, component over a by component over b. The "
            f"{4 * len(keys)} products of cosine and sine of one key frequency "
            f"({', '.join(map(str, keys))}) hold {_ringed(norms, data):.1%} of the variance over "
            f"(a, b); the largest norm is {norms.max():.3g}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Norm over the classes of the logits' 2-D Fourier transform over (a, b) (colour: its "
            "square root). Rings: the four products of a key frequency's cosine and sine, from "
            "which cos w(a + b) and sin w(a + b) are made. "
            f"{after('figure 4')}"
        )


def _ringed(norms: np.ndarray, data: xr.Dataset) -> float:
    """Share of the variance over (a, b) in the products of a key frequency with itself."""
    squares = np.square(norms)
    squares[0, 0] = 0
    inside = sum(
        squares[2 * k - 1 : 2 * k + 1, 2 * k - 1 : 2 * k + 1].sum()
        for k in frequencies.key_frequencies(data)
    )
    return float(inside / max(squares.sum(), 1e-30))


def _name_components(axes: Axes, p: int) -> None:
    """Frequencies where their components lie."""
    last = (p - 1) // 2
    shown = [*range(10, last - 4, 10), last]
    places = [0, *(2 * k - 0.5 for k in shown)]
    names = ["0", *map(str, shown)]
    axes.set_xticks(places, names)
    axes.set_yticks(places, names)
    axes.tick_params(pad=0.25 * style().points)
    axes.set_xlabel("frequency in a", labelpad=0)
    axes.set_ylabel("frequency in b", labelpad=0)


def _rings(axes: Axes, keys: list[int], data: xr.Dataset) -> None:
    """A ring around each key frequency's products, its number beside it."""
    current_style, above, last = style(), False, data.sizes["component"] // 2
    for n, k in enumerate(keys):
        colour, at = frequencies.colour(k, data), 2 * k - 0.5
        axes.plot(
            [at], [at], "o", mfc="none", mec=colour, ms=1.2 * current_style.points,
            mew=current_style.line * 0.7, zorder=3,
        )  # fmt: skip
        # neighbours name themselves on opposite sides of the diagonal
        above = not above if n and k - keys[n - 1] < 5 else k > 0.9 * last
        side = -1 if above else 1
        axes.annotate(
            str(k), (at, at), xytext=(side * 0.9 * current_style.points, 0),
            textcoords="offset points",
            ha="right" if above else "left", va="center", color=colour, fontweight="bold",
            zorder=4,
        )  # fmt: skip
