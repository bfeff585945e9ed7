"""The keys of the recipes with LayerNorm, with the values of the published runs by AdamW."""

from __future__ import annotations

from dataclasses import dataclass

from grokviz.options import option, option_like, real, whole
from grokviz.tasks.layernorm_addition.data import PairTokens
from grokviz.training.settings import TrainingSettings


@dataclass(frozen=True)
class LayerNormSettings(TrainingSettings):
    """The run of PeterPonyu/muon-norm-cap-grokking by AdamW with weight decay 1."""

    p: int = option(97, "number of residues (odd)", whole(3))
    train_fraction: float = option(
        0.4, "share of the p² pairs trained on", real(0, 1, open_ends=True)
    )
    split_seed: int = option(0, "seed of the split into train and test", whole(0))
    seed: int = option(0, "seed of the initial weights", whole(0))
    layers: int = option(2, "number of blocks", whole())
    d_model: int = option(128, "width of the residual stream", whole())
    heads: int = option(4, "number of attention heads", whole())
    scale: float = option(1.0, "initial weights are 0.02 of this wide", real(0, open_ends=True))
    epochs: int = option_like(TrainingSettings, "epochs", 1_000)
    checkpoint_every: str = option_like(TrainingSettings, "checkpoint_every", "25")
    warm_up: int = option_like(TrainingSettings, "warm_up", 0)

    def __post_init__(self) -> None:
        if self.d_model % self.heads:
            raise ValueError(
                f"d-model={self.d_model} does not divide into {self.heads} heads; give a multiple"
            )

    @property
    def data(self) -> PairTokens:
        """All pairs and their split."""
        return PairTokens(self.p, self.train_fraction, self.split_seed)
