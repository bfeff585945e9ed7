from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from grokviz.tasks.any import path as pt


def test_a_path_is_measured_from_its_parameters_one_at_a_time() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(6, 4, 3)), rng.normal(size=(6, 5)).astype(np.float32)
    whole = np.concatenate([first.reshape(6, -1), second.astype(float)], axis=1)
    found = pt.path(pt.step_products([first, second]))
    steps = np.diff(whole, axis=0)
    np.testing.assert_allclose(found.step_length, np.linalg.norm(steps, axis=1))
    away = np.linalg.norm(whole - whole[0], axis=1)
    np.testing.assert_allclose(found.displacement, away, atol=1e-12)
    cosine = [s @ t / np.linalg.norm(s) / np.linalg.norm(t) for s, t in pairwise(steps)]
    np.testing.assert_allclose(found.cosine, cosine)
    np.testing.assert_allclose(found.travelled[-1], found.step_length.sum())
    centred = whole - whole.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    plane = (u * s)[:, :2] - (u * s)[0, :2]
    np.testing.assert_allclose(np.abs(found.coordinates), np.abs(plane), atol=1e-10)


def test_slices_of_a_large_parameter_add_up(monkeypatch) -> None:
    x = np.random.default_rng(0).normal(size=(4, 50))
    whole = pt.step_products([x])
    monkeypatch.setattr(pt, "COLUMNS_AT_ONCE", 7)
    np.testing.assert_allclose(pt.step_products([x]), whole)
    np.testing.assert_allclose(whole, np.diff(x, axis=0) @ np.diff(x, axis=0).T)


def test_a_straight_line_and_a_walk_that_stands_still() -> None:
    line = np.arange(5)[:, None] * np.ones(3)
    found = pt.path(pt.step_products([line]))
    np.testing.assert_allclose(found.travelled, found.displacement)
    np.testing.assert_allclose(found.cosine, 1)
    np.testing.assert_allclose(found.coordinates[:, 0], np.sqrt(3) * np.arange(5))
    still = pt.path(pt.step_products([np.ones((3, 2))]))
    assert np.isnan(still.cosine).all()
    assert not still.travelled.any()
    assert not still.displacement.any()


@pytest.mark.parametrize("checkpoints", [1, 2])
def test_paths_too_short_to_turn(checkpoints: int) -> None:
    found = pt.path(pt.step_products([np.eye(2)[:checkpoints]]))
    assert found.displacement.shape == (checkpoints,)
    assert found.coordinates.shape == (checkpoints, 2)
    assert found.cosine.shape == (0,)


def test_a_random_walk_has_the_given_steps_and_turns_at_right_angles() -> None:
    lengths = np.linspace(1, 2, 40)
    products = pt.random_walk_products(lengths, 50_000, np.random.default_rng(0))
    walk = pt.path(products)
    np.testing.assert_allclose(walk.step_length, lengths)
    assert np.abs(walk.cosine).max() < 0.03
    assert walk.displacement[-1] == pytest.approx(np.linalg.norm(lengths), rel=0.05)
    again = pt.random_walk_products(lengths, 50_000, np.random.default_rng(0))
    np.testing.assert_array_equal(products, again)
