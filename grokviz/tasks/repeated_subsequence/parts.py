"""The parts of the dataset that runs of repeated subsequences have."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from grokviz.dataset import ties
from grokviz.dataset.part import Part, Values
from grokviz.tasks._sequences.checkpoint import SequenceCheckpoint
from grokviz.tasks._sequences.model import run as run_model
from grokviz.tasks._sequences.parts import HeldOutPart, SequencePart
from grokviz.tasks.repeated_subsequence.checkpoint import RepeatedSubsequenceRun
from grokviz.tasks.repeated_subsequence.probes import source_of

SHOWN = 0
"""Which of the fresh sequences is shown."""


class HeadsPart(SequencePart):
    """The two kinds of heads that complete a repeated subsequence, and two of them at work."""

    def coords(self, context: RepeatedSubsequenceRun) -> Values:
        """Layers, heads, positions, and the two heads shown."""
        w = context.weights(context.last)
        positions = np.arange(len(w.W_pos))
        return {
            "layer": np.arange(len(w.layers)),
            "head": np.arange(w.heads),
            "shown_head": ["previous token", "induction"],
            "query": positions,
            "key": positions,
            "field_epoch": context.field_epochs,
        }

    def whole(self, context: RepeatedSubsequenceRun) -> Values:
        """Which heads are shown, and the sequence that they are shown at."""
        batch = context.sample.batch
        shown = self.shown(context)
        return {
            "shown_layer": shown[:, 0],
            "shown_number": shown[:, 1],
            "shown_token": batch.tokens[SHOWN],
            "shown_source": source_of(batch, SHOWN),
        }

    def at(self, context: RepeatedSubsequenceRun, checkpoint: SequenceCheckpoint) -> Values:
        """Both scores of every head."""
        attention = context.measured(checkpoint).attention
        return {
            "induction_score": attention["induction"],
            "previous_token_score": attention["previous_token"],
        }

    def field_at(self, context: RepeatedSubsequenceRun, checkpoint: SequenceCheckpoint) -> Values:
        """Attention of the two heads at the sequence shown."""
        batch = context.sample.batch
        one = slice(SHOWN, SHOWN + 1)
        w = context.weights(checkpoint)
        ran = run_model(w, batch.tokens[one], batch.positions[one])
        shown = self.shown(context)
        return {"attention_pattern": np.stack([ran.patterns[i][0, j] for i, j in shown])}

    def shown(self, context: RepeatedSubsequenceRun) -> Int[np.ndarray, "shown_head 2"]:
        """Layer and number of the best head of each kind, in the last checkpoint.

        An induction head reads what a previous-token head wrote, so that one is looked for in
        the layers before it, where there are any.
        """
        if "shown" not in context.memo:
            attention = context.measured(context.last).attention
            reader = _best(attention["induction"])
            before = attention["previous_token"][: reader[0] or None]
            context.memo["shown"] = np.array([_best(before), reader])
        heads: np.ndarray = context.memo["shown"]
        return heads


def _best(scores: np.ndarray) -> tuple[int, int]:
    layer, head = np.unravel_index(ties.first_largest(scores.ravel()), scores.shape)
    return int(layer), int(head)


PARTS: dict[str, Part] = {"held_out": HeldOutPart(), "heads": HeadsPart()}
