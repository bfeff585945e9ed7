"""A run of repeated subsequences as its measures see it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset import ties
from grokviz.tasks._sequences.checkpoint import SequenceRun
from grokviz.tasks._sequences.sample import SampleKind
from grokviz.tasks.repeated_subsequence.data import RepeatedSubsequence
from grokviz.tasks.repeated_subsequence.probes import induction, previous_token

SHOWN = 0
"""Which of the fresh sequences is shown."""


@dataclass
class RepeatedSubsequenceRun(SequenceRun):
    """Measured on 128 fresh sequences, with probes of both kinds of heads."""

    data_type = RepeatedSubsequence
    kind = SampleKind(128, {"previous_token": previous_token, "induction": induction})
    double_residual = True

    @cached_property
    def shown(self) -> Int[np.ndarray, "shown_head 2"]:
        """Layer and number of the best head of each kind, in the last checkpoint.

        An induction head reads what a previous-token head wrote, so that one is looked for in
        the layers before it, where there are any.
        """
        attention = self.last.measured(self.sample, self.skip_weight).attention
        reader = best_head(attention["induction"])
        before = attention["previous_token"][: reader[0] or None]
        return np.array([best_head(before), reader])


def best_head(scores: Float[np.ndarray, "layer head"]) -> tuple[int, int]:
    """Layer and number of the head with the largest score, the first of those that tie."""
    layer, head = np.unravel_index(ties.first_largest(scores.ravel()), scores.shape)
    return int(layer), int(head)
