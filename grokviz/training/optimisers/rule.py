"""The contract of an optimiser: what builds it, and what it keeps between updates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Build(Protocol):
    """A function that makes torch's optimiser."""

    def __call__(
        self, parameters: Sequence[Tensor], settings: Any, rate: float | Tensor
    ) -> torch.optim.Optimizer:
        """The optimiser of these parameters; ``rate`` is a tensor where a graph is captured."""


@dataclass(frozen=True)
class UpdateRule:
    """How gradients change the weights.

    Attributes:
        build: makes torch's optimiser.
        buffers: what torch keeps of each parameter, of the parameter's shape, by torch's names;
            a run is resumed from these.
        counts_updates: whether torch also keeps the number of updates, as ``step``.

    """

    build: Build
    buffers: tuple[str, ...] = ()
    counts_updates: bool = False
