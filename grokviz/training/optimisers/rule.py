"""The contract of an optimiser: what builds it, and what it keeps between updates."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from grokviz.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

EMBEDDING = "embed"
"""What names of embeddings, positions and unembeddings contain, where a problem lists none."""


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
        hidden: makes those of hidden matrices, which ``build`` then does not get.
        capturable: whether a CUDA graph may hold an update, its rate being a tensor.

    """

    build: Build
    hidden: Build | None = None
    capturable: bool = False

    def parts(
        self,
        parameters: Mapping[str, Tensor],
        settings: Any,
        rate: float | Tensor,
        embeddings: Collection[str] | None = None,
    ) -> list[Part]:
        """The optimisers of all parameters, those of hidden matrices first.

        Raises ``InputError`` where the rule is for hidden matrices and there are none;
        ``embeddings`` as in :func:`hidden_matrices`.
        """
        if self.hidden is None:
            return list(self.build(parameters, settings, rate))
        hidden = hidden_matrices(parameters, embeddings)
        rest = {name: tensor for name, tensor in parameters.items() if name not in hidden}
        parts = self.hidden(hidden, settings, settings.hidden_rate)
        return [*parts, *(self.build(rest, settings, rate) if rest else ())]


def hidden_matrices(
    parameters: Mapping[str, Tensor], embeddings: Collection[str] | None = None
) -> dict[str, Tensor]:
    """Views of the matrices that are not embeddings, those of all heads on top of one another.

    ``embeddings`` are the names of what reads tokens or writes logits; by default, all that
    contain :data:`EMBEDDING`. Each view has the gradient of its parameter. Raises ``InputError``
    where there are none.
    """
    views = {}
    for name, parameter in parameters.items():
        outer = EMBEDDING in name.lower() if embeddings is None else name in embeddings
        if parameter.ndim < 2 or outer:
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
