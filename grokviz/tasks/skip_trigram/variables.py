"""Rows of the dataset's table that skip trigrams add: attention to the key token."""

from __future__ import annotations

from grokviz.dataset.variables import Variable
from grokviz.tasks._sequences import variables as sequences

_KEY = [
    Variable(
        "key_attention", "key", ("epoch",), "attention to the key token", "1",
        "mean attention from the last token to the key token, over fresh sequences and heads",
        "thread, claim on phase changes; non-modular notebook"),
]  # fmt: skip

ROWS = [*sequences.ROWS, *_KEY]
