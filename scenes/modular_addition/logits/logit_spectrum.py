"""The logits' two-dimensional spectrum: products of the key frequencies' waves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims

from grokviz.scene import Claim, Drawing, Scene, frequencies, grids, option, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

KEYLESS = "No frequency is key to the logits at the end"

MOST = 7
"""Key frequencies named at their rings: as many as have a colour."""

RING = 0.9
"""How wide a ring is, in ems."""

NEAR = 5
"""Rings of fewer frequencies apart lie in the way of each other's names."""

BEND = 0.5
"""Norms are shown to this power, so that the haze before grokking is seen."""


@dataclass(frozen=True)
class LogitSpectrum(Scene):
    """Norm over the classes of the logits' 2-D Fourier transform, and the loss."""

    name = "logit-spectrum"
    title = "The logits keep little but products of the key frequencies' waves"
    watch = "a ring holds a frequency's 4 products: cos or sin in a times cos or sin in b"
    source = "arXiv:2301.05217, figure 4"
    loops = True
    needs = (
        "logit_spectrum", "key_neurons", "embedding_frequency_norm", "logged_train_loss",
        "logged_test_loss", "phase_end",
    )  # fmt: skip
    paper_figures = {"4c": {"loss": False}}  # noqa: RUF012
    clock = "field_epoch"
    aspect = 2.0
    narrow_aspect = 0.72
    stills = ("grok+10000", "grok-3000", "last")

    loss: bool = option(True, "the loss beside it")

    def claim(self, data: xr.Dataset) -> Claim:
        """How much of the logits' variance the products of the key frequencies hold."""
        keys, end = frequencies.key_frequencies(data), _claims.film_end(data, self.clock)
        first, last = (_ringed(data["logit_spectrum"].values[i], data) for i in (0, end))
        growth = _claims.Growth(first, last, _claims.moment(data, end, self.clock))
        numbers = {"first": first, "last": last}
        some = f"Products of {_claims.waves(len(keys))}"
        if growth.holds:
            words = f"{some} grow {growth.words} of the logits' variance"
            return Claim(words, self.watch, numbers=numbers)
        words = (
            f"{some} hold {_claims.rounded_percent(last)} of the logits' variance"
            if keys
            else KEYLESS
        )
        return _claims.instead(data, words, **numbers)

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
        spectrum = data["logit_spectrum"].values
        image = grids.heat(axes, (p, p), top=_top(spectrum) ** BEND)
        _name_components(axes, p)
        if not narrow:
            axes.set_xlabel(
                "frequency in a (stronger: larger norm)", labelpad=0.15 * current_style.points
            )
        rings = _Rings(axes, data)
        text = grids.figure_above(axes)
        whose = f"{len(rings.keys)} ring{'s' * (len(rings.keys) > 1)}: "
        first = _claims.rounded_percent(_ringed(spectrum[0], data))
        then = "" if narrow else f"; {first} at {_claims.moment(data, 0, self.clock)}"

        def update(i: int) -> None:
            norms = spectrum[i].astype(float)
            image.set_data(norms.T**BEND)
            held = f"{_claims.rounded_percent(_ringed(norms, data))} of the variance"
            text.set_text(f"{whose}{held}{then}" if rings.keys else frequencies.NONE)
            rings.update(i)

        drawing = Drawing([image, text, rings.moving], update)
        if room is None:
            return drawing
        return Drawing.of(drawing, panels.LossPanel(room, data).along(data["field_epoch"]))

    def description(self, data: xr.Dataset, i: int) -> str:
        """How much of the logits' variance the key frequencies' products hold."""
        norms = data["logit_spectrum"].values[i].astype(float)
        keys = frequencies.key_frequencies(data)
        named = f" ({', '.join(map(str, keys))})" if len(keys) < 12 else ""
        held = (
            f"The {4 * len(keys)} products of cosine and sine of one key frequency{named} hold "
            f"{_ringed(norms, data):.1%} of the variance over (a, b)"
        )
        if not keys:
            held = "There are no key frequencies"
        return (
            f"Heatmap of the norm of the logits' 2-D Fourier transform at "
            f"{clocks.at(data, 'field_epoch', i)}, component over a by component over b. {held}; "
            f"the largest norm is {norms.max():.3g}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Norm over the classes of the logits' 2-D Fourier transform over (a, b) (colour: its "
            "square root). Rings: the four products of a key frequency's cosine and sine, from "
            "which cos w(a + b) and sin w(a + b) are made, with their share of the variance over "
            "all pairs (a, b), summed over the classes. "
            f"{after('figure 4')}"
        )


