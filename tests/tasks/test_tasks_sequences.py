"""The tasks whose sequences are drawn: what they draw, and what is scored."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grokviz.errors import InputError
from grokviz.tasks.digit_addition.data import DigitAddition
from grokviz.tasks.repeated_subsequence.data import RepeatedSubsequence
from grokviz.tasks.skip_trigram.data import SkipTrigram


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(
    subsequence=st.integers(2, 6), repeats=st.integers(2, 4), spare=st.integers(0, 7),
    seed=st.integers(0, 99),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_every_scored_token_follows_from_an_earlier_copy(
    subsequence: int, repeats: int, spare: int, seed: int
) -> None:
    task = RepeatedSubsequence(50, 1 + repeats * (subsequence + spare), subsequence, repeats)
    batch = task.sample(8, rng(seed))
    assert batch.tokens.shape == (8, task.length)
    assert batch.positions.shape == batch.targets.shape == (8, task.scored)
    assert (batch.tokens[:, 0] == 0).all()
    assert (batch.tokens[:, 1:] > 0).all()
    assert batch.positions.max() < task.read
    for tokens, positions, targets in zip(
        batch.tokens, batch.positions, batch.targets, strict=True
    ):
        for at, target in zip(positions, targets, strict=True):
            assert tokens[at + 1] == target
            earlier = [
                i for i in range(1, at) if tokens[i] == tokens[at] and tokens[i + 1] == target
            ]
            assert earlier


def test_copies_stand_anywhere_in_their_share() -> None:
    task = RepeatedSubsequence()
    starts = task.starts(4000, rng())
    for i in range(3):
        assert starts[:, i].min() == 1 + 28 * i
        assert starts[:, i].max() == 28 * (i + 1) - 15
    assert task.scored == 30


@pytest.mark.parametrize("digits", [1, 2, 5, 25])
def test_sums_are_right_however_long(digits: int) -> None:
    task = DigitAddition(digits)
    batch = task.sample(50, rng())
    assert batch.tokens.shape == (50, 3 * digits + 3)

    def number(row: np.ndarray) -> int:
        return int("".join(map(str, row)))

    for tokens, positions, targets in zip(
        batch.tokens, batch.positions, batch.targets, strict=True
    ):
        x, plus = number(tokens[:digits]), tokens[digits]
        y, equals = number(tokens[digits + 1 : 2 * digits + 1]), tokens[2 * digits + 1]
        assert (plus, equals) == (10, 11)
        assert number(targets) == x + y
        assert (tokens[positions + 1] == targets).all()  # each predicted from the one before it
    assert task.read == positions.max() + 1


def test_a_carry_runs_through_every_place() -> None:
    batch = DigitAddition(4).of(np.array([[9, 9, 9, 9]]), np.array([[0, 0, 0, 1]]))
    assert batch.targets.tolist() == [[1, 0, 0, 0, 0]]


def test_a_skip_trigram_has_one_key_among_noise() -> None:
    task = SkipTrigram()
    batch = task.sample(500, rng())
    keys = batch.tokens >= 12
    assert (keys.sum(axis=1) == 1).all()
    assert (batch.tokens[keys] - 12 == batch.targets[:, 0]).all()
    assert (batch.tokens[:, 0] == 0).all()
    assert (batch.tokens[:, -1] == 1).all()
    assert set(np.argwhere(keys)[:, 1]) == set(range(1, 41))
    assert (batch.positions == 41).all()


def test_the_same_seed_draws_the_same() -> None:
    for task in (RepeatedSubsequence(), DigitAddition(), SkipTrigram()):
        one, two, other = (task.sample(5, rng(seed)) for seed in (1, 1, 2))
        assert (one.tokens == two.tokens).all()
        assert (one.tokens != other.tokens).any()


@pytest.mark.parametrize(
    ("make", "remedy"),
    [
        (lambda: RepeatedSubsequence(length=40), "length of at least 49"),
        (lambda: RepeatedSubsequence(repeats=1), "repeats=3"),
        (lambda: DigitAddition(0), "at least 1"),
        (lambda: SkipTrigram(noise=1), "at least 2 noise tokens"),
    ],
)
def test_a_task_that_cannot_be_is_refused_with_the_remedy(make: object, remedy: str) -> None:
    with pytest.raises(InputError, match=remedy):
        make()  # type: ignore[operator]
