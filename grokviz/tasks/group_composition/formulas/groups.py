"""Cyclic, dihedral, symmetric and alternating groups as multiplication tables.

The elements are numbered as in the published runs: of arXiv:2302.03025, where permutations stand in
the order in which sympy generates them and x is applied before y, or of arXiv:2312.06581, where
they stand in lexicographic order and y is applied first.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from jaxtyping import Int

from grokviz.errors import InputError

ORDERS = ("generated", "lexicographic")
"""How permutations are numbered, and with it which of two is applied first."""

LARGEST = 240
"""The most elements of a group: logits of all pairs are a table of its third power."""

_NAME = re.compile(r"([CZDSA])(\d{1,3})")
_LEAST = {"C": 2, "D": 3, "S": 3, "A": 3}


@dataclass(frozen=True, eq=False)
class Group:
    """A finite group.

    Attributes:
        family: C for cyclic, D dihedral, S symmetric, A alternating.
        degree: the number of rotations, or of what is permuted.
        table: the number of xy, by the numbers of x and y.
        permutations: of a symmetric or alternating group what each element maps 0, 1, ... to; of
            others no rows.

    """

    family: str
    degree: int
    table: Int[np.ndarray, "order order"]
    permutations: Int[np.ndarray, "rows degree"]

    @property
    def name(self) -> str:
        """Its name, such as S5."""
        return f"{self.family}{self.degree}"

    @property
    def order(self) -> int:
        """The number of elements."""
        return len(self.table)

    @cached_property
    def identity(self) -> int:
        """The number of the element that changes nothing."""
        return int(np.flatnonzero((self.table == np.arange(self.order)).all(axis=1))[0])

    @cached_property
    def inverse(self) -> Int[np.ndarray, " order"]:
        """The number of the inverse of each element."""
        inverse: Int[np.ndarray, " order"] = (self.table == self.identity).argmax(axis=1)
        return inverse

    @cached_property
    def classes(self) -> Int[np.ndarray, " order"]:
        """The conjugacy class of each element, numbered from 0 by their first elements."""
        x = np.arange(self.order)[:, None]
        conjugates = self.table[self.table[x, np.arange(self.order)], self.inverse[x]]
        _, classes = np.unique(conjugates.min(axis=0), return_inverse=True)
        return classes

    @cached_property
    def words(self) -> list[str]:
        """Each element by name: its number, rotation and flip, or what 1, 2, ... are mapped to."""
        if self.family == "C":
            return [str(k) for k in range(self.order)]
        if self.family == "D":
            turns = [f"r{k}" for k in range(self.degree)]
            return [*turns, *(f"{turn}s" for turn in turns)]
        return ["".join(str(image + 1) for image in row) for row in self.permutations.tolist()]


def read_name(raw: Any) -> str:
    """The name of a group as it is kept: C113 for Z113 too; ``ValueError`` for another."""
    match = _NAME.fullmatch(str(raw).strip().upper())
    if match is None:
        raise ValueError
    family, degree = match[1].replace("Z", "C"), int(match[2])
    if not (_LEAST[family] <= degree and _order(family, degree) <= LARGEST):
        raise ValueError
    return f"{family}{degree}"


@cache
def group(name: str, order: str = "generated") -> Group:
    """The group of that name, its elements in that order.

    Raises ``InputError`` for a name that is none, and where sympy is asked for and missing.
    """
    try:
        name = read_name(name)
    except ValueError:
        raise InputError(
            f"{name} is no group that is known here; give C, D, S or A with a number, such as "
            f"C113, D59, S5 or A5, of at most {LARGEST} elements"
        ) from None
    family, degree = name[0], int(name[1:])
    none = np.zeros((0, degree), dtype=int)
    if family == "C":
        numbers = np.arange(degree)
        return Group("C", degree, (numbers[:, None] + numbers) % degree, none)
    if family == "D":
        return Group("D", degree, _dihedral(degree), none)
    permutations = _permutations(family, degree, order)
    return Group(family, degree, _products(permutations, order), permutations)


def _order(family: str, degree: int) -> int:
    if family in "CD":
        return degree * (1 + (family == "D"))
    order = 1
    for k in range(2, min(degree, LARGEST) + 1):
        order *= k
    return order // (1 + (family == "A"))


def _dihedral(degree: int) -> Int[np.ndarray, "order order"]:
    """Products of r^k s^f, numbered f * degree + k: a flip turns the other's rotation round."""
    flips, turns = np.divmod(np.arange(2 * degree), degree)
    sign = np.where(flips, -1, 1)
    rotation = (turns[:, None] + sign[:, None] * turns) % degree
    table: Int[np.ndarray, "order order"] = (flips[:, None] ^ flips) * degree + rotation
    return table


def _permutations(family: str, degree: int, order: str) -> Int[np.ndarray, "rows degree"]:
    if order == "lexicographic":
        every = np.array(list(itertools.permutations(range(degree))))
        return every if family == "S" else every[[is_even(row) for row in every]]
    try:
        from sympy.combinatorics import Permutation, PermutationGroup, named_groups
    except ImportError:
        raise InputError(
            "the permutations of this run stand in the order in which sympy generates them: "
            "pip install sympy"
        ) from None
    make = named_groups.SymmetricGroup if family == "S" else named_groups.AlternatingGroup
    whole = make(degree)
    if (family, degree) == ("A", 5):  # the published code generates it by these two
        whole = PermutationGroup(Permutation(0, 1, 2, 3, 4), Permutation(1, 2)(3, 4))
    return np.array([list(row) for row in whole.generate(af=True)])


def is_even(permutation: Int[np.ndarray, " degree"]) -> bool:
    """Whether it swaps an even number of times."""
    inversions = np.triu(permutation[:, None] > permutation, 1).sum()
    return bool(inversions % 2 == 0)


def _products(
    permutations: Int[np.ndarray, "rows degree"], order: str
) -> Int[np.ndarray, "rows rows"]:
    """The number of xy: x and then y of those that are generated, y and then x of the others."""
    digits = permutations.shape[1] ** np.arange(permutations.shape[1])
    keys = permutations @ digits
    by_key = np.argsort(keys, kind="stable")
    # what y maps to what x maps to each place, for every x and y
    both = permutations[:, permutations].swapaxes(0, 1) @ digits
    table: Int[np.ndarray, "rows rows"] = by_key[np.searchsorted(keys[by_key], both)]
    return table if order == "generated" else table.T
