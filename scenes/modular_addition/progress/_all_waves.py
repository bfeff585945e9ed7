"""Excluded loss with many waves taken away at once: the key ones, or all of a + b."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any import _marks
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims, _neurons

from grokviz.scene import Claim, Drawing, frequencies, panels, published, style
from grokviz.scene import clock as clocks
from grokviz.scene.outcome import outcome
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

PUBLISHED = "published_excluded_loss"

KEY, ALL = "without\nkey waves", "without\nall waves"

SPARSE = 0.5
"""Where fewer of the checkpoints have a number, it is drawn as dots with nothing between."""

MORE = 10.0
"""So many times the loss is larger without all waves where training leans on more than the key."""

DOTS = " Dots: the checkpoints whose weights were kept."

ALIKE = 1.5
"""At most so many times apart are two losses that are nearly the same."""


def variables(measure: str) -> tuple[str, str]:
    """The measures without the key waves and without all waves."""
    return f"excluded_{measure}_2d", f"excluded_{measure}_2d_all_frequencies"


def claim(data: xr.Dataset, measure: str, *, behind: bool) -> Claim:
    """Whether training leans early on more waves than those that are key at the end."""
    run, keys, rows = outcome(data), frequencies.key_frequencies(data), _measured(data, measure)
    if not keys or not rows.size:
        return Claim.instead(run.sentence, _watch("", behind=behind))
    key, every = (data[name].values for name in variables(measure))
    shares = measure == "accuracy"
    last = f"{_text(every[rows[-1]], shares=shares)} without all waves"
    ends = f"It ends at {last}, {_text(key[rows[-1]], shares=shares)} without the key ones"
    turn, ends = _early(data, rows), ends.replace("It ends", f"Training {measure} ends")
    if turn is None or shares:
        return Claim.instead(ends, _watch("", behind=behind))
    numbers = {"key": float(key[turn]), "all": float(every[turn])}
    numbers["last"] = float(every[rows[-1]] / key[rows[-1]])
    alike = 1 / ALIKE <= numbers["last"] <= ALIKE
    if not (numbers["all"] >= MORE * numbers["key"] and alike):
        return Claim.instead(ends, _watch("", behind=behind), **numbers)
    sentence = f"At first training leans on more waves than the {len(keys)} that are key later"
    now = _claims.moment(data, turn)
    watch = (
        f"at {now} the loss is {numbers['all']:.2g} without all waves, {numbers['key']:.2g} "
        "without the key ones"
    )
    return Claim(sentence, _watch(watch, behind=behind), numbers=numbers)


def draw(axes: Axes, data: xr.Dataset, measure: str, *, behind: bool) -> Drawing:
    """Train and test, and two lines beside them; published losses behind."""
    losses, colours = measure == "loss", style().colours
    scale = 1.0 if losses else 100.0
    key, every = (scale * data[name].values.astype(float) for name in variables(measure))
    known = np.isfinite(every)
    curves = panels.splits(data, measure, scale)
    curves[KEY] = panels.at_checkpoints(data, key)
    curves[ALL] = panels.at_checkpoints(data, every, colours.frequencies[0]).where(known)
    if behind:
        curves |= published.losses(data)
        curves["_published all"] = published.curve(data, PUBLISHED, colours.frequencies[0])
    panel = panels.CurvePanel(
        axes, data, curves, log=losses, phases=_neurons.phases(axes.figure),
        ylabel="loss (nats)" if losses else "accuracy (%)",
        ylim=None if losses else (-4, 104), yticks=None if losses else (0, 50, 100),
    )  # fmt: skip
    parts = [panel.along(data["epoch"])]
    if is_sparse(every):
        parts.append(dots(panel, ALL, data))
    return Drawing.of(*parts)


def is_sparse(values: np.ndarray) -> bool:
    """Whether so few of the checkpoints have a number that a line between them says too much."""
    return bool(np.isfinite(values).mean() < SPARSE)


def description(data: xr.Dataset, measure: str, i: int) -> str:
    """The numbers at that moment; of all waves those of the nearest checkpoint that has them."""
    shares, rows = measure == "accuracy", _measured(data, measure)
    key, every = (data[name].values for name in variables(measure))
    whole = data[measure].isel(epoch=i)
    text = (
        f"Training {measure} over epochs with the waves of a + b taken out of the logits, the key "
        f"ones or all. At {clocks.at(data, 'epoch', i)}, without the key waves "
        f"{_text(key[i], shares=shares)}"
    )
    if rows.size:
        near = rows[np.abs(rows - i).argmin()]
        at = "" if near == i else f" at {_claims.moment(data, int(near))}"
        text += f", without all waves {_text(every[near], shares=shares)}{at}"
    train, test = (_text(whole.sel(split=s), shares=shares) for s in ("train", "test"))
    return f"{text}; with all of them train {train}, test {test}."


def definition(data: xr.Dataset, measure: str, *, behind: bool) -> str:
    """With both definitions, what the published figure fits, and the citation."""
    dotted = DOTS if is_sparse(data[variables(measure)[1]].values) else ""
    return (
        f"Excluded {measure}: that on the training pairs with cos and sin of w(a + b), fitted on "
        "all pairs, test pairs included, taken out of the logits: at the key frequencies of the "
        f"last checkpoint, as the paper's text defines it, or at all {data.sizes['frequency']} "
        "frequencies, which needs no knowledge of the last checkpoint and is what the paper's "
        f"figure fits.{dotted}{published.definition(data) if behind else ''} {after('figure 7')}"
    )


def _watch(words: str, *, behind: bool) -> str:
    return published.watch(words) if behind else words


def _text(value: Any, *, shares: bool) -> str:
    if not np.isfinite(value):
        return "unknown"
    return percent(float(value)) if shares else f"{float(value):.2g}"


def _measured(data: xr.Dataset, measure: str) -> np.ndarray:
    """The checkpoints at which both measures are numbers."""
    key, every = (np.isfinite(data[name].values) for name in variables(measure))
    return np.flatnonzero(key & every)


def _early(data: xr.Dataset, rows: np.ndarray) -> int | None:
    """The checkpoint measured nearest to the end of memorisation, of a run that grokked."""
    ends = clocks.phase_ends(data)
    if outcome(data).delay is None or ends is None:
        return None
    epochs = data["epoch"].values[rows]
    near = int(np.abs(epochs - ends[0]).argmin())
    return int(rows[near]) if abs(epochs[near] - ends[0]) <= _claims.NEAR * ends[0] else None


def dots(
    panel: panels.CurvePanel, name: str, data: xr.Dataset, unit: str = "", words: str = ""
) -> Drawing:
    """Instead of a panel's curve, a dot with its number at each checkpoint that was measured.

    ``words`` follow the number of the first dot after the start, where no name is beside the axes.
    """
    if name not in panel.traces:
        return Drawing()
    for line in panel.traces[name].lines:
        line.set_linestyle("none")
    end, curve = panels.horizon(data), panel.curves[name]
    marks = [
        _marks.Mark(float(x), float(y), f"{y:.2g}{unit}", curve.colour, "left", 0.5)
        for x, y in zip(curve.x, curve.y, strict=True)
        if x <= end
    ]
    if words and marks:
        k = min(1, len(marks) - 1)
        marks[k] = marks[k]._replace(text=f"{marks[k].text} {words}")
    others = [one for key, one in panel.curves.items() if key != name]
    clear = _marks.clear(panel.axes, marks, others)
    return _marks.draw(panel.axes, clear, data["epoch"])
