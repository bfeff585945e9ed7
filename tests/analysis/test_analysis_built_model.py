"""Models built by hand, whose every measure is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from analysis_runs import pizza, wave
from hypothesis import given, settings
from hypothesis import strategies as st
from measured_state import Measured

from grokviz.dataset.numerics.fourier import gini
from grokviz.tasks.modular_addition import forward as fw
from grokviz.tasks.modular_addition.formulas.ablation import ablation_table
from grokviz.tasks.modular_addition.weights import ModularAdditionWeights

COPIES = 2
PRODUCTS = 4


@st.composite
def recipes(draw) -> tuple[int, dict[int, float], int]:
    p = 2 * draw(st.integers(2, 15)) + 1
    keys = draw(st.sets(st.integers(1, p // 2), min_size=1, max_size=min(3, p // 2)))
    amplitudes = {k: draw(st.floats(0.5, 8)) for k in sorted(keys)}
    return p, amplitudes, draw(st.integers(0, 1000))


def clock(p: int, amplitudes: dict[int, float]) -> tuple[dict[str, np.ndarray], fw.Forward]:
    """A model whose neurons multiply: logits are the sum of A_k cos(w_k (a + b - c)).

    The embedding holds cos and sin of each key frequency with amplitude A_k; each frequency has
    the neurons 1 +- cos cos, 1 +- sin sin, 1 +- cos sin, 1 +- sin cos, twice; the output
    map adds them up to cos and sin of w(a + b), which the unembedding reads.
    """
    n = len(amplitudes)
    d_model, d_mlp = 2 * n, COPIES * PRODUCTS * n
    W_E = np.concatenate([A * wave(p, k) for k, A in amplitudes.items()])
    W_U = np.concatenate([A * wave(p, k) for k, A in amplitudes.items()])
    W_out, post = np.zeros((d_model, d_mlp)), np.zeros((p * p, d_mlp))
    for i, k in enumerate(amplitudes):
        (cos, sin), at = wave(p, k), COPIES * PRODUCTS * i
        # cos w(a + b) = (1 + cc) - (1 + ss), sin w(a + b) = (1 + sc) - (1 - cs): no constant left.
        made = [(cos, cos, 1), (sin, sin, 1), (sin, cos, 1), (cos, sin, -1)]
        signs = [(0, 1), (0, -1), (1, 1), (1, -1)]
        for copy in range(COPIES):
            for j, (of_a, of_b, sign) in enumerate(made):
                neuron = at + PRODUCTS * copy + j
                post[:, neuron] = 1 + sign * np.outer(of_a, of_b).reshape(-1)
                W_out[2 * i + signs[j][0], neuron] = signs[j][1] / COPIES
    state = {
        "embed.W_E": np.concatenate([W_E, np.zeros((d_model, 1))], axis=1),
        "pos_embed.W_pos": np.zeros((3, d_model)),
        **{f"blocks.0.attn.W_{x}": np.zeros((1, 1, d_model)) for x in "KQV"},
        "blocks.0.attn.W_O": np.zeros((d_model, 1)),
        "blocks.0.mlp.W_in": np.zeros((d_mlp, d_model)),
        "blocks.0.mlp.W_out": W_out,
        "unembed.W_U": W_U,
    }
    w = ModularAdditionWeights.of(state)
    mid, pattern = np.zeros((p * p, d_model)), np.full((1, 3, p * p), 1 / 3)
    logits = fw.logits_of(w, mid, post)
    return state, fw.Forward(pattern, mid, post, post, logits)


def loss_of(p: int, amplitudes: dict[int, float]) -> float:
    """The loss of sum A_k cos(w_k (a + b - c)), the same for every pair."""
    behind = sum((A * (wave(p, k)[0] - 1) for k, A in amplitudes.items()), start=np.zeros(p))
    return float(np.logaddexp.reduce(behind))


def near(value: object, expected: object) -> None:
    np.testing.assert_allclose(value, expected, rtol=1e-8, atol=1e-10)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(recipes())
def test_a_clock_has_the_measures_it_was_built_with(recipe) -> None:
    p, amplitudes, seed = recipe
    state, ran = clock(p, amplitudes)
    train = np.random.default_rng(seed).random(p * p) < 0.5
    train[:2] = True, False
    m = Measured(state, train, ran=ran)
    A = np.array(list(amplitudes.values()))
    rows = np.array(list(amplitudes)) - 1
    everywhere = np.zeros(p // 2)
    everywhere[rows] = A
    check_spectra(m, p, everywhere)
    check_neurons(m, list(amplitudes))
    loss = loss_of(p, amplitudes)
    near(m.loss, [loss] * 3)
    near(m.restricted_loss, [loss] * 3)
    near(m.generalising_share, np.exp(-loss))
    near([m.excluded_loss_2d, m.excluded_loss_3d], np.log(p))
    near(m.memorising_share, 1 / p)
    without = [
        loss_of(p, {k: x for k, x in amplitudes.items() if k != left})
        for left in range(1, p // 2 + 1)
    ]
    near(m.excluded_loss_2d_by_frequency, without)
    near(m.excluded_loss_3d_by_frequency, without)
    lead = sum(x * (1 - wave(p, k)[0][1:]) for k, x in amplitudes.items()).min()
    near(m.margin, [lead] * 3)


def check_spectra(m: Measured, p: int, amplitude: np.ndarray) -> None:
    """Embedding, W_L and logits hold each frequency with its amplitude."""
    both = np.concatenate([[0.0], np.repeat(amplitude, 2)])
    near(m.gini_embedding, gini(both))
    # Each of cos and sin is read by 2 * COPIES neurons, each with weight A / COPIES.
    near(m.neuron_logit_component_norm, both * np.sqrt(p / 2) * np.sqrt(2 / COPIES))
    near(m.gini_neuron_logit_map, gini(both))
    near(m.neuron_logit_residual, 0)
    near(
        np.sort(m.embedding_singular_value)[::-1][: both.size],
        np.sort(both)[::-1][: len(m.embedding_singular_value)] * np.sqrt(p / 2),
    )
    near(m.cosine_coefficient, amplitude * np.sqrt(p**3 / 2))
    near(m.logit_variance_explained, 1)
    near(m.trig_fraction_logits, 1)


def check_neurons(m: Measured, keys: list[int]) -> None:
    """Every neuron is a product of two waves of its frequency, half of it of a + b."""
    assert m.key_frequencies.tolist() == keys
    assert m.all_neuron_frequency.tolist() == np.repeat(keys, COPIES * PRODUCTS).tolist()
    near(m.all_neuron_variance_explained, 1)
    near(m.quadratic_share_post, 1)
    near(m.linear_share_post + m.quadratic_share_post, 1)
    near(m.trig_fraction_neurons, 0.5)


@pytest.mark.parametrize(("p", "keys"), [(23, [3, 7, 9]), (31, [2, 5, 11, 12])])
def test_a_relu_model_built_by_hand_adds_and_is_found_to_be_a_pizza(p, keys) -> None:
    state = pizza(p, keys, gain=3)
    train = np.random.default_rng(0).random(p * p) < 0.3
    m = Measured(state, train, keys=keys)
    near(m.accuracy, [1] * 3)
    near(m.attention_mean, [[1 / 3] * 3])
    assert m.head_frequency.tolist() == [0]
    assert m.all_neuron_frequency.tolist() == np.repeat(keys, p).tolist()
    # Neuron j at (a, b) is neuron 0 at (a - j, b - j): a cluster is of one mould.
    for i in range(len(keys)):
        of_one = m.all_neuron_variance_explained[p * i : p * (i + 1)]
        near(of_one, of_one[0])
    assert m.distance_irrelevance < 0.1
    near(m.circularity, 1)
    near(m.neuron_logit_residual, 0)
    # A pizza's waves of a + b vary with a - b: without it the pairs get better, and what is left
    # when their mean is taken away misleads.
    assert m.restricted_loss[2] < m.loss[2]
    assert m.excluded_loss_2d > np.log(p)


def test_the_ablation_table_of_a_relu_model(random_weights) -> None:
    p, keys = 23, [3, 7, 9]
    w = ModularAdditionWeights.of(pizza(p, keys, gain=3))
    table = {row.name: row for row in ablation_table(w, np.array(keys))}
    assert next(iter(table)) == "original"
    assert table["original"].ratio == 1
    # Neurons are read through key directions alone, and heads hand on everything.
    near(table["key-directions"].ratio, 1)
    assert table["off-key-directions"].loss > 1
    near(table["linear-attention"].ratio, 1)
    near(table["no-skip-around-heads"].ratio, 1)
    near(table["no-heads"].loss, np.log(p))
    for k in keys:
        assert table[f"without-frequency-{k}"].ratio > 2
    no_keys = ModularAdditionWeights.of(random_weights())
    names = [row.name for row in ablation_table(no_keys, np.array([], dtype=int))]
    assert "sums-only" not in names
    assert "no-heads" in names
