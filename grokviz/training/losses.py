"""Cross entropy at a given precision, on which the slingshots depend."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

PRECISIONS = {"float64": torch.float64, "float32": torch.float32}


def cross_entropy(
    logits: Float[Tensor, "batch classes"],
    targets: Int[Tensor, " batch"],
    precision: torch.dtype = torch.float64,
) -> Float[Tensor, ""]:
    """Mean negative log-probability of the correct class, in nats.

    Logits are cast to ``precision`` before log-softmax: in float32 a loss below 1.19e-7
    rounds to zero and the gradient no longer sums to zero (thread, tweet 14).
    """
    log_probabilities = logits.to(precision).log_softmax(dim=-1)
    return -log_probabilities.gather(-1, targets.unsqueeze(-1)).mean()
