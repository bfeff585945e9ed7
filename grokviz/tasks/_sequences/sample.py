"""Measures of sequence models, on fresh sequences that are the same for every checkpoint.

They are losses and accuracies at the scored positions, and probes: how much each head attends
where a head of a given kind should, as the task defines it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.numerics import ties
from grokviz.errors import InputError
from grokviz.tasks._sequences.model import (
    SequenceWeights,
    log_softmax,
    logits_in_chunks,
    run_in_chunks,
)
from grokviz.training.batch import Batch, SampledData

SEED = 230105217
"""The seed of the fresh sequences; no recipe samples its training data with it."""

SEQUENCES = 2048
"""So many fresh sequences losses are measured on, whose standard error is measured too."""


@runtime_checkable
class SequenceData(SampledData, Protocol):
    """A distribution of sequences, and the sizes of a model of them."""

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> SequenceData:
        """The data of a run; missing settings have their published values."""

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""

    @property
    def context(self) -> int:
        """Number of positions."""

    @property
    def outputs(self) -> int:
        """Number of classes."""


@dataclass(frozen=True, eq=False)
class Probe:
    """The attention expected of a kind of head, from given queries to given keys.

    For a query with several keys, attention to all of them is summed; the mean is taken over the
    number of ``queries``.
    """

    row: Int[np.ndarray, " pair"]
    query: Int[np.ndarray, " pair"]
    key: Int[np.ndarray, " pair"]
    queries: int

    def restrict(self, rows: slice) -> Probe:
        """Restrict the probe to some sequences; its mean still divides by all queries."""
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
    error: float
    """Standard error of the mean loss of a sequence, in nats."""
    accuracy: Float[np.ndarray, " scored"]
    """Share of sequences whose correct class has strictly the largest logit."""
    attention: Mapping[str, Float[np.ndarray, "layer heads"]]
    """The score of each probe."""


@dataclass(frozen=True)
class SampleKind:
    """The sample on which runs of a task are measured.

    Attributes:
        probed: number of fresh sequences on which attention is measured. Until version 0.1 losses
            were measured on these alone, and so they are in references bundled then.
        probes: expected attention of heads, by name.
        count: number of fresh sequences on which losses are measured, those among them.

    """

    probed: int
    probes: Mapping[str, Callable[[Batch], Probe]] = field(default_factory=dict)
    count: int = SEQUENCES


@dataclass(frozen=True, eq=False)
class Sample:
    """Fresh sequences of a task, and its probes.

    Attributes:
        task: the distribution of the sequences.
        batch: the sequences on which attention is measured too.
        more: further ones, on which losses alone are.
        probes: expected attention at ``batch``, by name.

    """

    task: SequenceData
    batch: Batch
    more: Batch
    probes: Mapping[str, Probe]

    @classmethod
    def of(cls, data: SequenceData, kind: SampleKind) -> Sample:
        """The sample on which a run of a task is measured."""
        batch = data.sample(kind.probed, np.random.default_rng(SEED))
        more = data.sample(kind.count - kind.probed, np.random.default_rng([SEED, 1]))
        return cls(data, batch, more, {name: probe(batch) for name, probe in kind.probes.items()})

    def __len__(self) -> int:
        """How many sequences there are."""
        return len(self.batch) + len(self.more)

    def weights(self, state: Mapping[str, np.ndarray], skip_weight: int) -> SequenceWeights:
        """The checkpoint's weights; raises :class:`InputError` unless they fit the task."""
        w = SequenceWeights.of(state, skip_weight)
        check_sizes(w, self.task)
        return w

    def measure(self, w: SequenceWeights) -> SequenceMeasures:
        """All measures of one checkpoint."""
        losses, correct = np.zeros((2, len(self), self.batch.targets.shape[1]))
        shape, probed = (len(w.layers), w.heads), len(self.batch)
        attention = {name: np.zeros(shape) for name in self.probes}
        for rows, output in run_in_chunks(w, self.batch.tokens, self.batch.positions):
            answers = _answers(output.logits, self.batch.targets[rows])
            losses[:probed][rows], correct[:probed][rows] = answers
            for name, probe in self.probes.items():
                restricted = probe.restrict(rows)
                attention[name] += np.stack([restricted.score(p) for p in output.patterns])
        for rows, logits in logits_in_chunks(w, self.more.tokens, self.more.positions):
            answers = _answers(logits, self.more.targets[rows])
            losses[probed:][rows], correct[probed:][rows] = answers
        error = float(losses.mean(axis=1).std(ddof=1) / np.sqrt(len(self)))
        return SequenceMeasures(losses.mean(axis=0), error, correct.mean(axis=0), attention)


def _answers(
    logits: Float[np.ndarray, "batch scored classes"], targets: Int[np.ndarray, "batch scored"]
) -> tuple[np.ndarray, np.ndarray]:
    """Cross entropy of each target, and whether its logit is strictly the largest."""
    at = targets[..., None]
    loss = -np.take_along_axis(log_softmax(logits), at, axis=-1)[..., 0]
    correct = np.take_along_axis(logits, at, axis=-1)
    tie = ties.ROUNDING * np.abs(logits).max(axis=-1, keepdims=True)
    leaders = (logits >= correct - tie).sum(axis=-1)
    return loss, leaders == 1


def check_sizes(w: SequenceWeights, data: SequenceData) -> None:
    """Raise InputError unless the weights have the sizes of these sequences."""
    for name, size, expected in (
        ("embed.W_E", w.W_E.shape[1], data.vocabulary),
        ("pos_embed.W_pos", len(w.W_pos), data.context),
        ("unembed.W_U", w.W_U.shape[1], data.outputs),
    ):
        if size != expected:
            raise InputError(
                f"{name} is of size {size}, but the run's settings say {expected}; "
                "correct the settings where the run is recorded or imported"
            )
