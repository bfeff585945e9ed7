"""Trainable problems: a model's parameters, and its losses with their gradients."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grokviz.training.losses import PositionLosses, position_losses
from grokviz.training.objectives import CROSS_ENTROPY


@runtime_checkable
class Losses(Protocol):
    """Loss and gradients on a fixed set of inputs."""

    def loss(self, weights: Mapping[str, Tensor]) -> float:
        """Mean loss."""

    def loss_and_gradients(
        self, weights: Mapping[str, Tensor], gradients: Mapping[str, Tensor]
    ) -> float:
        """Mean loss; the gradient overwrites ``gradients``."""

    def loss_tensors(
        self, weights: Mapping[str, Tensor], gradients: Mapping[str, Tensor] | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Mean loss and, with ``gradients``, the logits' gradient, both left on the device."""


class PlainPath:
    """Losses of the plain model by autograd, at all positions and without shortcuts.

    Losses are cross entropies at the last position; gradients are those of ``objective``.
    """

    def __init__(
        self,
        model: nn.Module,
        tokens: Int[Tensor, "batch pos"],
        targets: Int[Tensor, " batch"],
        precision: torch.dtype,
        objective: str = CROSS_ENTROPY,
    ) -> None:
        self.model, self.tokens, self.targets, self.precision = model, tokens, targets, precision
        self.objective = objective

    def loss(self, weights: Mapping[str, Tensor]) -> float:
        """Mean cross entropy at the last position."""
        return self.loss_tensors(weights)[0].item()

    def loss_and_gradients(
        self, weights: Mapping[str, Tensor], gradients: Mapping[str, Tensor]
    ) -> float:
        """Mean cross entropy; the objective's gradient overwrites ``gradients``."""
        return self.loss_tensors(weights, gradients)[0].item()

    def loss_tensors(
        self, weights: Mapping[str, Tensor], gradients: Mapping[str, Tensor] | None = None
    ) -> tuple[Tensor, Float[Tensor, "batch classes"] | None]:
        """Mean cross entropy and, with ``gradients``, the objective's gradient of the logits."""
        if gradients is None:
            with torch.no_grad():
                return self._losses(self._logits(weights)).logged.mean(), None
        parameters = {name: weights[name].detach().requires_grad_() for name in gradients}
        logits = self._logits({**weights, **parameters})
        losses = self._losses(logits)
        slopes = torch.autograd.grad(losses.minimised.mean(), [*parameters.values(), logits])
        *grads, d_logits = slopes
        for name, gradient in zip(parameters, grads, strict=True):
            gradients[name].copy_(gradient)
        return losses.logged.detach().mean(), d_logits

    def accuracy(self, weights: Mapping[str, Tensor]) -> Float[Tensor, ""]:
        """Share of inputs whose right class has the largest logit."""
        with torch.no_grad():
            right: Tensor = self._logits(weights).argmax(dim=-1) == self.targets
            return right.to(torch.float64).mean()

    def _logits(self, weights: Mapping[str, Tensor]) -> Tensor:
        logits: Tensor = torch.func.functional_call(self.model, dict(weights), (self.tokens,))
        return logits[:, -1]

    def _losses(self, logits: Tensor) -> PositionLosses:
        return position_losses(logits, self.targets, self.precision, self.objective)


class ModelProblem:
    """Base of problems that train a torch model; see :class:`grokviz.task.Problem`.

    Attributes:
        embedding_names: the parameters that read tokens or write logits, for optimisers that
            treat hidden matrices by themselves; those with "embed" in their names where None.

    """

    counts: str = "epoch"
    embedding_names: Collection[str] | None = None

    def __init__(self, model: nn.Module, device: torch.device) -> None:
        self.state = {name: tensor.detach() for name, tensor in model.state_dict().items()}
        self.trained = [name for name, _ in model.named_parameters()]
        self.device = device

    def train_metrics(self, epoch: int, gradients: Mapping[str, Tensor]) -> dict[str, float]:
        """``train_loss`` and other metrics to log; the gradient overwrites ``gradients``."""
        raise NotImplementedError

    def test_metrics(self, epoch: int) -> dict[str, float]:
        """``test_loss`` and other metrics to log; empty if all training data is fresh."""
        return {}
