from __future__ import annotations

import numpy as np
import pytest

from grokviz.tasks.modular_addition import forward as fw
from grokviz.tasks.modular_addition.weights import ModularAdditionWeights


@pytest.mark.parametrize(("p", "heads"), [(3, 1), (7, 2), (13, 4)])
def test_the_short_cuts_give_what_the_plain_transformer_gives(
    random_weights, plain, p, heads
) -> None:
    state = random_weights(p=p, heads=heads, seed=p)
    expected = plain(state)
    result = fw.forward(ModularAdditionWeights.of(state))
    for name, array in expected.items():
        np.testing.assert_allclose(getattr(result, name), array, rtol=1e-11, atol=1e-12)


def test_large_scores_do_not_overflow(random_weights, plain) -> None:
    state = random_weights()
    state["blocks.0.attn.W_Q"] *= 300
    result = fw.forward(ModularAdditionWeights.of(state))
    np.testing.assert_allclose(result.pattern, plain(state)["pattern"], atol=1e-9)


def test_activations_come_back_from_stored_tables(random_weights, plain) -> None:
    state = random_weights(p=9)
    w = ModularAdditionWeights.of(state)
    tables, offset = fw.neuron_tables(w, [4, 1])
    assert tables.shape == (2, 2, 19)
    pre = fw.activations_from_tables(fw.attention_scores(w), tables, offset)
    np.testing.assert_allclose(pre, plain(state)["pre"][:, [4, 1]], rtol=1e-11, atol=1e-12)
