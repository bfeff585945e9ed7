from __future__ import annotations

import numpy as np
import pytest

from grokviz.dataset.numerics.fourier import fft2d, fourier_basis
from grokviz.tasks.modular_addition.formulas import marginals as mg
from grokviz.tasks.modular_addition.formulas import neurons as nr


@pytest.fixture(params=[3, 7, 15])
def columns(request) -> tuple[int, np.ndarray]:
    p = request.param
    return p, np.random.default_rng(p).normal(size=(p * p, 5)) + 30


def blocks(T: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Linear and quadratic coefficients of frequency k in a full 2-D transform."""
    i = [2 * k - 1, 2 * k]
    linear = np.concatenate([T[0, i], T[i, 0]])
    return linear, T[np.ix_(i, i)].reshape(4, -1)


def test_the_four_means_are_means_over_the_pairs(columns) -> None:
    p, x = columns
    m = mg.marginals(x)
    a, b = np.divmod(np.arange(p * p), p)
    centred = x - x.mean(axis=0)
    groups = {"by_a": a, "by_b": b, "by_sum": (a + b) % p, "by_difference": (a - b) % p}
    for name, group in groups.items():
        means = np.stack([centred[group == n].mean(axis=0) for n in range(p)])
        np.testing.assert_allclose(getattr(m, name), means, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(m.mean, x.mean(axis=0))
    np.testing.assert_allclose(m.power, (centred**2).sum(axis=0))


def test_power_by_frequency_is_that_of_the_full_2d_transform(columns) -> None:
    p, x = columns
    power = mg.frequency_power(mg.marginals(x))
    T = fft2d(x - x.mean(axis=0))
    for k in range(1, p // 2 + 1):
        linear, quadratic = blocks(T, k)
        np.testing.assert_allclose(power.linear[k - 1], (linear**2).sum(axis=0))
        np.testing.assert_allclose(power.quadratic[k - 1], (quadratic**2).sum(axis=0))
        cos, sin = (
            (T[2 * k - 1, 2 * k - 1] - T[2 * k, 2 * k]) / np.sqrt(2),
            (T[2 * k, 2 * k - 1] + T[2 * k - 1, 2 * k]) / np.sqrt(2),
        )
        np.testing.assert_allclose(power.of_sum[k - 1], cos**2 + sin**2, atol=1e-12)


def test_trig_fit_keeps_the_wanted_terms_and_nothing_else(columns) -> None:
    p, x = columns
    keep = np.random.default_rng(0).random((p // 2, 5)) < 0.5
    F = fourier_basis(p)
    for of_sum_only in (False, True):
        T = fft2d(x)
        kept = np.zeros_like(T)
        kept[0, 0] = T[0, 0]
        for row, column in np.argwhere(keep):
            i, j = 2 * row + 1, 2 * row + 2
            t = T[:, :, column]
            if of_sum_only:
                cos, sin = (t[i, i] - t[j, j]) / 2, (t[i, j] + t[j, i]) / 2
                block = np.array([[cos, sin], [sin, -cos]])
                kept[i : j + 1, i : j + 1, column] = block
            else:
                kept[i : j + 1, i : j + 1, column] = t[i : j + 1, i : j + 1]
                kept[0, i : j + 1, column] = t[0, i : j + 1]
                kept[i : j + 1, 0, column] = t[i : j + 1, 0]
        expected = np.einsum("fgc,fa,gb->abc", kept, F, F).reshape(p * p, -1)
        fit = mg.trig_fit(mg.marginals(x), keep, of_sum_only=of_sum_only)
        np.testing.assert_allclose(fit, expected, atol=1e-11)


def test_shares_by_kind_of_term_and_by_cluster() -> None:
    p, k = 11, 3
    w = 2 * np.pi * k / p
    a, b = np.divmod(np.arange(p * p), p)
    clean = 5 + 2 * np.cos(w * a) + np.cos(w * a) * np.cos(w * b)
    other = np.cos(2 * w * (a - b))
    acts = np.stack([clean, clean + 3 * other, np.zeros(p * p)], axis=1)
    m = mg.marginals(acts)
    found = nr.neuron_frequencies(m, mg.frequency_power(m))
    twice = min(2 * k, p - 2 * k)
    # Variances: 2 cos has 2, the product 1/4, 3 cos(2w(a - b)) has 9/2.
    np.testing.assert_allclose(found.fraction, [1, 4.5 / 6.75, 0])
    assert found.frequency.tolist() == [k, twice, 0]
    assert found.cluster.tolist() == [k, -1, -1]
    shares = nr.term_shares(m, mg.frequency_power(m), found.cluster)
    np.testing.assert_allclose(shares.linear, [2 / 2.25, 2 / 6.75, 0])
    np.testing.assert_allclose(shares.quadratic, [0.25 / 2.25, 4.75 / 6.75, 0])
    np.testing.assert_allclose(shares.total, [1, 1, 0])
    forced = nr.term_shares(m, mg.frequency_power(m), np.array([k, k, k]))
    np.testing.assert_allclose(forced.total, [1, 2.25 / 6.75, 0])


def test_key_frequencies_need_five_clear_neurons() -> None:
    frequency = np.array([4] * 5 + [2] * 5 + [9] * 4)
    fraction = np.array([0.85] * 5 + [0.9] * 4 + [0.84] + [1.0] * 4)
    found = nr.NeuronFrequencies(frequency, fraction)
    assert nr.key_frequencies(found).tolist() == [4]
    assert nr.cluster_sizes(found.cluster) == {2: 4, 4: 5, 9: 4}


def test_trig_fraction_ignores_columns_that_do_not_vary() -> None:
    p = 7
    a, b = np.divmod(np.arange(p * p), p)
    w = 2 * np.pi * 2 / p
    x = np.stack([np.cos(w * a) * np.cos(w * b), np.cos(w * (a + b)), np.ones(p * p)], axis=1)
    m = mg.marginals(x)
    power = mg.frequency_power(m)
    assert mg.trig_fraction(m, power, np.array([1])) == pytest.approx(0.75)
    assert mg.trig_fraction(m, power, np.array([0])) == pytest.approx(0, abs=1e-14)
    constant = mg.marginals(np.ones((p * p, 2)))
    assert mg.trig_fraction(constant, mg.frequency_power(constant), np.array([1])) == 0


def test_the_relu_of_two_pure_waves_has_the_share_of_products_that_is_derived() -> None:
    p, k = 113, 5
    a, b = np.divmod(np.arange(p * p), p)
    w = 2 * np.pi * k / p
    # any phases, and a common factor
    x = 3 * np.maximum(0, np.cos(w * a + 0.4) + np.cos(w * b - 1.1))[:, None]
    m = mg.marginals(x)
    shares = nr.term_shares(m, mg.frequency_power(m), np.array([k]))
    assert shares.quadratic[0] == pytest.approx(nr.RELU_PRODUCT_SHARE, abs=1e-3)
    assert pytest.approx(0.2174, abs=5e-5) == nr.RELU_PRODUCT_SHARE
