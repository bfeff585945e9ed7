"""Circuits of attention heads, against formulas written out, in the layouts that models have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.linalg import eigvals, svdvals

from grokviz.dataset.build.assemble import assemble
from grokviz.errors import InputError
from grokviz.runs import Run, RunWriter, open_run
from grokviz.tasks.any import heads

HEADS, WIDTH, D_MODEL = 3, 4, 10
INNER = HEADS * WIDTH
MEASURES = (
    "qk_singular_value", "ov_singular_value", "qk_rank", "ov_rank", "qk_positivity",
    "ov_positivity",
)  # fmt: skip
EPOCHS = (0, 10, 20)


def parts(seed: int) -> dict[str, np.ndarray]:
    """Q, K and V as (head, d_head, d_model), O as (head, d_model, d_head)."""
    rng = np.random.default_rng(seed)
    made = {name: rng.normal(size=(HEADS, WIDTH, D_MODEL)).astype(np.float32) for name in "qkv"}
    made["o"] = rng.normal(size=(HEADS, D_MODEL, WIDTH)).astype(np.float32)
    return made


def rows(one: np.ndarray) -> np.ndarray:
    return one.reshape(INNER, D_MODEL)


def columns(o: np.ndarray) -> np.ndarray:
    """W_O as it multiplies all heads' outputs at once."""
    return np.concatenate([*o], axis=1)


