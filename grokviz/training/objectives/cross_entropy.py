"""Cross entropy: shares are exponentials of the logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor


def log_probabilities(
    logits: Float[Tensor, "*any classes"],
) -> Float[Tensor, "*any classes"]:
    """Log-softmax."""
    return logits.log_softmax(dim=-1)
