"""Film time and training time: which checkpoint each frame shows.

Every frame shows a real checkpoint, held a whole number of frames; nothing between two
checkpoints is made up. Time may be stretched around grokking; the epoch is always on screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset import learning
from grokviz.dataset.numerics import curves
from grokviz.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

SHARES = (0.14, 0.34, 0.34, 0.18)
"""Shares of film time of the four phases, however many epochs each has."""

ENDS = 0.1
"""Clean-up that ends in so much of a run, its last part, ends with the run."""


def word(data: xr.Dataset, clock: str = "epoch") -> str:
    """What a clock counts, as it is written in pictures: "epoch", "step", "fraction", ...

    All epoch clocks count what the run counted: epochs of full batches, or steps of small ones.
    """
    return str(data.attrs.get("counts") or "epoch") if is_time(clock) else clock


def is_time(clock: str) -> bool:
    """Whether a clock counts training, rather than a fraction, a number of curves, ..."""
    return clock.endswith("epoch")


FIGURE_SPACE, COMMA_SPACE = "\u2007", "\u2005"
"""Spaces as wide as a figure and as a comma of the typeface."""


def moment(data: xr.Dataset, clock: str, i: int) -> str:
    """The moment of a picture at index ``i``, as it is written: "epoch 3,000", "fraction 30%", ...

    Equally wide at all moments, so that its number does not jump.
    """
    values = data[clock].values
    written = [spaced(value) for value in (values[0], values[i], values[-1])]
    if values.dtype.kind == "f" and not is_time(clock):
        scale, unit = (100, "%") if clock == "fraction" else (1, "")
        places = max(len(f"{scale * value % 1:.4f}".rstrip("0")) - 2 for value in values)
        written = [f"{scale * v:.{places}f}{unit}" for v in (values[0], values[i], values[-1])]
    named = {"count": "mean of"}.get(clock) or word(data, clock)
    return f"{_room(written[1], max(map(len, written)))}{named} {written[1]}"


def _room(number: str, length: int) -> str:
    """Spaces as wide as the figures and commas by which a number is shorter than the longest."""
    missing = range(length - 1, len(number) - 1, -1)
    return "".join(COMMA_SPACE if n % 4 == 3 else FIGURE_SPACE for n in missing)


def at(data: xr.Dataset, clock: str, i: int) -> str:
    """The moment at index ``i`` as it is said in a sentence: "epoch 3,000", "step 20", ..."""
    return f"{word(data, clock)} {spaced(data[clock].values[i])}"


def spaced(number: float) -> str:
    """A count with a comma before each three digits: 40,000; a fraction as it is."""
    if number != int(number):
        return f"{number:g}"
    return f"{int(number):,}"


def grok_epoch(data: xr.Dataset) -> int | None:
    """When the run grokked (:mod:`grokviz.dataset.learning`); of many runs the first of them."""
    return _first_to_grok(data) if "generalised_epoch" in data else learning.grok_epoch(data)


def has_test_loss(data: xr.Dataset) -> bool:
    """Whether there is a loss, of one run or of many, that says when it grokked."""
    if "generalised_epoch" in data:
        return True
    if "logged_test_loss" in data and data.sizes["tested_epoch"]:
        return True
    return "loss" in data and bool(np.isfinite(data["loss"].sel(split="test")).any())


def _first_to_grok(data: xr.Dataset) -> int | None:
    """The epoch at which the first of many runs generalised.

    It has a loss below 0.1; half of a maximum is passed at every slingshot.
    """
    grok_epochs = data["generalised_epoch"].values
    return int(grok_epochs[grok_epochs >= 0].min()) if (grok_epochs >= 0).any() else None


def phase_ends(data: xr.Dataset) -> Int[np.ndarray, " 3"] | None:
    """Last epochs of memorisation, circuit formation and clean-up, if the run has them."""
    if "phase_end" not in data:
        return None
    ends = data["phase_end"].values
    return None if (ends < 0).any() else ends


def phase_edges(data: xr.Dataset, first: float = 0, clock: str = "epoch") -> list[float]:
    """Where the phases of training begin and end, from ``first`` on; none without phases.

    Three phases where clean-up ends in the last :data:`ENDS` of the run: the test loss then
    still falls, and what comes after are the last records of that fall, not a phase.
    """
    ends = phase_ends(data)
    if ends is None:
        return []
    last = max(float(data[clock].values[-1]), float(ends[2]))
    edges = [first, *map(float, ends), last]
    return [*edges[:3], last] if ends[2] > (1 - ENDS) * last else edges


def index_of(data: xr.Dataset, clock: str, wanted: str | int | None) -> int:
    """Clock index of ``N``, ``last``, ``grok``, ``grok-N`` or ``grok+N``.

    The nearest checkpoint is taken; the picture names the one it shows. A clock that does not
    count training takes a number of its own, or ``last``.
    """
    if not is_time(clock):
        return _nearest(data[clock].values, clock, "last" if wanted is None else str(wanted))
    name = str(data.attrs.get("run_name", "the run"))
    if "grok" in str(wanted) and not has_test_loss(data):
        raise InputError(
            f"the data of {name} has no test loss that says when it grokked; give --epoch a "
            "number or last"
        )
    return curves.index_of(data[clock].values, wanted, lambda: grok_epoch(data), name)


def _nearest(values: Float[np.ndarray, " clock"], clock: str, wanted: str) -> int:
    low, high = f"{values.min():g}", f"{values.max():g}"
    if wanted.strip() == "last":
        return len(values) - 1
    try:
        at = float(wanted)
    except ValueError:
        at = np.nan
    if not float(low) <= at <= float(high):
        raise InputError(
            f"--epoch {wanted}: this moves along {clock}; give a number from {low} to {high}, "
            "or last"
        )
    return int(np.abs(values - at).argmin())


def index_up_to(data: xr.Dataset, clock: str, last: float) -> int:
    """The index of the last moment of a clock up to ``last``; the first where all are later."""
    return max(int(np.searchsorted(data[clock].values, last, side="right")) - 1, 0)


def gone_from(data: xr.Dataset, clock: str, names: Iterable[str]) -> int | None:
    """The first clock index from which on none of these variables has a number; None for none.

    So it is after weights became NaN. What never had a number, and what is not measured along
    the clock, does not count.
    """
    alive = None
    for name in names:
        values = data.get(name)
        if values is None or clock not in values.dims or values.dtype.kind != "f":
            continue
        finite = np.isfinite(values.transpose(clock, ...).values)
        finite = finite.reshape(len(finite), -1).any(axis=1)
        if finite.any():
            alive = finite if alive is None else alive | finite
    if alive is None or alive[-1]:
        return None
    return int(np.flatnonzero(alive)[-1]) + 1


def select(data: xr.Dataset, clock: str, span: str | None) -> xr.Dataset:
    """The dataset cut to ``A:B:STEP`` of its clock; any of the three may be left out."""
    if span is None:
        return data
    if not is_time(clock):
        return _between(data, clock, span)
    parts = span.split(":")
    try:
        numbers = [int(part) if part.strip() else None for part in parts]
        if not 2 <= len(numbers) <= 3:
            raise ValueError
    except ValueError:
        raise InputError(f"--epochs {span} is not a range; write A:B or A:B:STEP") from None
    values = data[clock].values
    first = values[0] if numbers[0] is None else numbers[0]
    last = values[-1] if numbers[1] is None else numbers[1]
    step = numbers[2] if len(numbers) == 3 else None
    inside = (values >= first) & (values <= last)
    if step is not None:
        if step < 1:
            raise InputError(f"--epochs {span} has a step below 1; leave it out or give one above")
        inside &= (values - first) % step == 0
    if not inside.any():
        raise InputError(
            f"--epochs {span} shows no moment of this run: its {word(data, clock)}s go from "
            f"{values[0]} to {values[-1]}, {len(values)} of them"
        )
    return data.isel({clock: np.flatnonzero(inside)})


def _between(data: xr.Dataset, clock: str, span: str) -> xr.Dataset:
    """The moments from A to B of ``A:B``, on a clock that may run down."""
    values = data[clock].values
    try:
        first, last = (float(part) if part.strip() else None for part in span.split(":"))
    except ValueError:
        raise InputError(f"--epochs {span} is not a range of {clock}; write A:B") from None
    ends = sorted((values[0] if first is None else first, values[-1] if last is None else last))
    inside = (values >= ends[0]) & (values <= ends[1])
    if not inside.any():
        raise InputError(
            f"--epochs {span} shows no moment: {clock} goes from {values[0]:g} to "
            f"{values[-1]:g}, {len(values)} of them"
        )
    return data.isel({clock: np.flatnonzero(inside)})


def pace(values: Float[np.ndarray, " clock"], clock: str) -> Float[np.ndarray, " clock"]:
    """Numbers that grow along a clock as film time does.

    Training time is film time. Other values have the same time each, but for ``count``: twice
    as many in equal times, as the first of them change a mean the most.
    """
    if is_time(clock):
        return values
    steps = np.arange(len(values), dtype=float)
    return np.log(steps + 1) if clock == "count" else steps


def schedule(
    values: Float[np.ndarray, " clock"],
    frames: int,
    held: int,
    ends: Sequence[float] = (),
) -> Int[np.ndarray, " frames"]:
    """Clock index of each of ``frames`` frames, the last ``held`` of them at the end.

    With the ends of the phases film time is shared among them by :data:`SHARES`; else it is
    proportional to training time. A frame shows the last checkpoint up to its moment.
    """
    moving = max(frames - held, 1)
    at = np.linspace(0, 1, moving)
    knots = np.array([values[0], values[-1]], dtype=float)
    times = np.array([0.0, 1.0])
    if len(ends):
        inner = [end for end in ends if values[0] < end < values[-1]]
        # a span that ends early keeps the tempo of the phases it does show
        knots = np.array([values[0], *inner, values[-1]], dtype=float)
        times = np.cumsum([0.0, *SHARES[: len(inner) + 1]])
        times /= times[-1]
    moments = np.interp(at, times, knots)
    index = np.searchsorted(values, moments + 1e-9, side="right") - 1
    index = np.clip(index, 0, len(values) - 1)
    return np.concatenate([index, np.full(frames - moving, len(values) - 1)])