def layout(name: str, at: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    q, k, v, o = (at[part] for part in "qkvo")
    stacked = np.concatenate([rows(q), rows(k), rows(v)])
    mixed = np.stack([q, k, v], axis=1).reshape(3 * INNER, D_MODEL)
    turned = {f"h.0.attn.W_{part.upper()}": at[part].swapaxes(1, 2) for part in "qkvo"}
    return {
        "published": {**{f"h.0.attn.W_{n}": a for n, a in zip("QKV", (q, k, v), strict=True)},
                      "h.0.attn.W_O": columns(o)},
        "transformer-lens": turned,
        "llama": {**{f"h.0.{n}_proj.weight": rows(at[n]) for n in "qkv"},
                  "h.0.o_proj.weight": columns(o)},
        "gpt2": {"h.0.attn.c_attn.weight": stacked.T.copy(),
                 "h.0.attn.c_proj.weight": columns(o).T.copy(), "h.0.mlp.c_proj.weight": o[0]},
        "nanogpt": {"h.0.attn.c_attn.weight": stacked, "h.0.attn.c_proj.weight": columns(o)},
        "torch": {"h.0.in_proj_weight": stacked, "h.0.out_proj.weight": columns(o)},
        "neox": {"h.0.attention.query_key_value.weight": mixed,
                 "h.0.attention.dense.weight": columns(o)},
    }[name]  # fmt: skip


LAYOUTS = ("published", "transformer-lens", "llama", "gpt2", "nanogpt", "torch", "neox")


def written(path: Path, states: list[dict[str, np.ndarray]], **settings: Any) -> Run:
    with RunWriter.create(path, {"settings": settings}) as writer:
        for epoch, state in zip(EPOCHS, states, strict=False):
            writer.checkpoint(epoch, state)
        writer.close(finished=True)
    return open_run(path)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    states = [layout("published", parts(seed)) for seed in range(len(EPOCHS))]
    states[2]["h.0.attn.W_V"] = states[2]["h.0.attn.W_V"].copy()
    states[2]["h.0.attn.W_V"][1] = 0
    run = written(tmp_path_factory.mktemp("heads") / "run", states)
    return assemble(run, MEASURES, workers=0)


@pytest.mark.parametrize("circuit", ["qk", "ov"])
@pytest.mark.parametrize("head", range(HEADS))
def test_the_spectra_of_a_heads_circuits(circuit: str, head: int, data: xr.Dataset) -> None:
    at = {name: part[head].astype(float) for name, part in parts(1).items()}
    whole = at["q"].T @ at["k"] if circuit == "qk" else at["o"] @ at["v"]
    now = data.isel(field_epoch=1).sel(circuit_head=f"0.{head}")
    s, values = svdvals(whole)[:WIDTH], eigvals(whole)
    np.testing.assert_allclose(now[f"{circuit}_singular_value"], s, rtol=2**-12)
    p = s / s.sum()
    assert float(now[f"{circuit}_rank"]) == pytest.approx(np.prod(p**-p), rel=1e-6)
    score = values.sum().real / np.abs(values).sum()
    assert float(now[f"{circuit}_positivity"]) == pytest.approx(score, rel=1e-5)


def test_a_head_of_zeros_has_no_sign_and_no_rank(data: xr.Dataset) -> None:
    now = data.isel(field_epoch=2).sel(circuit_head="0.1")
    assert np.isnan(now["ov_positivity"])
    assert np.isnan(now["ov_rank"])
    assert not now["ov_singular_value"].any()
    assert np.isfinite(now["qk_positivity"])


def test_copying_is_one_and_its_opposite_is_minus_one() -> None:
    v = np.random.default_rng(0).normal(size=(2, WIDTH, D_MODEL))
    o = np.swapaxes(v, 1, 2) * np.array([1.0, -1.0])[:, None, None]
    found = heads.circuits(heads.Matrices(v, v[::-1].copy(), v, o))
    np.testing.assert_allclose(found.ov_positivity, [1, -1])
    lost = heads.circuits(heads.Matrices(v, v, v * [[[np.nan]], [[1]]], o))
    assert np.isnan(lost.ov_values[0]).all()
    assert np.isnan(lost.qk_positivity[0])
    assert found.ov_positivity[1] == pytest.approx(lost.ov_positivity[1])


@pytest.mark.parametrize("name", LAYOUTS)
def test_heads_are_the_same_in_every_layout(name: str) -> None:
    state = layout(name, parts(0))
    (layer,) = heads.layers({key: one.shape for key, one in state.items()}, HEADS)
    found = heads.matrices(layer, state)
    for part, one in parts(0).items():
        np.testing.assert_array_equal(getattr(found, part), one, err_msg=part)


def test_heads_may_share_keys_and_values() -> None:
    state = layout("llama", parts(0))
    for part in "kv":
        state[f"h.0.{part}_proj.weight"] = rows(parts(0)[part])[:WIDTH]
    (layer,) = heads.layers({key: one.shape for key, one in state.items()}, HEADS)
    found = heads.matrices(layer, state)
    for head in range(HEADS):
        np.testing.assert_array_equal(found.k[head], parts(0)["k"][0])
        np.testing.assert_array_equal(found.q[head], parts(0)["q"][head])


def test_layers_are_in_the_order_of_their_numbers() -> None:
    shapes = {
        f"h.{n}.attn.W_{part}": (2, 3, 8) if part != "O" else (8, 6)
        for n in (10, 9, 2) for part in "QKVO"
    }  # fmt: skip
    found = [layer.tensors["q"] for layer in heads.layers(shapes, None)]
    assert found == ["h.2.attn.W_Q", "h.9.attn.W_Q", "h.10.attn.W_Q"]
    assert heads.layers({**shapes, "h.2.attn.W_O": (8, 7)}, None)[0].tensors["q"] == found[1]


@pytest.mark.parametrize("key", ["heads", "n_head", "num-attention-heads"])
def test_settings_say_how_many_heads_there_are(key: str, tmp_path: Path) -> None:
    run = written(tmp_path / "run", [layout("nanogpt", parts(0))], **{key: HEADS})
    found = assemble(run, ["qk_rank"], workers=0)
    assert found["circuit_head"].values.tolist() == ["0.0", "0.1", "0.2"]


@pytest.mark.parametrize(
    ("state", "lack"),
    [(layout("nanogpt", parts(0)), "setting heads"), ({"W": np.ones((3, 3))}, "attention heads")],
)
def test_a_run_without_heads_says_what_it_lacks(
    state: dict[str, np.ndarray], lack: str, tmp_path: Path
) -> None:
    run = written(tmp_path / "run", [state])
    with pytest.raises(InputError, match=f"has no {lack}"):
        assemble(run, ["qk_rank"], workers=0)
