"""The last step of the algorithm: the logits are a sum of waves that all peak at the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.scene import Scene, option, panels, style
from grokviz.tasks.modular_addition import fields

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

SHIFT = "a + b − c"


@dataclass(frozen=True)
class LogitWaves(Scene):
    """Each key cosine, their sum beside the mean logit by a + b - c, and what is left over."""

    name = "logit-waves"
    panels = ("logits",)
    title = "The logits are a few waves that all peak at the right answer"
    watch = "everywhere else the waves cancel"
    source = "thread, tweet 7; arXiv:2301.05217, section 4.2"
    loops = True
    needs = (
        "logit_wave", "logit_wave_spread", "cosine_coefficient", "logit_variance_explained",
        "key_neurons", "embedding_frequency_norm", "logged_train_loss", "logged_test_loss",
        "phase_end", "loss",
    )  # fmt: skip
    aspect = 1.85
    narrow_aspect = 0.47
    stills = ("grok-3000", "last")

    reach: int = option(14, "how far from the answer the single waves are shown")

    def __post_init__(self) -> None:
        if self.reach < 2:
            raise ValueError(f"reach={self.reach} is not possible; give at least 2")

    def draw(self, figure: FigureBase, data: xr.Dataset) -> dict[str, Any]:
        """The waves one by one, their sum with the logits, the rest, and the loss."""
        narrow = style().narrow(figure)
        if narrow:
            grid = style().panels(figure, heights=(1.4, 1.3, 0.8, 1.2), left=5.0, top=2.0, vgap=5.0)
            ridge, total, rest, losses = (row[0] for row in grid)
        else:
            (ridge, total), (losses, rest) = style().panels(
                figure, widths=(1, 1.35), heights=(1.15, 1), left=5.0, top=1.8, vgap=5.8
            )
        span = _limits(data)
        waves = self._waves(ridge, data)
        sums = _sum(total, data, span)
        height = (span[1] - span[0]) * rest.bbox.height / total.bbox.height
        left_over = _rest(rest, data, 0.5 * height)
        loss = panels.loss_panel(losses, data)
        return {
            "waves": waves, "sum": sums, "rest": left_over, "loss": loss,
            "moving": [waves["lines"], waves["texts"], list(sums.values()),
                       list(left_over.values()), panels.moving(loss)],
        }  # fmt: skip

    def update(self, artists: dict[str, Any], data: xr.Dataset, i: int) -> None:
        """Height of each wave, their sum, the mean logits, and the marker."""
        order, at = _order(data)
        heights, waves = _heights(data, i), artists["waves"]
        for line, text, row, height in zip(
            waves["lines"], waves["texts"], range(len(heights)), heights, strict=True
        ):
            line.set_ydata(-row + 0.45 * height / waves["top"] * waves["unit"][row])
            text.set_text(f"{round(height, 1) + 0.0:.1f}".replace("-", "−"))
        mean = data["logit_wave"].values[i][order].astype(float)
        spread = data["logit_wave_spread"].values[i][order].astype(float)
        fitted = fields.logit_waves(data, i).sum(axis=0)[order]
        artists["sum"]["dots"].set_data(at, mean)
        artists["sum"]["line"].set_data(at, fitted)
        artists["sum"]["text"].set_text(_explained(data, i))
        artists["rest"]["band"].set_verts([_band(at, mean - fitted, spread)])
        artists["rest"]["line"].set_data(at, mean - fitted)
        panels.update_loss_panel(artists["loss"], float(data["epoch"].values[i]))

    def alt_text(self, data: xr.Dataset, i: int) -> str:
        """Heights of the waves, the peak, and how much they explain."""
        now = data["logit_wave"].isel(epoch=i).values
        heights = zip(panels.key_frequencies(data), _heights(data, i), strict=True)
        waves = ", ".join(f"{k}: {height:.2g}" for k, height in heights)
        share = float(data["logit_variance_explained"].values[i])
        return (
            f"Mean logit by {SHIFT} at epoch {int(data['epoch'].values[i])}: {now[0]:.3g} at the "
            f"answer, at most {now[1:].max():.3g} elsewhere. The cosines of the key frequencies "
            f"(heights {waves}) explain {share:.1%} of all logits."
        )

    def caption(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "Above: the fitted $\\alpha_k \\cos(w_k(a+b-c))$ of each key frequency (heights in "
            "logits, left), their sum (line) and the mean logit by $(a+b-c)$ mod p (dots). Below: "
            "the loss, and what the sum leaves (mean, and band of one standard deviation over "
            "all pairs). After Nanda et al. (2023), arXiv:2301.05217, section 4.2."
        )

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after clean-up: nothing moves later."""
        return 0, panels.horizon(data)

    def _waves(self, axes: Axes, data: xr.Dataset) -> dict[str, Any]:
        current_style, keys, p = style(), panels.key_frequencies(data), data.sizes["residue"]
        x = np.linspace(-self.reach, self.reach, 40 * self.reach + 1)
        unit = np.cos(2 * np.pi * np.outer(keys, x) / p)
        top = float(np.abs([_heights(data, i) for i in range(data.sizes["epoch"])]).max())
        axes.axvline(0, color=current_style.colours.grid, lw=current_style.line * 0.8, zorder=0)
        lines, texts = [], []
        em = current_style.points / 72 * axes.figure.get_figure(root=True).dpi / axes.bbox.width
        room = 2 * self.reach * 5.0 * em
        for row, k in enumerate(keys):
            colour = current_style.colours.frequency(k, panels.embedded(data))
            lines += axes.plot(x, x * 0, color=colour, lw=current_style.line * 0.8, zorder=3)
            texts.append(axes.text(
                self.reach + 0.95 * room, -row, "", color=colour, ha="right", va="center",
                fontsize=current_style.small,
            ))  # fmt: skip
            axes.text(
                -self.reach - 0.08 * room, -row, str(k), color=colour, ha="right", va="center",
                fontweight="bold",
            )  # fmt: skip
        axes.set(xlim=(-self.reach - 0.5 * room, self.reach + room), ylim=(0.6 - len(keys), 0.6))
        axes.grid(False)
        axes.spines["left"].set_visible(False)
        axes.set_yticks([])
        axes.set_xticks([-self.reach, 0, self.reach])
        axes.set_xlabel(SHIFT)
        _head(axes, "each wave, and its height", x=0.0)
        return {"lines": lines, "texts": texts, "unit": unit, "top": max(top, 1e-9)}


