"""The way of a member's weights: their norm, their direction and the waves of its embedding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from grokviz.dataset.numerics import curves, fourier
from grokviz.dataset.variables import PAPER, Variable
from grokviz.runs import Run

MOST = 40
"""How many checkpoints of a member are read."""

DIRECTIONS = "arXiv:2501.04697"
PUBLISHED = "PeterPonyu/muon-norm-cap-grokking"

ROWS = (
    Variable(
        "member_kept_epoch", ("member", "kept"), "epochs of the way", "epoch",
        "epochs of at most 40 checkpoints of the run, evenly spaced; -1 after the last, and "
        "without weights of a task that knows its embedding", PUBLISHED, "int64"),
    Variable(
        "member_weight_norm", ("member", "kept"), "norm of the hidden weights", "1",
        "root of the summed squares of all matrices that are not embeddings, at "
        "member_kept_epoch", PUBLISHED),
    Variable(
        "member_step_cosine", ("member", "kept"), "step along the weights", "1",
        "cosine between these weights and what is added to them up to the next of these "
        "checkpoints: above 0 along them, below 0 against them; NaN at the last", DIRECTIONS),
    Variable(
        "member_wave_gini", ("member", "kept"), "how unequal the embedding's waves are", "1",
        "Gini coefficient of the norms of all frequencies in the embedding, at "
        "member_kept_epoch: 0 where all are equal, near 1 where few are left",
        f"{PAPER}, figure 7"),
    Variable(
        "member_wave_count", ("member", "kept"), "waves the embedding is spread over", "1",
        "participation ratio of the frequencies in the embedding, at member_kept_epoch: the "
        "squared sum of their squared norms over the sum of the squares of these; as many as "
        "there are frequencies where all are equal, 1 where one is left",
        PUBLISHED),
)  # fmt: skip


def empty() -> dict[str, Any]:
    """What a member without such weights has of it."""
    return {row.name: np.zeros(0, np.int64 if row.dtype == "int64" else float) for row in ROWS}


def trajectory(
    run: Run, frequency_norms: Callable[[Mapping[str, np.ndarray]], Float[np.ndarray, " frequency"]]
) -> dict[str, Any]:
    """The values of :data:`ROWS` over a run's checkpoints.

    ``frequency_norms`` gives the norm of each frequency in the embedding of a state.
    """
    epochs = curves.spread(np.asarray(run.epochs, dtype=np.int64), MOST)
    norms, waves, counts, steps, before = [], [], [], [], None
    for epoch in epochs.tolist():
        state = run.weights(epoch)
        weights = hidden_weights(state)
        norms.append(float(np.linalg.norm(weights)))
        sizes = frequency_norms(state)
        waves.append(float(fourier.gini(sizes)))
        counts.append(participation_ratio(np.square(np.asarray(sizes, dtype=np.float64))))
        if before is not None:
            steps.append(cosine(before, weights - before))
        before = weights
    return {
        "member_kept_epoch": epochs,
        "member_weight_norm": np.array(norms),
        "member_step_cosine": np.array([*steps, np.nan]),
        "member_wave_gini": np.array(waves),
        "member_wave_count": np.array(counts),
    }


def hidden_weights(state: Mapping[str, np.ndarray]) -> Float[np.ndarray, " weight"]:
    """All matrices that are neither embeddings nor masks, in one row, in float64."""
    parts = [
        np.asarray(array, dtype=np.float64).ravel()
        for name, array in sorted(state.items())
        if np.ndim(array) > 1 and "embed" not in name.lower() and "mask" not in name.lower()
    ]
    return np.concatenate([*parts, np.zeros(0)])


def cosine(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> float:
    """The cosine between two vectors; NaN beside one of length 0."""
    lengths = float(np.linalg.norm(x) * np.linalg.norm(y))
    return float(x @ y) / lengths if lengths > 0 else np.nan


def participation_ratio(parts: Float[np.ndarray, " n"]) -> float:
    """How many parts a whole is spread over: 1 over the sum of their squared shares."""
    squares = float(parts @ parts)
    return float(parts.sum()) ** 2 / squares if squares > 0 else np.nan
