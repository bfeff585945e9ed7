from __future__ import annotations

import numpy as np
import pytest

from grokviz.errors import InputError
from grokviz.tasks.modular_addition.formulas import losses


def test_scores_are_cross_entropy_margin_and_probability() -> None:
    p = 5
    logits = np.random.default_rng(0).normal(size=(p * p, p)) * 5
    right = [(a + b) % p for a in range(p) for b in range(p)]
    np.testing.assert_array_equal(losses.answers(p), right)
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    scores = losses.pair_scores(logits)
    picked = probability[np.arange(p * p), right]
    np.testing.assert_allclose(scores.probability, picked)
    np.testing.assert_allclose(scores.loss, -np.log(picked))
    np.testing.assert_array_equal(scores.right, logits.argmax(1) == right)
    others = [np.delete(row, r).max() for row, r in zip(logits, right, strict=True)]
    np.testing.assert_allclose(scores.margin, logits[np.arange(p * p), right] - others)


def test_tiny_and_huge_losses_keep_their_precision() -> None:
    p = 3
    logits = np.zeros((9, 3))
    logits[np.arange(9), losses.answers(p)] = 60
    np.testing.assert_allclose(losses.pair_scores(logits).loss, 2 * np.exp(-60.0), rtol=1e-12)
    np.testing.assert_allclose(losses.pair_scores(-1e4 * logits).loss, 6e5 + np.log(2))


def test_a_tie_is_not_a_right_answer() -> None:
    assert not losses.pair_scores(np.zeros((9, 3))).right.any()


def test_means_by_set() -> None:
    values = np.arange(4.0)
    train = np.array([True, False, False, True])
    assert losses.by_set(values, train) == {"train": 1.5, "test": 1.5, "all": 1.5}
    assert np.isnan(losses.by_set(values, np.ones(4, bool))["test"])


def test_a_split_of_the_wrong_size_or_kind_is_refused() -> None:
    assert losses.check_train(np.ones((3, 3), bool), 3).shape == (9,)
    for split in (np.ones(8, bool), np.ones(9)):
        with pytest.raises(InputError, match="9 pairs"):
            losses.check_train(split, 3)