def _order(data: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Residues with 0 in the middle, and where they stand."""
    p = data.sizes["residue"]
    at = np.arange(-(p // 2), (p + 1) // 2)
    return at % p, at


def _heights(data: xr.Dataset, i: int) -> np.ndarray:
    """Height in logits of each key wave at an epoch."""
    p, keys = data.sizes["residue"], panels.key_frequencies(data)
    coefficients = data["cosine_coefficient"].isel(epoch=i).sel(frequency=keys).values
    heights: np.ndarray = coefficients.astype(float) * np.sqrt(2 / p**3)
    return heights


def _limits(data: xr.Dataset) -> tuple[float, float]:
    """Limits that hold the mean logits throughout the film."""
    shown = data["logit_wave"].values[data["epoch"].values <= panels.horizon(data)]
    low, high = float(shown.min()), float(shown.max())
    return low - 0.06 * (high - low), high + 0.06 * (high - low)


def _explained(data: xr.Dataset, i: int) -> str:
    share = float(data["logit_variance_explained"].values[i])
    return f"the sum explains {share:.0%} of the logits"


def _head(axes: Axes, text: str, x: float, **text_style: Any) -> Any:
    current_style = style()
    return axes.annotate(
        text, (x, 1), (0, 0.45 * current_style.small), xycoords="axes fraction",
        textcoords="offset points", va="baseline", fontsize=current_style.small,
        **{"color": current_style.colours.muted, **text_style},
    )  # fmt: skip


def _sum(axes: Axes, data: xr.Dataset, span: tuple[float, float]) -> dict[str, Any]:
    current_style, (_, at) = style(), _order(data)
    colours = current_style.colours
    axes.set(xlim=(at[0], at[-1]), ylim=span, ylabel="logit")
    axes.set_xticks([at[0], 0, at[-1]])
    axes.axvline(0, color=colours.grid, lw=current_style.line * 0.8, zorder=0)
    line = axes.plot([], [], color=colours.faint, lw=current_style.line * 0.5, zorder=2)[0]
    dots = axes.plot([], [], "o", color=colours.ink, ms=current_style.points * 0.26,
                     mew=0, zorder=3)[0]  # fmt: skip
    axes.annotate(
        "the answer", (0, span[1]), (0.5 * current_style.small, 0), textcoords="offset points",
        va="top", fontsize=current_style.small, color=colours.muted,
    )  # fmt: skip
    return {"line": line, "dots": dots, "text": _head(axes, "", x=0.0)}


def _rest(axes: Axes, data: xr.Dataset, half: float) -> dict[str, Any]:
    from matplotlib.collections import PolyCollection

    current_style, (_, at) = style(), _order(data)
    axes.set(xlim=(at[0], at[-1]), ylim=(-half, half), xlabel=SHIFT, ylabel="logit")
    axes.set_xticks([at[0], 0, at[-1]])
    _head(axes, "what the sum leaves: mean and spread", x=0.0)
    band = PolyCollection([], facecolors=current_style.colours.rest, alpha=0.7, lw=0, zorder=1.8)
    axes.add_collection(band, autolim=False)
    line = axes.plot(
        [], [], color=current_style.colours.ink, lw=current_style.line * 0.6, zorder=3
    )[0]
    return {"band": band, "line": line}


def _band(x: np.ndarray, middle: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Corners of the band between ``middle - half`` and ``middle + half``."""
    upper = np.stack([x, middle + half], axis=1)
    return np.concatenate([upper, np.stack([x, middle - half], axis=1)[::-1]])
