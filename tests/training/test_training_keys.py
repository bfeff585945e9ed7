from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokviz.errors import InputError
from grokviz.options import canonical, json_values, show
from grokviz.runs.schedule import Schedule
from grokviz.task import recipe, recipes

MAINLINE = recipe("modular-addition")


def settings_of(given: dict[str, Any] | None = None) -> dict[str, Any]:
    return json_values(MAINLINE.read(given))


WRONG = [
    ("p", "4x"), ("p", "2"), ("p", "113.0"), ("p", ""), ("p", True), ("p", 113.0), ("p", None),
    ("train-fraction", "1.5"), ("train-fraction", "0"), ("train-fraction", "nan"),
    ("train-fraction", "1"), ("train-fraction", True), ("train-fraction", "a third"),
    ("split-seed", "-1"), ("seed", "1e3"), ("seed", 2**63), ("seed", "9" * 30),
    ("d-model", "0"), ("d-mlp", "-5"), ("heads", "four"), ("epochs", "0"),
    ("learning-rate", "0"), ("learning-rate", "-1"), ("learning-rate", "inf"),
    ("weight-decay", "-0.1"), ("weight-decay", "1e999"), ("warm-up", "-1"),
    ("betas", "0.9"), ("betas", "0.9,0.98,0.99"), ("betas", "0.9,1"), ("betas", "a,b"),
    ("betas", 0.9), ("betas", "-0.1,0.9"), ("betas", [None, 1]),
    ("loss-precision", "float16"), ("loss-precision", 64), ("mlp-biases", "maybe"),
    ("mlp-biases", 2), ("equals-class", "perhaps"), ("test-every", "0"), ("split-order", "numpy"),
    ("init", "zeros"), ("record-norms", 3), ("optimiser", "lion"),
    ("momentum", "1.5"), ("momentum", True), ("hidden-rate", "0"), ("loss", "hinge"),
    ("record-accuracy", "perhaps"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_one_sentence_with_an_example(name: str, value: Any) -> None:
    with pytest.raises(InputError) as said:
        settings_of({name: value})
    sentence = str(said.value)
    assert sentence.startswith(f"modular-addition: {name}={value} is not ")
    assert "\n" not in sentence
    example = sentence.rsplit("for example ", 1)[1]
    key, _, text = example.partition("=")
    assert settings_of({key: text}) == settings_of()  # the remedy works


def test_every_key_refuses_something() -> None:
    assert {name for name, _ in WRONG} | {"checkpoint-every"} == set(MAINLINE.keys)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("weight-decya", "weight-decay"), ("lerning-rate", "learning-rate"), ("d_mpl", "d-mlp")],
)
def test_a_wrong_key_is_answered_with_the_nearest(wrong: str, right: str) -> None:
    with pytest.raises(InputError, match=rf"has no option {wrong}: did you mean {right}\?"):
        settings_of({wrong: 1})


def test_a_key_like_nothing_is_answered_with_what_there_is() -> None:
    with pytest.raises(InputError, match=r"has no option zzz: there are betas, .*d-model"):
        settings_of({"zzz": 1})


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("p", "59", 59), ("p", 59, 59), ("train-fraction", ".4", 0.4),
        ("betas", "0.9,0.999", [0.9, 0.999]), ("betas", (0.9, 0.999), [0.9, 0.999]),
        ("mlp-biases", "off", False), ("mlp-biases", "YES", True), ("mlp-biases", False, False),
        ("loss-precision", "float32", "float32"), ("weight-decay", "0", 0.0), ("warm-up", "0", 0),
        ("seed", 2**63 - 1, 2**63 - 1), ("checkpoint-every", 50, "50"),
        ("checkpoint-every", "100, 25@4000:14000", "100,25@4000:14000"),
    ],
)  # fmt: skip
def test_a_right_value_is_taken(name: str, text: Any, value: Any) -> None:
    settings = settings_of({name: text})
    assert settings[name] == value
    assert type(settings[name]) is type(value)
    assert {k: v for k, v in settings.items() if k != name}.items() <= settings_of().items()


