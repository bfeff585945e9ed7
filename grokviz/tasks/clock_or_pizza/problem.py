"""The training problem of clock and pizza: full batch, on both parts of the split."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from grokviz.tasks.clock_or_pizza.exact_path import attention_logits, side_by_side_logits
from grokviz.tasks.clock_or_pizza.network import network
from grokviz.tasks.clock_or_pizza.settings import ClockOrPizzaSettings
from grokviz.training.losses import PRECISIONS, position_losses
from grokviz.training.problem import ModelProblem
from grokviz.training.replay import Replay


class ClockOrPizzaProblem(ModelProblem):
    """All training pairs in every update; losses and accuracies are logged."""

    def __init__(
        self, settings: ClockOrPizzaSettings, device: torch.device, *, exact_path: bool = True
    ) -> None:
        model = network(settings).to(device)
        super().__init__(model, device)
        self.model, self.precision = model, PRECISIONS[settings.loss_precision]
        self.objective = settings.loss
        self.rate = settings.attention_rate if settings.network == "attention" else None
        self.exact_path, pairs = exact_path, settings.data
        self._tokens = torch.as_tensor(pairs.tokens, device=device)
        self._targets = torch.as_tensor(pairs.targets, device=device)
        train, test = (self._rows(part) for part in (pairs.train, pairs.test))
        self._train_rows = train
        self._train: Replay | None = None
        self._test = Replay(lambda: self._measure(test), device)

    def train_metrics(self, epoch: int, gradients: Mapping[str, Tensor]) -> dict[str, float]:
        """Training loss and accuracy; the gradient of the loss overwrites ``gradients``."""
        if self._train is None:
            self._train = Replay(lambda: self._measure(self._train_rows, gradients), self.device)
        return _by_name("train", self._train())

    def test_metrics(self, epoch: int) -> dict[str, float]:
        """Test loss and accuracy."""
        return _by_name("test", self._test())

    def _rows(self, pairs: Int[np.ndarray, " some"]) -> Int[Tensor, " some"]:
        return torch.as_tensor(pairs, device=self.device)

    def _logits(
        self, weights: Mapping[str, Tensor], rows: Int[Tensor, " some"]
    ) -> Float[Tensor, "some p"]:
        if not self.exact_path:
            logits: Tensor = torch.func.functional_call(
                self.model, dict(weights), (self._tokens[rows],)
            )
            return logits
        of_all = (
            side_by_side_logits(weights) if self.rate is None
            else attention_logits(weights, self.rate)
        )  # fmt: skip
        return of_all.flatten(0, 1)[rows]

    def _measure(
        self, rows: Int[Tensor, " some"], gradients: Mapping[str, Tensor] | None = None
    ) -> Float[Tensor, " metric"]:
        """Loss and accuracy."""
        trained = {
            name: self.state[name].detach().requires_grad_(gradients is not None)
            for name in self.trained
        }
        with torch.set_grad_enabled(gradients is not None):
            logits, targets = self._logits(trained, rows), self._targets[rows]
            losses = position_losses(logits, targets, self.precision, self.objective)
        if gradients is not None:
            # queries and keys have no gradient where attention is switched off
            slopes = torch.autograd.grad(
                losses.minimised.mean(), list(trained.values()), allow_unused=True
            )
            for name, slope in zip(trained, slopes, strict=True):
                if slope is None:
                    gradients[name].zero_()
                else:
                    gradients[name].copy_(slope)
        right = (logits.detach().argmax(dim=-1) == targets).to(torch.float64).mean()
        return torch.stack([losses.logged.detach().mean().to(torch.float64), right])


def _by_name(split: str, values: Tensor | None) -> dict[str, float]:
    assert values is not None
    loss, accuracy = values.tolist()
    return {f"{split}_loss": loss, f"{split}_accuracy": accuracy}


def problem(
    settings: ClockOrPizzaSettings, device: torch.device, *, exact_path: bool = True
) -> ClockOrPizzaProblem:
    """The problem by tables of all pairs, or by the plain network."""
    return ClockOrPizzaProblem(settings, device, exact_path=exact_path)
