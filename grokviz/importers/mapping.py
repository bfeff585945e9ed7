"""Foreign tensors under other names: ``theirs=ours``, as ``--map`` gives it.

``theirs`` is the name of a tensor of the file, and what is done to it, from left to right:
``^T`` transposes a matrix, ``[a:b]`` takes rows of the first axis, and ``/N`` cuts the first axis
into N heads. A ``*`` stands for a layer's number on both sides. Nothing after ``=`` leaves the
tensor out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from grokviz.errors import InputError, nearest
from grokviz.importers.contract import Belief

_STEP = re.compile(r"\^T|\[(\d*):(\d*)\]|/(\d{1,6})")
_FORM = re.compile(rf"(?P<name>.+?)(?P<steps>(?:{_STEP.pattern})*)\s*=\s*(?P<ours>\S*)")
_EXAMPLE = "give it as 'theirs=ours', such as 'tok.weight^T=embed.W_E'"


class Rule(NamedTuple):
    """One ``theirs=ours``: their name as a pattern, what is done to the tensor, and our name."""

    text: str
    pattern: re.Pattern[str]
    steps: list[re.Match[str]]
    ours: str


def rules_of(text: str | None) -> list[Rule]:
    """The rules in a text, between semicolons; raises :class:`InputError` for any other form."""
    rules = []
    for part in filter(None, map(str.strip, (text or "").split(";"))):
        match = _FORM.fullmatch(part)
        if match is None:
            raise InputError(f"--map {part!r} is not understood; {_EXAMPLE}")
        name, ours = match["name"].strip(), match["ours"]
        if ours.count("*") > name.count("*"):
            raise InputError(f"--map {part!r} has more * after = than before; {_EXAMPLE}")
        pattern = re.compile(r"(\d+)".join(map(re.escape, name.split("*"))))
        rules.append(Rule(part, pattern, list(_STEP.finditer(match["steps"])), ours))
    return rules


def apply_rules(
    rules: list[Rule], state: Mapping[str, np.ndarray], file: str
) -> tuple[dict[str, np.ndarray], list[Belief]]:
    """The tensors under our names, those that no rule names under their own.

    Raises :class:`InputError` for a rule that fits no tensor, or not its shape, and for two
    tensors of one name.
    """
    arrays: dict[str, np.ndarray] = {}
    used: set[str] = set()
    for rule in rules:
        matches = {name: m for name in state if (m := rule.pattern.fullmatch(name))}
        if not matches:
            raise InputError(
                f"--map {rule.text!r} fits no tensor of {file}; "
                f"{nearest(rule.text.partition('=')[0], list(state))}"
            )
        for name, match in matches.items():
            used.add(name)
            numbers = iter(match.groups())
            ours = re.sub(r"\*", lambda _, n=numbers: next(n), rule.ours)  # type: ignore[misc]
            if ours in arrays:
                raise InputError(f"--map {rule.text!r} makes {ours} twice; give one tensor for it")
            if ours:
                arrays[ours] = _changed(rule, name, state[name])
    clash = next((name for name in state if name not in used and name in arrays), None)
    if clash is not None:
        raise InputError(f"{file} has a {clash} already; map that to another name")
    rest = {name: array for name, array in state.items() if name not in used}
    return {**arrays, **rest}, [Belief("map", rule.text, "given") for rule in rules]


def _changed(rule: Rule, name: str, array: np.ndarray) -> np.ndarray:
    shape = array.shape
    for step in rule.steps:
        first, last, heads = step.groups()
        fits = array.ndim == 2 if step[0] == "^T" else array.ndim > 0
        if heads:
            fits = fits and int(heads) > 0 and array.shape[0] % int(heads) == 0
        elif step[0] != "^T":
            fits = fits and int(first or 0) < int(last or array.shape[0]) <= array.shape[0]
        if not fits:
            raise InputError(
                f"--map {rule.text!r} does not fit {name} of shape {tuple(shape)} at "
                f"{step[0]!r}; give another step, or leave it out"
            )
        if step[0] == "^T":
            array = array.T
        elif heads:
            array = array.reshape(int(heads), -1, *array.shape[1:])
        else:
            array = array[int(first or 0) : int(last or array.shape[0])]
    return np.ascontiguousarray(array)
