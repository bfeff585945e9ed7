"""StableMax: shares grow like the logits and not like their exponentials.

s(x) = x + 1 from zero on and 1 / (1 - x) below, so that no lead of a logit rounds the others away.
Source: arXiv:2501.04697.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor


def log_probabilities(
    logits: Float[Tensor, "*any classes"],
) -> Float[Tensor, "*any classes"]:
    """Logarithm of s(x) / sum s."""
    # one of the two terms is zero; at zero clamp passes the gradient and relu does not
    log_s = logits.clamp(min=0).log1p() - (-logits).relu().log1p()
    shares: Tensor = log_s - log_s.logsumexp(dim=-1, keepdim=True)
    return shares
