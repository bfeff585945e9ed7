"""Options of a scene: from text and from Python, and what is said of wrong ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest

from grokviz.errors import InputError
from grokviz.scene import Scene, option


@dataclass(frozen=True)
class Every(Scene):
    """One option of every type."""

    name = "every"

    count: int = option(3, "how many")
    share: float = option(0.5, "of all")
    label: str = option("x", "written on it")
    filled: bool = option(False, "or hollow")
    by: Literal["frequency", "component"] = option("frequency", "what apart")
    rank: Literal[1, 2] = option(1, "a number among few")
    ones: tuple[int, ...] = option((1, 2), "which ones")
    limit: float | None = option(None, "if any")
    two_words: int = option(1, "typed with a hyphen")

    def __post_init__(self) -> None:
        if self.count > 99:
            raise ValueError(f"count={self.count} is too many; give at most 99")


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("count", "7", 7), ("count", 7, 7), ("count", "-2", -2), ("count", 7.0, 7),
        ("share", "1e-3", 1e-3), ("share", 2, 2.0), ("label", "a=b", "a=b"), ("label", 3, "3"),
        ("filled", "on", True), ("filled", "Yes", True), ("filled", "1", True),
        ("filled", "off", False), ("filled", "FALSE", False), ("filled", True, True),
        ("by", "component", "component"), ("rank", "2", 2), ("rank", 2, 2),
        ("ones", "4,5,6", (4, 5, 6)), ("ones", "4", (4,)), ("ones", [4, 5], (4, 5)),
        ("limit", "none", None), ("limit", None, None), ("limit", "2.5", 2.5),
        ("two-words", "8", 8), ("two_words", "8", 8),
    ],
)  # fmt: skip
def test_an_option_is_read_as_its_type(key: str, text: Any, value: Any) -> None:
    scene = Every.with_options({key: text})
    found = getattr(scene, key.replace("-", "_"))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("count", "4x", "every: count=4x is not a whole number"),
        ("count", "4.5", "every: count=4.5 is not a whole number"),
        ("count", 4.5, "every: count=4.5 is not a whole number"),
        ("count", None, "every: count=None is not a whole number"),
        ("share", "half", "every: share=half is not a number"),
        ("filled", "maybe", "every: filled=maybe is not on or off"),
        ("by", "neuron", "every: by=neuron is not one of frequency, component"),
        ("rank", "3", "every: rank=3 is not one of 1, 2"),
        ("ones", "1,two", "ones=1,two is not a whole number, several with commas between"),
        ("ones", 4, "ones=4 is not a whole number, several with commas between"),
        ("limit", "some", "every: limit=some is not a number or none"),
        ("count", "100", "every: count=100 is too many; give at most 99"),
        ("cuont", "1", "every has no option cuont: did you mean count?"),
        ("two words", "1", "did you mean two-words?"),
        ("qq", "1", "every has no option qq: there are by, count, filled"),
    ],
)
def test_a_wrong_option_is_one_sentence(key: str, value: Any, said: str) -> None:
    with pytest.raises(InputError) as caught:
        Every.with_options({key: value})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_options_are_listed_with_default_type_and_help() -> None:
    listed = Every.options()
    assert list(listed) == [
        "count", "share", "label", "filled", "by", "rank", "ones", "limit", "two-words",
    ]  # fmt: skip
    assert listed["by"] == {
        "default": "frequency", "type": "one of frequency, component", "help": "what apart",
    }  # fmt: skip
    assert listed["limit"]["type"] == "a number or none"
    assert listed["filled"]["type"] == "on or off"


def test_chosen_options_are_those_that_differ() -> None:
    assert Every().changed_options() == {}
    assert Every(count=4, two_words=2).changed_options() == {"count": 4, "two-words": 2}


def test_a_scene_without_options_says_so() -> None:
    @dataclass(frozen=True)
    class Bare(Scene):
        name = "bare"

    assert Bare.options() == {}
    with pytest.raises(InputError, match="bare has no option size: there are none"):
        Bare.with_options({"size": 1})


@pytest.mark.parametrize("name", ["title", "draw", "changed_options", "clock"])
def test_an_option_cannot_hide_what_every_scene_has(name: str) -> None:
    with pytest.raises(TypeError, match=f"Mine: {name} belongs to every scene"):
        type("Mine", (Scene,), {"__annotations__": {name: str}, name: "x"})
    type("Mine", (Scene,), {"__annotations__": {name: "ClassVar[str]"}, name: "x"})
