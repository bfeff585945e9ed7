"""A measurement beside its peer or floor, a row of the table of ``make benchmark``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One ratio that was measured side by side in one run.

    Attributes:
        what: what was measured, with its figure and unit.
        against: the peer or the floor, with its figure and unit.
        ratio: the one divided by the other, in the direction that `goal` speaks of.
        goal: the ratio aimed at, with its sense, as "at most 1.6" or "at least 0.6".
        met: whether it is reached; None where there is no goal.
        script: the script that measured it, as a path from the repository's root.

    """

    what: str
    against: str
    ratio: float
    goal: str
    met: bool | None
    script: str


def at_most(ratio: float, limit: float) -> tuple[str, bool]:
    """The goal's words, and whether a ratio reaches it."""
    return f"at most {limit:g}", ratio <= limit


def at_least(ratio: float, limit: float) -> tuple[str, bool]:
    """The goal's words, and whether a ratio reaches it."""
    return f"at least {limit:g}", ratio >= limit


def table(rows: list[Row]) -> str:
    """The rows as a table in Markdown."""
    lines = ["| what | against | ratio | goal | script |", "|---|---|---|---|---|"]
    for row in rows:
        reached = {None: "", True: " (met)", False: " (**not met**)"}[row.met]
        lines.append(
            f"| {row.what} | {row.against} | {row.ratio:.2f} | {row.goal or 'none'}{reached} "
            f"| `{row.script}` |"
        )
    return "\n".join(lines)
