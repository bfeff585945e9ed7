"""The keys of the recipes of skip trigrams, with the published values of the main one."""

from __future__ import annotations

from dataclasses import dataclass

from grokviz.options import option, option_like, whole
from grokviz.tasks.skip_trigram.data import SkipTrigram
from grokviz.training.settings import SampledSettings, TrainingSettings


@dataclass(frozen=True)
class SkipTrigramSettings(SampledSettings):
    """Fresh data, as in the non-modular notebook of the grokking work."""

    noise: int = option(10, "number of noise tokens, and of key tokens", whole(2))
    length: int = option(40, "tokens between the first and the last", whole())
    batch: int = option_like(SampledSettings, "batch", 256)
    data_seed: int = option_like(SampledSettings, "data_seed", 6798)
    d_model: int = option(32, "width of the residual stream", whole())
    d_head: int = option(8, "width of a head", whole())
    heads: int = option(1, "number of attention heads", whole())
    epochs: int = option_like(TrainingSettings, "epochs", 3_000)
    checkpoint_every: str = option_like(TrainingSettings, "checkpoint_every", "50,10@0:600")
    weight_decay: float = option_like(TrainingSettings, "weight_decay", 0.1)

    @property
    def data(self) -> SkipTrigram:
        """The distribution of the sequences."""
        return SkipTrigram(self.noise, self.length)
