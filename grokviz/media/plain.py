"""Conversion of mathtext in sentences to plain characters, for notes, pages and titles."""

from __future__ import annotations

import re

_SYMBOLS = {
    "alpha": "α", "beta": "β", "epsilon": "ε", "lambda": "λ", "omega": "ω", "pi": "π",
    "sigma": "σ", "theta": "θ", "cdot": "·", "times": "×", "approx": "≈", "leq": "≤",
    "geq": "≥", "sum": "Σ", "infty": "∞",
}  # fmt: skip
_FORMULA = re.compile(r"(?<!\\)\$(.+?)(?<!\\)\$")


def plain_text(text: str) -> str:
    r"""``text`` with its mathtext written out: ``$W_E \cos_k$`` becomes ``W_E cos_k``."""
    return _FORMULA.sub(lambda match: _formula(match[1]), text).replace(r"\$", "$")


def _formula(inside: str) -> str:
    inside = re.sub(r"\\[,;: ]", " ", inside)
    inside = re.sub(r"\\(?:mathrm|mathit|mathbf|text|operatorname)\b", "", inside)
    inside = re.sub(r"\\([A-Za-z]+)", lambda match: _SYMBOLS.get(match[1], match[1]), inside)
    return inside.replace("{", "").replace("}", "")
