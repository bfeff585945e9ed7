"""What the network answers to every sum, against the formula written out and the bundled part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from reference_checks import rebuilt

from grokviz.dataset.build.assemble import assemble
from grokviz.dataset.cache import read
from grokviz.dataset.references import reference as bundled
from grokviz.tasks.modular_addition.formulas.own_answers import answers_of


def test_answers_are_the_largest_logits() -> None:
    p = 5
    logits = np.random.default_rng(0).normal(size=(p * p, p))
    error, probability = answers_of(logits)
    for a in range(p):
        for b in range(p):
            row = logits[a * p + b]
            answer = (a + b + error[a, b]) % p
            assert row[answer] == row.max()
            np.testing.assert_allclose(
                probability[a, b], np.exp(row[answer]) / np.exp(row).sum(), rtol=1e-12
            )


def test_an_answer_of_no_number_has_no_probability() -> None:
    error, probability = answers_of(np.full((9, 3), np.nan))
    assert np.isnan(probability).all()
    assert ((error >= 0) & (error < 3)).all()


@pytest.mark.slow
def test_the_bundled_answers_are_what_the_bundled_weights_give(tmp_path: Path) -> None:
    place = bundled.folder() / "modular-addition"
    kept = read(place / "own_answers.nc")
    made = assemble(rebuilt(place, tmp_path / "run"), [*kept.data_vars])
    np.testing.assert_array_equal(made["answer_epoch"], kept["answer_epoch"])
    # the two largest logits of an untrained network may be as good as equal
    same = made["own_answer_error"].values == kept["own_answer_error"].values
    assert same.mean() > 0.999
    step = 1 / 128
    np.testing.assert_allclose(
        kept["own_answer_probability"], made["own_answer_probability"], atol=step + 1e-9
    )
    right = (kept["own_answer_error"] == 0).mean(["residue", "residue_b"])
    accuracy = bundled.reference()["accuracy"].sel(split="all", epoch=kept["answer_epoch"].values)
    np.testing.assert_allclose(right, accuracy, atol=1e-3)
