"""The exceptions that grokviz raises; each message names the input and the remedy.

The command line prints the message and exits with the class's exit status, so a traceback
always means a bug in grokviz.
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
    """An optional extra of the package is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        self.feature, self.extra = feature, extra
        super().__init__(f"{feature} needs the [{extra}] extra: pip install 'grokviz[{extra}]'")

    def __reduce__(self) -> tuple[type["MissingExtra"], tuple[str, str]]:
        return MissingExtra, (self.feature, self.extra)


def nearest(name: str, names: list[str]) -> str:
    """The end of a sentence: the most similar of ``names``, or the first few of them."""
    import difflib

    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]}?"
    choices = ", ".join(sorted(names)[:12])
    return f"there are {choices}" if choices else "there are none"


def pick(by_name: Mapping[str, T], noun: str, name: str, hint: str = "") -> T:
    """The entry called ``name``; an ``InputError`` suggests the nearest names, then the hint."""
    if name not in by_name:
        raise InputError(f"there is no {noun} {name}: {nearest(name, list(by_name))}{hint}")
    return by_name[name]
