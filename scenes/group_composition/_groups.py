"""Groups and their representations in words, and what of a group its name says."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import numpy as np

from grokviz.errors import InputError
from grokviz.tasks.group_composition.formulas import groups

if TYPE_CHECKING:
    import xarray as xr

FAMILIES = {
    "C": "rotations of a {}-gon", "D": "symmetries of a {}-gon", "S": "permutations of {}",
    "A": "even permutations of {}",
}  # fmt: skip
"""What the elements of a group are, in words, by the letter of its family."""


def elements(name: str) -> str:
    """What the elements of a group are: "permutations of 5" of S5."""
    return FAMILIES[name[0]].format(name[1:])


def size(name: str) -> int:
    """How many elements a group has."""
    degree = int(name[1:])
    if name[0] in "CD":
        return degree * (1 + (name[0] == "D"))
    return int(np.prod(np.arange(2, degree + 1))) // (1 + (name[0] == "A"))


def commuting(name: str) -> float | None:
    """The share of the pairs x, y with xy = yx; None of a group that is too large for its table."""
    try:
        table = groups.group(name, "lexicographic").table
    except InputError:
        return None
    return float((table == table.T).mean())


def group_of(data: xr.Dataset) -> str:
    """The name of a run's group by its settings; empty where they do not say it."""
    try:
        return groups.read_name(json.loads(data.attrs.get("settings") or "{}").get("group", ""))
    except ValueError:
        return ""


def representation(name: str) -> str:
    """A representation's name in words: "dimension 3, a" of 3d a, "frequency 2" of k=2."""
    if match := re.fullmatch(r"(\d+)d( [a-z])?", name):
        return f"dimension {match[1]}" + (f",{match[2]}" if match[2] else "")
    return name.replace("k=", "frequency ").replace("-sign", " × sign")


def meaning(name: str, group: str) -> str:
    """What a representation tells of an element, in plain words; empty where none are known."""
    family, degree = group[:1], group[1:]
    if name == "sign":
        return {
            "S": "whether a permutation is even or odd",
            "D": "whether a symmetry is a rotation or a flip",
        }.get(family, "")
    if name.startswith("standard") and family in ("S", "A"):
        odd = ", turned round by odd permutations" if name.endswith("-sign") else ""
        return f"where each of the {degree} things goes{odd}"
    if match := re.fullmatch(r"k=(\d+)", name):
        return f"rotations of a {degree}-gon, {match[1]} times as far" if group else ""
    if match := re.match(r"(\d+)d", name):
        return f"the elements as {match[1]} × {match[1]} matrices"
    return ""


def short_meaning(name: str, group: str) -> str:
    """The two values of the sign: "even or odd"; empty of other representations."""
    return meaning(name, group).rpartition(" is ")[2] if name == "sign" else ""
