"""The training problem of repeated subsequences: two attention-only layers."""

from __future__ import annotations

import torch

from grokviz.models.attention_only import AttentionOnly
from grokviz.models.transformer import Shape
from grokviz.tasks.repeated_subsequence.settings import RepeatedSubsequenceSettings
from grokviz.training.sampled import SampledProblem, Scoring


def problem(
    settings: RepeatedSubsequenceSettings, device: torch.device, *, exact_path: bool = True
) -> SampledProblem:
    """The problem scored at all copies but the first."""
    data = settings.data
    shape = Shape(
        vocabulary=data.vocabulary,
        context=data.context,
        d_model=settings.d_model,
        heads=settings.heads,
        d_mlp=1,
        outputs=data.outputs,
    )
    skip_weight = 2 if settings.double_residual else 1
    model = AttentionOnly(shape, 2, skip_weight=skip_weight, head_scaled=True, seed=settings.seed)
    scoring = Scoring(skip_weight, exact_path)
    return SampledProblem(data, model.to(device), settings, device, scoring)
