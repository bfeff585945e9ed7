"""Gradient descent with momentum on hidden matrices, AdamW on embeddings and vectors.

The same division of labour as Muon's, so that the two differ in the hidden update alone.
Source: the runs that are called SGDM in PeterPonyu/muon-norm-cap-grokking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from grokviz.training.optimisers import adamw, sgd
from grokviz.training.optimisers.rule import Part, UpdateRule, hidden_matrices

if TYPE_CHECKING:
    from torch import Tensor


def build(parameters: Mapping[str, Tensor], settings: Any, rate: float | Tensor) -> Sequence[Part]:
    """Both optimisers, the first with the rate of hidden matrices."""
    hidden = hidden_matrices(parameters)
    rest = {name: tensor for name, tensor in parameters.items() if name not in hidden}
    parts = [sgd.part(hidden, settings, settings.hidden_rate, settings.momentum)]
    return [*parts, adamw.part(rest, settings, rate)] if rest else parts


RULE = UpdateRule(build)
