"""The training problem of skip trigrams: one attention-only layer."""

from __future__ import annotations

import torch

from grokviz.models.attention_only import AttentionOnly
from grokviz.models.transformer import Shape
from grokviz.tasks.skip_trigram.settings import SkipTrigramSettings
from grokviz.training.sampled import SampledProblem, Scoring


def problem(
    settings: SkipTrigramSettings, device: torch.device, *, exact_path: bool = True
) -> SampledProblem:
    """The problem scored at the last token."""
    data = settings.data
    shape = Shape(
        vocabulary=data.vocabulary,
        context=data.context,
        d_model=settings.d_model,
        heads=settings.heads,
        d_mlp=1,
        outputs=data.outputs,
        head_width=settings.d_head,
    )
    model = AttentionOnly(shape, 1, head_scaled=False, seed=settings.seed)
    scoring = Scoring(exact_path=exact_path)
    return SampledProblem(data, model.to(device), settings, device, scoring)
