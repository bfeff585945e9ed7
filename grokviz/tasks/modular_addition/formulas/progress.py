"""Progress measures: restricted and excluded loss (arXiv:2301.05217, section 5.1).

Every term that is kept or removed depends on (a, b) only through a + b, as does the correct
answer. So all pairs with one sum share their removed terms and their correct answer, and the
losses of all frequencies are one small matrix product per sum:
sum over c of exp(logit_c - logit_right) * exp(-(term_c - term_right)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from grokviz.dataset.numerics import ties
from grokviz.tasks.modular_addition.formulas.losses import answers, scores_against, set_masks

SMALLEST = 1e-280
"""Below this, a product of shifted exponentials may lose digits, so it is computed directly."""

ROWS_AT_ONCE = 4096

ONE_THREAD = 1 << 18
"""OpenBLAS computes products of at most this many multiplications in one thread."""


@dataclass(frozen=True, eq=False)
class Ablated:
    """Means over the training pairs with each term removed from the logits."""

    loss: Float[np.ndarray, " term"]
    """Cross entropy, in nats."""
    accuracy: Float[np.ndarray, " term"]
    """Share of correct answers, 0 to 1."""
    probability: Float[np.ndarray, " term"]
    """Mean probability of the correct answer, 0 to 1."""


@dataclass(frozen=True, eq=False)
class Restricted:
    """Means by set (train, test, all) with only the kept terms and the class means."""

    loss: Float[np.ndarray, " set"]
    accuracy: Float[np.ndarray, " set"]
    probability: Float[np.ndarray, " set"]


def restricted(
    waves: Float[np.ndarray, "sum p"],
    class_means: Float[np.ndarray, " p"],
    train: Bool[np.ndarray, " p*p"] | None,
) -> Restricted:
    """Scores of the logits ``waves`` (over ((a + b) mod p, c)) plus each class's mean logit.

    The class means over all pairs are the published bias correction. Since the logits depend
    only on a + b, p rows weighted by the number of pairs of each sum represent all pairs.
    """
    p = len(waves)
    scores = scores_against(waves + class_means, np.arange(p))
    sums = answers(p)
    counts = np.stack([np.bincount(sums[mask], minlength=p) for mask in set_masks(train, p * p)])
    totals = counts.sum(axis=1, keepdims=True)
    unknown = np.full(counts.shape, np.nan)
    weights = np.divide(counts, totals, out=unknown, where=totals > 0)
    return Restricted(weights @ scores.loss, weights @ scores.right, weights @ scores.probability)


def excluded(
    logits: Float[np.ndarray, "p*p p"],
    terms: Float[np.ndarray, "term sum p"],
    train: Bool[np.ndarray, " p*p"] | None,
) -> Ablated:
    """Scores on the training pairs with each of ``terms`` subtracted from the logits.

    ``terms`` run over ((a + b) mod p, c). There is no bias correction, as published. Without
    training pairs, or with an unknown split, the means are NaN. Two logits tie if they differ
    only by rounding, relative to the largest logit before the removal, since only rounding is
    left of logits that consist of the removed terms.
    """
    p = logits.shape[1]
    if train is None or not train.any():
        unknown = np.full(len(terms), np.nan)
        return Ablated(unknown, unknown, unknown)
    pairs, valid = _by_sum(train, p)
    residues = np.arange(p)
    tie = ties.ROUNDING * max(np.abs(logits).max(), np.abs(terms).max(initial=0))
    behind = logits[pairs]
    behind -= np.take_along_axis(behind, residues[:, None, None], axis=2)
    pull = np.moveaxis(terms, 0, 2)
    pull = pull[residues, residues][:, None] - pull
    behind[residues, :, residues] = -np.inf
    wrong = _log_sums(behind, pull, valid)
    loss = np.logaddexp(0, wrong)
    right = _is_correct(behind, pull, wrong, valid, -tie)
    n = valid.sum()
    return Ablated(
        loss=np.where(valid[..., None], loss, 0).sum(axis=(0, 1)) / n,
        accuracy=right.sum(axis=(0, 1)) / n,
        probability=np.where(valid[..., None], np.exp(-loss), 0).sum(axis=(0, 1)) / n,
    )


def _by_sum(
    train: Bool[np.ndarray, " p*p"], p: int
) -> tuple[Int[np.ndarray, "sum row"], Bool[np.ndarray, "sum row"]]:
    """Training pairs of each sum, padded to one length, and a mask of the entries that count."""
    pairs = np.flatnonzero(train)
    sums = answers(p)[pairs]
    counts = np.bincount(sums, minlength=p)
    order = np.argsort(sums, kind="stable")
    place = np.arange(len(pairs)) - np.repeat(np.cumsum(counts) - counts, counts)
    table = np.zeros((p, max(counts.max(initial=0), 1)), dtype=int)
    valid = np.zeros(table.shape, dtype=bool)
    table[sums[order], place] = pairs[order]
    valid[sums[order], place] = True
    return table, valid


def _log_sums(
    behind: Float[np.ndarray, "sum row p"],
    pull: Float[np.ndarray, "sum p term"],
    valid: Bool[np.ndarray, "sum row"],
) -> Float[np.ndarray, "sum row term"]:
    """log of sum over c of exp(behind + pull), where the correct class is -inf in ``behind``."""
    residues = np.arange(len(pull))
    others = pull.copy()
    others[residues, residues] = -np.inf
    near = behind.max(axis=2, keepdims=True)
    far = others.max(axis=1, keepdims=True)
    sums = _products(np.exp(behind - near), np.exp(others - far))
    lost = np.nonzero((sums < SMALLEST) & valid[..., None])
    with np.errstate(divide="ignore"):
        logs: Float[np.ndarray, "sum row term"] = np.log(sums)
    logs += near
    logs += far
    for rows in _chunks(lost):
        s, row, term = rows
        exact = behind[s, row] + pull[s, :, term]
        top = exact.max(axis=1)
        logs[rows] = top + np.log(np.exp(exact - top[:, None]).sum(axis=1))
    return logs


def _products(
    left: Float[np.ndarray, "sum row p"], right: Float[np.ndarray, "sum p term"]
) -> Float[np.ndarray, "sum row term"]:
    """``left @ right``, in blocks small enough for OpenBLAS to use one thread.

    Distributing each of p small products over threads takes longer than computing it, and many
    times longer on a busy machine.
    """
    wide = max(1, ONE_THREAD // (left.shape[1] * left.shape[2]))
    out = np.empty((*left.shape[:2], right.shape[2]))
    for start in range(0, right.shape[2], wide):
        out[..., start : start + wide] = left @ right[..., start : start + wide]
    return out


def _is_correct(
    behind: Float[np.ndarray, "sum row p"],
    pull: Float[np.ndarray, "sum p term"],
    wrong: Float[np.ndarray, "sum row term"],
    valid: Bool[np.ndarray, "sum row"],
    below: float,
) -> Bool[np.ndarray, "sum row term"]:
    """Whether all other classes stay ``below``, with an exact check only where it is needed.

    A sum of exponentials less than ``below`` has no larger entry, and a term cannot change the
    order of two logits that differ by more than the term.
    """
    p = behind.shape[2]
    residues = np.arange(p)
    ahead = valid[..., None] & (wrong < below)
    doubt = valid[..., None] & (wrong >= below) & (wrong < np.log(p - 1) + 1e-9)
    near = behind.max(axis=2, keepdims=True)
    others = pull.copy()
    others[residues, residues] = -np.inf
    surely = doubt & (near + others.max(axis=1, keepdims=True) < below)
    others[residues, residues] = np.inf
    never = near + others.min(axis=1, keepdims=True) >= below
    ahead |= surely
    for rows in _chunks(np.nonzero(doubt & ~surely & ~never)):
        s, row, term = rows
        ahead[rows] = (behind[s, row] + pull[s, :, term]).max(axis=1) < below
    return ahead


def _chunks(where: tuple[np.ndarray, ...]) -> list[tuple[np.ndarray, ...]]:
    starts = range(0, len(where[0]), ROWS_AT_ONCE)
    return [tuple(index[start : start + ROWS_AT_ONCE] for index in where) for start in starts]
