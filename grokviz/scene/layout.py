"""Small geometry: labels that must not touch."""

from __future__ import annotations

from collections.abc import Sequence


def pushed_apart(
    wanted: Sequence[float], widths: Sequence[float], low: float, high: float
) -> list[float]:
    """Centres of labels of these widths, as near ``wanted`` as they can be without touching.

    ``wanted`` is ascending. Labels that would touch form a group around the mean of what
    they want; groups stay between ``low`` and ``high``.
    """
    groups: list[tuple[list[int], float]] = []  # members, start of the group

    def place(members: list[int]) -> float:
        total = sum(widths[i] for i in members)
        offset, sum_of_starts = 0.0, 0.0
        for i in members:
            sum_of_starts += wanted[i] - widths[i] / 2 - offset
            offset += widths[i]
        return min(max(sum_of_starts / len(members), low), max(high - total, low))

    for i in range(len(wanted)):
        members = [i]
        start = place(members)
        while groups and groups[-1][1] + sum(widths[j] for j in groups[-1][0]) > start:
            members = groups.pop()[0] + members
            start = place(members)
        groups.append((members, start))
    centres = [0.0] * len(wanted)
    for members, start in groups:
        for i in members:
            centres[i] = start + widths[i] / 2
            start += widths[i]
    return centres
