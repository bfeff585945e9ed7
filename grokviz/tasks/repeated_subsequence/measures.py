"""The two kinds of heads that complete a repeated subsequence, and two of them at work."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.contract import Storage, dimension, measure
from grokviz.tasks._sequences.checkpoint import SequenceCheckpoint
from grokviz.tasks._sequences.model import run as run_model
from grokviz.tasks.repeated_subsequence.checkpoint import SHOWN, RepeatedSubsequenceRun
from grokviz.tasks.repeated_subsequence.probes import source_of

INDUCTION = "arXiv:2209.11895; thread, tweets 2 and 7"
WHOLE = Storage("int64")


@dimension
def layer(run: RepeatedSubsequenceRun) -> Int[np.ndarray, " layer"]:
    """Attention layers, numbered from 0."""
    return np.arange(len(run.last.weights(run.sample, run.skip_weight).layers))


@dimension
def head(run: RepeatedSubsequenceRun) -> Int[np.ndarray, " head"]:
    """Attention heads."""
    return np.arange(run.last.weights(run.sample, run.skip_weight).heads)


@dimension
def shown_head(run: RepeatedSubsequenceRun) -> list[str]:
    """The best previous-token head and the best induction head."""
    return ["previous token", "induction"]


@dimension
def query(run: RepeatedSubsequenceRun) -> Int[np.ndarray, " query"]:
    """Positions of a sequence that attend."""
    return np.arange(len(run.last.weights(run.sample, run.skip_weight).W_pos))


@dimension
def key(run: RepeatedSubsequenceRun) -> Int[np.ndarray, " key"]:
    """Positions of a sequence that are attended to."""
    return np.arange(len(run.last.weights(run.sample, run.skip_weight).W_pos))


@measure("layer", "head", source=INDUCTION, published="induction_score")
def induction_score(
    at: SequenceCheckpoint, run: RepeatedSubsequenceRun
) -> Float[np.ndarray, "layer head"]:
    """Mean attention, from the scored positions of fresh sequences, to the tokens after the
    earlier copies of the same token of the repeated subsequence, summed over the copies.
    """
    return at.sample_measures(run.sample, run.skip_weight).attention["induction"]


@measure("layer", "head", source=INDUCTION, long_name="previous-token score",
         published="previous_token_score")  # fmt: skip
def previous_token_score(
    at: SequenceCheckpoint, run: RepeatedSubsequenceRun
) -> Float[np.ndarray, "layer head"]:
    """Mean attention, from every position of fresh sequences but the first, to the position
    before it.
    """
    return at.sample_measures(run.sample, run.skip_weight).attention["previous_token"]


@measure("shown_head", "query", "key", on="field_epoch", source=INDUCTION,
         long_name="attention", stored=Storage(step=1 / 256))  # fmt: skip
def attention_pattern(
    at: SequenceCheckpoint, run: RepeatedSubsequenceRun
) -> Float[np.ndarray, "shown_head query key"]:
    """Attention of the shown heads from each position to each, at one fresh sequence."""
    batch, one = run.sample.batch, slice(SHOWN, SHOWN + 1)
    ran = run_model(
        at.weights(run.sample, run.skip_weight), batch.tokens[one], batch.positions[one]
    )
    return np.stack([ran.patterns[i][0, j] for i, j in run.shown])


@measure("shown_head", on="run", source=INDUCTION, long_name="layer of the shown head",
         stored=WHOLE)  # fmt: skip
def shown_layer(run: RepeatedSubsequenceRun) -> Int[np.ndarray, " shown_head"]:
    """Of the best head of its kind in the last checkpoint; the previous-token head is looked for
    in the layers before the induction head's, where there are any.
    """
    return run.shown[:, 0]


@measure("shown_head", on="run", source=INDUCTION, long_name="number of the shown head",
         stored=WHOLE)  # fmt: skip
def shown_number(run: RepeatedSubsequenceRun) -> Int[np.ndarray, " shown_head"]:
    """Its number within its layer."""
    return run.shown[:, 1]


@measure("query", on="run", source=INDUCTION, long_name="token", stored=WHOLE)
def shown_token(run: RepeatedSubsequenceRun) -> Int[np.ndarray, " query"]:
    """Tokens of the sequence shown."""
    return run.sample.batch.tokens[SHOWN]


@measure("query", on="run", units="position", source=INDUCTION,
         long_name="where the next token stands", stored=WHOLE)  # fmt: skip
def shown_source(run: RepeatedSubsequenceRun) -> Int[np.ndarray, " query"]:
    """Position after the latest earlier copy of the token, within the repeated subsequence; -1
    where the next token cannot be known.
    """
    return source_of(run.sample.batch, SHOWN)
