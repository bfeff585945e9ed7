"""The runs and checkpoints of modular addition, as their measures see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Bool, Float, Int

from grokviz.dataset.checkpoint import Checkpoint, RunView
from grokviz.dataset.numerics import fourier
from grokviz.errors import InputError
from grokviz.tasks.modular_addition.data import ModularAddition
from grokviz.tasks.modular_addition.formulas import (
    attention,
    coefficient,
    compositions,
    embedding,
    logits,
    losses,
    neurons,
    progress,
)
from grokviz.tasks.modular_addition.formulas.ablation import Ablation, ablation_table
from grokviz.tasks.modular_addition.formulas.marginals import (
    FrequencyPower,
    Marginals,
    frequency_power,
    marginals,
)
from grokviz.tasks.modular_addition.formulas.own_answers import answers_of
from grokviz.tasks.modular_addition.forward import Forward, forward
from grokviz.tasks.modular_addition.weights import ModularAdditionWeights

T = TypeVar("T")
ANSWERS = 400_000
"""The answers of a run are kept at so many epochs that there are about so many of them."""

Split = Bool[np.ndarray, " pairs"] | None


@dataclass
class ModularAdditionCheckpoint(Checkpoint):
    """The weights of one epoch, and intermediates shared by several measures."""

    shared: dict[str, tuple[Any, Any]] = field(default_factory=dict, init=False, repr=False)
    """Intermediates that depend on facts of the run too, by name."""

    @cached_property
    def weights(self) -> ModularAdditionWeights:
        """The state as validated modular-addition weights in float64."""
        return ModularAdditionWeights.of(self.state)

    @cached_property
    def forward(self) -> Forward:
        """The forward pass on all pairs."""
        return forward(self.weights)

    @cached_property
    def scores(self) -> losses.PairScores:
        """Loss and margin of every pair."""
        return losses.pair_scores(self.forward.logits)

    @cached_property
    def number_components(self) -> Float[np.ndarray, " component"]:
        """Norms of W_E, without '=', along the rows of the Fourier basis."""
        return fourier.component_norms(self.weights.number_embedding)

    @cached_property
    def logits(self) -> Marginals:
        """The logits' means by a, b, a + b and a - b."""
        return marginals(self.forward.logits)

    @cached_property
    def waves(self) -> Float[np.ndarray, "frequency sum p"]:
        """Each frequency's cos w(a + b) and sin w(a + b) part of the logits."""
        return logits.sum_waves(self.logits)

    @cached_property
    def cosine_coefficients(self) -> Float[np.ndarray, " frequency"]:
        """v_k = <c_k, logits>, in logits times sqrt(p^3)."""
        return logits.cosine_coefficients(self.logits)

    @cached_property
    def logit_waves(self) -> tuple[Float[np.ndarray, " residue"], Float[np.ndarray, " residue"]]:
        """Mean and standard deviation of the logits by a + b - c."""
        return logits.wave_by_distance(self.forward.logits)

    @cached_property
    def pre(self) -> tuple[Marginals, FrequencyPower]:
        """The neurons' means and power by frequency, before the ReLU."""
        means = marginals(self.forward.pre)
        return means, frequency_power(means)

    @cached_property
    def post(self) -> tuple[Marginals, FrequencyPower]:
        """The same after the ReLU."""
        means = marginals(self.forward.post)
        return means, frequency_power(means)

    @cached_property
    def neuron_frequencies(self) -> neurons.NeuronFrequencies:
        """Each neuron's own frequency at this checkpoint."""
        return neurons.neuron_frequencies(*self.post)

    @cached_property
    def head_frequencies(self) -> neurons.NeuronFrequencies:
        """Each head's own frequency at this checkpoint."""
        return attention.head_frequencies(self.forward.pattern)

    @cached_property
    def neuron_logit_map(self) -> Float[np.ndarray, "p d_mlp"]:
        """W_L = W_U W_out, without '='."""
        return compositions.neuron_logit_map(self.weights)

    @cached_property
    def neuron_logit_components(self) -> Float[np.ndarray, " component"]:
        """Norms of W_L along the rows of the Fourier basis over the classes."""
        return compositions.output_components(self.neuron_logit_map)

    def excluded(self, train: Split, keys: Int[np.ndarray, " key"]) -> progress.Ablated:
        """Train scores without each frequency, then without all ``keys``: first without cos and
        sin of w(a + b), then without cos w(a + b - c).
        """

        def scores() -> progress.Ablated:
            solid = logits.cosine_waves(self.cosine_coefficients, self.weights.p)
            all_solid = solid[neurons.rows_of(keys)].sum(axis=0)
            parts = [self.waves, self.key_waves(keys)[None], solid, all_solid[None]]
            return progress.excluded(self.forward.logits, np.concatenate(parts), train)

        return self._cached("excluded", (train, keys), scores)

    def excluded_all(self, train: Split) -> progress.Ablated:
        """Train scores without cos and sin of w(a + b) at all frequencies, key or not."""

        def scores() -> progress.Ablated:
            return progress.excluded(
                self.forward.logits, self.waves.sum(axis=0, keepdims=True), train
            )

        return self._cached("excluded all", (train,), scores)

    def restricted(self, train: Split, keys: Int[np.ndarray, " key"]) -> progress.Restricted:
        """Scores by set with only cos and sin of w(a + b) at ``keys``, and each class's mean."""
        return self._cached(
            "restricted",
            (train, keys),
            lambda: progress.restricted(self.key_waves(keys), self.logits.mean, train),
        )

    def key_waves(self, keys: Int[np.ndarray, " key"]) -> Float[np.ndarray, "sum p"]:
        """The logits' cos w(a + b) and sin w(a + b) at ``keys``."""
        waves: Float[np.ndarray, "sum p"] = self.waves[neurons.rows_of(keys)].sum(axis=0)
        return waves

    def term_shares(
        self, cluster: Int[np.ndarray, " neuron"]
    ) -> tuple[neurons.Shares, neurons.Shares]:
        """Shares of the neurons' variance at their clusters' frequencies, before and after ReLU."""
        return self._cached(
            "terms",
            (cluster,),
            lambda: (
                neurons.term_shares(*self.pre, cluster),
                neurons.term_shares(*self.post, cluster),
            ),
        )

    def coefficient_trace(
        self, train: Bool[np.ndarray, " pairs"]
    ) -> Float[np.ndarray, "chain stretch"]:
        """Traces of the local learning coefficient along chains that start here."""
        self.weights  # noqa: B018  # raises unless they are a whole model
        return self._cached(
            "coefficient",
            (train,),
            lambda: coefficient.coefficient_trace(self.state, train, self.epoch),
        )

    def _cached(self, name: str, facts: tuple[Any, ...], compute: Callable[[], T]) -> T:
        """Compute an intermediate that depends on these facts of the run, once."""
        entry = self.shared.get(name)
        is_current = entry is not None and all(
            cached is fact for cached, fact in zip(entry[0], facts, strict=True)
        )
        if entry is None or not is_current:
            self.shared[name] = entry = facts, compute()
        value: T = entry[1]
        return value


