"""The paper's figures by number, put together from the scenes that redraw them.

A scene says so itself: ``paper_figures = {"2": {"accuracy": True}, "3a": {}}``. Scenes of
one number are the parts of one figure, below one another in the order of their letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from grokviz.errors import InputError
from grokviz.scene.scene import Scene

_NUMBER = re.compile(r"([1-9]\d*)([a-z]?)")


@dataclass(frozen=True)
class Part:
    """A scene's part in a figure of the paper: its options, and the epoch it is drawn at."""

    letter: str
    scene: str
    options: Mapping[str, Any]
    epoch: str | int | None


def numbered(scenes: Iterable[type[Scene]]) -> dict[int, list[Part]]:
    """The parts of every figure that these scenes redraw, by its number.

    Raises :class:`InputError` for a scene whose ``paper_figures`` names no figure.
    """
    figures: dict[int, list[Part]] = {}
    for scene in scenes:
        for key, given in _own(scene).items():
            match = _NUMBER.fullmatch(str(key))
            if match is None:
                raise InputError(
                    f"{scene.name}: {key!r} is no figure of a paper; write its number, with a "
                    "letter for a part, such as 3 or 3b"
                )
            options = {name: value for name, value in given.items() if name != "epoch"}
            epoch = given.get("epoch", "last")
            figures.setdefault(int(match[1]), []).append(Part(match[2], scene.name, options, epoch))
    return {n: sorted(figures[n], key=lambda p: (p.letter, p.scene)) for n in sorted(figures)}


def _own(scene: type[Scene]) -> Mapping[str, Mapping[str, Any]]:
    """Its figures; another scene made from one of ours does not take ours over."""
    for kind in scene.__mro__:
        if "paper_figures" in vars(kind):
            same = kind is scene or getattr(kind, "name", "") == scene.name
            return scene.paper_figures if same else {}
    return {}
