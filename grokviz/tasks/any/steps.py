"""The steps of one tensor, or of all weights, from the inner products of these steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.numerics import ties
from grokviz.runs import Run
from grokviz.tasks.any.path import step_products

BYTES = 1 << 28
"""So much of the weights at all checkpoints is read at a time."""


@dataclass(frozen=True, eq=False)
class Steps:
    """What the steps of a path between checkpoints say, in the weights' unit.

    The step of a checkpoint is the change since the one before it; the first has none (NaN).
    """

    size: Float[np.ndarray, " checkpoint"]
    """Euclidean norm of each step."""
    cosine_last: Float[np.ndarray, " checkpoint"]
    """Cosine between each step and the one before it."""
    cosine_whole: Float[np.ndarray, " checkpoint"]
    """Cosine between each step and the way from the first checkpoint to the last."""
    from_start: Float[np.ndarray, " checkpoint"]
    """Distance from the first checkpoint."""
    from_end: Float[np.ndarray, " checkpoint"]
    """Distance from the last checkpoint."""


def steps_of(products: Float[np.ndarray, "step step"]) -> Steps:
    """The steps of a path from their inner products."""
    count = len(products)
    size = np.sqrt(np.maximum(np.diag(products), 0))
    position = positions(products)
    from_start = np.sqrt(np.maximum(np.diag(position), 0))
    squares = np.diag(position) + position[-1, -1] - 2 * position[-1]
    # the last checkpoint's own distance is 0, but for rounding
    from_end = np.sqrt(np.maximum(squares, 0))
    whole = products.sum(axis=1)
    turn = _cosine(np.diag(products, 1), size[1:] * size[:-1]) if count > 1 else np.zeros(0)
    return Steps(
        size=_after_first(size),
        cosine_last=np.concatenate([np.full(min(count, 1) + 1, np.nan), turn]),
        cosine_whole=_after_first(_cosine(whole, size * from_start[-1])),
        from_start=from_start,
        from_end=from_end,
    )


def positions(
    products: Float[np.ndarray, "step step"],
) -> Float[np.ndarray, "checkpoint checkpoint"]:
    """Inner products of the ways from the first checkpoint to each, from those of the steps."""
    inside = products.cumsum(axis=0).cumsum(axis=1)
    return np.pad(inside, ((1, 0), (1, 0)))


def component_shares(
    products: Float[np.ndarray, "step step"], count: int
) -> Float[np.ndarray, " component"]:
    """Shares of the path's variance along its first principal components, the largest first.

    All checkpoints count the same. NaN of a path that does not move. Source: Antognini and
    Sohl-Dickstein, arXiv:1806.08805.
    """
    position = positions(products)
    middle = np.eye(len(position)) - 1 / len(position)
    values = np.linalg.eigvalsh(middle @ position @ middle)[::-1]
    values = np.where(values > ties.ROUNDING * np.abs(values).max(initial=0), values, 0)
    total = values.sum()
    shares = np.full(count, np.nan)
    if total > 0:
        shares[:] = 0
        shares[: len(values)] = (values / total)[:count]
    return shares


def moved_epochs(
    size: Float[np.ndarray, " checkpoint"],
    epochs: Int[np.ndarray, " checkpoint"],
    shares: Sequence[float],
) -> Float[np.ndarray, " share"]:
    """The epochs up to which these shares of a path's length are gone, between two checkpoints by
    a straight line; NaN of a path that does not move.
    """
    travelled = np.concatenate([[0.0], np.cumsum(size[1:])])
    if not travelled[-1] > 0:
        return np.full(len(shares), np.nan)
    lengths = np.asarray(shares) * travelled[-1]
    after = np.searchsorted(travelled, lengths)
    before = after - 1
    part = (lengths - travelled[before]) / (travelled[after] - travelled[before])
    moved: Float[np.ndarray, " share"] = epochs[before] + part * (epochs[after] - epochs[before])
    return moved


def products_of(
    run: Run, names: Sequence[str], epochs: Int[np.ndarray, " checkpoint"]
) -> Iterator[tuple[str, Float[np.ndarray, "step step"]]]:
    """Inner products of the steps of each tensor, one after the other.

    Small tensors are read together, of large ones some rows at a time: memory is that of
    :data:`BYTES`, whatever the size of the model.
    """
    shapes, count = run.shapes(), max(len(epochs), 1)
    most = BYTES // (8 * count)
    waiting: list[str] = []
    for name in names:
        if _size(shapes[name]) > most:
            yield name, step_products(_parts(run, name, epochs, shapes[name], most))
            continue
        if sum(_size(shapes[other]) for other in (*waiting, name)) > most:
            yield from _together(run, waiting, epochs)
            waiting = []
        waiting.append(name)
    yield from _together(run, waiting, epochs)


def _together(
    run: Run, names: Sequence[str], epochs: Int[np.ndarray, " checkpoint"]
) -> Iterator[tuple[str, Float[np.ndarray, "step step"]]]:
    if not names:
        return
    rows: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for _, arrays in run.iter_weights(epochs, names):
        for name in names:
            rows[name].append(np.ravel(arrays[name]))
    for name in names:
        yield name, step_products([np.stack(rows.pop(name))])


def _parts(
    run: Run, name: str, epochs: Int[np.ndarray, " checkpoint"], shape: tuple[int, ...], most: int
) -> Iterator[np.ndarray]:
    rows = max(most // max(_size(shape[1:]), 1), 1)
    for start in range(0, shape[0], rows):
        yield run.parameter(name, epochs, rows=slice(start, min(start + rows, shape[0])))


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape))


def _cosine(product: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Cosines, within -1 and 1; NaN beside a length of 0."""
    cosine = np.full(len(lengths), np.nan)
    np.divide(product, lengths, out=cosine, where=lengths > 0)
    return cosine.clip(-1, 1)


def _after_first(values: Float[np.ndarray, " step"]) -> Float[np.ndarray, " checkpoint"]:
    return np.concatenate([[np.nan], values])
