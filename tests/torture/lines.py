"""Generated command lines: each is a success or one sentence, in time."""

from __future__ import annotations

import random
import shutil
from typing import Any

import click

from grokviz import cli
from grokviz.dataset.references.reference import reference
from tests.torture.common import Torture, Workshop, check_words, command, require

WORDS = (
    "", "0", "-1", "1", "2.5", "nan", "inf", "1e400", "9" * 400, "x", "run", "a.png", "b.mp4",
    "c.html", "d.pdf", "e.pptx", "nothing.nc", "state.pth", ".", "..", "/", "/dev/null", "x/y/z",
    "modular-addition", "grokking-curve", "embedding-waves", "skip-trigram", "last", "grok",
    "grok-1", "0:10:1", "::", "a=b", "p=5", "p=x", "seed=1", "=", "--", "-", "é", "\ud800", "日本",
    "a\nb", "\x1b[2J", "light", "dark", "neurips", "l", "png", "none", "100", "100,25@0:10",
    "'", '"', "$HOME", "*", "%s", "{}", "\\", "~", "x" * 300,
)  # fmt: skip
SAFE = {"render": ["--dry-run"], "sweep": ["--dry-run"], "slides": ["--dry-run"]}
"""What keeps a command that would draw or train for minutes to what it checks beforehand."""

SKIPPED = frozenset({"figures", "train", "doctor"})
"""Drawn and trained at their own length; they get lines that end before the work."""


def run(torture: Torture, workshop: Workshop) -> None:
    tally, number = torture.tally("command lines"), 0
    place = torture.place()
    workshop.copy_to(place)
    if torture.scale >= 0.01:
        reference()  # so that its processes need not read it
    while len(tally.points) < torture.count(12, 1000):
        number += 1
        words = line(torture.random)
        with torture.trial("command lines", f"{number}: {words}"):
            result = command(place, words)
            check_words(result)
            name = words[0] if words and words[0] in cli.COMMANDS else "another"
            if result.status:
                said = [row for row in result.err.splitlines() if row.startswith("grokviz: ")]
                require(len(said) == 1 or name == "info", f"not one sentence: {result.err}")
            tally.add(tuple(words), f"{'refused' if result.status else 'done'}")
        if number % 50 == 0:
            shutil.rmtree(place)
            place = torture.place()
            workshop.copy_to(place)
    shutil.rmtree(place)


def line(chance: random.Random) -> list[str]:
    """A command with arguments and options, most of them of the right kind and many not."""
    if chance.random() < 0.03:
        return [chance.choice(WORDS) for _ in range(chance.randrange(4))]
    name = chance.choice(list(cli.COMMANDS))
    found: Any = cli.cli.get_command(click.Context(cli.cli), name)
    words: list[str] = []
    for parameter in found.params:
        if isinstance(parameter, click.Argument):
            # a page of the bundled run, as explore makes of no run, takes seconds
            if name == "explore" or chance.random() < 0.9:
                words += [chance.choice(_values(name, parameter, chance))]
        elif chance.random() < 0.25:
            words.append(chance.choice([*parameter.opts, *parameter.secondary_opts]))
            if not parameter.is_flag:
                words.append(chance.choice(_values(name, parameter, chance)))
    if name in SKIPPED:
        words += ["--no-such-option"]
    return [name, *words, *SAFE.get(name, [])]


def _values(name: str, parameter: Any, chance: random.Random) -> list[str]:
    """Words for a parameter: half the time those that it allows."""
    if chance.random() < 0.5:
        if isinstance(parameter.type, click.Choice):
            return [str(choice) for choice in parameter.type.choices]
        if parameter.name in ("run", "runs"):
            return ["run"] * 9 + ["curves"] * 9 + ["modular-addition"]
        if parameter.name in ("scene", "scenes"):
            return ["grokking-curve", "embedding-waves", "weight-norms"]
        if parameter.name == "recipe":
            return ["modular-addition"]
    return list(WORDS)
