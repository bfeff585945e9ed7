"""The keys of digit addition's recipes, with the published values of the main one."""

from __future__ import annotations

from dataclasses import dataclass

from grokviz.options import option, option_like, whole
from grokviz.tasks.digit_addition.data import DigitAddition
from grokviz.training.settings import SampledSettings, TrainingSettings


@dataclass(frozen=True)
class DigitAdditionSettings(SampledSettings):
    """Fresh data, as published (arXiv:2301.05217, figures 21 and 22)."""

    digits: int = option(5, "digits of each of the two numbers", whole())
    batch: int = option_like(SampledSettings, "batch", 64)
    data_seed: int = option_like(SampledSettings, "data_seed", 129000)
    d_model: int = option(512, "width of the residual stream", whole())
    d_mlp: int = option(2048, "number of MLP neurons", whole())
    heads: int = option(4, "number of attention heads", whole())
    epochs: int = option_like(TrainingSettings, "epochs", 3_000)
    learning_rate: float = option_like(TrainingSettings, "learning_rate", 1e-4)
    weight_decay: float = option_like(TrainingSettings, "weight_decay", 0.1)

    @property
    def data(self) -> DigitAddition:
        """The distribution of the sequences."""
        return DigitAddition(self.digits)
