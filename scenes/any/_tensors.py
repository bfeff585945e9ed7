"""What scenes of any run's tensors share: their order, their names, their groups and colours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.errors import InputError
from grokviz.media.plain import no_formula
from grokviz.media.theme import colour_map
from grokviz.scene import panels, style
from grokviz.scene.clock import spaced
from grokviz.tasks.any.embeddings import NAMES as FIRST

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

LONGEST = 20
"""A name of more characters is shortened in its middle."""

LAST = re.compile(
    r"(^|\.)(unembed\w*|lm_head|head|ln_f|norm_f|final\w*|W_U)(\.|$)"
    r"|^(out|output|readout|classifier)(\.|$)", re.I,
)  # fmt: skip
PARTS = (
    "wte",
    "wpe",
    "norm",
    "ln",
    "attn",
    "W_Q",
    "W_K",
    "W_V",
    "W_O",
    "mlp",
    "W_in",
    "b_in",
    "W_out",
    "b_out",
)
"""Within a block, in the order in which a signal comes to them."""


EARLY = 0.25
"""Checkpoints lie ever farther apart where half of them are in so much of training."""

FEW_DECADES = 50.0
"""On an axis that spans less than this factor, 2 and 5 have ticks as 1 has."""


@dataclass(frozen=True)
class Rows:
    """The tensors of a run as rows of a picture, in the order of the model.

    Attributes:
        names: what each row is called; of several tensors, what their names begin with.
        members: places of the tensors of each row in the dataset.

    """

    names: list[str]
    members: list[list[int]]


@dataclass(frozen=True)
class Moments:
    """Where the checkpoints are on the axis of time.

    Attributes:
        x: their epochs; on a logarithmic axis epoch 0 is at half of the next one.
        width: of the interval before each, in doublings of the epoch, or in epochs.
        log: whether the axis is logarithmic.
        zero: whether the first of them is epoch 0 on such an axis.

    """

    x: np.ndarray
    width: np.ndarray
    log: bool
    zero: bool = False

    @classmethod
    def of(cls, epochs: np.ndarray, *, log: bool) -> Moments:
        """Of checkpoints at these epochs."""
        x = epochs.astype(float)
        zero = log and bool(x[0] <= 0)
        if zero:
            x[0] = x[1] / 2 if len(x) > 1 else 1.0
        return cls(x, np.diff(np.log2(x) if log else x), log, zero)

    @classmethod
    def spaced(cls, epochs: np.ndarray, time: str) -> Moments:
        """The same, logarithmic where ``time`` is "log", or "auto" and checkpoints grow apart."""
        middle = float(epochs[len(epochs) // 2] - epochs[0])
        apart = middle < EARLY * float(epochs[-1] - epochs[0])
        return cls.of(epochs, log=time == "log" or (time == "auto" and apart))

    @property
    def left(self) -> float:
        """The left end of the axis."""
        return float(self.x[0])

    @property
    def right(self) -> float:
        """The right end of the axis."""
        return float(max(self.x[-1], self.x[0] * 1.01))

    def frame(self, axes: Axes, word: str) -> None:
        """Make this the axis of time of a panel; ``word`` is what it counts."""
        if self.log:
            axes.set_xscale("log")
            panels.decades(axes)
            if self.right < FEW_DECADES * self.left:
                axes.set_xticks([n * 10.0**k for k in range(8) for n in (1, 2, 5)])
        else:
            panels.thousands(axes)
        axes.set_xlabel(f"{word} (log scale)" if word and self.log else word)
        axes.set_xlim(self.left, self.right)
        if self.log:
            self._mark_ends(axes)

    def _mark_ends(self, axes: Axes) -> None:
        """Write the last epoch at the right end, 0 at the left where epoch 0 stands there, and no
        other number near them.
        """
        em = style().pixels(axes, style().small) / axes.bbox.width
        ticks = [tick for tick in axes.get_xticks() if self.left <= tick <= self.right]
        words = axes.xaxis.get_major_formatter().format_ticks(ticks)
        long, last = np.log(self.right / self.left), spaced(round(self.right))
        ends = [(self.left, "0")] if self.zero else []
        half = 0.32 * len(last) * em * axes.bbox.width
        if axes.bbox.x1 + half <= axes.figure.get_figure(root=True).bbox.x1 and half < 0.3 * (
            axes.bbox.width
        ):
            ends.append((self.right, last))
        far = [
            (tick, word)
            for tick, word in zip(ticks, words, strict=True)
            if all(
                abs(np.log(tick / end)) / long > (0.32 * (len(word) + len(other)) + 0.6) * em
                for end, other in ends
            )
        ]
        shown = sorted([*ends, *far])
        axes.set_xticks([tick for tick, _ in shown], [word for _, word in shown])


def choose(names: Sequence[str], pattern: str, able: Sequence[bool], lack: str) -> list[int]:
    """Places of the names that a pattern fits and that are able, in the model's order.

    Raises InputError, with ``lack`` as what the pattern is, where there are none.
    """
    places = [i for i in model_order(names) if able[i] and fits(names[i], pattern)]
    if not places:
        raise InputError(
            f"tensors={pattern} is {lack}; give a pattern that fits one of {', '.join(names[:4])}"
        )
    return places


def rows_of(data: xr.Dataset, pattern: str, most: int) -> Rows:
    """The tensors that a pattern chooses; where they are too many, those of a part together.

    Raises InputError for a pattern that fits none.
    """
    every = [str(name) for name in data["parameter"].values]
    places = [i for i in model_order(every) if fits(every[i], pattern)]
    if not places:
        raise InputError(
            f"tensors={pattern} is the name of no tensor of this run; give a pattern such as "
            f"tensors='*{every[0].rsplit('.', 1)[-1]}', for one of {', '.join(every[:4])}"
        )
    groups = _grouped(every, places, most)
    names = short_names([*groups]) if [*groups] != [""] else ["all weights"]
    return Rows(names, [*groups.values()])


def _grouped(every: Sequence[str], places: Sequence[int], most: int) -> dict[str, list[int]]:
    """Tensors by what their names begin with, as long as leaves no more than ``most`` groups."""
    parts = {i: every[i].split(".") for i in places}
    finer: dict[str, list[int]] = {}
    for depth in range(max(map(len, parts.values())), -1, -1):
        groups: dict[str, list[int]] = {}
        for i in places:
            groups.setdefault(".".join(parts[i][:depth]), []).append(i)
        if len(groups) <= most:
            break
        finer = groups
    # better than all blocks as one are some neighbours as one
    joined = _joined(finer, most) if finer and 2 * len(groups) < most else {}
    return joined if len(groups) < len(joined) <= most else groups


def _joined(groups: dict[str, list[int]], most: int) -> dict[str, list[int]]:
    """Groups of which neighbours that differ by their last number are one, as many as it takes."""
    numbered = [name for name in groups if name.rsplit(".", 1)[-1].isdigit()]
    each = -(-len(numbered) // max(most - len(groups) + len(numbered), 1))
    runs: list[list[str]] = []
    for name in groups:
        stem = name.rpartition(".")[0]
        last = runs[-1] if runs else []
        near = name in numbered and last and last[0] in numbered and len(last) < each
        if near and last[0].rpartition(".")[0] == stem:
            last.append(name)
        else:
            runs.append([name])
    return {
        run[0] if len(run) == 1 else f"{run[0]}\u2013{run[-1].rsplit('.', 1)[-1]}": [
            i for name in run for i in groups[name]
        ]
        for run in runs
    }


def fits(name: str, pattern: str) -> bool:
    """Whether a name fits one of these patterns, which have commas between them."""
    return any(fnmatchcase(name, one.strip()) for one in pattern.split(","))


def model_order(names: Sequence[str]) -> list[int]:
    """Places of the tensors in the order in which a signal comes to them, as far as names say it:
    embeddings, blocks by their numbers, and what follows the last block.
    """
    return sorted(range(len(names)), key=lambda i: (_stage(names[i]), _natural(names[i])))


def owner(name: str) -> str:
    """A name as that of an owner: "W_E's", "positions'"."""
    return f"{name}'" if name.endswith("s") else f"{name}'s"


def short_names(names: Sequence[str]) -> list[str]:
    """Names without what all of them share; the last part alone where that tells them apart."""
    # a number alone is no name
    stems = [name.removesuffix(".weight") for name in names]
    plain = [
        name if stem.rsplit(".", 1)[-1].isdigit() else stem
        for name, stem in zip(names, stems, strict=True)
    ]
    if len({*plain}) < len(plain):
        plain = list(names)
    last = [name.rsplit(".", 1)[-1] for name in plain]
    bare = any(part[:1].isdigit() or part in ("weight", "bias") for part in last)
    if len({*last}) == len(last) and not bare:
        return [_shortened(part) for part in last]
    parts = [name.split(".") for name in plain]
    while len(parts) > 1 and min(map(len, parts)) > 1 and len({one[0] for one in parts}) == 1:
        parts = [one[1:] for one in parts]
    whole = [".".join(one) for one in parts]
    for choice in (_without_stems(whole), whole):
        short = [_shortened(name) for name in choice]
        if len({*short}) == len(short):
            return short
    return [_shortened(name) for name in names]


def _without_stems(names: Sequence[str]) -> list[str]:
    """Names without what stands before a layer's number, and others without their first parts, if
    they would be cut in their middle otherwise.
    """
    parts = [name.split(".") for name in names]
    numbers = [next((k for k, p in enumerate(one) if p[:1].isdigit()), 0) for one in parts]
    stems = [tuple(one[:k]) for one, k in zip(parts, numbers, strict=True)]
    long = [len(name) > LONGEST for name in names]
    cut = {stem for stem, is_long in zip(stems, long, strict=True) if stem and is_long}
    short = []
    for one, stem, is_long in zip(parts, stems, long, strict=True):
        rest = one[len(stem) :] if stem in cut else one
        while is_long and not stem and len(rest) > 1 and len(".".join(rest)) > LONGEST:
            rest = rest[1:]
        short.append(".".join(rest))
    return short


def parts_of(rows: Rows, data: xr.Dataset) -> list[str]:
    """The part of the model that each row is of: what its names begin with."""
    every = [str(name) for name in data["parameter"].values]
    return [every[members[0]].rpartition(".")[0] for members in rows.members]


def colours_of(rows: Rows, data: xr.Dataset) -> list[Any]:
    """A colour for each row: that of its part of the model, of its depth where parts are many."""
    parts = parts_of(rows, data)
    order = list(dict.fromkeys(parts))
    palette = style().colours.frequencies
    if len(order) <= len(palette):
        return [palette[order.index(part)] for part in parts]
    scale = colour_map("viridis")
    return [scale(0.15 + 0.75 * k / max(len(parts) - 1, 1)) for k in range(len(parts))]


def together(values: np.ndarray, rows: Rows) -> np.ndarray:
    """Norms along a clock and the tensors, as those of the rows: roots of summed squares."""
    squares = np.square(values.astype(float))
    return np.stack([np.sqrt(squares[:, m].sum(axis=1)) for m in rows.members], axis=1)


def names_of(data: xr.Dataset) -> list[str]:
    """What each tensor of the dataset is called."""
    return short_names([str(name) for name in data["parameter"].values])


def matrices(data: xr.Dataset, pattern: str = "*") -> list[int]:
    """Places of the matrices that a pattern chooses and that are not 0 throughout, in the order of
    the model.
    """
    every = [str(name) for name in data["parameter"].values]
    known = (np.nan_to_num(data["singular_value"].values[:, :, 0]) > 0).any(axis=0)
    return [i for i in model_order(every) if known[i] and fits(every[i], pattern)]


def _stage(name: str) -> int:
    if LAST.search(name):
        return 2
    return 0 if FIRST.search(name) else 1


def _natural(name: str) -> list[tuple[int, int, str]]:
    """A key that sorts numbers by their size, weights before biases, and parts as they come."""
    key = []
    for part in name.split("."):
        for k, known in enumerate(PARTS):
            if part.startswith(known) if known[:2] in ("W_", "b_") else known in part:
                key.append((1, k, part))
                break
        else:
            digits = re.search(r"\d+", part)
            key.append((0, int(digits[0]) if digits else 0, part.replace("bias", "~bias")))
    return key


def shorter(names: Sequence[str], longest: int) -> list[str]:
    """The names, cut to so many letters where that leaves them apart."""
    short = [_shortened(name, longest) for name in names]
    return short if len({*short}) == len({*names}) else list(names)


def _shortened(name: str, longest: int = LONGEST) -> str:
    if len(name) > longest:
        half = (longest - 1) // 2
        name = f"{name[:half]}…{name[-half:]}"
    return no_formula(name)
