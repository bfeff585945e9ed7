from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokviz.errors import InputError
from grokviz.tasks.modular_addition.data import ModularAddition

odd = st.integers(1, 30).map(lambda k: 2 * k + 1)


def pairs(numbers: np.ndarray, p: int) -> list[tuple[int, int]]:
    return [divmod(int(n), p) for n in numbers]


@pytest.mark.parametrize(
    ("seed", "first"),
    [
        (0, [(18, 34), (10, 83), (55, 28), (25, 51)]),
        (1, [(58, 58), (76, 57), (60, 23), (100, 89)]),
    ],
)
def test_split_is_the_published_one(seed: int, first: list[tuple[int, int]]) -> None:
    task = ModularAddition(113, 0.3, seed)
    assert pairs(task.train[:4], 113) == first
    assert (len(task.train), len(task.test)) == (3830, 8939)


def test_split_order_is_that_of_shuffling_the_triples() -> None:
    triples = [(i, j, 113) for i in range(113) for j in range(113)]
    random.seed(5)
    random.shuffle(triples)
    task = ModularAddition(113, 0.3, 5)
    assert [tuple(t) for t in task.tokens[task.train].tolist()] == triples[:3830]
    assert [tuple(t) for t in task.tokens[task.test].tolist()] == triples[3830:]


def test_splitting_leaves_the_global_generator_alone() -> None:
    random.seed(3)
    before = random.getstate()
    _ = ModularAddition(7).train
    assert random.getstate() == before


@given(p=odd, fraction=st.floats(0.2, 0.8), seed=st.integers(0, 2**40))
def test_every_pair_is_trained_on_or_held_out(p: int, fraction: float, seed: int) -> None:
    task = ModularAddition(p, fraction, seed)
    assert sorted([*task.train, *task.test]) == list(range(p * p))
    assert len(task.train) == int(fraction * p**2) == task.is_train.sum()
    assert set(np.flatnonzero(task.is_train)) == set(task.train)


@given(p=odd)
def test_tokens_and_targets(p: int) -> None:
    task = ModularAddition(p)
    for number in (0, 1, p, p * p - 1):
        a, b = divmod(number, p)
        assert task.tokens[number].tolist() == [a, b, p]
        assert task.targets[number] == (a + b) % p
    assert (task.vocabulary, task.context) == (p + 1, 3)


@pytest.mark.parametrize("p", [112, 2, 1, 0, -3])
def test_an_unusable_p_is_refused_with_the_reason(p: int) -> None:
    with pytest.raises(
        InputError, match=rf"^p = {p} cannot be used: .*odd p of at least 3"
    ) as said:
        ModularAddition(p)
    assert said.value.exit_status == 2


@pytest.mark.parametrize("fraction", [1.5, 1.0, 0.0, -0.1, 1e-9, float("nan")])
def test_a_fraction_that_leaves_nothing_is_refused(fraction: float) -> None:
    with pytest.raises(InputError, match=r"between 0 and 1, such as 0\.3"):
        ModularAddition(113, fraction)


def test_task_of_a_run_is_read_from_its_settings() -> None:
    settings = {"p": "13", "train_fraction": 0.5, "split-seed": 2, "d-model": 16}
    assert ModularAddition.from_settings(settings) == ModularAddition(13, 0.5, 2)


def test_missing_settings_are_named_with_an_example() -> None:
    with pytest.raises(InputError, match=r"train-fraction, split-seed; .*train-fraction=0\.3"):
        ModularAddition.from_settings({"p": 13})
