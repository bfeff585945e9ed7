"""What scenes of single neurons share: which are shown, their names, their shares of variance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from grokviz.dataset.numerics import ties
from grokviz.dataset.numerics.fourier import fourier_basis
from grokviz.media.theme import colour_map
from grokviz.scene import Drawing, frequencies
from grokviz.scene.outcome import outcome
from grokviz.scene.style import style
from grokviz.tasks.modular_addition import fields
from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


BRIGHT = 0.7
"""How much of the ink is in a wave's colour where a neuron is most active."""

HALF = 0.5
"""The share of variance from which on a frequency is a neuron's, or a head's, own."""


def not_generalised(data: xr.Dataset) -> str:
    """What the losses say of a run that has not generalised; empty of any other, or without."""
    run = outcome(data)
    return "" if run.learned or not run.known else run.sentence


def floored_percent(share: float) -> str:
    """A share in whole per cent, never more than it is."""
    return f"{int(100 * share + 1e-6)}%" if np.isfinite(share) else "no number"


def named_keys(data: xr.Dataset, most: int) -> list[int]:
    """The key frequencies that have room for a name: the largest in the embedding, ascending."""
    keys = frequencies.key_frequencies(data)
    if len(keys) <= most:
        return keys
    return sorted(frequencies.by_size(keys, data["embedding_frequency_norm"].isel(epoch=-1))[:most])


def neurons_in_turn(
    data: xr.Dataset, most: int, later: Bool[np.ndarray, " neuron"] | None = None
) -> Int[np.ndarray, " neuron"]:
    """Places of at most ``most`` stored neurons, from each frequency in turn, by frequency.

    Neurons without a frequency come last, and only where the others do not suffice. Those of a
    frequency have the order of how well it explains them, those that are ``later`` last.
    """
    frequency = data["neuron_frequency"].values
    place = ties.ranks(data["neuron_variance_explained"].values)
    keys = place if later is None else np.where(later, len(place) + place, place)
    order = np.lexsort((keys, frequency, frequency == NO_FREQUENCY))
    seen: dict[int, int] = {}
    turns = []
    for n in order:
        k = int(frequency[n])
        turns.append(seen.get(k, 0) + (len(order) if k == NO_FREQUENCY else 0))
        seen[k] = seen.get(k, 0) + 1
    first = np.argsort(turns, kind="stable")[:most]
    return order[np.sort(first)]


def neurons_in_columns(
    data: xr.Dataset,
    most: int,
    figure: FigureBase,
    later: Bool[np.ndarray, " neuron"] | None = None,
) -> tuple[Int[np.ndarray, " neuron"], int]:
    """Places of the neurons of a grid, row by row, and its columns.

    In two full rows those of one frequency stand below one another.
    """
    neurons = neurons_in_turn(data, most, later)
    columns = min(3 if style().narrow(figure) else 5, len(neurons))
    if len(neurons) == 2 * columns:
        neurons = neurons.reshape(columns, 2).T.ravel()
    return neurons, columns


def frequency_name(axes: Axes, k: int, *, numbered: bool = False) -> str:
    """What stands above a heatmap: "frequency 14", or "14" where it is narrow; or "none".

    ``numbered`` keeps room for :func:`figure_above` at its right.
    """
    em = style().pixels(axes, style().points)
    room = axes.bbox.width / em - (2.4 if numbered else 0)
    if k == NO_FREQUENCY:
        return "no frequency" if room > 7.5 else "none"
    return f"frequency {k}" if room > 7.5 else str(k)


def name_frequency(axes: Axes, k: int, data: xr.Dataset, *, numbered: bool = False) -> Any:
    """The frequency above a heatmap, in its colour."""
    name = frequency_name(axes, k, numbered=numbered)
    colour = frequencies.colour(k, data)
    return axes.set_title(name, color=colour, pad=0.2 * style().points)


def wave_colours(k: int, data: xr.Dataset) -> Any:
    """The colour map of amounts for a neuron of a frequency: its colour, from the page to ink.

    The usual one where the frequency has no colour of its own.
    """
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    colours = style().colours
    if k not in frequencies.coloured(data):
        return colour_map(colours.sequential)
    own, ink = np.array(to_rgb(frequencies.colour(k, data))), np.array(to_rgb(colours.ink))
    steps = [colour_map(colours.sequential)(0.0)[:3], own, own + BRIGHT * (ink - own)]
    return LinearSegmentedColormap.from_list(f"wave-{k}", [tuple(step) for step in steps])


def tint(name: Any, colour: str, share: float) -> None:
    """Give a frequency's name its colour where it explains half of what it stands above.

    Before that it is hardly its own.
    """
    name.set_color(colour if share >= HALF else style().colours.muted)


