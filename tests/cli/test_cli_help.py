"""What the program says of itself."""

from __future__ import annotations


def test_without_words_the_help_is_shown_as_it_is(called) -> None:
    asked, bare = called("--help"), called()
    assert (bare.returncode, bare.stderr) == (0, "")
    assert bare.stdout == asked.stdout
    assert bare.stdout.startswith("Usage: grokviz ")
