"""Attention that completes a repeated subsequence: probes of its two kinds of heads."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from grokviz.tasks._sequences.sample import Probe
from grokviz.training.batch import Batch


def previous_token(batch: Batch) -> Probe:
    """The probe of a previous-token head: each position attends to the one before it.

    Source: arXiv:2209.11895, and the thread's algorithm of induction (tweet 7).
    """
    count, length = batch.tokens.shape
    row, query = np.divmod(np.arange(count * (length - 1)), length - 1)
    query += 1
    return Probe(row, query, query - 1, len(row))


def induction(batch: Batch) -> Probe:
    """The probe of an induction head: attention to the token after each earlier copy.

    Only copies of the repeated subsequence count, not chance repetitions of a token.
    Source: arXiv:2209.11895, and the thread's algorithm of induction (tweet 7).
    """
    starts, steps = copies(batch)
    triples = []
    for later in range(1, starts.shape[1]):
        for earlier in range(later):
            query = starts[:, later, None] + steps
            key = starts[:, earlier, None] + steps + 1
            row = np.broadcast_to(np.arange(len(starts))[:, None], query.shape)
            triples.append((row.ravel(), query.ravel(), key.ravel()))
    row, query, key = (np.concatenate(parts) for parts in zip(*triples, strict=True))
    return Probe(row, query, key, batch.positions.size)


def copies(batch: Batch) -> tuple[Int[np.ndarray, "batch copy"], Int[np.ndarray, " step"]]:
    """The start of each copy of the repeated subsequence, and the scored steps within a copy.

    The scored positions give all copies but the first, which is searched.
    """
    gaps = np.flatnonzero(np.diff(batch.positions[0]) > 1)
    steps = np.arange(gaps[0] + 1 if gaps.size else batch.positions.shape[1])
    later = batch.positions[:, :: len(steps)]
    rows = np.arange(len(batch))[:, None]
    copied = batch.tokens[rows, later[:, :1] + np.arange(len(steps) + 1)]
    windows = np.lib.stride_tricks.sliding_window_view(batch.tokens, copied.shape[1], axis=1)
    first = (windows == copied[:, None]).all(axis=2).argmax(axis=1)
    return np.concatenate([first[:, None], later], axis=1), steps


def source_of(batch: Batch, row: int) -> Int[np.ndarray, " query"]:
    """For each position, that of the token after the latest earlier copy; -1 if not scored."""
    probe = induction(batch)
    sources = np.full(batch.tokens.shape[1], -1)
    own = probe.row == row
    np.maximum.at(sources, probe.query[own], probe.key[own])
    return sources
