"""The irreducible representations of a group over the real numbers, as orthogonal matrices.

Cyclic and dihedral groups turn the plane; those of permutations are Young's orthogonal form, one
for each partition (James and Kerber, The Representation Theory of the Symmetric Group, 1981).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from jaxtyping import Float

from grokviz.tasks.group_composition.formulas.groups import Group, is_even

FIRST = ("trivial", "sign", "standard", "standard-sign")
"""Those that stand first, where there are such."""

Tableau = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False)
class Representation:
    """A real irreducible representation.

    Attributes:
        name: "trivial", "sign", "standard", a frequency as in "k=3", or the dimension as in "5d",
            with a letter where several have it.
        matrices: the matrix of each element.

    """

    name: str
    matrices: Float[np.ndarray, "element dim dim"]

    @property
    def dim(self) -> int:
        """The size of its matrices."""
        return int(self.matrices.shape[1])

    @cached_property
    def character(self) -> Float[np.ndarray, " element"]:
        """The trace of each matrix."""
        traces: Float[np.ndarray, " element"] = np.trace(self.matrices, axis1=1, axis2=2)
        return traces

    @property
    def parts(self) -> int:
        """Into how many it falls over the complex numbers: the mean square of its character."""
        return round(float((self.character**2).mean()))

    @property
    def size(self) -> int:
        """How many functions its matrix elements span."""
        return self.dim**2 // self.parts


@cache
def representations(group: Group) -> tuple[Representation, ...]:
    """All of them, the trivial one first."""
    every = dict((_of_turns if group.family in "CD" else _of_permutations)(group))
    every = {name: every.pop(name) for name in FIRST if name in every} | every
    return tuple(Representation(name, matrices) for name, matrices in every.items())


@cache
def projectors(group: Group) -> Float[np.ndarray, "representation element element"]:
    """Of each representation what projects functions of an element on its matrix elements.

    P(x, y) = size / (dim · order) · character(x⁻¹y).
    """
    quotient = group.table[group.inverse]
    return np.stack([
        one.size / (one.dim * group.order) * one.character[quotient]
        for one in representations(group)
    ])  # fmt: skip


# --- of rotations ----------------------------------------------------------------------


def _of_turns(group: Group) -> Iterator[tuple[str, Float[np.ndarray, "element dim dim"]]]:
    n = group.degree
    flips, turns = np.divmod(np.arange(group.order), n)
    signs = {"": np.ones(group.order)}
    if group.family == "D":
        signs["sign"] = 1.0 - 2 * flips
    for name, sign in signs.items():
        yield name or "trivial", sign[:, None, None]
    if n % 2 == 0:
        half = np.where(turns % 2, -1.0, 1.0)
        for name, sign in signs.items():
            yield f"k={n // 2}{'-sign' if name else ''}", (half * sign)[:, None, None]
    for k in range(1, (n - 1) // 2 + 1):
        angle = 2 * np.pi * (k * turns % n) / n
        c, s, f = np.cos(angle), np.sin(angle), 1.0 - 2 * flips
        yield f"k={k}", np.stack([np.stack([c, -s * f], 1), np.stack([s, c * f], 1)], 1)


# --- of permutations -------------------------------------------------------------------


def _of_permutations(group: Group) -> Iterator[tuple[str, Float[np.ndarray, "element dim dim"]]]:
    every = sorted(_partitions(group.degree))
    matrices = {}
    for shape in every:
        mirror = _conjugate(shape)
        if group.family == "A" and shape < mirror:
            continue  # on even permutations it is the other's
        whole = _orthogonal_form(group, shape)
        halves = _halves(shape) if group.family == "A" and shape == mirror else ()
        for letter, basis in zip("ab", halves, strict=False):
            matrices[(shape, letter)] = basis @ whole @ basis.T
        if not halves:
            matrices[(shape, "")] = whole
    yield from zip(_names(group, [*matrices], [m.shape[1] for m in matrices.values()]),
                   matrices.values(), strict=True)  # fmt: skip


def _names(group: Group, keys: Sequence[tuple[tuple[int, ...], str]],
           dims: Sequence[int]) -> list[str]:  # fmt: skip
    n = group.degree
    known = {(n,): "trivial", (n - 1, 1): "standard"}
    if group.family == "S":
        known = {(1,) * n: "sign", (2, *(1,) * (n - 2)): "standard-sign"} | known
    others = [dim for (shape, _), dim in zip(keys, dims, strict=True) if shape not in known]
    names, seen = [], dict.fromkeys(others, 0)
    for (shape, letter), dim in zip(keys, dims, strict=True):
        if shape in known and not letter:
            names.append(known[shape])
            continue
        alone = others.count(dim) == 1
        names.append(f"{dim}d" if alone else f"{dim}d {'abcdef'[seen[dim]]}")
        seen[dim] += 1
    return names


def _partitions(n: int, most: int | None = None) -> Iterator[tuple[int, ...]]:
    if n == 0:
        yield ()
    for first in range(min(n, most or n), 0, -1):
        for rest in _partitions(n - first, first):
            yield (first, *rest)


def _conjugate(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sum(row > k for row in shape) for k in range(shape[0]))


def _tableaux(shape: tuple[int, ...]) -> list[Tableau]:
    """The standard tableaux of a shape: the places (row, column) of 0, 1, ... in turn."""
    grown: list[Tableau] = [()]
    for _ in range(sum(shape)):
        grown = [
            (*one, (row, filled))
            for one in grown
            for row, width in enumerate(shape)
            if (filled := sum(place[0] == row for place in one)) < width
            and (row == 0 or sum(place[0] == row - 1 for place in one) > filled)
        ]
    return grown


def _orthogonal_form(group: Group, shape: tuple[int, ...]) -> Float[np.ndarray, "element dim dim"]:
    """Young's orthogonal form of every permutation, by swaps of neighbours."""
    tableaux = _tableaux(shape)
    number = {one: i for i, one in enumerate(tableaux)}
    swaps = []
    for k in range(group.degree - 1):
        matrix = np.zeros((len(tableaux), len(tableaux)))
        for i, one in enumerate(tableaux):
            (row, column), (next_row, next_column) = one[k], one[k + 1]
            distance = (next_column - next_row) - (column - row)
            matrix[i, i] = 1 / distance
            swapped = (*one[:k], one[k + 1], one[k], *one[k + 2 :])
            if swapped in number:
                matrix[number[swapped], i] = np.sqrt(1 - 1 / distance**2)
        swaps.append(matrix)
    x_first = group.order < 2 or _x_is_first(group)
    return np.stack([_product(row, swaps, x_first=x_first) for row in group.permutations])


