"""The runs and checkpoints of sequence tasks, as their measures see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from grokviz.dataset.checkpoint import Checkpoint, RunView
from grokviz.tasks._sequences.model import SequenceWeights
from grokviz.tasks._sequences.sample import (
    Sample,
    SampleKind,
    SequenceData,
    SequenceMeasures,
    check_sizes,
)


@dataclass
class SequenceCheckpoint(Checkpoint):
    """The weights of one epoch, and the measures of them."""

    measures: SequenceMeasures | None = field(default=None, init=False)

    def weights(self, sample: Sample, skip_weight: int) -> SequenceWeights:
        """The weights, checked against the sizes in the run's settings."""
        return sample.weights(self.state, skip_weight)

    def sample_measures(self, sample: Sample, skip_weight: int) -> SequenceMeasures:
        """The measures on the run's fresh sequences, computed once."""
        if self.measures is None:
            self.measures = sample.measure(self.weights(sample, skip_weight))
        return self.measures


@dataclass
class SequenceRun(RunView):
    """Everything that is constant along a run of a sequence task.

    Class attributes:
        data_type: the distribution of its sequences, built from the run's settings.
        kind: the number of fresh sequences to measure on, and the probes.
        double_residual: the default of the setting ``double-residual``.
    """

    checkpoint_type = SequenceCheckpoint
    data_type: ClassVar[type[SequenceData]]
    kind: ClassVar[SampleKind]
    double_residual: ClassVar[bool] = False

    @classmethod
    def check_model(cls, state: Mapping[str, np.ndarray], settings: Mapping[str, Any]) -> None:
        """Raise InputError unless it is a whole model, of the sizes of the run's sequences."""
        data_settings = {key.replace("_", "-"): value for key, value in settings.items()}
        check_sizes(SequenceWeights.of(state), cls.data_type.from_settings(data_settings))

    @classmethod
    def sample_of(cls, settings: Mapping[str, Any]) -> Sample:
        """The fresh sequences on which runs with these settings are measured."""
        data_settings = {key.replace("_", "-"): value for key, value in settings.items()}
        return Sample.of(cls.data_type.from_settings(data_settings), cls.kind)

    @cached_property
    def sample(self) -> Sample:
        """The fresh sequences on which the run is measured, sampled once."""
        return self.sample_of(self.settings)

    @cached_property
    def skip_weight(self) -> int:
        """Factor of the residual stream at each layer: 2 with a doubled residual, else 1."""
        return 2 if self.settings.get("double-residual", self.double_residual) else 1
