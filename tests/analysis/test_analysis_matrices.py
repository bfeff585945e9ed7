"""Compositions of weights, attention by frequency, and the geometry of clocks and pizzas."""

from __future__ import annotations

import numpy as np
import pytest

from grokviz.dataset.numerics import roundness
from grokviz.dataset.numerics.fourier import fourier_basis
from grokviz.tasks.modular_addition.formulas import attention, compositions, geometry
from grokviz.tasks.modular_addition.weights import ModularAdditionWeights


@pytest.fixture
def w(random_weights) -> ModularAdditionWeights:
    return ModularAdditionWeights.of(random_weights(p=9))


def test_compositions_are_the_published_products(w) -> None:
    np.testing.assert_allclose(compositions.neuron_logit_map(w), w.W_U.T @ w.W_out)
    r2 = w.W_E[:, -1] + w.W_pos[2]
    C = np.einsum("m,ihm,ihM,Mv->iv", r2, w.W_Q, w.W_K, w.W_E[:, :-1])
    np.testing.assert_allclose(compositions.attention_map(w), C)
    np.testing.assert_allclose(compositions.attention_map_fourier(w), C @ fourier_basis(9).T)
    for head in range(w.heads):
        columns = slice(head * w.d_head, (head + 1) * w.d_head)
        expected = w.W_in @ w.W_O[:, columns] @ w.W_V[head] @ w.W_E[:, :-1]
        norms = np.linalg.norm(expected @ fourier_basis(9).T, axis=0)
        np.testing.assert_allclose(compositions.neuron_input_components(w)[head], norms)


def test_residual_of_a_map_outside_its_key_directions(w) -> None:
    W_L = compositions.neuron_logit_map(w)
    components = compositions.output_components(W_L)
    np.testing.assert_allclose(components, np.linalg.norm(fourier_basis(9) @ W_L, axis=1))
    keys = np.array([2, 4])
    directions = compositions.key_directions(W_L, keys)
    assert directions.shape == (4, w.d_mlp)
    F = fourier_basis(9)[[3, 4, 7, 8]]
    np.testing.assert_allclose(directions, F @ W_L)
    outside = W_L - F.T @ F @ W_L
    expected = np.linalg.norm(outside) / np.linalg.norm(W_L)
    assert compositions.residual_share(components, keys) == pytest.approx(expected)
    assert compositions.residual_share(components * 0, keys) == 0


def test_a_head_that_follows_one_wave_is_explained_by_it() -> None:
    p, k = 11, 4
    w = 2 * np.pi * k / p
    a, b = np.divmod(np.arange(p * p), p)
    wave = 0.2 * (np.cos(w * a) - np.cos(w * b)) - 0.1 * (np.sin(w * a) - np.sin(w * b))
    alone = 0.3 * np.cos(w * a)
    pattern = np.zeros((3, 3, p * p))
    for head, to_a in enumerate((0.5 + wave, 0.5 + alone, np.full(p * p, 0.4))):
        pattern[head, :2] = to_a, 1 - to_a
    found = attention.head_frequencies(pattern)
    assert found.frequency.tolist() == [k, k, 0]
    # cos wa alone is half (cos wa - cos wb), which is fitted, and half (cos wa + cos wb).
    np.testing.assert_allclose(found.fraction, [1, 0.5, 0], atol=1e-12)
    np.testing.assert_allclose(attention.attention_mean(pattern)[0], [0.5, 0.5, 0], atol=1e-12)


def test_clock_and_pizza_differ_in_distance_irrelevance() -> None:
    p, k = 11, 2
    w = 2 * np.pi * k / p
    a, b = np.divmod(np.arange(p * p), p)
    c = np.arange(p)
    clock = np.cos(w * (a[:, None] + b[:, None] - c))
    # The right logit of a perfect clock is the same for all pairs: nothing depends on a - b.
    assert geometry.distance_irrelevance(clock) == 0
    pizza = np.abs(np.cos(w * (a - b) / 2))[:, None] * clock
    assert geometry.distance_irrelevance(pizza) < 1e-12
    by_sum = clock * (2 + np.cos(w * (a + b)))[:, None]
    assert geometry.distance_irrelevance(by_sum) == pytest.approx(1)
    noise = np.random.default_rng(0).normal(size=(p * p, p))
    table = geometry.correct_logits(noise)
    assert table[(3 + 9) % p, (3 - 9) % p] == noise[3 * p + 9, 12 % p]
    expected = np.mean([table[:, d].std() for d in range(p)]) / table.std()
    assert geometry.distance_irrelevance(noise) == pytest.approx(expected)


def test_circularity_of_circles_and_of_noise() -> None:
    p = 23
    rng = np.random.default_rng(0)
    axes, _ = np.linalg.qr(rng.normal(size=(10, 10)))
    F = fourier_basis(p)
    circles = axes[:, :4] @ (F[[3, 4, 9, 10]] * np.array([[3.0], [2.9], [2], [1.9]]))
    assert roundness.circularity(circles + 5) == pytest.approx(1)
    assert 0 < roundness.circularity(rng.normal(size=(10, p))) < 0.6
    two = axes[:, :2] @ F[[3, 4]]
    assert roundness.circularity(two) == pytest.approx(0.5)
    assert roundness.circularity(np.zeros((10, p))) == 0
