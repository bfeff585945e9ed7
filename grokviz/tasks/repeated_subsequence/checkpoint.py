"""The runs of repeated subsequences, as their measures see them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.numerics import ties
from grokviz.tasks._sequences.checkpoint import SequenceRun
from grokviz.tasks._sequences.sample import SampleKind
from grokviz.tasks.repeated_subsequence.data import RepeatedSubsequence
from grokviz.tasks.repeated_subsequence.probes import induction, previous_token

SHOWN = 0
"""The index of the fresh sequence whose attention is stored."""


@dataclass
class RepeatedSubsequenceRun(SequenceRun):
    """A run with probes of both kinds of heads, on 128 of its fresh sequences."""

    data_type = RepeatedSubsequence
    kind = SampleKind(128, {"previous_token": previous_token, "induction": induction})
    double_residual = True

    @cached_property
    def shown(self) -> Int[np.ndarray, "shown_head 2"]:
        """Layer and number of the best head of each kind, in the last checkpoint.

        An induction head reads the output of a previous-token head, so that one is searched in
        the earlier layers, if there are any.
        """
        attention = self.last.sample_measures(self.sample, self.skip_weight).attention
        reader = best_head(attention["induction"])
        before = attention["previous_token"][: reader[0] or None]
        return np.array([best_head(before), reader])


def best_head(scores: Float[np.ndarray, "layer head"]) -> tuple[int, int]:
    """Layer and number of the head with the largest score, the first of ties."""
    layer, head = np.unravel_index(ties.first_largest(scores.ravel()), scores.shape)
    return int(layer), int(head)