def shares_by_frequency(field: Float[np.ndarray, "p p"]) -> Float[np.ndarray, "f f"]:
    """Share of a field's variance that varies with frequency j in a and k in b, as [j, k].

    From its 2-D Fourier transform; frequency 0 is the constant, and [0, 0], the mean, is 0.
    """
    F = fourier_basis(len(field))
    squares = np.square(F @ field @ F.T)
    squares[0, 0] = 0
    starts = np.concatenate([[0], np.arange(1, len(field), 2)])
    power = np.add.reduceat(np.add.reduceat(squares, starts, axis=0), starts, axis=1)
    shares: Float[np.ndarray, "f f"] = power / max(float(power.sum()), 1e-30)
    return shares


def own_share(field: Float[np.ndarray, "p p"], k: int) -> float:
    """Share of a field's variance within frequency k: in a alone, in b alone and in both.

    0 for no frequency.
    """
    if not k:
        return 0.0
    F = fourier_basis(len(field))[[0, 2 * k - 1, 2 * k]]
    squares = np.square(F @ field @ F.T)
    squares[0, 0] = 0
    return float(squares.sum() / max(float(np.square(field - field.mean()).sum()), 1e-30))


def input_names(axes: Axes, p: int, order: str) -> tuple[str, str]:
    """What runs along the sides of a field: a and b, or their multiples in the order of phase."""
    if order == "number":
        return "a", "b"
    mod = f" mod {p}" if axes.bbox.width > 9.2 * style().pixels(axes, style().small) else ""
    return f"k\u00b7a{mod}", f"k\u00b7b{mod}"


def activity(data: xr.Dataset) -> Float[np.ndarray, " neuron"]:
    """The share of the pairs (a, b) for which each stored neuron is active at the first moment."""
    field = fields.activations(data, 0)
    active: Float[np.ndarray, " neuron"] = (field > 0).reshape(len(field), -1).mean(axis=1)
    return active


def phases(figure: FigureBase) -> Literal["named", "none"]:
    """Phases of training, except in a narrow column, which has no room for all their names."""
    return "none" if style().narrow(figure) else "named"


HALVES = {0: 5.5, 1: 9.0}
"""So many ems wide is the name of the moment at which the test loss halves, by where it stands."""


def halves(axes: Axes, data: xr.Dataset, *, level: int = 0) -> Drawing:
    """A dotted line where the run groks, from then on in films; nothing of a run that does not.

    Its name stands at the foot of the axes, or at their top where ``level`` is 1.
    """
    at, current_style = outcome(data).grokked, style()
    if at is None:
        return Drawing()
    colour, epochs = current_style.colours.test, data["epoch"].values
    line = axes.axvline(at, color=colour, lw=current_style.line * 0.6, ls=":", zorder=2.5)
    words, lift = ("test loss halves", -0.2) if level else ("test loss\nhalves", 0.5)
    name = current_style.note(
        axes, words, (at, level), (-0.4, lift), ha="right", va="top" if level else "baseline",
        color=colour, xycoords=axes.get_xaxis_transform(), linespacing=1.05,
    )  # fmt: skip

    em = current_style.pixels(axes, current_style.small)

    def update(i: int) -> None:
        # an axis that has grown may leave no room at the left of the line
        left = (axes.transData.transform((at, 0))[0] - axes.bbox.x0) / em > HALVES[level]
        name.set(ha="right" if left else "left")
        name.set_position(
            ((-0.4 if left else 0.4) * current_style.small, lift * current_style.small)
        )
        for artist in (line, name):
            artist.set_visible(current_style.ghost or bool(epochs[i] >= at))

    return Drawing([line, name], update)


def to_the_middle(field: Float[np.ndarray, "p p"], k: int) -> tuple[int, int]:
    """By how many places a field in phase is turned along a and b for its bump to be in the middle;
    none for no k.
    """
    if not k:
        return 0, 0
    p, ordered = len(field), in_phase(field, k)
    wave = np.exp(2j * np.pi * np.arange(p) / p)
    at = [np.angle(ordered.mean(axis=side) @ wave) * p / (2 * np.pi) for side in (1, 0)]
    return round(p / 2 - at[0]) % p, round(p / 2 - at[1]) % p


def in_phase(field: Float[np.ndarray, "p p"], k: int) -> Float[np.ndarray, "p p"]:
    """A field with its numbers a and b in the order of k a and k b mod p; as it is for no k."""
    if not k:
        return field
    places = np.argsort(np.arange(len(field)) * k % len(field), kind="stable")
    ordered: np.ndarray = field[np.ix_(places, places)]
    return ordered
