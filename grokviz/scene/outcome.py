"""What became of a run, by its losses, and the sentence that is true of it.

Claims about grokking rest on it, so that every picture of a run says the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from grokviz.dataset.learning import LATER, LOW, Curve, grok_epoch, smooth
from grokviz.dataset.numerics.curves import first_below
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr


NO_LOSS = "No loss was logged"


@dataclass(frozen=True)
class Outcome:
    """What the losses of a run say of its learning; None for what did not happen.

    Attributes:
        word: what the run counts: epoch, or step.
        last: its last checkpoint.
        memorised, generalised: the first epochs with a train and a test loss below 0.1 nats, by
            the rules of :mod:`grokviz.dataset.learning`.
        grokked: when it grokked, by the same rules.
        diverged: the first epoch from which on no loss is a number.
        train, test: the last losses, in nats; NaN where none was logged.
        negative: whether losses were logged that are below 0.

    """

    word: str
    last: int
    memorised: int | None
    generalised: int | None
    grokked: int | None
    diverged: int | None
    train: float
    test: float
    negative: bool = False

    @property
    def tested(self) -> bool:
        """Whether there is a test loss."""
        return not np.isnan(self.test)

    @property
    def known(self) -> bool:
        """Whether the losses say anything."""
        return self.tested or not np.isnan(self.train) or self.diverged is not None

    @property
    def learned(self) -> bool:
        """Whether it generalised, and stayed so."""
        return self.generalised is not None and self.diverged is None and self.test < LOW

    @property
    def delay(self) -> int | None:
        """Epochs from memorising to generalising, of a run that grokked and stayed so."""
        if not self.learned or self.memorised is None or self.grokked is None:
            return None
        return int(self.generalised or 0) - int(self.memorised or 0)

    @property
    def sentence(self) -> str:
        """What the losses say, without a full stop."""
        if self.diverged is not None:
            return f"The loss is no number from {self._at(self.diverged)} on"
        if np.isnan(self.train) and not self.tested:
            return "The losses are below 0, which no cross entropy is" if self.negative else NO_LOSS
        if self.generalised is not None:
            return self._generalised()
        if self.memorised is not None and not self.tested:
            return f"Training loss below {LOW} from {self._at(self.memorised)} on; no test loss"
        if self.memorised is not None:
            end = f"not generalised by {self._at(self.last)}"
            return f"Memorised by {self._at(self.memorised)}; {end}"
        if np.isnan(self.train):
            return f"Not generalised by {self._at(self.last)}: the test loss is {self.test:.2g}"
        word = "memorised" if self.tested else "learned"
        return f"Not {word} by {self._at(self.last)}: the training loss is {self.train:.2g}"

    def _generalised(self) -> str:
        at = self._at(int(self.generalised or 0))
        if self.test >= LOW:
            return f"Generalised at {at}, and lost it: the test loss ends at {self.test:.2g}"
        if self.memorised is None:
            return f"Generalised by {at}"
        if int(self.generalised or 0) < LATER * self.memorised:
            return f"Learned train and test data together, by {at}"
        return f"Memorised by {self._at(self.memorised)}, generalised at {at}"

    def _at(self, epoch: int) -> str:
        return f"{self.word} {epoch:,}"


def outcome(data: xr.Dataset) -> Outcome:
    """What became of the run of a dataset, by its logged losses, else those of checkpoints."""
    train, test = losses_of(data, "train"), losses_of(data, "test")
    medians = smooth(train), smooth(test)
    ends = [_no_number(curve) for curve in (train, test) if len(curve.epochs)]
    gone = [end for end in ends if end is not None]
    return Outcome(
        word=clocks.word(data),
        last=int(data["epoch"].values[-1]) if data.sizes.get("epoch") else 0,
        memorised=first_below(*medians[0], LOW),
        generalised=first_below(*medians[1], LOW),
        grokked=grok_epoch(data),
        diverged=min(gone) if gone else None,
        train=_last(medians[0]),
        test=_last(medians[1]),
        negative=any(bool((curve.loss < 0).any()) for curve in (train, test)),
    )


def losses_of(data: xr.Dataset, split: str) -> Curve:
    """The epochs and values of a loss: as it was logged, else as it was measured."""
    clock = "logged_epoch" if split == "train" else "tested_epoch"
    if f"logged_{split}_loss" in data and data.sizes[clock]:
        return Curve(data[clock].values, data[f"logged_{split}_loss"].values)
    if "loss" in data and split in data["loss"]["split"].values:
        measured = data["loss"].sel(split=split).values
        if np.isfinite(measured).any():
            return Curve(data["epoch"].values, measured)
    return Curve(np.zeros(0, dtype=np.int64), np.zeros(0))


def _last(medians: Curve) -> float:
    """The last of the running medians; NaN of a curve without values."""
    return float(medians.loss[-1]) if len(medians.loss) else float("nan")


def _no_number(curve: Curve) -> int | None:
    """The first epoch from which on no value is a finite number; None where the last is one."""
    finite = np.flatnonzero(np.isfinite(curve.loss))
    if finite.size and finite[-1] == len(curve.loss) - 1:
        return None
    first = int(finite[-1]) + 1 if finite.size else 0
    return int(curve.epochs[first])
