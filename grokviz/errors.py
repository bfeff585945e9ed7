"""What grokviz raises: one sentence that names the input and the remedy.

The command line prints the sentence and leaves with the class's exit status;
nobody sees a traceback unless it is a bug of ours.
"""

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")


class GrokvizError(Exception):
    """Base of every error meant for a user."""

    exit_status = 1


class WorkError(GrokvizError):
    """The input was fine and the work failed (a full disk, a killed encoder)."""


class InputError(GrokvizError):
    """The input was wrong; the message says which input and what to do."""

    exit_status = 2


class MissingExtra(InputError):
    """A part of grokviz that is installed separately is not there."""

    def __init__(self, what: str, extra: str) -> None:
        self.what, self.extra = what, extra
        super().__init__(f"{what} needs the [{extra}] extra: pip install 'grokviz[{extra}]'")

    def __reduce__(self) -> tuple[type["MissingExtra"], tuple[str, str]]:
        return MissingExtra, (self.what, self.extra)


def nearest(name: str, names: list[str]) -> str:
    """The most similar of ``names`` as the end of a sentence, or the first few of them."""
    import difflib

    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]}?"
    listed = ", ".join(sorted(names)[:12])
    return f"there are {listed}" if listed else "there are none"


def pick(by_name: Mapping[str, T], noun: str, name: str, hint: str = "") -> T:
    """The entry called ``name``, or an ``InputError`` naming the nearest ones, then the hint."""
    if name not in by_name:
        raise InputError(f"there is no {noun} {name}: {nearest(name, list(by_name))}{hint}")
    return by_name[name]
