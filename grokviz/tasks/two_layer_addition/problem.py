"""The training problem of two-layer networks: full batch, on both parts of the split."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from grokviz.tasks.two_layer_addition.network import TwoLayerNetwork
from grokviz.tasks.two_layer_addition.settings import TwoLayerSettings
from grokviz.training.losses import PRECISIONS, cross_entropy
from grokviz.training.problem import ModelProblem
from grokviz.training.replay import Replay


class TwoLayerProblem(ModelProblem):
    """All training pairs in every update; losses and accuracies are logged."""

    def __init__(self, settings: TwoLayerSettings, device: torch.device) -> None:
        model = TwoLayerNetwork(settings).to(device)
        super().__init__(model, device)
        self.model, self.precision = model, PRECISIONS[settings.loss_precision]
        self.pairs = settings.data
        self._train_batch = self._batch(self.pairs.train)
        self._train: Replay | None = None
        self._test: Replay | None = None
        if len(self.pairs.test):
            batch = self._batch(self.pairs.test)
            self._test = Replay(lambda: self._measure(batch), device)

    def train_metrics(self, epoch: int, gradients: Mapping[str, Tensor]) -> dict[str, float]:
        """Training loss and accuracy; the gradient of the loss overwrites ``gradients``."""
        if self._train is None:
            self._train = Replay(lambda: self._measure(self._train_batch, gradients), self.device)
        return _by_name("train", self._train())

    def test_metrics(self, epoch: int) -> dict[str, float]:
        """Test loss and accuracy; nothing where all pairs are trained on."""
        return _by_name("test", self._test()) if self._test else {}

    def _batch(self, pairs: Int[np.ndarray, " some"]) -> tuple[Tensor, Tensor]:
        numbers = torch.as_tensor(self.pairs.numbers[:, pairs], device=self.device)
        targets = torch.as_tensor(self.pairs.targets[pairs], device=self.device)
        return self.model.inputs(numbers), targets

    def _measure(
        self, batch: tuple[Tensor, Tensor], gradients: Mapping[str, Tensor] | None = None
    ) -> Tensor:
        """Loss and accuracy."""
        inputs, targets = batch
        trained = {
            name: self.state[name].detach().requires_grad_(gradients is not None)
            for name in self.trained
        }
        with torch.set_grad_enabled(gradients is not None):
            logits = torch.func.functional_call(self.model, trained, (inputs,))
            loss = cross_entropy(logits, targets, self.precision)
        if gradients is not None:
            slopes = torch.autograd.grad(loss, list(trained.values()))
            for name, slope in zip(trained, slopes, strict=True):
                gradients[name].copy_(slope)
        right = (logits.detach().argmax(dim=-1) == targets).to(torch.float64).mean()
        return torch.stack([loss.detach().to(torch.float64), right])


def _by_name(split: str, values: Tensor | None) -> dict[str, float]:
    assert values is not None
    loss, accuracy = values.tolist()
    return {f"{split}_loss": loss, f"{split}_accuracy": accuracy}


def problem(
    settings: TwoLayerSettings, device: torch.device, *, exact_path: bool = True
) -> TwoLayerProblem:
    """The problem; there is no short cut that would be worth a path of its own."""
    return TwoLayerProblem(settings, device)
