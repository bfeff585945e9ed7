"""The contract of an optimiser: what builds it, and what it keeps between updates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from grokviz.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

EMBEDDING = "embed"
"""What names of embeddings, of positions and of unembeddings contain."""


@dataclass(frozen=True, eq=False)
class Part:
    """One of torch's optimisers, with what it updates.

    Attributes:
        optimiser: torch's own; the rates of its groups are those after the warm-up.
        tensors: what it updates, by the parameter's name: the parameter, or a view of it.
        buffers: what torch keeps of each tensor, of the tensor's shape, by torch's names; a run
            is resumed from these.
        counts_updates: whether torch also keeps the number of updates, as ``step``.

    """

    optimiser: torch.optim.Optimizer
    tensors: Mapping[str, Tensor]
    buffers: tuple[str, ...] = ()
    counts_updates: bool = False


class Build(Protocol):
    """A function that makes torch's optimisers."""

    def __call__(
        self, parameters: Mapping[str, Tensor], settings: Any, rate: float | Tensor
    ) -> Sequence[Part]:
        """The optimisers of these parameters; ``rate`` is a tensor where a graph is captured."""


@dataclass(frozen=True)
class UpdateRule:
    """How gradients change the weights.

    Attributes:
        build: makes torch's optimisers; each parameter belongs to one of them.
        capturable: whether a CUDA graph may hold an update, its rate being a tensor.

    """

    build: Build
    capturable: bool = False


def hidden_matrices(parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Views of the matrices that are not embeddings, those of all heads on top of one another.

    Each has the gradient of its parameter. Raises ``InputError`` where there are none.
    """
    views = {}
    for name, parameter in parameters.items():
        if parameter.ndim < 2 or EMBEDDING in name.lower():
            continue
        views[name] = parameter.view(-1, parameter.shape[-1])
        assert parameter.grad is not None
        views[name].grad = parameter.grad.view(views[name].shape)
    if not views:
        raise InputError(
            "this optimiser is for matrices that are not embeddings, and the model has none; "
            "give optimiser=adamw"
        )
    return views
