"""The training problem of two-layer networks: full batch, on both parts of the split.

With summed inputs (a, b) and (b, a) are one input. The exact path computes it once, and counts it
twice where both are in the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from grokviz.tasks.two_layer_addition.network import TwoLayerNetwork
from grokviz.tasks.two_layer_addition.settings import TwoLayerSettings
from grokviz.tasks.two_layer_addition.weights import W_IN, W_OUT
from grokviz.training.losses import PRECISIONS, position_losses
from grokviz.training.problem import ModelProblem
from grokviz.training.replay import Replay


class _Batch(NamedTuple):
    """Inputs, their answers, and the share of the batch that each is."""

    inputs: Float[Tensor, "input column"]
    targets: Int[Tensor, " input"]
    shares: Float[Tensor, " input"]


class TwoLayerProblem(ModelProblem):
    """All training pairs in every update; losses and accuracies are logged."""

    embedding_names = (W_IN, W_OUT)  # one reads one-hot vectors, the other writes logits

    def __init__(
        self, settings: TwoLayerSettings, device: torch.device, *, exact_path: bool = True
    ) -> None:
        model = TwoLayerNetwork(settings).to(device)
        super().__init__(model, device)
        self.model, self.precision = model, PRECISIONS[settings.loss_precision]
        self.objective = settings.loss
        self.pairs = settings.data
        self.merges = exact_path and model.summed
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

    def _batch(self, pairs: Int[np.ndarray, " some"]) -> _Batch:
        numbers, shares = self.pairs.numbers[:, pairs], np.full(len(pairs), 1 / len(pairs))
        if self.merges:
            numbers, counts = np.unique(np.sort(numbers, axis=0), axis=1, return_counts=True)
            shares = counts / len(pairs)
        targets = torch.as_tensor(numbers.sum(axis=0) % self.pairs.p, device=self.device)
        inputs = self.model.inputs(torch.as_tensor(numbers, device=self.device))
        return _Batch(inputs, targets, torch.as_tensor(shares, device=self.device))

    def _measure(
        self, batch: _Batch, gradients: Mapping[str, Tensor] | None = None
    ) -> Float[Tensor, " metric"]:
        """Loss and accuracy."""
        trained = {
            name: self.state[name].detach().requires_grad_(gradients is not None)
            for name in self.trained
        }
        with torch.set_grad_enabled(gradients is not None):
            logits = torch.func.functional_call(self.model, trained, (batch.inputs,))
            losses = position_losses(logits, batch.targets, self.precision, self.objective)
            shares = batch.shares.to(self.precision)
            loss = (shares * losses.logged).sum()
        if gradients is not None:
            slopes = torch.autograd.grad((shares * losses.minimised).sum(), list(trained.values()))
            for name, slope in zip(trained, slopes, strict=True):
                gradients[name].copy_(slope)
        is_right = logits.detach().argmax(dim=-1) == batch.targets
        return torch.stack([loss.detach().to(torch.float64), (batch.shares * is_right).sum()])


def _by_name(split: str, values: Tensor | None) -> dict[str, float]:
    assert values is not None
    loss, accuracy = values.tolist()
    return {f"{split}_loss": loss, f"{split}_accuracy": accuracy}


def problem(
    settings: TwoLayerSettings, device: torch.device, *, exact_path: bool = True
) -> TwoLayerProblem:
    """The problem, each input once, or all pairs as they are."""
    return TwoLayerProblem(settings, device, exact_path=exact_path)
