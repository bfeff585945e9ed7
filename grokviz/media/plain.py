"""Plain characters: of mathtext in sentences, and of what other people wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SYMBOLS = {
    "alpha": "α", "beta": "β", "epsilon": "ε", "lambda": "λ", "omega": "ω", "pi": "π",
    "sigma": "σ", "theta": "θ", "cdot": "·", "times": "×", "approx": "≈", "leq": "≤",
    "geq": "≥", "sum": "Σ", "infty": "∞",
}  # fmt: skip
_FORMULA = re.compile(r"(?<!\\)\$(.+?)(?<!\\)\$")

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
_CONTROLS = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0xFFFE, 0xFFFF], UNKNOWN),
    **dict.fromkeys([0x0A, 0x0D, 0x85, 0x2028, 0x2029], "\n"),
    **dict.fromkeys([0x09, 0x0B, 0x0C], " "),
    # marks that turn the direction of the text after them, and one that says nothing
    **dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF], None),
}


def clean_text(text: str) -> str:
    """``text`` as any picture, page or file may hold it: UTF-8 without control characters.

    What is no character, such as the bytes of a name that is not UTF-8, is shown as U+FFFD; tabs
    become spaces, and marks that turn the direction of text are left out. Everything that others
    wrote (names of runs and members, titles, options) comes through here.
    """
    if text.isascii() and text.isprintable():
        return text
    if any("\ud800" <= character <= "\udfff" for character in text):
        # the halves of a pair are joined, and a half alone is no character
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\r\n", "\n").translate(_CONTROLS)


def clean_line(text: str) -> str:
    """``text`` as one line of a terminal: clean, and its line breaks shown as U+FFFD."""
    return clean_text(text).replace("\n", UNKNOWN)


def clean_values(value: Any) -> Any:
    """Plain JSON values with clean texts, those of the keys too."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping):
        return {clean_text(str(key)): clean_values(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean_values(item) for item in value]
    return value


def no_formula(name: str) -> str:
    """A name of others for a picture, in which its dollar signs begin no formula."""
    return name.replace("$", r"\$")


def plain_text(text: str) -> str:
    r"""``text`` with its mathtext written out: ``$W_E \cos_k$`` becomes ``W_E cos_k``."""
    return _FORMULA.sub(lambda match: _formula(match[1]), text).replace(r"\$", "$")


def _formula(inside: str) -> str:
    inside = re.sub(r"\\[,;: ]", " ", inside)
    inside = re.sub(r"\\(?:mathrm|mathit|mathbf|text|operatorname)\b", "", inside)
    inside = re.sub(r"\\([A-Za-z]+)", lambda match: _SYMBOLS.get(match[1], match[1]), inside)
    return inside.replace("{", "").replace("}", "")
