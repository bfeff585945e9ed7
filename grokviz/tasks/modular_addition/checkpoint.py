"""A run of modular addition and its checkpoints, as its measures see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int

from grokviz.dataset.part import Checkpoint, Context
from grokviz.errors import InputError
from grokviz.tasks.modular_addition.data import ModularAddition
from grokviz.tasks.modular_addition.forward import Forward, forward
from grokviz.tasks.modular_addition.measures import embedding, losses, neurons
from grokviz.tasks.modular_addition.measures.ablation import Ablation, ablation_table
from grokviz.tasks.modular_addition.measures.marginals import frequency_power, marginals
from grokviz.tasks.modular_addition.measures.measure import Measures, measure
from grokviz.tasks.modular_addition.weights import ModularAdditionWeights


@dataclass
class ModularAdditionCheckpoint(Checkpoint):
    """One epoch's weights, and what several parts derive from them."""

    measures: Measures | None = field(default=None, init=False)

    @cached_property
    def weights(self) -> ModularAdditionWeights:
        """The state as checked modular-addition weights, in float64."""
        return ModularAdditionWeights.of(self.state)

    @cached_property
    def forward(self) -> Forward:
        """The model run on all pairs."""
        return forward(self.weights)

    @cached_property
    def scores(self) -> losses.PairScores:
        """Loss and margin of every pair."""
        return losses.pair_scores(self.forward.logits)


@dataclass
class ModularAdditionRun(Context):
    """What stays the same along a run of modular addition."""

    checkpoint_type = ModularAdditionCheckpoint
    facts = ("is_train", "keys")

    @cached_property
    def is_train(self) -> Bool[np.ndarray, " pairs"] | None:
        """The split, or None where the run does not say it."""
        known = {
            "p": self.last.weights.p,
            **{k.replace("_", "-"): v for k, v in self.settings.items()},
        }
        if "train-fraction" not in known:
            return None
        task = ModularAddition.from_settings({"split-seed": 0, **known})
        if task.p != self.last.weights.p:
            raise InputError(
                f"{self.run.path} says p = {task.p}, but its embedding has {self.last.weights.p} "
                "residues; correct p where the run is recorded"
            )
        return task.is_train

    @cached_property
    def embedded(self) -> Int[np.ndarray, " embedded_frequency"]:
        """Frequencies that stand out in the last checkpoint's embedding."""
        return embedding.embedding_frequencies(self.last.weights.number_embedding)

    @cached_property
    def neuron_frequencies(self) -> neurons.NeuronFrequencies:
        """Each neuron's own frequency in the last checkpoint."""
        means = marginals(self.last.forward.post)
        return neurons.neuron_frequencies(means, frequency_power(means))

    @cached_property
    def clustered(self) -> Int[np.ndarray, " key"]:
        """Frequencies of at least five clean neurons in the last checkpoint; perhaps none."""
        return neurons.key_frequencies(self.neuron_frequencies)

    @cached_property
    def keys(self) -> Int[np.ndarray, " key"]:
        """The run's key frequencies; the embedded ones where neurons have not made any."""
        return self.clustered if self.clustered.size else self.embedded

    @cached_property
    def ablations(self) -> list[Ablation]:
        """The last checkpoint's ablation table."""
        return ablation_table(self.last.weights, self.keys)

    def measured(self, checkpoint: ModularAdditionCheckpoint) -> Measures:
        """A checkpoint's measures, with the run's key frequencies and clusters; made once."""
        if checkpoint.measures is None:
            checkpoint.measures = measure(
                checkpoint.state,
                self.is_train,
                self.keys,
                self.neuron_frequencies.cluster,
                ran=checkpoint.forward,
            )
        return checkpoint.measures
