"""Measures of a model that reads sequences, on fresh ones that are the same for every checkpoint.

Losses and accuracies at the scored positions, and how much each head attends where the task
says that a head of some kind should: probes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset import ties
from grokviz.errors import InputError
from grokviz.tasks._sequences.model import SequenceWeights, log_softmax, run_in_chunks
from grokviz.training.batch import Batch, SampledData

SEED = 230105217
"""Of the fresh sequences; no run of the recipes draws its data with it."""


@runtime_checkable
class SequenceData(SampledData, Protocol):
    """What sequences are drawn from, and the sizes of a model that reads them."""

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> SequenceData:
        """The data of a run; what its settings leave out is as published."""

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


@dataclass(frozen=True)
class SampleKind:
    """How runs of a task are measured.

    Attributes:
        count: fresh sequences.
        probes: attention that heads should have, by name.

    """

    count: int
    probes: Mapping[str, Callable[[Batch], Probe]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Sample:
    """A task, fresh sequences of it, and its probes."""

    task: SequenceData
    batch: Batch
    probes: Mapping[str, Probe]

    @classmethod
    def of(cls, data: SequenceData, kind: SampleKind) -> Sample:
        """The sample that a run of a task is measured on."""
        batch = data.sample(kind.count, np.random.default_rng(SEED))
        return cls(data, batch, {name: probe(batch) for name, probe in kind.probes.items()})

    def weights(self, state: Mapping[str, np.ndarray], skip_weight: int) -> SequenceWeights:
        """The checkpoint's weights; :class:`InputError` for those of another size of the task."""
        w = SequenceWeights.of(state, skip_weight)
        for what, size, wanted in (
            ("embed.W_E", w.W_E.shape[1], self.task.vocabulary),
            ("pos_embed.W_pos", len(w.W_pos), self.task.context),
            ("unembed.W_U", w.W_U.shape[1], self.task.outputs),
        ):
            if size != wanted:
                raise InputError(
                    f"{what} is of size {size}, but the run's settings say {wanted}; "
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
    tie = ties.ROUNDING * np.abs(logits).max(axis=-1, keepdims=True)
    others = (logits >= own - tie).sum(axis=-1)
    return loss, others == 1
