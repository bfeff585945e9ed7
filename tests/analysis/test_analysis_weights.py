from __future__ import annotations

import numpy as np
import pytest

from grokviz.errors import InputError
from grokviz.tasks.any.norms import sums_of_squares
from grokviz.tasks.modular_addition.weights import ModularAdditionWeights


def test_sizes_are_read_and_the_equals_class_is_dropped(random_weights) -> None:
    state = random_weights(p=9, d_model=6, heads=3, d_mlp=5)
    w = ModularAdditionWeights.of(state)
    assert (w.p, w.d_model, w.heads, w.d_head, w.d_mlp) == (9, 6, 3, 2, 5)
    assert w.W_U.shape == (6, 9)
    np.testing.assert_array_equal(w.output_by_head[1], state["blocks.0.attn.W_O"][:, 2:4])
    state["unembed.W_U"] = state["unembed.W_U"][:, :9]
    np.testing.assert_array_equal(ModularAdditionWeights.of(state).W_U, w.W_U)


def test_missing_biases_are_zero_and_float32_becomes_float64(random_weights) -> None:
    state = {name: array.astype(np.float32) for name, array in random_weights().items()}
    del state["blocks.0.mlp.b_in"], state["blocks.0.mlp.b_out"]
    w = ModularAdditionWeights.of(state)
    assert not w.b_in.any()
    assert not w.b_out.any()
    assert w.W_E.dtype == np.float64


def test_a_tensor_that_is_missing_misshapen_or_nan_is_named(random_weights) -> None:
    for name in random_weights():
        if name.endswith(("mask", "b_in", "b_out")):
            continue
        state = random_weights()
        del state[name]
        with pytest.raises(InputError, match=name):
            ModularAdditionWeights.of(state)
    for name in random_weights():
        if name.endswith("mask"):
            continue
        state = random_weights()
        state[name] = np.concatenate([state[name]] * 2)[None]
        with pytest.raises(InputError, match=name):
            ModularAdditionWeights.of(state)
        state = random_weights()
        state[name].flat[-1] = np.nan
        with pytest.raises(InputError, match=f"{name} holds NaN"):
            ModularAdditionWeights.of(state)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("blocks.0.attn.W_Q", (2, 5, 12)),
        ("blocks.0.attn.W_O", (12, 13)),
        ("blocks.0.mlp.W_out", (12, 11)),
        ("blocks.0.mlp.b_in", (11,)),
        ("unembed.W_U", (12, 6)),
        ("pos_embed.W_pos", (2, 12)),
    ],
)
def test_shapes_that_do_not_fit_together_are_refused(random_weights, name, shape) -> None:
    state = random_weights()
    state[name] = np.zeros(shape)
    with pytest.raises(InputError, match=name):
        ModularAdditionWeights.of(state)


def test_two_layers_and_an_even_modulus_are_refused_with_the_reason(random_weights) -> None:
    state = random_weights()
    two = {**state, "blocks.1.mlp.W_in": state["blocks.0.mlp.W_in"]}
    with pytest.raises(InputError, match="need a one-layer model; this one has 2"):
        ModularAdditionWeights.of(two)
    with pytest.raises(InputError, match="p is 8, an even number"):
        ModularAdditionWeights.of(random_weights(p=8))


def test_sums_of_squares_leave_out_the_mask_and_keep_the_equals_class(random_weights) -> None:
    state = random_weights()
    mask = state.pop("blocks.0.attn.mask")
    by_name = sums_of_squares({**state, "blocks.0.attn.mask": mask})
    assert by_name == pytest.approx({name: (array**2).sum() for name, array in state.items()})
