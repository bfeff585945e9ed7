"""Grokfast: AdamW on gradients to which their slow average is added again, twice as large.

h <- 0.98 h + 0.02 g, from h = g at first; AdamW is given g + 2 h. Source: arXiv:2405.20233,
Grokfast-EMA with the published numbers, there with Adam.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from grokviz.training.optimisers import adamw
from grokviz.training.optimisers.rule import Part, UpdateRule

if TYPE_CHECKING:
    import torch
    from torch import Tensor

DECAY, GAIN = 0.98, 2.0
AVERAGE = "gradient_average"


def build(parameters: Mapping[str, Tensor], settings: Any, rate: float | Tensor) -> Sequence[Part]:
    """AdamW with the average kept beside its own, in whose absence a run begins."""
    part = adamw.part(parameters, settings, rate)
    averages: dict[str, Tensor] = {}

    def amplify(optimiser: torch.optim.Optimizer, *arguments: Any) -> None:
        for name, tensor in parameters.items():
            assert tensor.grad is not None
            before = optimiser.state[tensor].get(AVERAGE) if tensor in optimiser.state else None
            averages[name] = (
                tensor.grad.clone() if before is None else before.lerp_(tensor.grad, 1 - DECAY)
            )
            tensor.grad.add_(averages[name], alpha=GAIN)

    def keep(optimiser: torch.optim.Optimizer, *arguments: Any) -> None:
        # only now, since torch takes a state that has anything for a complete one
        for name, tensor in parameters.items():
            optimiser.state[tensor][AVERAGE] = averages[name]

    part.optimiser.register_step_pre_hook(amplify)
    part.optimiser.register_step_post_hook(keep)
    return [Part(part.optimiser, parameters, (*part.buffers, AVERAGE), counts_updates=True)]


RULE = UpdateRule(build)
