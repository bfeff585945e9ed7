"""The training problem of transformers with LayerNorm: full batch, on both parts of the split.

The exact path computes what the answer's position needs alone, and of one layer each key and value
once; it minimises any loss.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from grokviz.tasks.layernorm_addition.exact_path import last_logits
from grokviz.tasks.layernorm_addition.network import LayerNormTransformer
from grokviz.tasks.layernorm_addition.settings import LayerNormSettings
from grokviz.training.losses import PRECISIONS, position_losses
from grokviz.training.problem import ModelProblem
from grokviz.training.replay import Replay


class LayerNormProblem(ModelProblem):
    """All training pairs in every update; losses and accuracies are logged."""

    def __init__(
        self, settings: LayerNormSettings, device: torch.device, *, exact_path: bool = True
    ) -> None:
        model = LayerNormTransformer(settings).to(device)
        super().__init__(model, device)
        self.model, self.exact_path = model, exact_path
        self.precision, self.objective = PRECISIONS[settings.loss_precision], settings.loss
        self.heads, data = settings.heads, settings.data
        self.tokens, self.targets = data.tokens, data.targets
        self._train_inputs = self._on_device(data.train)
        test_inputs = self._on_device(data.test)
        self._train: Replay | None = None
        self._test = Replay(lambda: self._measure(test_inputs), device)

    def train_metrics(self, epoch: int, gradients: Mapping[str, Tensor]) -> dict[str, float]:
        """Training loss and accuracy; the gradient of what is minimised fills ``gradients``."""
        if self._train is None:
            self._train = Replay(lambda: self._measure(self._train_inputs, gradients), self.device)
        return _by_name("train", self._train())

    def test_metrics(self, epoch: int) -> dict[str, float]:
        """Test loss and accuracy."""
        return _by_name("test", self._test())

    def _on_device(self, pairs: Int[np.ndarray, " some"]) -> tuple[Tensor, Tensor]:
        arrays = (self.tokens[pairs], self.targets[pairs])
        tokens, targets = (torch.as_tensor(array, device=self.device) for array in arrays)
        return tokens, targets

    def _measure(
        self, inputs: tuple[Tensor, Tensor], gradients: Mapping[str, Tensor] | None = None
    ) -> Float[Tensor, " metric"]:
        """Cross entropy and accuracy."""
        tokens, targets = inputs
        trained = {
            name: self.state[name].detach().requires_grad_(gradients is not None)
            for name in self.trained
        }
        with torch.set_grad_enabled(gradients is not None):
            logits = self._logits(trained, tokens)
            losses = position_losses(logits, targets, self.precision, self.objective)
        if gradients is not None:
            slopes = torch.autograd.grad(losses.minimised.mean(), list(trained.values()))
            for name, slope in zip(trained, slopes, strict=True):
                gradients[name].copy_(slope)
        right = logits.detach().argmax(dim=-1) == targets
        accuracy = right.to(torch.float64).mean()
        return torch.stack([losses.logged.detach().mean().to(torch.float64), accuracy])

    def _logits(
        self, weights: Mapping[str, Tensor], tokens: Int[Tensor, "batch pos"]
    ) -> Float[Tensor, "batch tokens"]:
        """Logits at the last position."""
        blocks = self.model.blocks
        if self.exact_path and len(blocks) == 1:
            return last_logits(weights, tokens, self.heads)
        arguments = (tokens, self.exact_path)
        logits: Tensor = torch.func.functional_call(self.model, dict(weights), arguments)
        return logits[:, -1]


def _by_name(split: str, values: Tensor | None) -> dict[str, float]:
    assert values is not None
    loss, accuracy = values.tolist()
    return {f"{split}_loss": loss, f"{split}_accuracy": accuracy}


def problem(
    settings: LayerNormSettings, device: torch.device, *, exact_path: bool = True
) -> LayerNormProblem:
    """The problem, at the position of the answer alone, or at all positions."""
    return LayerNormProblem(settings, device, exact_path=exact_path)
