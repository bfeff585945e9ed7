"""A process that measures checkpoints for :mod:`grokviz.dataset.workers`.

It reads pickles from standard input and answers on standard output: first what stays the same
along the run, then one checkpoint at a time. It ends when its input does, so that none is left
over from a parent that was killed.
"""

from __future__ import annotations

import os
import pickle
import sys
from typing import BinaryIO

from grokviz.dataset.part import Values, values_at


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer every request with (values, None), or with (None, the error)."""
    context, parts = pickle.load(requests)
    _send(answers, ("ready", None))
    while True:
        try:
            epoch, state = pickle.load(requests)
        except EOFError:
            return
        answer: tuple[Values | None, Exception | None]
        try:
            answer = values_at(context, parts, context.checkpoint_type(epoch, state)), None
        except Exception as error:
            answer = None, error
        _send(answers, answer)


def _send(answers: BinaryIO, answer: object) -> None:
    pickle.dump(answer, answers, protocol=pickle.HIGHEST_PROTOCOL)
    answers.flush()


def main() -> None:
    """Serve on the standard streams; whatever else is printed goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)
