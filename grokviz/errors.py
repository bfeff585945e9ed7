"""The exceptions that grokviz raises; each message names the input and the remedy.

The command line prints the message and exits with the class's exit status, so that a traceback
always means a bug in grokviz.
"""

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")


class GrokvizError(Exception):
    """Base of all errors that are meant for users, each of them one line."""

    exit_status = 1

    def __str__(self) -> str:
        # a name or a value in a damaged file may hold any character
        return "\N{REPLACEMENT CHARACTER}".join(super().__str__().splitlines())


class WorkError(GrokvizError):
    """The work failed although the input was valid: a full disk, a killed encoder."""


class InputError(GrokvizError):
    """The input was invalid; the message says which input and how to correct it."""

    exit_status = 2


class MissingExtra(InputError):
    """An optional extra of the package is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        self.feature, self.extra = feature, extra
        super().__init__(f"{feature} needs the [{extra}] extra: pip install 'grokviz[{extra}]'")

    def __reduce__(self) -> tuple[type["MissingExtra"], tuple[str, str]]:
        return MissingExtra, (self.feature, self.extra)


def nearest(name: str, names: list[str]) -> str:
    """The most similar of ``names``, or the first few of them, as the end of an error message."""
    import difflib

    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]}?"
    choices = ", ".join(sorted(names)[:12])
    return f"there are {choices}" if choices else "there are none"


def require_entry(by_name: Mapping[str, T], noun: str, name: str, hint: str = "") -> T:
    """The entry called ``name``; raises :class:`InputError` with the nearest name and the hint."""
    if name not in by_name:
        raise InputError(f"there is no {noun} {name}: {nearest(name, list(by_name))}{hint}")
    return by_name[name]
