"""The schedule of checkpoints: ``100``, or with dense stretches ``100,25@4000:14000``."""

from __future__ import annotations

from dataclasses import dataclass

from grokviz.errors import InputError


@dataclass(frozen=True)
class Schedule:
    """Every ``every`` epochs, and every n-th in each dense stretch ``(n, first, last)``."""

    every: int
    dense: tuple[tuple[int, int, int], ...] = ()

    def __contains__(self, epoch: int) -> bool:
        if epoch % self.every == 0:
            return True
        return any(first <= epoch <= last and epoch % n == 0 for n, first, last in self.dense)

    def __str__(self) -> str:
        return ",".join([str(self.every), *(f"{n}@{a}:{b}" for n, a, b in self.dense)])

    @classmethod
    def parse(cls, text: str | int) -> Schedule:
        """Parse ``EVERY[,EVERY@FIRST:LAST]...``; raises ``InputError`` for anything else."""
        first, *rest = str(text).replace(" ", "").split(",")
        try:
            dense = []
            for part in rest:
                every, _, stretch = part.partition("@")
                start, _, stop = stretch.partition(":")
                dense.append((int(every), int(start), int(stop)))
            schedule = cls(int(first), tuple(dense))
        except ValueError:
            schedule = cls(0)
        steps = [schedule.every, *(n for n, _, _ in schedule.dense)]
        if min(steps) < 1 or any(a > b for _, a, b in schedule.dense):
            raise InputError(
                f"checkpoint-every={text} is not a schedule; give a number of epochs such as 100, "
                "or one with dense stretches such as 100,25@4000:14000"
            )
        return schedule
