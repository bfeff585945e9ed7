"""The parts of the dataset that runs of digit addition have."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from grokviz.dataset import curves
from grokviz.dataset.part import Context, Part, Values, metric
from grokviz.dataset.spikes import values_on
from grokviz.runs import Run
from grokviz.tasks._sequences.checkpoint import SequenceCheckpoint
from grokviz.tasks._sequences.parts import HeldOutPart, SequencePart
from grokviz.tasks.digit_addition.checkpoint import DigitAdditionRun

DROP_LEVEL, DROP_WIDTH = 0.3, 50
"""A digit drops where the mean of so many losses, from there on, is first below that."""

_NEVER = -1


class DigitLossPart(Part):
    """The logged loss of each digit of the answer, and when it dropped; needs no weights."""

    def lacks(self, run: Run) -> str:
        """Losses of single digits."""
        return "" if "train_loss_token_0" in run.metrics else "loss logged for each digit"

    def coords(self, context: Context) -> Values:
        """The digits of the answer."""
        return {"digit": np.arange(_digits(context.run))}

    def whole(self, context: Context) -> Values:
        """Losses of every digit on the clocks of the whole losses, and the drops."""
        run = context.run
        count = _digits(run)
        drops = [drop_of(*run.metric(f"train_loss_token_{k}")) for k in range(count)]
        return {
            "token_train_loss": _by_digit(run, "train_loss", count),
            "token_test_loss": _by_digit(run, "test_loss", count),
            "digit_drop": [_NEVER if drop is None else drop for drop in drops],
        }


def drop_of(epochs: Int[np.ndarray, " step"], loss: np.ndarray) -> int | None:
    """The first epoch whose loss and the 49 after it have a mean below 0.3; None without one."""
    if len(loss) < DROP_WIDTH:
        return None
    mean = curves.running_mean(loss, DROP_WIDTH)[DROP_WIDTH - 1 :]
    return curves.first_below(epochs[: len(mean)], mean, DROP_LEVEL)


def _digits(run: Run) -> int:
    count = 0
    while f"train_loss_token_{count}" in run.metrics:
        count += 1
    return count


def _by_digit(run: Run, whole: str, count: int) -> np.ndarray:
    """Each digit's losses at the epochs at which the whole loss was logged; NaN elsewhere."""
    clock = metric(run, whole)[0]
    each = [values_on(clock, *metric(run, f"{whole}_token_{k}")) for k in range(count)]
    return np.stack(each, axis=1)


class DigitAnswersPart(SequencePart):
    """How well a checkpoint of addition knows each digit of the answer."""

    def coords(self, context: DigitAdditionRun) -> Values:
        """The digits of the answer."""
        return {"digit": np.arange(context.sample.task.scored)}

    def at(self, context: DigitAdditionRun, checkpoint: SequenceCheckpoint) -> Values:
        """Loss of each digit on fresh sums."""
        return {"held_out_digit_loss": context.measured(checkpoint).loss}


PARTS: dict[str, Part] = {
    "digits": DigitLossPart(),
    "held_out": HeldOutPart(),
    "digit_answers": DigitAnswersPart(),
}