def test_shown_values_are_read_back() -> None:
    for key in MAINLINE.keys.values():
        assert key.value(show(key.default)) == key.default


def test_keys_are_read_with_either_dash() -> None:
    assert settings_of({"d_mlp": "64"}) == settings_of({"d-mlp": 64})


def test_settings_survive_json() -> None:
    settings = settings_of({"betas": (0.9, 0.98)})
    assert canonical(settings) == settings == json.loads(json.dumps(settings))


def test_the_mainline_is_the_published_one() -> None:
    assert settings_of() == {
        "p": 113, "train-fraction": 0.3, "split-seed": 0, "seed": 0, "d-model": 128, "d-mlp": 512,
        "heads": 4, "epochs": 50_000, "checkpoint-every": "100", "learning-rate": 1e-3,
        "weight-decay": 1.0, "betas": [0.9, 0.98], "warm-up": 10, "loss-precision": "float64",
        "mlp-biases": True, "split-order": "python", "init": "published", "equals-class": True,
        "test-every": 10, "record-norms": False, "optimiser": "adamw",
        "momentum": 0.95, "hidden-rate": 0.02, "loss": "cross-entropy", "record-accuracy": False,
    }  # fmt: skip


def test_defaults_are_not_shared_between_runs() -> None:
    settings_of()["betas"].append(0.5)
    assert settings_of()["betas"] == [0.9, 0.98]


@pytest.mark.parametrize("name", sorted(recipes()))
def test_a_recipe_describes_itself_as_json(name: str) -> None:
    described = json.loads(json.dumps(recipe(name).describe()))
    assert described["name"] == name
    assert described["source"]
    assert described["cost"]
    for key, entry in described["keys"].items():
        assert entry["allowed"], key
        assert entry["help"], key
        assert entry["default"] == json_values(recipes()[name].read())[key]


def test_a_wrong_recipe_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"no recipe modular-adition: did you mean modular-add"):
        recipe("modular-adition")


def test_schedule_is_dense_where_asked() -> None:
    schedule = Schedule.parse("100,25@400:500,10@490:510")
    kept = [epoch for epoch in range(620) if epoch in schedule]
    assert kept == [0, 100, 200, 300, 400, 425, 450, 475, 490, 500, 510, 600]


@pytest.mark.parametrize(
    ("given", "epochs"),
    [
        ("[1, 2,5,10]", [1, 2, 5, 10]), ([1, 2, 5, 10], [1, 2, 5, 10]), (20, [0, 20, 40]),
        ("log", [0, 1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 32, 40, 50]),
    ],
)  # fmt: skip
def test_a_schedule_may_be_epochs_or_ever_rarer(given: Any, epochs: list[int]) -> None:
    schedule = Schedule.parse(given)
    assert [epoch for epoch in range(60) if epoch in schedule] == epochs
    assert Schedule.parse(str(schedule)) == schedule


@given(
    every=st.integers(1, 500),
    dense=st.lists(
        st.tuples(st.integers(1, 50), st.integers(0, 900), st.integers(0, 900)).map(
            lambda t: (t[0], min(t[1:]), max(t[1:]))
        ),
        max_size=3,
    ),
)
def test_schedule_reads_what_it_writes(every: int, dense: list[tuple[int, int, int]]) -> None:
    schedule = Schedule(every, tuple(dense))
    assert Schedule.parse(str(schedule)) == schedule


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "0",
        "-5",
        "100,",
        "100,25",
        "100,25@4:",
        "100,0@4:9",
        "100,5@9:4",
        "1.5",
        "[]",
        "[1,",
        "[-1]",
        "[1.5]",
        "logs",
    ],
)
def test_a_wrong_schedule_is_one_sentence(text: str) -> None:
    with pytest.raises(InputError, match="is not a schedule; give a number of epochs such as 100"):
        settings_of({"checkpoint-every": text})
