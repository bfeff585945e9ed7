"""A run of a task that reads sequences, and its checkpoints, as their measures see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from grokviz.dataset.part import Checkpoint, Context
from grokviz.tasks._sequences.model import SequenceWeights
from grokviz.tasks._sequences.sample import Sample, SampleKind, SequenceData, SequenceMeasures


@dataclass
class SequenceCheckpoint(Checkpoint):
    """One epoch's weights, and what was measured with them."""

    measures: SequenceMeasures | None = field(default=None, init=False)


@dataclass
class SequenceRun(Context):
    """What stays the same along a run of a task that reads sequences.

    Class attributes:
        data_type: what its sequences are drawn from, made from the run's settings.
        kind: how many fresh sequences it is measured on, and with which probes.
        doubled: whether the residual stream is carried twice where the run does not say it.
    """

    checkpoint_type = SequenceCheckpoint
    data_type: ClassVar[type[SequenceData]]
    kind: ClassVar[SampleKind]
    doubled: ClassVar[bool] = False

    @classmethod
    def sample_of(cls, settings: Mapping[str, Any]) -> Sample:
        """The fresh sequences that runs with these settings are measured on."""
        known = {key.replace("_", "-"): value for key, value in settings.items()}
        return Sample.of(cls.data_type.from_settings(known), cls.kind)

    @cached_property
    def sample(self) -> Sample:
        """The fresh sequences that the run is measured on, drawn once."""
        return self.sample_of(self.settings)

    def weights(self, checkpoint: SequenceCheckpoint) -> SequenceWeights:
        """A checkpoint's weights, checked against the run's settings."""
        doubled = self.settings.get("double-residual", self.doubled)
        return self.sample.weights(checkpoint.state, 2 if doubled else 1)

    def measured(self, checkpoint: SequenceCheckpoint) -> SequenceMeasures:
        """A checkpoint's measures, computed once."""
        if checkpoint.measures is None:
            checkpoint.measures = self.sample.measure(self.weights(checkpoint))
        return checkpoint.measures