def _top(spectrum: np.ndarray) -> float:
    """The largest norm at the end but for the constant's, which says nothing of a and b."""
    finite = [norms.ravel()[1:] for norms in spectrum if np.isfinite(norms).all()]
    return float(finite[-1].max()) or 1.0 if finite else 1.0


def _ringed(norms: np.ndarray, data: xr.Dataset) -> float:
    """Share of the variance over (a, b) in the products of a key frequency with itself."""
    squares = np.square(norms.astype(float))
    squares[0, 0] = 0
    inside = sum(float(_own(squares, k)) for k in frequencies.key_frequencies(data))
    return float(inside / max(squares.sum(), 1e-30))


def _own(squares: np.ndarray, k: int) -> np.ndarray:
    """Sum over the products of a frequency's waves with themselves; at each moment, if many."""
    total: np.ndarray = squares[..., 2 * k - 1 : 2 * k + 1, 2 * k - 1 : 2 * k + 1].sum((-2, -1))
    return total


def _name_components(axes: Axes, p: int) -> None:
    """Frequencies where their components lie."""
    shown = [k for k in frequencies.ticks((p - 1) // 2) if k > 1] or [1]
    places = [0, *(2 * k - 0.5 for k in shown)]
    names = ["0", *map(str, shown)]
    axes.set_xticks(places, names)
    axes.set_yticks(places, names)
    axes.tick_params(pad=0.25 * style().points)
    axes.set_xlabel("frequency in a", labelpad=0)
    axes.set_ylabel("frequency in b", labelpad=0)


class _Rings:
    """A ring around each key frequency's products, beside it the largest's numbers and shares.

    Where the future is not drawn, a ring is there from when its products lead on.
    """

    def __init__(self, axes: Axes, data: xr.Dataset) -> None:
        self.keys = frequencies.key_frequencies(data)
        named = frequencies.largest(data, self.keys, MOST)
        squares = np.square(data["logit_spectrum"].values.astype(float))
        each = range(1, data.sizes["component"] // 2 + 1)
        sizes = np.stack([_own(squares, k) for k in each], axis=1)
        self.known = frequencies.leading(sizes, self.keys)
        if style().ghost:
            self.known = np.ones_like(self.known)
        self.rings = [_ring(axes, k, data, named=k in named) for k in self.keys]
        squares[:, 0, 0] = 0
        whole = np.maximum(squares.sum(axis=(1, 2)), 1e-30)
        self.shares = {k: np.nan_to_num(_own(squares, k) / whole, posinf=0) for k in named}
        above, before, last = False, -9, data.sizes["component"] // 2
        self.names: dict[int, Any] = {}
        for k in named:
            # neighbours name themselves on opposite sides of the diagonal
            above = not above if k - before < NEAR else k > 0.75 * last
            side = -1 if above else 1
            # and clear of each other's rings
            past = max((n for n in (side * (m - k) for m in named) if 0 < n < NEAR), default=0)
            self.names[k], before = _name(axes, k, data, side=side, past=past), k

    @property
    def moving(self) -> list[Any]:
        """The rings and the numbers."""
        return [*self.rings, *self.names.values()]

    def update(self, i: int) -> None:
        """Show those that are known, with their shares."""
        for k, ring, known in zip(self.keys, self.rings, self.known[i], strict=True):
            ring.set_visible(known)
            if k in self.names:
                self.names[k].set_visible(known)
                share = _claims.rounded_percent(float(self.shares[k][i]))
                self.names[k].set_text(f"{k}: {share}")


def _ring(axes: Axes, k: int, data: xr.Dataset, *, named: bool) -> Any:
    current_style, at = style(), 2 * k - 0.5
    colour = frequencies.ink(k, data) if named else current_style.colours.rest
    return axes.plot(
        [at], [at], "o", mfc="none", mec=colour,
        ms=(RING if named else 0.5) * current_style.points, mew=current_style.line * 0.7, zorder=3,
    )[0]  # fmt: skip


def _name(axes: Axes, k: int, data: xr.Dataset, *, side: int, past: int) -> Any:
    """The name of a ring at its left (-1) or right (1), past rings of so many frequencies on."""
    at = 2 * k - 0.5
    cell = style().points * axes.bbox.width / style().pixels(axes, style().points)
    cell /= float(np.ptp(axes.get_xlim()))
    aside = side * ((0.3 + RING / 2) * style().points + 2 * past * cell)
    return axes.annotate(
        str(k), (at, at), xytext=(aside, 0), textcoords="offset points",
        ha="right" if side < 0 else "left", va="center", color=frequencies.ink(k, data),
        fontweight="bold", zorder=4,
    )  # fmt: skip
