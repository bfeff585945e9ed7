"""Gradient descent with Nesterov's momentum; weight decay adds to the gradient, as without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from grokviz.training.optimisers import sgd
from grokviz.training.optimisers.rule import Part, UpdateRule

if TYPE_CHECKING:
    from torch import Tensor


def build(parameters: Mapping[str, Tensor], settings: Any, rate: float | Tensor) -> Sequence[Part]:
    """Gradient descent on every parameter."""
    return [sgd.part(parameters, settings, rate, settings.momentum)]


RULE = UpdateRule(build, capturable=True)
