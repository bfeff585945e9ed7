"""The keys of the recipes of repeated subsequences, with the published values of the main one."""

from __future__ import annotations

from dataclasses import dataclass

from grokviz.options import option, option_like, switch, whole
from grokviz.tasks.repeated_subsequence.data import RepeatedSubsequence
from grokviz.training.settings import SampledSettings, TrainingSettings


@dataclass(frozen=True)
class RepeatedSubsequenceSettings(SampledSettings):
    """Fresh data, as published (arXiv:2301.05217, figure 24)."""

    vocabulary: int = option(128, "number of tokens, the beginning's included", whole(2))
    length: int = option(85, "tokens in a sequence, the beginning's included", whole(3))
    subsequence: int = option(16, "tokens that are repeated", whole(2))
    repeats: int = option(3, "how often they stand in a sequence", whole(2))
    test_examples: int = option_like(SampledSettings, "test_examples", 640)
    data_seed: int = option_like(SampledSettings, "data_seed", 1)
    seed: int = option_like(SampledSettings, "seed", 1)
    d_model: int = option(48, "width of the residual stream", whole())
    heads: int = option(4, "number of attention heads in each of the two layers", whole())
    double_residual: bool = option(True, "carry the residual stream twice, as published", switch())
    epochs: int = option_like(TrainingSettings, "epochs", 6_000)
    checkpoint_every: str = option_like(TrainingSettings, "checkpoint_every", "50,10@600:1400")
    betas: tuple[float, float] = option_like(TrainingSettings, "betas", (0.9, 0.999))
    warm_up: int = option_like(TrainingSettings, "warm_up", 100)
    loss_precision: str = option_like(TrainingSettings, "loss_precision", "float32")

    @property
    def data(self) -> RepeatedSubsequence:
        """The distribution of the sequences."""
        return RepeatedSubsequence(self.vocabulary, self.length, self.subsequence, self.repeats)
