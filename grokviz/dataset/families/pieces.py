"""Phase changes of many runs on one clock: what a smooth curve may be made of.

Each piece is one real loss curve that falls at once: the training loss of each digit of digit
addition, the training loss of a run on ever fresh data, the test loss of a run on limited data.
It ends below a fifth of its start, and more than half of its start is lost within a doubling of
the steps; so a digit that only gets better bit by bit is none. Source: thread, claim that many
small phase changes make a smooth curve.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.checkpoint import metric
from grokviz.runs import Run

STEPS = 240
FALLEN, AT_ONCE, DOUBLING = 0.2, 0.5, 2.0
"""A phase change ends below this share of the start, and loses this share in a doubling."""

NEAR = 1.25
"""The factor in steps within which the mean's steepest fall is looked for."""

ORDER = 0
"""The seed of the order in which the pieces stand."""


class Piece(NamedTuple):
    """A curve, as logged, and what it is the loss of."""

    name: str
    kind: str
    member: int
    epochs: np.ndarray
    loss: np.ndarray


def pieces(
    runs: Sequence[tuple[int, str, Run]],
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Coordinates and variables of all runs' phase changes; None where there are none.

    A run comes with its number among the members, and its name there. The steps are spaced
    evenly in their logarithm, from 1 to the last that any piece logged. The order is drawn once
    with a fixed seed: one in which they were found would put like beside like.
    """
    candidates = [
        piece
        for member, name, run in runs
        for piece in _of_run(member, name, run)
        if np.nanmin(piece.loss) < FALLEN * piece.loss[0]
    ]
    if not candidates:
        return None
    steps = common_steps(max(int(piece.epochs[-1]) for piece in candidates))
    shares = np.array([share_of_start(piece.epochs, piece.loss, steps) for piece in candidates])
    changed = (shares.min(axis=1) < FALLEN) & (steepest_fall(shares, steps, DOUBLING) > AT_ONCE)
    if not changed.any():
        return None
    order = np.random.default_rng(ORDER).permutation(np.flatnonzero(changed))
    phase_changes = [candidates[i] for i in order]
    shares = shares[order]
    coords = {
        "piece": np.arange(len(phase_changes)),
        "step": steps,
        "count": np.arange(1, len(phase_changes) + 1),
    }
    return coords, {
        "piece_name": [piece.name for piece in phase_changes],
        "piece_kind": [piece.kind for piece in phase_changes],
        "piece_member": [piece.member for piece in phase_changes],
        "piece_drop": steps[(shares < 0.5).argmax(axis=1)],
        "piece_loss": shares,
        "mean_steepest_fall": steepest_fall(running_mean(shares), steps, NEAR),
    }


def running_mean(piece_loss: Float[np.ndarray, "piece step"]) -> Float[np.ndarray, "count step"]:
    """Mean of the first 1, 2, ... pieces, in their order: what ``count`` counts."""
    counts = np.arange(1, len(piece_loss) + 1)[:, None]
    mean: Float[np.ndarray, "count step"] = np.cumsum(piece_loss, axis=0) / counts
    return mean


def steepest_fall(
    loss: Float[np.ndarray, "curve step"], steps: Int[np.ndarray, " step"], factor: float
) -> Float[np.ndarray, " curve"]:
    """The largest fall of each curve from one step to the one ``factor`` times as late."""
    at = np.log(steps)
    later = np.array([np.interp(at + np.log(factor), at, curve) for curve in loss])
    fall: Float[np.ndarray, " curve"] = (loss - later).max(axis=1)
    return fall


def common_steps(last: int) -> Int[np.ndarray, " step"]:
    """About 240 whole steps from 1 to ``last``, evenly spaced in their logarithm."""
    return np.unique(np.geomspace(1, max(last, 1), STEPS).round().astype(np.int64))


def share_of_start(
    epochs: Int[np.ndarray, " logged"],
    loss: Float[np.ndarray, " logged"],
    steps: Int[np.ndarray, " step"],
) -> Float[np.ndarray, " step"]:
    """Mean loss since the step before, divided by the first value.

    Where nothing was logged since, and after the curve's end, the last value before is held.
    """
    total = np.concatenate([[0.0], np.cumsum(loss, dtype=np.float64)])
    stop = np.searchsorted(epochs, steps, side="right")
    start = np.searchsorted(epochs, np.concatenate([[0], steps[:-1]]), side="right")
    count = stop - start
    means = np.divide(total[stop] - total[start], count, out=np.zeros(len(steps)), where=count > 0)
    latest = np.where(count > 0, np.arange(len(steps)), -1)
    latest = np.maximum.accumulate(latest)
    held = np.where(latest >= 0, means[np.maximum(latest, 0)], loss[0])
    share: Float[np.ndarray, " step"] = held / loss[0]
    return share


def _of_run(member: int, name: str, run: Run) -> Iterator[Piece]:
    tokens = sorted(
        (metric_name for metric_name in run.metrics if metric_name.startswith("train_loss_token_")),
        key=lambda metric_name: int(metric_name.rpartition("_")[2]),
    )
    for digit, token in enumerate(tokens):
        yield Piece(f"{name}, digit {digit}", "digit", member, *run.metric(token))
    if tokens:
        return
    kind = "train" if is_endless(run) else "test"
    epochs, loss = metric(run, f"{kind}_loss")
    if len(epochs):
        yield Piece(name, kind, member, epochs, loss)


def is_endless(run: Run) -> bool:
    """Whether a run saw every sequence once: its task has fresh data and it logged no test loss."""
    settings: Mapping[str, Any] = run.facts.get("settings") or {}
    return "test_loss" not in run.metrics and not settings.get("examples")
