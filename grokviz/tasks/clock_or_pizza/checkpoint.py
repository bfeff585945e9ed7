"""The runs and checkpoints of clocks, pizzas and tori, as their measures see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Complex, Float, Int

from grokviz.dataset.checkpoint import Checkpoint, RunView
from grokviz.errors import InputError
from grokviz.tasks.clock_or_pizza.data import TwoTokenPairs
from grokviz.tasks.clock_or_pizza.formulas import circles, circuits, manifold
from grokviz.tasks.clock_or_pizza.forward import Forward, forward, input_gradients
from grokviz.tasks.clock_or_pizza.weights import AttentionWeights, Weights, weights_of


@dataclass
class ClockOrPizzaCheckpoint(Checkpoint):
    """The weights of one epoch, and intermediates shared by several measures.

    ``rate`` is the attention rate of the run.
    """

    _forward: dict[float, Forward] = field(default_factory=dict, init=False, repr=False)
    _parts: dict[float, manifold.Parts] = field(default_factory=dict, init=False, repr=False)
    _isolated: dict[tuple[float, int], np.ndarray] = field(
        default_factory=dict, init=False, repr=False
    )

    @cached_property
    def weights(self) -> Weights:
        """The state as checked weights in float64."""
        return weights_of(self.state)

    def forward(self, rate: float) -> Forward:
        """The network run on all pairs, once."""
        if rate not in self._forward:
            self._forward[rate] = forward(self.weights, rate)
        return self._forward[rate]

    def parts(self, rate: float) -> manifold.Parts:
        """What a alone and b alone add to each neuron's input."""
        if rate not in self._parts:
            self._parts[rate] = manifold.parts(self.forward(rate).before)
        return self._parts[rate]

    def waves(self, rate: float) -> Complex[np.ndarray, "2 neuron frequency"]:
        """Each neuron's waves over a and over b."""
        return manifold.waves(self.parts(rate).tables)

    def planes(self, run: ClockOrPizzaRun) -> tuple[Float[np.ndarray, "member 4"], float]:
        """The four directions of the surface's neurons, and how much of b is not in a's plane."""
        own = manifold.at_frequency(self.waves(run.rate), run.frequency)
        return manifold.planes(own[:, run.members])

    def isolated(self, rate: float, k: int) -> Float[np.ndarray, "p p p"]:
        """The logits where the embedding has one frequency alone."""
        if (rate, k) not in self._isolated:
            self._isolated[rate, k] = circles.isolated_logits(self.weights, rate, k)
        return self._isolated[rate, k]

    def gradients(self, rate: float) -> Float[np.ndarray, "triple 2 d_model"]:
        """Gradients of the logits that are compared, by the embeddings of a and of b."""
        run = self.forward(rate)
        return input_gradients(self.weights, rate, run, circuits.triples(self.weights.p))


@dataclass
class ClockOrPizzaRun(RunView):
    """Everything that is constant along a run."""

    checkpoint_type = ClockOrPizzaCheckpoint

    @classmethod
    def check_model(cls, state: Mapping[str, np.ndarray], settings: Mapping[str, Any]) -> None:
        """Raise InputError unless it is a whole model, of the run's p where that is known."""
        p = weights_of(state).p
        if settings.get("p", p) != p:
            raise InputError(
                f"embed.W_E has {p} numbers, so p is {p} and not {settings['p']}; give that"
            )

    @cached_property
    def p(self) -> int:
        """The number of residues."""
        return int(self.last.weights.p)

    @cached_property
    def rate(self) -> float:
        """The attention rate; 0 for the network that has no attention.

        Raises ``InputError`` where the run has attention and does not say it.
        """
        if not isinstance(self.last.weights, AttentionWeights):
            return 0.0
        stated = {key.replace("_", "-"): value for key, value in self.settings.items()}
        if "attention-rate" not in stated:
            raise InputError(
                f"{self.run.path} does not say its attention-rate, which its weights do not show; "
                "give it, for example attention-rate=1 for a softmax, 0 for weights of 1"
            )
        return float(stated["attention-rate"])

    @cached_property
    def is_train(self) -> Bool[np.ndarray, " pairs"] | None:
        """The mask of training pairs, or None if the split is unknown."""
        return TwoTokenPairs.trained_on(self, self.p, f"its weights have {self.p} numbers")

    @cached_property
    def circle(self) -> int:
        """The frequency by which the last checkpoint's logits point most; 0 for none."""
        return circles.leading_frequency(self.last.forward(self.rate).logits)

    @cached_property
    def hours(self) -> Int[np.ndarray, " hour"]:
        """The answers that are drawn, around that circle."""
        return circles.hours(self.p, max(self.circle, 1))

    @cached_property
    def frequency(self) -> Int[np.ndarray, " neuron"]:
        """Each neuron's frequency at the last checkpoint."""
        return manifold.own_frequency(self.last.waves(self.rate))

    @cached_property
    def group(self) -> int:
        """The frequency whose neurons have the largest waves in the end; 0 for none."""
        return manifold.largest_group(self.last.waves(self.rate), self.frequency)

    @cached_property
    def members(self) -> Bool[np.ndarray, " neuron"]:
        """The neurons of that frequency."""
        mask: Bool[np.ndarray, " neuron"] = self.frequency == self.group
        return mask
