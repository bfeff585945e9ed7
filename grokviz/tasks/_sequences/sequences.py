"""Measures of a model that reads sequences, on fresh ones that are the same for every checkpoint.

Losses and accuracies at the scored positions, and how much each head attends where the task
says that a head of some kind should: probes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from grokviz.errors import InputError
from grokviz.tasks._sequences.sequence_model import SequenceWeights, log_softmax, run_in_chunks
from grokviz.tasks.digit_addition.data import DigitAddition
from grokviz.tasks.repeated_subsequence.data import RepeatedSubsequence
from grokviz.tasks.skip_trigram.data import SkipTrigram
from grokviz.training.batch import Batch

SEED = 230105217
"""Of the fresh sequences; no run of the recipes draws its data with it."""

SequenceTask = RepeatedSubsequence | DigitAddition | SkipTrigram


@dataclass(frozen=True, eq=False)
class Probe:
    """Attention that a head of some kind should have: from these queries to these keys.

    A query with several keys has its attention to all of them summed; ``queries`` is how many
    queries there are, over which the mean is taken.
    """

    row: Int[np.ndarray, " pair"]
    query: Int[np.ndarray, " pair"]
    key: Int[np.ndarray, " pair"]
    queries: int

    def within(self, rows: slice) -> Probe:
        """Of some sequences alone, numbered from their first; the mean is still over all."""
        inside = (self.row >= rows.start) & (self.row < rows.stop)
        row = self.row[inside] - rows.start
        return Probe(row, self.query[inside], self.key[inside], self.queries)

    def score(
        self, pattern: Float[np.ndarray, "batch heads pos pos"]
    ) -> Float[np.ndarray, " heads"]:
        """Mean attention of each head, 0 to 1."""
        total = pattern[self.row, :, self.query, self.key].sum(axis=0)
        mean: Float[np.ndarray, " heads"] = total / self.queries
        return mean


@dataclass(frozen=True, eq=False)
class SequenceMeasures:
    """One checkpoint's measures on the fresh sequences."""

    loss: Float[np.ndarray, " scored"]
    """Mean cross entropy at each scored position, in nats."""
    accuracy: Float[np.ndarray, " scored"]
    """Share of sequences whose right class has strictly the largest logit there."""
    attention: Mapping[str, Float[np.ndarray, "layer heads"]]
    """Each probe's score."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A task, fresh sequences of it, and its probes."""

    task: SequenceTask
    batch: Batch
    probes: Mapping[str, Probe]

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any]) -> Sample:
        """The sample that a run of the task is measured on."""
        kind = KINDS[name]
        task = kind.task.from_settings({k.replace("_", "-"): v for k, v in settings.items()})
        batch = task.sample(kind.count, np.random.default_rng(SEED))
        return cls(task, batch, {n: make(batch) for n, make in kind.probes.items()})

    def weights(self, state: Mapping[str, np.ndarray], carried: int) -> SequenceWeights:
        """The checkpoint's weights; :class:`InputError` for those of another size of the task."""
        w = SequenceWeights.of(state, carried)
        for what, found, wanted in (
            ("embed.W_E", w.W_E.shape[1], self.task.vocabulary),
            ("pos_embed.W_pos", len(w.W_pos), self.task.context),
            ("unembed.W_U", w.W_U.shape[1], self.task.outputs),
        ):
            if found != wanted:
                raise InputError(
                    f"{what} is of size {found}, but the run's settings say {wanted}; "
                    "correct the settings where the run is recorded or imported"
                )
        return w

    def measure(self, w: SequenceWeights) -> SequenceMeasures:
        """All measures of one checkpoint."""
        losses, right = np.zeros((2, *self.batch.targets.shape))
        shape = (len(w.layers), w.heads)
        attention = {name: np.zeros(shape) for name in self.probes}
        for rows, ran in run_in_chunks(w, self.batch.tokens, self.batch.positions):
            losses[rows], right[rows] = _answers(ran.logits, self.batch.targets[rows])
            for name, probe in self.probes.items():
                inside = probe.within(rows)
                attention[name] += np.stack([inside.score(p) for p in ran.patterns])
        return SequenceMeasures(losses.mean(axis=0), right.mean(axis=0), attention)


def _answers(
    logits: Float[np.ndarray, "batch scored classes"], targets: Int[np.ndarray, "batch scored"]
) -> tuple[np.ndarray, np.ndarray]:
    """Cross entropy of each target, and whether its logit is strictly the largest."""
    at = targets[..., None]
    loss = -np.take_along_axis(log_softmax(logits), at, axis=-1)[..., 0]
    own = np.take_along_axis(logits, at, axis=-1)
    others = (logits >= own).sum(axis=-1)
    return loss, others == 1


def previous_token(batch: Batch) -> Probe:
    """Every position but the first attends to the one before it.

    Source: arXiv:2209.11895, and the thread's algorithm of induction (tweet 7).
    """
    count, length = batch.tokens.shape
    row, query = np.divmod(np.arange(count * (length - 1)), length - 1)
    query += 1
    return Probe(row, query, query - 1, len(row))


def induction(batch: Batch) -> Probe:
    """A scored position attends to the token after each earlier copy of its own token.

    The copies are those of the repeated subsequence: a chance repetition counts for nothing.
    Source: arXiv:2209.11895, and the thread's algorithm of induction (tweet 7).
    """
    starts, steps = copies(batch)
    found = []
    for later in range(1, starts.shape[1]):
        for earlier in range(later):
            query = starts[:, later, None] + steps
            key = starts[:, earlier, None] + steps + 1
            row = np.broadcast_to(np.arange(len(starts))[:, None], query.shape)
            found.append((row.ravel(), query.ravel(), key.ravel()))
    row, query, key = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Probe(row, query, key, batch.positions.size)


def copies(batch: Batch) -> tuple[Int[np.ndarray, "batch copy"], Int[np.ndarray, " step"]]:
    """Where each copy of the repeated subsequence begins, and the scored steps within a copy.

    All but the first copy are known from the scored positions; the first is looked for.
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
    """For each position, that of the token after the latest earlier copy; -1 where unscored."""
    probe = induction(batch)
    found = np.full(batch.tokens.shape[1], -1)
    own = probe.row == row
    np.maximum.at(found, probe.query[own], probe.key[own])
    return found


def key_token(batch: Batch) -> Probe:
    """The last position of a skip trigram attends to the key token, the largest of them all."""
    key = batch.tokens.argmax(axis=1)
    rows = np.arange(len(batch))
    return Probe(rows, batch.positions[:, 0], key, len(batch))


@dataclass(frozen=True)
class Kind:
    """How runs of a task are measured."""

    task: type[SequenceTask]
    count: int
    """Fresh sequences."""
    probes: Mapping[str, Callable[[Batch], Probe]]


KINDS: Mapping[str, Kind] = {
    "repeated-subsequence": Kind(
        RepeatedSubsequence, 128, {"previous_token": previous_token, "induction": induction}
    ),
    "digit-addition": Kind(DigitAddition, 500, {}),
    "skip-trigram": Kind(SkipTrigram, 1000, {"key": key_token}),
}
