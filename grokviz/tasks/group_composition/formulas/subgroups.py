"""Every subgroup of a group, and its cosets."""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Bool, Int

from grokviz.tasks.group_composition.formulas.groups import Group


@cache
def subgroups(group: Group) -> Bool[np.ndarray, "subgroup element"]:
    """All subgroups, the trivial one and the group among them, as masks over the elements.

    By size, and those of one size by their elements. Each is another with one element more.
    """
    cyclic = {_generated(group, (x,)): x for x in reversed(range(group.order))}
    known: dict[bytes, tuple[int, ...]] = {one: (x,) for one, x in sorted(cyclic.items())}
    # elements of other orders are products of these
    further = [x for one, x in sorted(cyclic.items()) if _is_prime_power(sum(one))]
    latest = [*known]
    while latest:
        joined: dict[bytes, tuple[int, ...]] = {}
        for one in latest:
            members = np.frombuffer(one, dtype=bool)
            tried = members.copy()
            for x in further:
                if not tried[x]:
                    tried[group.table[members, x]] = True  # these lead to the same subgroup
                    generators = (*known[one], x)
                    joined.setdefault(_generated(group, generators), generators)
        latest = [one for one in joined if one not in known]
        known |= {one: joined[one] for one in latest}
    masks = np.array([np.frombuffer(one, dtype=bool) for one in known])
    # of one size, that with the earlier elements first
    order = np.lexsort((*~masks.T[::-1], masks.sum(axis=1)))
    ordered: Bool[np.ndarray, "subgroup element"] = masks[order]
    return ordered


@cache
def proper_subgroups(group: Group) -> Bool[np.ndarray, "subgroup element"]:
    """Those that are neither trivial nor the group."""
    every = subgroups(group)
    size = every.sum(axis=1)
    proper: Bool[np.ndarray, "subgroup element"] = every[(size > 1) & (size < group.order)]
    return proper


def is_normal(group: Group, mask: Bool[np.ndarray, " element"]) -> bool:
    """Whether its left cosets are its right cosets."""
    return bool((cosets(group, mask, "left") == cosets(group, mask, "right")).all())


def cosets(
    group: Group, mask: Bool[np.ndarray, " element"], side: str
) -> Int[np.ndarray, " element"]:
    """The coset of each element, left ones gH or right ones Hg, by their first elements."""
    members = np.flatnonzero(mask)
    rows = group.table[:, members] if side == "left" else group.table[members].T
    _, numbers = np.unique(rows.min(axis=1), return_inverse=True)
    return numbers


def sorting_subgroup(group: Group) -> Bool[np.ndarray, " element"] | None:
    """The subgroup whose cosets show best in a table: of about as many elements as cosets.

    Of the normal ones, whose cosets multiply as whole blocks, or in a group that has none of any;
    the first of those that do alike. None in a group without proper subgroups.
    """
    every = proper_subgroups(group)
    normal = [mask for mask in every if is_normal(group, mask)]
    return min(
        normal or [*every],
        key=lambda mask: abs(group.order / int(mask.sum()) - group.order**0.5),
        default=None,
    )


def sorted_places(group: Group, mask: Bool[np.ndarray, " element"]) -> Int[np.ndarray, " element"]:
    """Where each element stands when they are sorted by right coset, and within Hg as in H."""
    members = np.flatnonzero(mask)
    numbers = cosets(group, mask, "right")
    firsts = [int(np.flatnonzero(numbers == k)[0]) for k in range(int(numbers.max()) + 1)]
    places = np.empty(group.order, dtype=int)
    places[group.table[members][:, firsts].T.ravel()] = np.arange(group.order)
    return places


def subgroup_names(group: Group) -> list[str]:
    """Each proper subgroup by its order, and its number among those of that order, as in 12:1."""
    sizes = proper_subgroups(group).sum(axis=1)
    return [f"{size}:{(sizes[:i] == size).sum() + 1}" for i, size in enumerate(sizes)]


def _generated(group: Group, generators: tuple[int, ...]) -> bytes:
    """The smallest subgroup that holds these elements, a byte an element."""
    known = np.zeros(group.order, dtype=bool)
    known[[group.identity, *generators]] = True
    latest = np.flatnonzero(known)
    while latest.size:
        # the latest few as steps, too, so that long rotations are reached in few rounds
        steps = [*generators, *latest[-8:]]
        reached = np.zeros(group.order, dtype=bool)
        reached[group.table[np.flatnonzero(known)][:, steps]] = True
        latest = np.flatnonzero(reached & ~known)
        known |= reached
        if 2 * known.sum() > group.order:  # a subgroup's order divides the group's
            known[:] = True
            break
    return known.tobytes()


def _is_prime_power(n: int) -> bool:
    prime = next((k for k in range(2, n + 1) if n % k == 0), 0)
    while prime and n % prime == 0:
        n //= prime
    return bool(prime) and n == 1
