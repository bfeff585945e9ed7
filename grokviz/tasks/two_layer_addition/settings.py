"""The keys of the recipes of two-layer networks, with the values of the published grokking run."""

from __future__ import annotations

from dataclasses import dataclass

from grokviz.options import choice, option, option_like, real, whole
from grokviz.tasks.two_layer_addition.data import PairSums
from grokviz.training.settings import TrainingSettings


@dataclass(frozen=True)
class TwoLayerSettings(TrainingSettings):
    """The published run that memorises first (arXiv:2602.16849)."""

    p: int = option(23, "number of residues (odd)", whole(3))
    train_fraction: float = option(0.75, "share of the p² pairs trained on", real(0, 1))
    split_seed: int = option(42, "seed of the split into train and test", whole(0))
    seed: int = option(42, "seed of the initial weights", whole(0))
    width: int = option(512, "number of neurons", whole())
    activation: str = option("relu", "what a neuron computes", choice("relu", "quadratic"))
    inputs: str = option("summed", "how a and b enter", choice("summed", "concatenated"))
    init: str = option(
        "random", "waves of each neuron's initial weights", choice("random", "single")
    )
    scale: float = option(0.1, "size of the initial weights", real(0, open_ends=True))
    epochs: int = option_like(TrainingSettings, "epochs", 50_000)
    checkpoint_every: str = option_like(TrainingSettings, "checkpoint_every", "200")
    learning_rate: float = option_like(TrainingSettings, "learning_rate", 1e-4)
    weight_decay: float = option_like(TrainingSettings, "weight_decay", 2.0)
    loss_precision: str = option_like(TrainingSettings, "loss_precision", "float32")

    @property
    def data(self) -> PairSums:
        """All pairs and their split."""
        return PairSums(self.p, self.train_fraction, self.split_seed)
