"""The last layer as tables: the network's own logits of one sum follow from them."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from grokviz.dataset.build.assemble import assemble
from grokviz.dataset.cache import read
from grokviz.dataset.references import reference as bundled
from grokviz.runs import Run
from grokviz.runs.tensors import load
from grokviz.tasks.modular_addition import fields
from grokviz.tasks.modular_addition.forward import attention_scores, forward
from grokviz.tasks.modular_addition.weights import ModularAdditionWeights

MAINLINE = bundled.folder() / "modular-addition"


def test_they_are_the_logits_of_the_forward_pass(small_run: Run) -> None:
    data = assemble(small_run, [*fields.LAST_LAYER])
    last = ModularAdditionWeights.of(small_run.weights(int(small_run.epochs[-1])))
    p, own = last.p, forward(last).logits
    spread = float(own.std())
    for a, b in ((0, 0), (1, p - 1), (p - 1, 2), (3, 3)):
        found = fields.pair_logits(data, a, b)
        assert np.abs(found - own[a * p + b]).max() < 0.01 * spread
    # a and b are told apart
    assert not np.allclose(fields.pair_logits(data, 1, 4), fields.pair_logits(data, 4, 1))


@pytest.fixture(scope="module")
def mainline() -> ModularAdditionWeights:
    return ModularAdditionWeights.of(load(MAINLINE / "weights" / "40000.safetensors")[0])


def test_the_bundled_tables_are_what_the_bundled_weights_give(
    mainline: ModularAdditionWeights,
) -> None:
    tables, w = read(MAINLINE / "last-layer.nc"), mainline
    rows = np.concatenate([w.W_E[:, :-1].T + w.W_pos[0], w.W_E[:, :-1].T + w.W_pos[1],
                           w.equals[None]])  # fmt: skip
    values = np.einsum("rm,hdm->hrd", rows, w.W_V)
    wanted = {
        "head_output": np.einsum("hrd,mhd->hrm", values, w.W_O.reshape(w.d_model, w.heads, -1)),
        "neuron_input": w.W_in,
        "neuron_start": w.W_in @ w.equals + w.b_in,
        "neuron_logit_map": (w.W_U.T @ w.W_out),
        "stream_logit_map": w.W_U.T,
        "logit_start": w.W_U.T @ (w.equals + w.b_out),
    }
    assert set(tables.data_vars) == set(wanted)
    for name, table in wanted.items():
        np.testing.assert_allclose(
            tables[name], table, rtol=2**-11, atol=1e-6 * np.abs(table).max(), err_msg=name
        )


@pytest.mark.parametrize(("a", "b"), [(27, 95), (95, 27), (0, 112), (56, 56)])
def test_the_bundled_network_answers_by_them(
    mainline: ModularAdditionWeights, a: int, b: int
) -> None:
    scores = attention_scores(mainline)[None]
    data = (
        read(MAINLINE / "last-layer.nc")
        .drop_vars("epoch")
        .assign(attention_score=(("epoch", "head", "row"), scores))
    )
    found = fields.pair_logits(data, a, b)
    assert int(found.argmax()) == (a + b) % 113
    # the plain attention of one sum
    rows = [a, 113 + b, 226]
    weight = np.exp(scores[0, :, rows].T)
    heads = np.einsum(
        "hr,hrm->m", weight / weight.sum(axis=1, keepdims=True),
        data["head_output"].values[:, rows].astype(float),
    )  # fmt: skip
    mid = mainline.equals + heads
    out = mid + mainline.W_out @ np.maximum(mainline.W_in @ mid + mainline.b_in, 0)
    own = (out + mainline.b_out) @ mainline.W_U
    assert np.abs(found - own).max() < 0.02


def test_they_are_of_the_dimensions_that_they_name() -> None:
    tables: xr.Dataset = read(MAINLINE / "last-layer.nc")
    assert tables["head_output"].dims == ("head", "row", "dimension")
    assert tables["head_output"].shape == (4, 227, 128)
    assert tables["neuron_logit_map"].shape == (113, 512)
