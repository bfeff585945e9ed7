"""Phase changes of many runs on one clock, of which a smooth curve may consist.

Each piece is a real loss curve with a sudden fall: the training loss of each digit of digit
addition, the training loss of a run on ever fresh data, the test loss of a run on limited data.
It ends below a fifth of its start, and more than half of its start is lost within a doubling of
the steps; so a digit that improves only gradually does not count. Source: thread, claim that many
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
END_SHARE, FALL_SHARE, DOUBLING = 0.2, 0.5, 2.0
"""A phase change ends below this share of its start, and loses this share in a doubling."""

NEAR = 1.25
"""The factor in steps over which the mean's steepest fall is computed."""

ORDER = 0
"""The seed of the order of the pieces."""


class Piece(NamedTuple):
    """A logged loss curve with its run and kind."""

    name: str
    kind: str
    member: int
    epochs: np.ndarray
    loss: np.ndarray


def pieces(
    runs: Sequence[tuple[int, str, Run]],
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Coordinates and variables of all runs' phase changes; None if there are none.

    ``runs`` has each run with its number and name among the members. The steps are spaced evenly
    in their logarithm, from 1 to the last step of any piece. The order is random with a fixed
    seed, since similar pieces would otherwise be adjacent.
    """
    candidates = [
        piece
        for member, name, run in runs
        for piece in _pieces_of(member, name, run)
        if np.nanmin(piece.loss) < END_SHARE * piece.loss[0]
    ]
    if not candidates:
        return None
    steps = common_steps(max(int(piece.epochs[-1]) for piece in candidates))
    shares = np.array([share_of_start(piece.epochs, piece.loss, steps) for piece in candidates])
    changed = (shares.min(axis=1) < END_SHARE) & (
        steepest_fall(shares, steps, DOUBLING) > FALL_SHARE
    )
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
    """Mean of the first 1, 2, ... pieces in order; their number is ``count``."""
    counts = np.arange(1, len(piece_loss) + 1)[:, None]
    mean: Float[np.ndarray, "count step"] = np.cumsum(piece_loss, axis=0) / counts
    return mean


def steepest_fall(
    loss: Float[np.ndarray, "curve step"], steps: Int[np.ndarray, " step"], factor: float
) -> Float[np.ndarray, " curve"]:
    """The largest fall of each curve between a step and ``factor`` times that step."""
    at = np.log(steps)
    shifted = np.array([np.interp(at + np.log(factor), at, curve) for curve in loss])
    fall: Float[np.ndarray, " curve"] = (loss - shifted).max(axis=1)
    return fall


def common_steps(last: int) -> Int[np.ndarray, " step"]:
    """About 240 whole steps from 1 to ``last``, evenly spaced in their logarithm."""
    return np.unique(np.geomspace(1, max(last, 1), STEPS).round().astype(np.int64))


def share_of_start(
    epochs: Int[np.ndarray, " logged"],
    loss: Float[np.ndarray, " logged"],
    steps: Int[np.ndarray, " step"],
) -> Float[np.ndarray, " step"]:
    """Mean loss since the previous step, divided by the first value.

    If nothing was logged since, and after the curve's end, the previous value is repeated.
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


def _pieces_of(member: int, name: str, run: Run) -> Iterator[Piece]:
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
    """Whether a run trained on fresh sequences only, and so logged no test loss."""
    settings: Mapping[str, Any] = run.facts.get("settings") or {}
    return "test_loss" not in run.metrics and not settings.get("examples")
