"""The step of a checkpoint, by the name of its file or of the folders that it lies in.

A number counts after a word such as ``step``, or in a name of digits alone. Among several files
a number that stands by itself counts too, if it tells them apart and follows no word for anything
else, such as ``seed`` or ``lr``.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

MOST = 2**53
"""More than any step."""

_CLOCKS = {
    "step": ("step", "steps", "globalstep", "iter", "iters", "iteration", "iterations", "it",
             "update", "updates"),
    "epoch": ("epoch", "epochs", "ep"),
    "checkpoint": ("checkpoint", "checkpoints", "ckpt", "ckpts"),
}  # fmt: skip
"""Words before a step, the finest clock first."""

_CLOCK_OF = {word: clock for clock, words in _CLOCKS.items() for word in words}
_RUNS = frozenset(
    {"seed", "seeds", "run", "runs", "fold", "trial", "member", "replica", "rep", "version"}
)
"""Words before the number of a run among several."""

_OTHER = frozenset({
    "p", "mod", "lr", "wd", "decay", "frac", "d", "dim", "width", "heads", "layers", "size", "v",
    "bs", "batch", "bits", "bf", "fp", "of", "n", "k",
})  # fmt: skip
"""Words before numbers that are no step."""

_MODELS = frozenset({"model", "net", "network", "weights", "params", "state", "snapshot", "save"})
"""Words to which a step may be attached."""

_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_UNITS = {"k": 10**3, "K": 10**3, "M": 10**6}


class Number(NamedTuple):
    """A number in a name: the word before it, its value, and its place in the text.

    ``chained`` is whether another number stands between it and the word, ``attached`` whether
    nothing does.
    """

    word: str
    value: int
    start: int
    stop: int
    chained: bool
    attached: bool


class Reading(NamedTuple):
    """The steps of files of one run, by their names, and the reason.

    ``same`` is a pair of names of one step, if the names do not tell all files apart; ``clock``
    is ``step`` or ``epoch``, if they say which it is.
    """

    steps: Mapping[str, int]
    because: str
    same: tuple[str, str] | None = None
    clock: str = ""


def step_in_name(name: str) -> int | None:
    """The step of a single file; None if its name does not say it."""
    return next(iter(read_steps([name]).steps.values()), None)


def numbers_in_name(name: str) -> list[Number]:
    """The whole numbers in a name or a relative path, its suffix excluded."""
    stem = _stem(name)
    numbers: list[Number] = []
    for match in _NUMBER.finditer(stem):
        start, stop = match.span()
        if "." in match[0] or re.search(r"\d\.$", stem[:start]) or len(match[0]) > len(str(MOST)):
            continue
        value, unit = int(match[0]), re.match(r"([kKM])(?![A-Za-z])", stem[stop:])
        if unit:
            value, stop = value * _UNITS[unit[1]], stop + 1
        elif re.match(r"[A-Za-z]", stem[stop:]) or value >= MOST:
            continue
        before = re.sub(r"[-_=. ]+$", "", stem[:start])
        chained = bool(numbers) and numbers[-1].stop == len(before)
        letters = re.search(r"(?:[A-Z]?[a-z]+|[A-Z]+)$", before)
        word = numbers[-1].word if chained else letters[0].lower() if letters else ""
        attached = bool(letters) and len(before) == start
        numbers.append(Number(word, value, start, stop, chained, attached))
    return numbers


def members_of(names: Iterable[str]) -> dict[str, str]:
    """The run to which each file belongs: "" for all, if there is only one.

    Runs differ in their folder, apart from steps in it, or in a number after a word such as
    ``seed``.
    """
    keys = {name: _member_parts(name) for name in names}
    common = set.intersection(*(set(parts) for parts in keys.values())) if keys else set()
    return {
        name: ",".join(part for part in parts if part not in common) for name, parts in keys.items()
    }


def read_steps(names: Sequence[str]) -> Reading:
    """The steps of the files of one run, by their names; a file without one is not included."""
    if not names:
        return Reading({}, "")
    numbers = {name: numbers_in_name(name) for name in names}
    for clock in sorted(("step", "epoch"), key=lambda c: -len(_after(numbers, c))):
        steps = _after(numbers, clock)
        if steps and _same(steps) is None:
            return Reading(steps, f"the number after '{clock}' in {_names(names)}", None, clock)
    digits = {name: value for name in names if (value := _digits(name)) is not None}
    if digits and _same(digits) is None:
        return Reading(digits, f"{_names(names)} is a number" if len(names) == 1 else "the names "
                       "are numbers")  # fmt: skip
    readings = _free_readings(numbers)
    apart = {label: steps for label, steps in readings.items() if _same(steps) is None}
    label = _like_a_clock(apart)
    if label is not None:
        others = [other for other in apart if other != label]
        because = f"{label} in {_names(names)}"
        because += f", which grows like a clock, rather than {' or '.join(others)}" * bool(others)
        return Reading(apart[label], because)
    repeated = [_after(numbers, clock) for clock in _CLOCKS] + [digits, *readings.values()]
    same = next((pair for steps in repeated if (pair := _same(steps))), None)
    return Reading({}, "", None if apart else same)


def _names(names: Sequence[str]) -> str:
    return "the file's name" if len(names) == 1 else "the names"


def _stem(name: str) -> str:
    folder, _, file = name.rpartition("/")
    stem = file.rsplit(".", 1)[0] if "." in file[1:] else file
    return f"{folder}/{stem}" if folder else stem


def _member_parts(name: str) -> tuple[str, ...]:
    """What names the run of a file: its folders without steps, and words such as ``seed`` = 3."""
    folder, _, file = _stem(name).rpartition("/")
    parts = [_blank(part) for part in folder.split("/") if part]
    occurrences = numbers_in_name(file + ".x")
    runs = [f"{n.word}={n.value}" for n in occurrences if n.word in _RUNS and not n.chained]
    return (*(part for part in parts if part), *runs)


def _blank(folder: str) -> str:
    """A folder's name with # for steps, or "" if it is that of a step."""
    numbers = numbers_in_name(folder + ".x")
    steps = [number for number in numbers if number.word in _CLOCK_OF]
    if folder.isdigit() or (steps and not any(number.word in _RUNS for number in numbers)):
        return ""
    for number in reversed(steps):
        folder = f"{folder[: number.start]}#{folder[number.stop :]}"
    return folder


