"""Weights built by hand, and a small run on the way to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from grokviz.runs import RunWriter

P, KEYS = 13, [2, 5]


def wave(p: int, k: int) -> np.ndarray:
    angle = 2 * np.pi * k * np.arange(p) / p
    return np.stack([np.cos(angle), np.sin(angle)])


def pizza(p: int, keys: list[int], gain: float) -> dict[str, np.ndarray]:
    """A real ReLU transformer: p neurons a frequency read cos(w(a - j)) + cos(w(b - j)).

    Attention is uniform over three positions, '=' writes nothing, so the heads hand on the sum
    of the two embeddings. Neuron j of frequency k is read out as cos(w_k (2j - c)).
    """
    half, d_mlp = 2 * len(keys), p * len(keys)
    # The first half of the residual stream holds the inputs, the second the answer, so that
    # the skip connection tells the unembedding nothing. Circles of different sizes keep
    # principal components from mixing frequencies.
    W_E, W_U = np.zeros((2, 2 * half, p + 1))
    W_E[:half, :p] = np.concatenate([(1 + i) * wave(p, k) for i, k in enumerate(keys)])
    W_U[half:, :p] = np.concatenate([wave(p, k) for k in keys])
    W_in = np.zeros((d_mlp, 2 * half))
    W_out = np.zeros((2 * half, d_mlp))
    for i, k in enumerate(keys):
        neurons, plane = slice(p * i, p * (i + 1)), slice(2 * i, 2 * i + 2)
        W_in[neurons, plane] = wave(p, k).T / (1 + i)
        W_out[half:][plane, neurons] = gain * wave(p, 2 * k)
    return {
        "embed.W_E": W_E,
        "pos_embed.W_pos": np.zeros((3, 2 * half)),
        **{f"blocks.0.attn.W_{x}": np.zeros((1, 2 * half, 2 * half)) for x in "KQ"},
        "blocks.0.attn.W_V": np.eye(2 * half)[None],
        "blocks.0.attn.W_O": 3 * np.eye(2 * half),
        "blocks.0.mlp.W_in": W_in,
        "blocks.0.mlp.W_out": W_out,
        "unembed.W_U": W_U,
    }


def weights_at(share: float, p: int = P) -> dict[str, np.ndarray]:
    """Weights on the way from random ones to a pizza with a little noise."""
    goal, rng = pizza(p, KEYS, gain=3), np.random.default_rng(0)
    noise = {name: 0.4 * rng.normal(size=array.shape) for name, array in goal.items()}
    return {
        name: (share * goal[name] + (1.05 - share) * noise[name]).astype(np.float32)
        for name in goal
    }


def write_run(path: Path, checkpoints: int = 6, p: int = P, **facts: object) -> Path:
    """Checkpoints every 10 epochs, and logged losses that rise and fall."""
    settings = {"p": p, "train-fraction": 0.4, "split-seed": 0}
    with RunWriter.create(
        path, {"task": "modular-addition", "settings": settings, **facts}
    ) as writer:
        for i in range(checkpoints):
            share = i / max(checkpoints - 1, 1)
            writer.checkpoint(10 * i, weights_at(share, p))
            writer.log(10 * i, train_loss=1.5 - share, test_loss=3 - 2.9 * share)
        writer.close(finished=True)
    return path
