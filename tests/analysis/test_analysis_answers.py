"""Right answers, how sure the network is of them, and the groups of shown sums and mirrors."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from analysis_runs import P

from grokviz.dataset.build.assemble import assemble
from grokviz.dataset.references import reference
from grokviz.runs import tensors
from grokviz.tasks.modular_addition.data import ModularAddition
from grokviz.tasks.modular_addition.formulas import answers, losses
from grokviz.tasks.modular_addition.forward import forward
from grokviz.tasks.modular_addition.weights import ModularAdditionWeights

NAMES = ("answer_probability", "answer_right", "right_answers", "group_of_pair")


@pytest.fixture(scope="module")
def data(small_run) -> xr.Dataset:
    return assemble(small_run, NAMES, workers=0)


def test_a_pair_is_shown_or_only_its_mirror_is_or_neither() -> None:
    shown = {(0, 1), (1, 0), (2, 2), (0, 2)}
    train = np.array([(a, b) in shown for a in range(3) for b in range(3)])
    expected = [[2, 0, 0], [0, 2, 2], [1, 2, 0]]
    assert answers.groups_of_pairs(train, 3).tolist() == expected


def test_right_answers_are_counted_by_group() -> None:
    group = np.array([[0, 0], [1, 2]])
    right = np.array([True, False, True, False])
    assert answers.right_by_group(right, group).tolist() == [1, 1, 0]


def test_without_a_split_nothing_is_said_of_groups() -> None:
    group = answers.groups_of_pairs(None, 3)
    assert (group == answers.UNKNOWN).all()
    assert np.isnan(answers.right_by_group(np.ones(9, bool), group)).all()


def test_probability_and_right_are_those_of_the_softmax_by_a_and_b(small_run, data) -> None:
    for i, epoch in enumerate(small_run.epochs):
        weights = ModularAdditionWeights.of(small_run.weights(int(epoch)))
        logits = forward(weights).logits.reshape(P, P, P)
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        odds /= odds.sum(axis=-1, keepdims=True)
        for a in range(P):
            for b in range(P):
                row, answer = odds[a, b], (a + b) % P
                kept = float(data["answer_probability"][i, a, b])
                assert kept == pytest.approx(row[answer], abs=1 / 128 + 1e-9)
                assert int(data["answer_right"][i, a, b]) == (row.argmax() == answer)


def test_counts_and_groups_are_those_of_the_runs_split(data) -> None:
    train = ModularAddition(p=P, train_fraction=0.4, split_seed=0).is_train.reshape(P, P)
    right = data["answer_right"].values.astype(bool)
    groups = [train, ~train & train.T, ~train & ~train.T]
    assert data["pair_group"].values.tolist() == list(answers.GROUPS)
    for n, group in enumerate(groups):
        np.testing.assert_array_equal(data["group_of_pair"].values == n, group)
        np.testing.assert_array_equal(data["right_answers"].values[:, n], right[:, group].sum(1))
    assert sum(group.sum() for group in groups) == P * P


def test_the_mainline_knows_mirrors_of_what_it_was_shown_and_no_more() -> None:
    place = reference.folder() / "modular-addition"
    split = ModularAddition.from_settings(
        json.loads((place / "run.json").read_text("utf-8"))["settings"]
    )
    group = answers.groups_of_pairs(split.is_train, split.p)
    assert np.bincount(group.reshape(-1)).tolist() == [3830, 2659, 6280]
    weights = ModularAdditionWeights.of(tensors.load(place / "weights" / "1400.safetensors")[0])
    right = losses.pair_scores(forward(weights).logits).right
    assert answers.right_by_group(right, group).tolist() == [3830, 676, 3]
