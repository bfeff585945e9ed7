"""The keys of the recipes of clock and pizza, with the published values of the main sweep."""

from __future__ import annotations

from dataclasses import dataclass

from grokviz.options import choice, option, option_like, real, whole
from grokviz.tasks.clock_or_pizza.data import TwoTokenPairs
from grokviz.training.settings import TrainingSettings


@dataclass(frozen=True)
class ClockOrPizzaSettings(TrainingSettings):
    """The published networks of one layer (arXiv:2306.17844), whose attention is a key."""

    p: int = option(59, "number of residues (odd)", whole(3))
    train_fraction: float = option(
        0.8, "share of the p² pairs trained on", real(0, 1, open_ends=True)
    )
    split_seed: int = option(0, "seed of the split into train and test", whole(0))
    seed: int = option(0, "seed of the initial weights", whole(0))
    network: str = option(
        "attention", "what joins a and b: attention, or a layer that reads them side by side",
        choice("attention", "side-by-side"),
    )  # fmt: skip
    attention_rate: float = option(
        1.0, "1 for attention by softmax, 0 for weights that are all 1", real(0, 1)
    )
    d_model: int = option(128, "width of the embedding", whole())
    d_mlp: int = option(512, "number of neurons", whole())
    heads: int = option(4, "number of attention heads", whole())
    epochs: int = option_like(TrainingSettings, "epochs", 20_000)
    weight_decay: float = option_like(TrainingSettings, "weight_decay", 2.0)

    @property
    def data(self) -> TwoTokenPairs:
        """All pairs and their split."""
        return TwoTokenPairs(self.p, self.train_fraction, self.split_seed)
