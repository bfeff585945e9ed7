"""What a part of the dataset is, and what all parts of one pass share.

All parts share each checkpoint, read once, its forward pass, computed once, and what stays
the same along the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Int

from grokviz.dataset import schema
from grokviz.errors import InputError
from grokviz.runs import Run
from grokviz.tasks._sequences.sequences import SequenceMeasures
from grokviz.tasks.modular_addition.data import ModularAddition
from grokviz.tasks.modular_addition.forward import Forward, forward
from grokviz.tasks.modular_addition.measures import embedding, losses, neurons
from grokviz.tasks.modular_addition.measures.ablation import Ablation, ablation_table
from grokviz.tasks.modular_addition.measures.marginals import frequency_power, marginals
from grokviz.tasks.modular_addition.measures.measure import Measures, measure
from grokviz.tasks.modular_addition.weights import ModularAdditionWeights

Values = dict[str, Any]

MODULAR_ADDITION = "modular-addition"


@dataclass
class Checkpoint:
    """One epoch's weights, and what several parts derive from them."""

    epoch: int
    state: Mapping[str, np.ndarray]
    measures: Measures | None = field(default=None, init=False)
    sequences: SequenceMeasures | None = field(default=None, init=False)

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
class Context:
    """What stays the same along a run.

    ``epochs`` are checkpointed ones, or logged ones of a run without checkpoints, which has no
    :attr:`last` and takes only the parts that need no weights.
    """

    run: Run
    epochs: Int[np.ndarray, " epoch"]
    field_epochs: Int[np.ndarray, " field_epoch"]
    last: Checkpoint = field(init=False)
    gathered: dict[str, Any] = field(default_factory=dict)
    """What parts collect while the checkpoints pass by."""
    kept: dict[str, Any] = field(default_factory=dict)
    """What parts found out about the run as a whole."""

    def __post_init__(self) -> None:
        if self.has_weights:
            epoch = int(self.epochs[-1])
            self.last = Checkpoint(epoch, self.run.weights(epoch))

    @cached_property
    def has_weights(self) -> bool:
        """Whether the run has checkpoints, and not loss curves alone."""
        return bool(len(self.run.epochs))

    @cached_property
    def task(self) -> str:
        """What the run says that it learns, "" where it does not say."""
        return str(self.run.facts.get("task") or "")

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """The run's hyperparameters, whether a recipe or a user's own loop wrote them."""
        facts = self.run.facts
        return facts.get("settings") or facts

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

    def measured(self, checkpoint: Checkpoint) -> Measures:
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

    def checkpoints(self) -> Iterator[Checkpoint]:
        """Every checkpoint in order of epochs, each read once; none of loss curves alone."""
        if not self.has_weights:
            return
        for epoch, state in self.run.iter_weights(self.epochs[:-1]):
            yield Checkpoint(epoch, state)
        yield self.last

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs to go on: all that was found out, and no large array."""
        # found out before, because it takes the run or a forward pass
        found: Values = {"task": self.task, "settings": dict(self.settings)}
        if self.task == MODULAR_ADDITION:
            found |= {"is_train": self.is_train, "keys": self.keys}
        last = Checkpoint(self.last.epoch, self.last.state)
        return {**self.__dict__, **found, "run": None, "last": last, "gathered": {}}


class Part:
    """Values at each checkpoint, values of the run as a whole, and coordinates."""

    heavy: ClassVar[bool] = False
    """Whether it takes the forward pass, so that several processes are worth starting."""

    def lacks(self, run: Run) -> str:
        """What it is made of and the run does not have, as in "it has no ..."; else ""."""
        return "" if len(run.epochs) else "checkpoints"

    def coords(self, context: Context) -> Values:
        """Coordinates of the dimensions that this part brings."""
        return {}

    def coord_attrs(self, context: Context) -> Values:
        """What else its coordinates say, by name."""
        return {}

    def whole(self, context: Context) -> Values:
        """Variables without a clock of checkpoints."""
        return {}

    def at(self, context: Context, checkpoint: Checkpoint) -> Values:
        """Variables over ``epoch``, at one of them."""
        return {}

    def field_at(self, context: Context, checkpoint: Checkpoint) -> Values:
        """Variables over ``field_epoch``, at one of them."""
        return {}

    def gather(self, context: Context, checkpoint: Checkpoint) -> None:
        """Collect in ``context.gathered`` what :meth:`after` needs, as checkpoints pass by."""

    def after(self, context: Context) -> Values:
        """Variables made from what was gathered of all checkpoints together."""
        return {}


def values_at(context: Context, parts: Sequence[Part], checkpoint: Checkpoint) -> Values:
    """All parts' values at one checkpoint, as the dataset stores them."""
    found: Values = {}
    for part in parts:
        found |= part.at(context, checkpoint)
        if checkpoint.epoch in context.field_epochs:
            found |= part.field_at(context, checkpoint)
    return {name: schema.variable(name).stored(value) for name, value in found.items()}


def metric(run: Run, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and values of a metric; both empty where it was not logged."""
    if name in run.metrics:
        return run.metric(name)
    return np.zeros(0, dtype=np.int64), np.zeros(0)