@dataclass
class ModularAdditionRun(RunView):
    """Everything that is constant along a run of modular addition."""

    checkpoint_type = ModularAdditionCheckpoint

    @classmethod
    def check_model(cls, state: Mapping[str, np.ndarray], settings: Mapping[str, Any]) -> None:
        """Raise InputError unless it is a whole model, of the run's p where that is known."""
        p = ModularAdditionWeights.of(state).p
        if settings.get("p", p) != p:
            raise InputError(
                f"embed.W_E has {p + 1} tokens, so p is {p} and not {settings['p']}; give that"
            )

    @cached_property
    def is_train(self) -> Split:
        """The mask of training pairs, or None if the split is unknown."""
        return ModularAddition.trained_on(self, self.p, f"its embedding has {self.p} residues")

    @cached_property
    def p(self) -> int:
        """The number of residues."""
        return int(self.last.weights.p)

    @cached_property
    def embedded(self) -> Int[np.ndarray, " embedded_frequency"]:
        """Frequencies that stand out in the last checkpoint's embedding."""
        return embedding.embedding_frequencies(self.last.weights.number_embedding)

    @cached_property
    def neuron_frequencies(self) -> neurons.NeuronFrequencies:
        """Each neuron's own frequency in the last checkpoint."""
        own_frequencies: neurons.NeuronFrequencies = self.last.neuron_frequencies
        return own_frequencies

    @cached_property
    def cluster(self) -> Int[np.ndarray, " neuron"]:
        """The frequency of each neuron's cluster in the last checkpoint; -1 without one."""
        return self.neuron_frequencies.cluster

    @cached_property
    def clustered(self) -> Int[np.ndarray, " key"]:
        """Frequencies of at least five clean neurons in the last checkpoint; perhaps none."""
        return neurons.key_frequencies(self.neuron_frequencies)

    @cached_property
    def keys(self) -> Int[np.ndarray, " key"]:
        """The run's key frequencies, or the embedded ones if the neurons have none."""
        return self.clustered if self.clustered.size else self.embedded

    @cached_property
    def selected(self) -> Int[np.ndarray, " neuron"]:
        """The neurons whose activations are stored: the cleanest of each cluster in turn."""
        return neurons.selected_neurons(self.neuron_frequencies)

    @cached_property
    def ablations(self) -> list[Ablation]:
        """The last checkpoint's ablation table."""
        return ablation_table(self.last.weights, self.keys)

    @cached_property
    def answer_epochs(self) -> Int[np.ndarray, " answer_epoch"]:
        """A few of the field epochs, fewer of a large p; the first and the last among them."""
        epochs = self.field_epochs
        most = min(max(ANSWERS // self.p**2, 4), 24)
        places = np.unique(np.linspace(0, len(epochs) - 1, most).round().astype(int))
        some: Int[np.ndarray, " answer_epoch"] = epochs[places]
        return some

    @cached_property
    def own_answers(
        self,
    ) -> tuple[Int[np.ndarray, "answer_epoch p p"], Float[np.ndarray, "answer_epoch p p"]]:
        """Errors of the network's answers at these epochs, and the answers' probabilities."""
        errors, probabilities = zip(*map(self._answers_at, self.answer_epochs), strict=True)
        return np.stack(errors), np.stack(probabilities)

    def _answers_at(self, epoch: int) -> tuple[Int[np.ndarray, "p p"], Float[np.ndarray, "p p"]]:
        state = self.run.weights(int(epoch))
        return answers_of(forward(ModularAdditionWeights.of(state)).logits)
