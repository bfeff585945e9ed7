"""An error is one line, whatever the file that it quotes holds."""

from __future__ import annotations

import pickle

import pytest

from grokviz.errors import GrokvizError, InputError, WorkError


@pytest.mark.parametrize("kind", [GrokvizError, InputError, WorkError])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\v", "\x85", "\u2028"])
def test_an_error_that_quotes_a_line_break_is_one_line(kind: type[GrokvizError], end: str) -> None:
    error = kind(f"it holds a stor{end}ge apart")
    assert str(error) == "it holds a stor\ufffdge apart"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
