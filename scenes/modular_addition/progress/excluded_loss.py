"""The paper's first progress measure: what training loses when one wave is taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from grokviz.scene import Scene, option, panels, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

TERMS = {"2d": "cos and sin of w(a + b)", "3d": "cos w(a + b \u2212 c)"}


@dataclass(frozen=True)
class ExcludedLoss(Scene):
    """Train loss without each frequency in turn, beside the train and the test loss."""

    name = "excluded-loss"
    panels = ("progress",)
    title = "Training leans on the key waves long before the test loss falls"
    watch = "without a key wave the training loss rises; without any other it stays"
    source = "arXiv:2301.05217, figures 12 and 15; notebook, analysis during training"
    needs = (
        "excluded_loss_2d_by_frequency", "excluded_accuracy_2d_by_frequency",
        "excluded_loss_3d_by_frequency", "excluded_accuracy_3d_by_frequency",
        "restricted_loss", "restricted_accuracy", "loss", "accuracy", "phase_end",
        "embedding_frequency_norm",
    )  # fmt: skip
    aspect = 2.0
    narrow_aspect = 1.0
    stills = ("grok-3000", "last")
    paper_figures = {"12": {}, "15": {}}  # noqa: RUF012

    kind: Literal["2d", "3d"] = option(
        "2d", "what is taken away: cos and sin of w(a+b), or cos w(a+b-c) alone"
    )
    measure: Literal["loss", "accuracy"] = option("loss", "loss or accuracy without the wave")
    form: Literal["curves", "bars"] = option("curves", "over epochs, or a bar a wave at one epoch")

    def draw(self, figure: FigureBase, data: xr.Dataset) -> dict[str, Any]:
        """A line for every frequency, and the unharmed train and test loss; or bars."""
        axes = style().panels(figure, left=5.0, right=7.4)[0][0]
        if self.form == "bars":
            return self._draw_bars(axes, data)
        losses = self.measure == "loss"
        self._draw_others(axes, data)
        ylabel = "training loss without the wave" if losses else "accuracy without the wave (%)"
        panel = panels.curve_panel(
            axes, data, self._curves(data), ylabel=ylabel, log=losses, named=True,
            ylim=None if losses else (-4, 104),
        )  # fmt: skip
        if not losses:
            axes.set_yticks([0, 50, 100])
        return {"panel": panel, "moving": panels.moving(panel)}

    def update(self, artists: dict[str, Any], data: xr.Dataset, i: int) -> None:
        """The past of each curve, and the marker; or the bars and the lines across them."""
        if self.form == "bars":
            artists["bars"].set_verts(artists["corners"](artists["heights"][i]))
            for name, (line, text) in artists["across"].items():
                height = artists["levels"][name][i]
                line.set_ydata([height, height])
                text.set_y(height)
            return
        panels.update_loss_panel(artists["panel"], float(data["epoch"].values[i]))

    def alt_text(self, data: xr.Dataset, i: int) -> str:
        """The numbers for each key frequency and for the largest of the rest."""
        now, keys = self._values(data).isel(epoch=i), panels.key_frequencies(data)
        rest = now.drop_sel(frequency=keys)
        whole = data[self.measure].isel(epoch=i)
        values = ", ".join(f"{k}: {float(now.sel(frequency=k)):.2g}" for k in keys)
        values = f"without key frequency {values}; " if keys else ""
        if rest.size:
            bound, worst = ("most", rest.max()) if self.measure == "loss" else ("least", rest.min())
            values += f"without any other at {bound} {float(worst):.2g}; "
        return (
            f"Training {self.measure} over epochs with one frequency's {TERMS[self.kind]} taken "
            f"out of the logits, a line a frequency. At epoch {int(now['epoch'])}, {values}"
            f"with all of them train {float(whole.sel(split='train')):.2g}, test "
            f"{float(whole.sel(split='test')):.2g}."
        )

    def caption(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            f"Excluded {self.measure}: that on the training pairs with {TERMS[self.kind]} "
            "at one frequency taken out of the logits; key frequencies in colour, all others in "
            f"grey, with the unchanged train and test {self.measure}. "
            "After Nanda et al. (2023), arXiv:2301.05217, figures 12 and 15."
        )

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after clean-up: nothing moves later."""
        return 0, panels.horizon(data)

    def _values(self, data: xr.Dataset) -> xr.DataArray:
        return data[f"excluded_{self.measure}_{self.kind}_by_frequency"]

    def _curves(self, data: xr.Dataset) -> dict[str, panels.Curve]:
        colours, x = style().colours, data["epoch"].values.astype(float)
        scale = 1.0 if self.measure == "loss" else 100.0
        whole = {name: data[self.measure].sel(split=name).values for name in ("train", "test")}
        curves = {
            name: panels.Curve(x, scale * values, getattr(colours, name))
            for name, values in whole.items()
        }
        for k in panels.key_frequencies(data):
            values = self._values(data).sel(frequency=k).values.astype(float)
            colour = colours.frequency(k, panels.embedded(data))
            curves[f"without {k}"] = panels.Curve(x, scale * values, colour)
        return curves

    def _draw_bars(self, axes: Axes, data: xr.Dataset) -> dict[str, Any]:
        """A bar for each wave, and lines at the unharmed model and at the key waves alone."""
        from matplotlib.collections import PolyCollection

        current_style, colours = style(), style().colours
        scale = 1.0 if self.measure == "loss" else 100.0
        heights = scale * self._values(data).values.astype(float)
        keys, k = panels.key_frequencies(data), data["frequency"].values.astype(float)
        levels = {
            "all waves": scale * data[self.measure].sel(split="train").values,
            "key waves\nalone": scale
            * data[f"restricted_{self.measure}"].sel(split="train").values,
        }
        face = [
            colours.frequency(int(n), panels.embedded(data)) if n in keys else colours.rest
            for n in k
        ]
        foot, top = -4.0, 104.0
        if self.measure == "loss":
            axes.set_yscale("log")
            least = min(float(values.min()) for values in (heights, *levels.values()))
            foot, top = least / 20, 3 * float(heights.max())
        bars = PolyCollection([], facecolors=face, lw=0, zorder=2.0)
        axes.add_collection(bars, autolim=False)
        axes.set(xlim=(0.2, k[-1] + 0.8), ylim=(foot, top), xlabel="frequency taken away")
        step = 20 if current_style.narrow(axes.figure) else 10
        axes.set_xticks([1, *range(step, int(k[-1]) - 2, step), int(k[-1])])
        axes.set_ylabel(f"training {self.measure}" + (" (%)" if self.measure != "loss" else ""))

        def corners(now: np.ndarray) -> np.ndarray:
            left, right, low = k - 0.37, k + 0.37, np.full_like(k, foot)
            across = np.stack([left, left, right, right], axis=1)
            return np.stack([across, np.stack([low, now, now, low], axis=1)], axis=2)

        across = {}
        for (name, _), (colour, va) in zip(
            levels.items(), ((colours.train, "bottom"), (colours.ink, "top")), strict=True
        ):
            line = axes.axhline(foot, color=colour, lw=current_style.line * 0.6, zorder=3)
            text = axes.text(
                1.01, foot, name, transform=axes.get_yaxis_transform(), color=colour, va=va,
                fontsize=current_style.small, fontweight="bold",
            )  # fmt: skip
            across[name] = (line, text)
        return {
            "bars": bars, "corners": corners, "heights": heights, "levels": levels,
            "across": across, "moving": [bars, list(across.values())],
        }  # fmt: skip

    def _draw_others(self, axes: Axes, data: xr.Dataset) -> None:
        """The frequencies that are not key: they lie on the train curve, or just above it."""
        from matplotlib.collections import LineCollection

        rest = self._values(data).drop_sel(frequency=panels.key_frequencies(data))
        values = rest.values.astype(float) * (1.0 if self.measure == "loss" else 100.0)
        x = np.broadcast_to(data["epoch"].values.astype(float)[:, None], values.shape)
        lines = np.stack([x, values], axis=-1).transpose(1, 0, 2)
        colour, width = style().colours.rest, style().line * 0.35
        axes.add_collection(
            LineCollection(list(lines), colors=colour, linewidths=width, zorder=1.5), autolim=False
        )
