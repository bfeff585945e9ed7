"""Rows of the dataset's table that repeated subsequences add: what the heads do."""

from __future__ import annotations

from grokviz.dataset.variables import Variable
from grokviz.tasks._sequences import variables as sequences

INDUCTION = "arXiv:2209.11895; thread, tweets 2 and 7"

_HEADS = [
    Variable(
        "induction_score", "heads", ("epoch", "layer", "head"), "induction score", "1",
        "mean attention, from the scored positions of fresh sequences, to the tokens after the "
        "earlier copies of the same token of the repeated subsequence, summed over the copies",
        INDUCTION),
    Variable(
        "previous_token_score", "heads", ("epoch", "layer", "head"), "previous-token score", "1",
        "mean attention, from every position of fresh sequences but the first, to the position "
        "before it", INDUCTION),
    Variable(
        "attention_pattern", "heads", ("field_epoch", "shown_head", "query", "key"),
        "attention", "1", "attention of the shown heads from each position to each, at one fresh "
        "sequence", INDUCTION, step=1 / 256),
    Variable(
        "shown_layer", "heads", ("shown_head",), "layer of the shown head", "1",
        "of the best head of its kind in the last checkpoint; the previous-token head is looked "
        "for in the layers before the induction head's, where there are any", INDUCTION, "int64"),
    Variable(
        "shown_number", "heads", ("shown_head",), "number of the shown head", "1",
        "its number within its layer", INDUCTION, "int64"),
    Variable(
        "shown_token", "heads", ("query",), "token", "1",
        "tokens of the sequence shown", INDUCTION, "int64"),
    Variable(
        "shown_source", "heads", ("query",), "where the next token stands", "position",
        "position after the latest earlier copy of the token, within the repeated subsequence; "
        "-1 where the next token cannot be known", INDUCTION, "int64"),
]  # fmt: skip

ROWS = [*sequences.ROWS, *_HEADS]

DIMENSIONS = {
    "head": "attention heads",
    "layer": "attention layers, numbered from 0",
    "shown_head": "the best previous-token head and the best induction head",
    "query": "positions of a sequence that attend",
    "key": "positions of a sequence that are attended to",
}
