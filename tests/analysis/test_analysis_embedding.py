from __future__ import annotations

import numpy as np
import pytest

from grokviz.dataset.numerics.fourier import fourier_basis
from grokviz.errors import InputError
from grokviz.tasks.modular_addition.formulas import embedding


def waves(p: int, d_model: int, amplitudes: dict[int, float], seed: int = 0) -> np.ndarray:
    """An embedding of circles in random orthogonal planes, one a frequency, off the origin."""
    rng = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(rng.normal(size=(d_model, d_model)))
    W_E = np.repeat(axes[:, -1:], p, axis=1)
    for i, (k, amplitude) in enumerate(amplitudes.items()):
        W_E = W_E + amplitude * axes[:, 2 * i : 2 * i + 2] @ fourier_basis(p)[2 * k - 1 : 2 * k + 1]
    return W_E


def test_embedded_frequencies_are_those_above_a_quarter_of_the_largest() -> None:
    W_E = waves(23, 12, {3: 4.0, 5: 1.01, 8: 0.99, 9: 2.0})
    assert embedding.embedding_frequencies(W_E).tolist() == [3, 5, 9]
    assert embedding.embedding_frequencies(np.zeros((4, 23))).tolist() == []


def test_a_clean_frequency_lies_on_a_circle_in_order() -> None:
    p = 23
    coordinates = embedding.embedding_planes(waves(p, 12, {3: 4.0, 9: 2.0}), [9, 3])
    assert coordinates.shape == (2, p, 2)
    n = np.arange(p)
    for points, k, amplitude in zip(coordinates, (9, 3), (2.0, 4.0), strict=True):
        angle = 2 * np.pi * k * n / p
        circle = amplitude * np.sqrt(2 / p) * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        np.testing.assert_allclose(points, circle, atol=1e-12)


def test_planes_span_the_embedded_waves_and_move_continuously() -> None:
    rng = np.random.default_rng(3)
    p, W_E = 11, rng.normal(size=(8, 11))
    bases = embedding.plane_bases(W_E, [1, 4])
    for Q, k in zip(bases, (1, 4), strict=True):
        np.testing.assert_allclose(Q.T @ Q, np.eye(2), atol=1e-12)
        wave = W_E @ fourier_basis(p)[2 * k - 1 : 2 * k + 1].T
        np.testing.assert_allclose(Q @ Q.T @ wave, wave, atol=1e-12)
        H = Q.T @ wave
        np.testing.assert_allclose(H, H.T, atol=1e-12)
    nudged = embedding.plane_bases(W_E + 1e-7 * rng.normal(size=W_E.shape), [1, 4])
    assert np.abs(nudged - bases).max() < 1e-6


@pytest.mark.parametrize("k", [0, 6, -1])
def test_a_frequency_that_does_not_exist_is_refused(k: int) -> None:
    with pytest.raises(InputError, match=f"frequency {k} does not exist for p = 11"):
        embedding.embedding_planes(np.ones((4, 11)), [k])


def test_singular_values_of_circles() -> None:
    values = embedding.embedding_singular_values(waves(23, 12, {3: 4.0, 9: 2.0}))
    np.testing.assert_allclose(values[:6], [np.sqrt(23), 4, 4, 2, 2, 0], atol=1e-12)
