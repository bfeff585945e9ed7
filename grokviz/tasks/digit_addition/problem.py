"""The training problem of digit addition: a transformer scored at the answer."""

from __future__ import annotations

import torch

from grokviz.models.transformer import Shape, Transformer
from grokviz.tasks.digit_addition.settings import DigitAdditionSettings
from grokviz.training.sampled import SampledProblem, Scoring


def problem(
    settings: DigitAdditionSettings, device: torch.device, *, exact_path: bool = True
) -> SampledProblem:
    """The problem with the loss of each digit of the answer."""
    data = settings.data
    shape = Shape(
        vocabulary=data.vocabulary,
        context=data.context,
        d_model=settings.d_model,
        heads=settings.heads,
        d_mlp=settings.d_mlp,
        outputs=data.outputs,
    )
    model = Transformer(shape, seed=settings.seed).to(device)
    scoring = Scoring(exact_path=exact_path, by_token=True)
    return SampledProblem(data, model, settings, device, scoring)
