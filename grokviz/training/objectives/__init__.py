"""The losses that training may minimise, one file each.

A file defines ``log_probabilities``, which makes logits logarithms of shares that sum to one; the
loss is the mean of the right classes', negated. Its name, with dashes, is the value of the setting
``loss``. It imports torch when it computes.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

CROSS_ENTROPY = "cross-entropy"
"""The loss that is logged of every run, whatever it minimises."""


class LogProbabilities(Protocol):
    """A function of logits."""

    def __call__(self, logits: Float[Tensor, "*any classes"]) -> Float[Tensor, "*any classes"]:
        """Logarithms of the classes' shares."""


def names() -> list[str]:
    """The losses by name, in alphabetical order."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))


def log_probabilities_of(name: str) -> LogProbabilities:
    """What the loss of that name makes of logits."""
    file = name.replace("-", "_")
    function: LogProbabilities = importlib.import_module(f"{__name__}.{file}").log_probabilities
    return function
