"""The logits' two-dimensional spectrum: products of the key frequencies' waves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims
from jaxtyping import Float

from grokviz.scene import Claim, Drawing, Scene, frequencies, grids, option, style, timeline
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import in_words, percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

KEYLESS = "No frequency is key to the logits at the end"

MOST = 7
"""Key frequencies named at their rings: as many as have a colour."""

LARGE = 12.0
"""How wide a dot of the whole variance would be, in frequencies."""

ROOM = 0.09
"""So much of the sides is free beyond the last frequency, for the names of dots near it."""

NEAR = 5
"""Dots of fewer frequencies apart lie in the way of each other's names."""


@dataclass(frozen=True)
class LogitSpectrum(Scene):
    """Shares of the logits' variance by the frequencies of a and b, at first and at the moment."""

    name = "logit-spectrum"
    title = "The logits condense onto a few waves, the same in a and b"
    watch = "A dot is a wave of a times a wave of b, as large as its share of the logits"
    source = "arXiv:2301.05217, figure 4"
    loops = True
    needs = (
        "logit_spectrum", "key_neurons", "embedding_frequency_norm", "logged_train_loss",
        "logged_test_loss", "phase_end",
    )  # fmt: skip
    paper_figures = {"4c": {}}  # noqa: RUF012
    clock = "field_epoch"
    aspect = 2.0
    narrow_aspect = 1.5
    stills = ("grok+10000", "grok-3000", "last")

    loss: bool = option(False, "when the losses fell, below")

    def claim(self, data: xr.Dataset) -> Claim:
        """How much of the logits' variance the products of the key frequencies hold."""
        keys, end = frequencies.key_frequencies(data), _claims.film_end(data, self.clock)
        first, last = (_ringed(data["logit_spectrum"].values[i], data) for i in (0, end))
        growth = _claims.Growth(first, last, _claims.moment(data, end, self.clock))
        numbers = {"first": first, "last": last}
        if growth.holds:
            waves = _claims.in_words(len(keys), "wave")
            words = f"The logits condense onto {waves}, the same in a and b"
            return Claim(words, self.watch, numbers=numbers)
        some = f"Products of {_claims.waves(len(keys))}"
        words = f"{some} hold {percent(last)} of the logits' variance" if keys else KEYLESS
        return _claims.instead(data, words, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The shares at first and at the moment, and when the run turned."""
        current_style, cells = style(), data.sizes["component"] // 2 + 1
        high, narrow = current_style.ems(figure)[1], current_style.narrow(figure)
        below = (timeline.HEIGHT + 0.6) / high if self.loss else 0.0
        first, now = grids.square_axes(
            figure, 2, 2, cells, left=3.7, bottom=2.4, top=1.5, gap=1.6 if narrow else 4.0,
            share=(0, below, 1, 1),
        )  # fmt: skip
        shares = _shares(data)
        for axes in (first, now):
            _name_frequencies(axes, cells - 1, up=axes is first)
            _draw_diagonal(axes, cells - 1, named=axes is first)
        _Dots(first, data, shares, named=False).update(0)
        dots = _Dots(now, data, shares, named=True)
        texts = [grids.figure_above(axes, left=True) for axes in (first, now)]
        for text in texts:
            text.set_fontsize(current_style.small)
        texts[0].set_text(self._above(data, shares, 0, short=narrow))

        def update(i: int) -> None:
            texts[1].set_text(self._above(data, shares, i, short=narrow))
            dots.update(i)

        drawing = Drawing([dots.moving, texts[1]], update)
        if not self.loss:
            return drawing
        left = 1.0 if narrow else 4.2
        strip = timeline.Timeline(figure, data, self.clock, left=left, right=2.0)
        return Drawing.of(drawing, strip)

    def _above(self, data: xr.Dataset, shares: np.ndarray, i: int, *, short: bool) -> str:
        """What stands above a panel: its moment, and what holds most, key waves or one number."""
        keys = frequencies.key_frequencies(data)
        if not keys:
            return frequencies.NONE
        own = float(sum(shares[i, k, k] for k in keys))
        alone = float(shares[i, 0].sum() + shares[i, :, 0].sum())
        many = "one" if len(keys) == 1 else f"the {in_words(len(keys))}"
        where = f" in {many}" if own >= alone else " in a or b alone"
        at = _claims.moment(data, i, self.clock)
        return at if short else f"{at}: {percent(max(own, alone))}{where}"

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
            f"Dots of the shares of the logits' variance by frequency of a and of b at "
            f"{clocks.at(data, 'field_epoch', i)}, as large as the share. {held}; "
            f"the largest norm of a component is {norms.max():.3g}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Share of the logits' variance over all pairs (a, b), summed over the classes, in the "
            "products of the waves of one frequency of a and one of b, as the area of a dot; "
            "frequency 0 is the constant. In colour: a key frequency with itself, of which "
            "cos w(a + b) and sin w(a + b) are made. "
            f"{after('figure 4')}"
        )


def _shares(data: xr.Dataset) -> Float[np.ndarray, "moment frequency frequency"]:
    """Share of the variance by the frequency of a and of b, 0 for the constant."""
    squares = np.square(np.nan_to_num(data["logit_spectrum"].values.astype(float), posinf=0.0))
    squares[:, 0, 0] = 0
    starts = np.concatenate([[0], np.arange(1, squares.shape[1], 2)])
    power = np.add.reduceat(np.add.reduceat(squares, starts, axis=1), starts, axis=2)
    shares: np.ndarray = power / np.maximum(power.sum(axis=(1, 2), keepdims=True), 1e-30)
    return shares


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


def _name_frequencies(axes: Axes, last: int, *, up: bool) -> None:
    """Frequencies along both sides of a square of them; ``up`` the left one has words too."""
    narrow = style().narrow(axes.figure)
    end = last + 1 + (0 if narrow else ROOM * last)
    axes.set(xlim=(-1, end), ylim=(-1, end))
    shown = [k for k in frequencies.ticks(last) if k > 1] or [1]
    ticks = [0, *(k for k in shown if not narrow or k % 20 == 0)]
    axes.set_xticks(ticks)
    axes.set_yticks(ticks, [str(k) for k in ticks] if up else [""] * len(ticks))
    axes.tick_params(pad=0.25 * style().points, length=0)
    axes.set_xlabel("frequency in a", labelpad=0)
    axes.set_ylabel("frequency in b" if up else "", labelpad=0.2 * style().points)
    axes.set_facecolor(style().colours.grid)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_diagonal(axes: Axes, last: int, *, named: bool) -> None:
    """A faint line through the products of a wave of a with the same wave of b."""
    colours = style().colours
    axes.plot([1, last], [1, last], color=colours.rest, lw=0.6 * style().line, zorder=1)
    if named and not style().narrow(axes.figure):
        # the panel at first has room for it: dots lie along its sides
        middle = (1 + last) / 2
        axes.annotate(
            "same wave in a and b", (middle, middle), (-0.55 * style().small, 0.55 * style().small),
            textcoords="offset points", rotation=45, rotation_mode="anchor", ha="center",
            va="center", fontsize=style().small, color=colours.muted, zorder=1,
        )  # fmt: skip


class _Dots:
    """A dot for each frequency of a with each of b, as large as what it holds.

    Where the future is not drawn, a key frequency is named from when its products lead on.
    """

    def __init__(self, axes: Axes, data: xr.Dataset, shares: np.ndarray, *, named: bool) -> None:
        from matplotlib.collections import EllipseCollection
        from matplotlib.colors import to_rgba_array

        colours = style().colours
        self.axes, self.shares, self.keys = axes, shares, frequencies.key_frequencies(data)
        count = shares.shape[1]
        places = np.stack(np.divmod(np.arange(count * count), count), axis=1)
        tints, own = [colours.muted] * len(places), np.zeros(len(places), dtype=bool)
        for k in self.keys:
            tints[k * (count + 1)], own[k * (count + 1)] = frequencies.ink(k, data), True
        # what is larger at the end lies beneath, so that none is hidden
        self.order = np.argsort(-shares[-1].ravel(), kind="stable")
        nothing = np.zeros(len(places))
        self.dots: Any = EllipseCollection(
            nothing, nothing, nothing, units="xy", offsets=places[self.order],
            offset_transform=axes.transData, facecolors=to_rgba_array(tints)[self.order],
            edgecolors=colours.grid, zorder=2,
            # a rim around key frequencies, of which neighbours overlap
            linewidths=np.where(own, 0.6 * style().line, 0.0)[self.order],
        )  # fmt: skip
        axes.add_collection(self.dots, autolim=False)
        self.names: dict[int, Any] = {}
        if not named:
            return
        most = frequencies.largest(data, self.keys, MOST)
        sizes = np.stack([shares[:, k, k] for k in range(1, count)], axis=1)
        known = frequencies.leading(sizes, self.keys)
        self.known = dict(zip(self.keys, known.T, strict=True))
        above, before = False, -9
        for k in most:
            # neighbours name themselves on opposite sides of the diagonal
            above = not above if k - before < NEAR else k > 0.7 * count
            self.names[k], before = self._name(k, data, side=-1 if above else 1), k

    @property
    def moving(self) -> list[Any]:
        """The dots and the names."""
        return [self.dots, *self.names.values()]

    def update(self, i: int) -> None:
        """Let the dots hold the shares of one moment, and name those that are known."""
        wide = LARGE * np.sqrt(self.shares[i].ravel()[self.order])
        self.dots.set_widths(wide)
        self.dots.set_heights(wide)
        for k, name in self.names.items():
            name.set_visible(bool(self.known[k][i]))
            share = float(self.shares[i, k, k])
            held = "" if style().narrow(self.axes.figure) else f": {percent(share)}"
            name.set_text(f"{k}{held}")
            # clear of its own dot and of those that are near
            near = [n for n in self.keys if abs(n - k) < NEAR]
            out = max(LARGE / 2 * float(np.sqrt(self.shares[i, n, n])) for n in near)
            name.xy = (k + (out + 0.5) * (-1 if name.get_ha() == "right" else 1), k)

    def _name(self, k: int, data: xr.Dataset, *, side: int) -> Any:
        small = style().small
        return self.axes.annotate(
            "", (k, k), (0.35 * side * small, 0), textcoords="offset points", va="center",
            ha="right" if side < 0 else "left", color=frequencies.ink(k, data),
            fontweight="bold", fontsize=small, zorder=4,
        )  # fmt: skip
