"""Small models for the analysis: random ones, and the plain transformer to judge by."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from grokviz.runs import Run, open_run

Weights = dict[str, np.ndarray]


def make_weights(
    p: int = 7, d_model: int = 12, heads: int = 2, d_mlp: int = 10, seed: int = 0
) -> Weights:
    """A random state dict under the published names, in float64, with all biases."""
    rng = np.random.default_rng(seed)
    d_head = d_model // heads
    shapes = {
        "embed.W_E": (d_model, p + 1),
        "pos_embed.W_pos": (3, d_model),
        "blocks.0.attn.W_K": (heads, d_head, d_model),
        "blocks.0.attn.W_Q": (heads, d_head, d_model),
        "blocks.0.attn.W_V": (heads, d_head, d_model),
        "blocks.0.attn.W_O": (d_model, heads * d_head),
        "blocks.0.mlp.W_in": (d_mlp, d_model),
        "blocks.0.mlp.b_in": (d_mlp,),
        "blocks.0.mlp.W_out": (d_model, d_mlp),
        "blocks.0.mlp.b_out": (d_model,),
        "unembed.W_U": (d_model, p + 1),
    }
    weights = {name: rng.normal(size=shape) * 0.5 for name, shape in shapes.items()}
    return {**weights, "blocks.0.attn.mask": np.tril(np.ones((3, 3)))}


def run_plainly(weights: Weights) -> dict[str, np.ndarray]:
    """The transformer as it is written down: three positions, a causal mask, a softmax."""
    short = {name.rsplit(".", 1)[1]: array for name, array in weights.items()}
    p = short["W_E"].shape[1] - 1
    tokens = np.array([(a, b, p) for a in range(p) for b in range(p)])
    x = short["W_E"].T[tokens] + short["W_pos"]
    q, k, v = (np.einsum("ihm,npm->niph", short[f"W_{n}"], x) for n in "QKV")
    scores = np.einsum("niqh,nikh->niqk", q, k) / np.sqrt(q.shape[-1])
    scores = np.where(short["mask"] == 1, scores, -1e10)
    pattern = np.exp(scores - scores.max(axis=-1, keepdims=True))
    pattern /= pattern.sum(axis=-1, keepdims=True)
    z = np.einsum("niqk,nikh->nqih", pattern, v).reshape(*x.shape[:2], -1)
    mid = x + z @ short["W_O"].T
    pre = mid @ short["W_in"].T + short["b_in"]
    out = mid + np.maximum(pre, 0) @ short["W_out"].T + short["b_out"]
    logits = (out @ short["W_U"])[:, -1, :p]
    return {
        "pattern": pattern[:, :, -1].transpose(1, 2, 0),
        "mid": mid[:, -1],
        "pre": pre[:, -1],
        "post": np.maximum(pre[:, -1], 0),
        "logits": logits,
    }


@pytest.fixture
def random_weights() -> Callable[..., Weights]:
    return make_weights


@pytest.fixture
def plain() -> Callable[[Weights], dict[str, np.ndarray]]:
    return run_plainly


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Six checkpoints of a tiny model that learns two frequencies; not to be written to."""
    from analysis_runs import write_run

    return open_run(write_run(tmp_path_factory.mktemp("analysis") / "run"))
