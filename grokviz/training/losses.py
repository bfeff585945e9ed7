"""Losses at a given precision, on which the slingshots depend: the logged and the minimised."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grokviz.training.objectives import CROSS_ENTROPY, log_probabilities_of

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


class PositionLosses(NamedTuple):
    """The losses of each scored position.

    Attributes:
        logged: cross entropy in nats, whatever is minimised, so that runs can be compared.
        minimised: what training takes the gradient of; the same tensor for cross entropy.

    """

    logged: Float[Tensor, "*scored"]
    minimised: Float[Tensor, "*scored"]


def position_losses(
    logits: Float[Tensor, "*scored classes"],
    targets: Int[Tensor, "*scored"],
    precision: torch.dtype = torch.float64,
    objective: str = CROSS_ENTROPY,
) -> PositionLosses:
    """Both losses of each position, with logits cast to ``precision``."""
    precise, index = logits.to(precision), targets.unsqueeze(-1)
    entropy = -log_probabilities_of(CROSS_ENTROPY)(precise).gather(-1, index).squeeze(-1)
    if objective == CROSS_ENTROPY:
        return PositionLosses(entropy, entropy)
    minimised = -log_probabilities_of(objective)(precise).gather(-1, index).squeeze(-1)
    return PositionLosses(entropy.detach(), minimised)