def _after(numbers: Mapping[str, list[Number]], clock: str) -> dict[str, int]:
    """The number right after a word of ``clock``, the last one of each name."""
    steps = {}
    for name, occurrences in numbers.items():
        direct = [n for n in occurrences if _CLOCK_OF.get(n.word) == clock and not n.chained]
        if direct:
            steps[name] = direct[-1].value
    return steps


def _digits(name: str) -> int | None:
    """The number that is the whole name of the file, or of the folder nearest to it."""
    parts = [part for part in reversed(_stem(name).split("/")) if part.isdigit()]
    return int(parts[0]) if parts and len(parts[0]) < len(str(MOST)) else None


def _free_readings(numbers: Mapping[str, list[Number]]) -> dict[str, dict[str, int]]:
    """The numbers at each place of the names that are alike apart from their numbers."""
    shapes: dict[str, list[str]] = {}
    for name in numbers:
        shapes.setdefault(re.sub(r"\d+", "#", _stem(name)), []).append(name)
    alike = max(shapes.values(), key=len, default=[])
    if len(numbers) == 1:  # a single file cannot show which of its numbers moves
        steps = _after(numbers, "checkpoint")
        return {"the number after 'checkpoint'": steps} if steps and not any(
            number.chained for number in numbers[alike[0]]) else {}  # fmt: skip
    free = {
        name: [n for n in occurrences if _may_be_step(n)] for name, occurrences in numbers.items()
    }
    if any(occurrences and name not in alike for name, occurrences in free.items()):
        return {"the only number": {n: f[0].value for n, f in free.items() if len(f) == 1}}
    readings: dict[str, dict[str, int]] = {}
    for place in range(min([*(len(numbers[name]) for name in alike), len(_ORDINALS)])):
        occurrences = [numbers[name][place] for name in alike]
        if all(_may_be_step(number) for number in occurrences):
            word = "" if occurrences[0].chained else occurrences[0].word
            label = f"the number after '{word}'" if word else f"the {_ORDINALS[place]} number"
            readings[label] = dict(zip(alike, (n.value for n in occurrences), strict=True))
    return readings


def _may_be_step(number: Number) -> bool:
    if number.word in _OTHER or (number.word in _RUNS and not number.chained):
        return False
    return not number.attached or number.word in _MODELS or number.word in _CLOCK_OF


def _same(steps: Mapping[str, int]) -> tuple[str, str] | None:
    """Two names of one step, or None."""
    first: dict[int, str] = {}
    for name, step in steps.items():
        if step in first:
            return first[step], name
        first[step] = name
    return None


def _like_a_clock(readings: Mapping[str, Mapping[str, int]]) -> str | None:
    """The reading that is a clock: the finest if all rise together, else the only regular one."""
    if len(readings) < 2:
        return next(iter(readings), None)
    first = next(iter(readings.values()))
    order = sorted(first, key=first.__getitem__)
    rising = [
        all(steps[a] < steps[b] for a, b in itertools.pairwise(order))
        for steps in readings.values()
    ]
    if all(rising):
        return max(readings, key=lambda label: max(readings[label].values()))
    regular = [label for label, steps in readings.items() if _is_regular(sorted(steps.values()))]
    return regular[0] if len(regular) == 1 else None


def _is_regular(values: Sequence[int]) -> bool:
    """Whether the values rise by whole multiples of their first rise."""
    rises = [b - a for a, b in itertools.pairwise(values)]
    return math.gcd(*rises) == min(rises)
