"""What a picture argues of the data it shows, and whether the data bears it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Claim:
    """The sentence that stands over a picture, and what it rests on.

    A scene tests its sentence on the data at hand and says what is true in its place where it
    does not hold; the title, the subtitle, the caption and the alt text are made of the result.

    Attributes:
        sentence: what is true of the data, without a full stop.
        watch: what to watch in the film, without a full stop; empty for nothing.
        holds: whether the sentence is the scene's own, rather than one in its place.
        numbers: the numbers of the data that decide it, by name.

    """

    sentence: str
    watch: str = ""
    holds: bool = True
    numbers: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def instead(cls, sentence: str, watch: str = "", **numbers: float) -> Claim:
        """What is true in place of the scene's own sentence."""
        return cls(sentence, watch, False, numbers)
