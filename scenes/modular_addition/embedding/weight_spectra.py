"""Every wave's norm in the embedding, in the neuron-logit map or both, over all of training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims

from grokviz.dataset.numerics import ties
from grokviz.dataset.numerics.fourier import EMBEDDED
from grokviz.media.theme import colour_map
from grokviz.scene import Claim, Drawing, Scene, frequencies, option, panels, style, timeline
from grokviz.scene import clock as clocks
from grokviz.scene.layout import pushed_apart
from grokviz.scene.spoken import in_words, percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

COLUMNS = 800
MOST = 7
"""Waves named beside a map: as many as have a colour."""
MATRICES = {
    "embedding": "embedding $W_E$",
    "neuron_logit": "neuron-logit map $W_L$",
}
SHORT = {"embedding": "embedding", "neuron_logit": "neuron-logit map"}


@dataclass(frozen=True)
class WeightSpectra(Scene):
    """Norms of W_E or W_L along each wave, a row a wave and a column an epoch."""

    name = "weight-spectra"
    title = "Out of all waves a few grow and the others fade"
    watch = "a row is a wave, brighter the more it holds; most fade as others grow"
    source = "arXiv:2301.05217, figure 3, over training; notebook, analysis during training"
    loops = True
    needs = (
        "embedding_frequency_norm", "neuron_logit_frequency_norm", "embedding_component_norm",
        "neuron_logit_component_norm", "logged_train_loss", "logged_test_loss", "phase_end",
    )  # fmt: skip
    aspect = 2.0
    narrow_aspect = 0.72
    stills = ("grok+10000", "last")

    matrix: Literal["embedding", "neuron_logit", "both"] = option(
        "embedding", "what the numbers become, what the neurons write into the answers, or both"
    )
    by: Literal["frequency", "component"] = option("frequency", "or cosine and sine apart")

    def claim(self, data: xr.Dataset) -> Claim:
        """How much of what is drawn the waves hold that the last weights end with."""
        end, count = _claims.film_end(data), data.sizes["frequency"]
        waves = _large(data["neuron_logit_frequency_norm"].values[end])
        grown = {m: _claims.Growth.of(data, _share(data, m, waves)) for m in self._shown()}
        numbers = {matrix: growth.last for matrix, growth in grown.items()}
        held = ", ".join(
            f"{percent(growth.last)} of the {SHORT[matrix]}" for matrix, growth in grown.items()
        )
        if all(growth.holds for growth in grown.values()):
            few = int(waves.sum())
            words = f"Out of {count} waves {in_words(few)} grow to {held}"
            if few == 1:
                words = f"Out of {count} waves one grows to {held}"
            if self.matrix == "both":
                words = f"{_claims.waves(few)} {'fills' if few == 1 else 'fill'} {held}"
            return Claim(words, self._watch(data) or self.watch, numbers=numbers)
        which = f"All {count}" if waves.all() else f"The {int(waves.sum())} largest"
        words = f"{which} waves hold {held}"
        if not waves.any():
            words = f"The neuron-logit map holds no waves at {_claims.moment(data, end)}"
        return _claims.instead(data, words, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The heatmap, or both."""
        shown = self._shown()
        sides = (1,) * len(shown)
        rooms = style().beside(
            figure, sides, sides, top=3.4, right=5.2, gap=8.8, vgap=8.0, bottom=3.9
        )
        maps = [self._map(axes, data, m) for axes, m in zip(rooms, shown, strict=True)]
        parts = []
        for axes, matrix in zip(rooms, shown, strict=True):
            turns = timeline.Turns(axes, data)
            parts += [self._held(axes, data, matrix), Drawing(turns.moving, turns.update)]
        return Drawing.of(*(panel.along(data["epoch"]) for panel in maps), *parts)

    def _shown(self) -> tuple[str, ...]:
        return tuple(MATRICES) if self.matrix == "both" else (self.matrix,)

    def _watch(self, data: xr.Dataset) -> str:
        """What a row is, and which embedded waves the neuron-logit map does not hold, if any."""
        alone = _alone(data) if self.matrix != "neuron_logit" else []
        if not alone:
            return ""
        grow, them = ("grows", "it") if len(alone) == 1 else ("grow", "them")
        rest = f"{_claims.listed(alone)} {grow} too, but the answers hardly use {them}"
        return f"a row is a wave, brighter the more it holds; {rest}"

    def description(self, data: xr.Dataset, i: int) -> str:
        """The waves that stand out in each matrix at that moment."""
        words = []
        for matrix in self._shown():
            now = data[f"{matrix}_frequency_norm"].isel(epoch=i)
            large = now["frequency"].values[now.values > now.values.max() / 4]
            named = ", ".join(map(str, large)) if len(large) < 12 else "many"
            name = {"embedding": "W_E", "neuron_logit": "W_L"}[matrix]
            words.append(
                f"in {name} {len(large)} of {len(now)} frequencies exceed a quarter of the "
                f"largest norm, {float(now.max()):.3g} ({named}); median {float(now.median()):.2g}"
            )
        return (
            f"{'Two heatmaps' if self.matrix == 'both' else 'A heatmap'}, a row a {self.by} and a "
            "column an epoch. At "
            f"{clocks.at(data, 'epoch', i)}, "
            f"{'; '.join(words)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        what = " and of the ".join(MATRICES[matrix] for matrix in self._shown())
        scales = "; each map has its own scale" if self.matrix == "both" else ""
        return (
            f"Norms of the {what} along each {self.by} of the Fourier basis, over "
            f"training{scales}. The share above a map is that of the waves with which the "
            "neuron-logit map $W_L$ ends, of the summed squares of all. "
            f"{after('figure 3')}"
        )

    def _held(self, axes: Axes, data: xr.Dataset, matrix: str) -> Drawing:
        """How much of the matrix the few waves of $W_L$ hold by now, and of two which it is."""
        waves = _large(data["neuron_logit_frequency_norm"].values[_claims.film_end(data)])
        shares, few = _share(data, matrix, waves), 0 < waves.sum() < waves.size
        high = style().pixels(axes, style().small) / axes.bbox.height
        both = self.matrix == "both"
        what = MATRICES[matrix] if both else f"{_claims.counted(int(waves.sum()))} together"
        text = axes.text(0, 1 + 2.4 * high, "", transform=axes.transAxes, va="center")

        def update(i: int) -> None:
            held = f": {percent(float(shares[i]))}" if few else ""
            text.set_text(f"{what}{held}" if both or few else "")

        return Drawing([text], update)

    def _map(self, axes: Axes, data: xr.Dataset, matrix: str) -> _Map:
        end = panels.horizon(data)
        values, epochs = self._values(data, matrix), data["epoch"].values
        last = max(float(epochs[-1]), 1.0)
        inside = values[epochs <= end]
        finite = inside[np.isfinite(inside)]
        top = float(finite.max()) if (finite > 0).any() else 1.0
        # columns are evenly spaced moments; each shows the last checkpoint before it, if any
        moments = (np.arange(COLUMNS) + 1) * last / COLUMNS
        before = np.searchsorted(epochs, moments, side="right") - 1
        rows = np.where(before < 0, np.nan, values[before].T)
        if len(epochs) == 1:
            frequencies.note_none(axes, "one checkpoint: at the right")
        low, high = 0.5, data.sizes["frequency"] + 0.5
        image = axes.imshow(
            rows, extent=(0, last, low, high), origin="lower", vmin=0, vmax=top, zorder=1,
            cmap=colour_map(style().colours.sequential),
        )  # fmt: skip
        axes.grid(False)
        # beside the first map the second has the same rows
        first = matrix == self._shown()[0] or style().narrow(axes.figure)
        rows_name = "frequency" if first else ""
        panel = _Map(axes, data, {}, ylabel=rows_name, ylim=(low, high), phases="none")
        panel.names_of_rows = self._furnish(axes, data, matrix, top)
        panel.image, panel.rows = image, rows
        # of one checkpoint the map has no columns
        panel.strip = _strip(axes, len(rows), top) if len(epochs) == 1 else None
        axes.set_xlabel(clocks.word(data), loc="left")
        axes.set_yticks(frequencies.ticks(data.sizes["frequency"]))
        return panel

    def _values(self, data: xr.Dataset, matrix: str) -> np.ndarray:
        values = data[f"{matrix}_{self.by}_norm"].values.astype(float)
        return values[:, 1:] if self.by == "component" else values

    def _furnish(
        self, axes: Axes, data: xr.Dataset, matrix: str, top: float
    ) -> list[tuple[float, Any]]:
        """The scale of the map, and the waves' numbers at its right.

        Returns each number with the epoch from which it is known.
        """
        current_style = style()
        figure = axes.figure
        em = current_style.pixels(axes, current_style.small)
        wide, high = em / axes.bbox.width, em / axes.bbox.height
        at: dict[str, Any] = {
            "transform": axes.transAxes, "fontsize": current_style.small, "va": "center",
        }  # fmt: skip
        _scale(axes, top, at)
        keys = frequencies.coloured(data)
        if matrix == "neuron_logit":
            keys = frequencies.largest(data, frequencies.key_frequencies(data), MOST)
        count = data.sizes["frequency"]
        alone = _alone(data) if matrix == "embedding" else []
        rows = [(k - 0.5) / count for k in keys]
        places = pushed_apart(rows, [1.15 * high] * len(keys), -0.5 * high, 1 + high)
        ahead = frequencies.leading(data[f"{matrix}_frequency_norm"].values, keys)
        names = []
        for n, (k, place) in enumerate(zip(keys, places, strict=True)):
            colour = current_style.colours.muted if k in alone else frequencies.ink(k, data)
            text = figure.text(1 + 1.6 * wide, place, str(k), color=colour, fontweight="bold", **at)
            axes.plot(
                [1 + 0.35 * wide, 1 + 1.4 * wide], [rows[n], place], color=colour,
                lw=0.4 * current_style.line, transform=axes.transAxes, clip_on=False,
            )  # fmt: skip
            known = data["epoch"].values[int(np.argmax(ahead[:, n]))] if ahead[:, n].any() else 0
            names.append((float(known), text))
        if not keys:
            current_style.note(
                axes, frequencies.NONE, (1, 1), (0, 0.45), ha="right",
                color=current_style.colours.muted,
            )  # fmt: skip
        return names


def _strip(axes: Axes, rows: int, top: float) -> Any:
    """The norms at the moment shown, in the map at its right."""
    em = style().pixels(axes, style().small) / axes.bbox.width
    box = axes.get_position()
    strip = axes.figure.add_axes((
        box.x1 - 1.1 * em * box.width, box.y0, 1.1 * em * box.width, box.height
    ))  # fmt: skip
    strip.set_axis_off()
    return strip.imshow(
        np.zeros((rows, 1)), origin="lower", aspect="auto", vmin=0, vmax=top,
        cmap=colour_map(style().colours.sequential),
    )  # fmt: skip


def _scale(axes: Axes, top: float, at: dict[str, Any]) -> None:
    """The scale of a map, below it at its right."""
    current_style, figure = style(), axes.figure
    em = current_style.pixels(axes, current_style.small)
    wide, high = em / axes.bbox.width, em / axes.bbox.height
    scale = figure.add_axes((0, 0, 1, 1))
    box = axes.get_position()
    scale.set_position((
        box.x1 - 7.5 * wide * box.width, box.y0 - 2.95 * high * box.height,
        5.5 * wide * box.width, 0.6 * high * box.height,
    ))  # fmt: skip
    scale.imshow(np.linspace(0, 1, 256)[None], cmap=colour_map(current_style.colours.sequential))
    scale.axis("off")
    level = -2.65 * high
    figure.text(1 - 8.0 * wide, level, "norm  0", ha="right", **at)
    figure.text(1 - 1.6 * wide, level, f"{top:.2g}", ha="left", **at)


def _alone(data: xr.Dataset) -> list[int]:
    """The embedded waves that the neuron-logit map does not hold, where they are few."""
    waves = _large(data["neuron_logit_frequency_norm"].values[_claims.film_end(data)])
    alone = [k for k in frequencies.embedded(data) if not waves[k - 1]]
    return alone if waves.any() and len(alone) < 4 else []


def _large(norms: np.ndarray) -> np.ndarray:
    """Which waves are above a quarter of the largest; none that is no number."""
    return ties.exceeds(norms, EMBEDDED * float(np.max(norms)), ties.PRECISION)


def _share(data: xr.Dataset, matrix: str, waves: np.ndarray) -> np.ndarray:
    """Share of some waves in the summed squares of all waves of a matrix."""
    squares = np.square(data[f"{matrix}_frequency_norm"].values.astype(float))
    shares: np.ndarray = squares[:, waves].sum(axis=1) / np.maximum(squares.sum(axis=1), 1e-30)
    return shares


class _Map(panels.CurvePanel):
    """A map over epochs that has come so far; where there are ghosts the rest of it is pale."""

    image: Any = None
    strip: Any = None
    rows: np.ndarray
    names_of_rows: Sequence[tuple[float, Any]] = ()

    def shade(self) -> None:
        """A veil over what is to come."""
        from matplotlib.patches import Rectangle

        super().shade()
        low, high = self.ylim or (0.0, 1.0)
        last = max(float(self.data["epoch"].values[-1]), 1.0)
        self.veil: Any = self.axes.add_patch(Rectangle(
            (0, low), last, high - low, color=style().colours.background, alpha=0.75, lw=0,
            zorder=2.2,
        ))  # fmt: skip
        self.veil.set_visible(style().ghost)

    @property
    def moving(self) -> list[Any]:
        """The map and its veil, the marker, and what is named when it is known."""
        named = [artist for _, artist in self.names_of_rows]
        strip = [] if self.strip is None else [self.strip]
        return [self.image, *strip, self.veil, *named, *super().moving]

    def update(self, epoch: float) -> None:
        """Show what has been."""
        super().update(epoch)
        last = max(float(self.data["epoch"].values[-1]), 1.0)
        columns = min(max(round(epoch / last * COLUMNS), 1), COLUMNS)
        if self.strip is not None:
            self.strip.set_data(self.rows[:, columns - 1 : columns])
        if self._ghost:
            self.veil.set_x(epoch)
            return
        low, high = self.ylim or (0.0, 1.0)
        self.image.set_data(self.rows[:, :columns])
        self.image.set_extent((0, columns * last / COLUMNS, low, high))
        for known, artist in self.names_of_rows:
            artist.set_visible(known <= epoch)