def _x_is_first(group: Group) -> bool:
    """Whether xy is x and then y."""
    p = group.permutations
    return bool((p[:, p].swapaxes(0, 1) == p[group.table]).all())


def _product(
    permutation: np.ndarray, swaps: Sequence[np.ndarray], *, x_first: bool
) -> Float[np.ndarray, "dim dim"]:
    """The matrix of a permutation: sorting it by neighbours spells it in swaps."""
    images, matrix = [*permutation.tolist()], np.eye(len(swaps[0]))
    for end in range(len(images) - 1, 0, -1):
        for k in range(end):
            if images[k] > images[k + 1]:
                images[k], images[k + 1] = images[k + 1], images[k]
                matrix = matrix @ swaps[k] if x_first else swaps[k] @ matrix
    return matrix


def _halves(shape: tuple[int, ...]) -> tuple[Float[np.ndarray, "half dim"], ...]:
    """Bases of the two halves into which a mirrored shape's representation falls on even ones.

    None where they are one another's conjugates, and the representation is whole over the reals.
    """
    hooks = [2 * (row - k) - 1 for k, row in enumerate(shape) if row > k]
    if (sum(shape) - len(hooks)) // 2 % 2:
        return ()
    tableaux = _tableaux(shape)
    number = {one: i for i, one in enumerate(tableaux)}
    first = {place: k for k, place in enumerate(tableaux[0])}
    halves = np.zeros((2, len(tableaux) // 2, len(tableaux)))
    seen: set[int] = set()
    for i, one in enumerate(tableaux):
        mirror = number[tuple((column, row) for row, column in one)]
        if i in seen:
            continue
        seen |= {i, mirror}
        even = is_even(np.array([first[place] for place in one]))
        at = len(seen) // 2 - 1
        halves[:, at, i] = np.sqrt(0.5)
        halves[0, at, mirror] = np.sqrt(0.5) * (-1 if even else 1)
        halves[1, at, mirror] = -halves[0, at, mirror]
    return halves[0], halves[1]
