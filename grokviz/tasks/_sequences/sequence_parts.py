"""Parts of the sequence tasks' datasets: losses on fresh data, and what their heads do.

Everything measured here is measured on the same fresh sequences at every checkpoint
(:class:`grokviz.tasks._sequences.sequences.Sample`), whatever data the run was trained on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Int

from grokviz.dataset import curves
from grokviz.dataset.part import Checkpoint, Context, Part, Values, metric
from grokviz.runs import Run
from grokviz.tasks._sequences.sequence_model import SequenceWeights
from grokviz.tasks._sequences.sequence_model import run as run_model
from grokviz.tasks._sequences.sequences import Sample, SequenceMeasures, source_of
from grokviz.tasks.any.spikes import values_on

DROP_LEVEL, DROP_WIDTH = 0.3, 50
"""A digit drops where the mean of so many losses, from there on, is first below that."""

SHOWN = 0
"""Which of the fresh sequences is shown."""

_NEVER = -1


def carried(task: str, settings: Mapping[str, Any]) -> int:
    """How often the residual stream is added to what the heads write: once, or published twice."""
    doubled = settings.get("double-residual", task == "repeated-subsequence")
    return 2 if doubled else 1


class SequencePart(Part):
    """What the parts of the sequence tasks share: the sample, and each checkpoint's measures."""

    heavy = True

    def sample(self, context: Context) -> Sample:
        """The fresh sequences that the run is measured on, drawn once."""
        if "sample" not in context.kept:
            context.kept["sample"] = Sample.of(context.task, context.settings)
        sample: Sample = context.kept["sample"]
        return sample

    def weights(self, context: Context, checkpoint: Checkpoint) -> SequenceWeights:
        """A checkpoint's weights, checked against the run's settings."""
        doubled = carried(context.task, context.settings)
        return self.sample(context).weights(checkpoint.state, doubled)

    def measured(self, context: Context, checkpoint: Checkpoint) -> SequenceMeasures:
        """A checkpoint's measures, made once."""
        if checkpoint.sequences is None:
            w = self.weights(context, checkpoint)
            checkpoint.sequences = self.sample(context).measure(w)
        return checkpoint.sequences


class HeldOutPart(SequencePart):
    """Loss and accuracy on fresh sequences."""

    def at(self, context: Context, checkpoint: Checkpoint) -> Values:
        """Means over sequences and scored positions."""
        m = self.measured(context, checkpoint)
        return {"held_out_loss": m.loss.mean(), "held_out_accuracy": m.accuracy.mean()}


class HeadsPart(SequencePart):
    """The two kinds of heads that complete a repeated subsequence, and two of them at work."""

    def coords(self, context: Context) -> Values:
        """Layers, heads, positions, and the two heads shown."""
        w = self.weights(context, context.last)
        positions = np.arange(len(w.W_pos))
        return {
            "layer": np.arange(len(w.layers)),
            "head": np.arange(w.heads),
            "shown_head": ["previous token", "induction"],
            "query": positions,
            "key": positions,
            "field_epoch": context.field_epochs,
        }

    def whole(self, context: Context) -> Values:
        """Which heads are shown, and the sequence that they are shown at."""
        batch = self.sample(context).batch
        shown = self.shown(context)
        return {
            "shown_layer": shown[:, 0],
            "shown_number": shown[:, 1],
            "shown_token": batch.tokens[SHOWN],
            "shown_source": source_of(batch, SHOWN),
        }

    def at(self, context: Context, checkpoint: Checkpoint) -> Values:
        """Both scores of every head."""
        attention = self.measured(context, checkpoint).attention
        return {
            "induction_score": attention["induction"],
            "previous_token_score": attention["previous_token"],
        }

    def field_at(self, context: Context, checkpoint: Checkpoint) -> Values:
        """Attention of the two heads at the sequence shown."""
        batch = self.sample(context).batch
        one = slice(SHOWN, SHOWN + 1)
        w = self.weights(context, checkpoint)
        ran = run_model(w, batch.tokens[one], batch.positions[one])
        shown = self.shown(context)
        return {"attention_pattern": np.stack([ran.patterns[i][0, j] for i, j in shown])}

    def shown(self, context: Context) -> Int[np.ndarray, "shown_head 2"]:
        """Layer and number of the best head of each kind, in the last checkpoint.

        An induction head reads what a previous-token head wrote, so that one is looked for in
        the layers before it, where there are any.
        """
        if "shown" not in context.kept:
            attention = self.measured(context, context.last).attention
            reader = _best(attention["induction"])
            before = attention["previous_token"][: reader[0] or None]
            context.kept["shown"] = np.array([_best(before), reader])
        found: np.ndarray = context.kept["shown"]
        return found


def _best(scores: np.ndarray) -> tuple[int, int]:
    layer, head = np.unravel_index(int(scores.argmax()), scores.shape)
    return int(layer), int(head)


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

    def coords(self, context: Context) -> Values:
        """The digits of the answer."""
        return {"digit": np.arange(self.sample(context).task.scored)}

    def at(self, context: Context, checkpoint: Checkpoint) -> Values:
        """Loss of each digit on fresh sums."""
        return {"held_out_digit_loss": self.measured(context, checkpoint).loss}


class KeyPart(SequencePart):
    """Whether a skip trigram's last token finds the key token."""

    def at(self, context: Context, checkpoint: Checkpoint) -> Values:
        """Attention to it, mean over heads and sequences."""
        return {"key_attention": self.measured(context, checkpoint).attention["key"].mean()}
