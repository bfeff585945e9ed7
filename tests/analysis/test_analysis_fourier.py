from __future__ import annotations

import numpy as np
import pytest

from grokviz.dataset.numerics import fourier
from grokviz.errors import InputError


@pytest.mark.parametrize("p", [3, 5, 59, 113])
def test_basis_is_orthonormal_and_its_rows_are_the_named_waves(p: int) -> None:
    F = fourier.fourier_basis(p)
    np.testing.assert_allclose(F @ F.T, np.eye(p), atol=1e-13)
    n = np.arange(p)
    k = (p - 1) // 2
    names = fourier.component_names(p)
    assert names[:3] == ["Const", "cos 1", "sin 1"]
    assert names[-1] == f"sin {k}"
    assert len(names) == p
    cos, sin = F[names.index(f"cos {k}")], F[names.index(f"sin {k}")]
    np.testing.assert_allclose(cos / cos[0], np.cos(2 * np.pi * k * n / p), atol=1e-12)
    np.testing.assert_allclose(sin / cos[0], np.sin(2 * np.pi * k * n / p), atol=1e-12)


def test_basis_cannot_be_changed_by_accident() -> None:
    with pytest.raises(ValueError, match="read-only"):
        fourier.fourier_basis(5)[0, 0] = 1


@pytest.mark.parametrize(("p", "why"), [(112, "no sine"), (2, "at least 3"), (1, "at least 3")])
def test_a_modulus_without_pairs_of_waves_is_refused(p: int, why: str) -> None:
    with pytest.raises(InputError, match=why):
        fourier.fourier_basis(p)


def test_fft2d_finds_a_product_of_waves_and_keeps_the_norm() -> None:
    p = 11
    F = fourier.fourier_basis(p)
    x = np.stack([3 * np.outer(F[3], F[8]).reshape(-1), np.full(p * p, 2.0)], axis=1)
    T = fourier.fft2d(x)
    assert T.shape == (p, p, 2)
    expected = np.zeros((p, p, 2))
    expected[3, 8, 0] = 3
    expected[0, 0, 1] = 2 * p
    np.testing.assert_allclose(T, expected, atol=1e-12)
    noise = np.random.default_rng(0).normal(size=(p * p, 2))
    np.testing.assert_allclose((fourier.fft2d(noise) ** 2).sum(), (noise**2).sum())


@pytest.mark.parametrize("pairs", [120, 16])
def test_an_axis_that_is_not_over_pairs_is_refused(pairs: int) -> None:
    with pytest.raises(InputError):
        fourier.fft2d(np.zeros((pairs, 1)))


def test_norms_by_component_and_by_frequency() -> None:
    p = 7
    F = fourier.fourier_basis(p)
    W = np.stack([3 * F[1] + 4 * F[2], 5 * F[0]])
    components = fourier.component_norms(W)
    np.testing.assert_allclose(components, [5, 3, 4, 0, 0, 0, 0], atol=1e-13)
    np.testing.assert_allclose(fourier.frequency_norms(components), [5, 0, 0], atol=1e-13)


def test_gini_of_equal_and_of_concentrated_values() -> None:
    assert fourier.gini(np.ones(113)) == pytest.approx(0, abs=1e-14)
    assert fourier.gini(np.eye(113)[4]) == pytest.approx(112 / 113)
    assert fourier.gini(np.zeros(113)) == 0
    x = np.random.default_rng(1).random((2, 9))
    pairwise = np.abs(x[:, :, None] - x[:, None]).sum((1, 2)) / (2 * 9 * x.sum(1))
    np.testing.assert_allclose(fourier.gini(x), pairwise)
