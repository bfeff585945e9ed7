"""The training problem of group composition: full batch, on both parts of the split.

The exact path multiplies the embeddings of all elements by W once, and adds two rows for each
pair, in the place of multiplying every pair's own copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grokviz.models.transformer import Shape, Transformer
from grokviz.tasks.group_composition.network import GroupMLP
from grokviz.tasks.group_composition.settings import GroupSettings
from grokviz.training.losses import PRECISIONS, position_losses
from grokviz.training.problem import ModelProblem
from grokviz.training.replay import Replay


class _Batch(NamedTuple):
    """Tokens, their answers, and the pairs of elements."""

    tokens: Int[Tensor, "batch pos"]
    targets: Int[Tensor, " batch"]


class GroupProblem(ModelProblem):
    """All training pairs in every update; losses and accuracies are logged."""

    def __init__(
        self, settings: GroupSettings, device: torch.device, *, exact_path: bool = True
    ) -> None:
        self.pairs = settings.data
        self.order = self.pairs.group.order
        self.is_mlp = settings.model == "mlp"
        if self.is_mlp:
            self.embedding_names = ("W_x", "W_y", "W_U")
        self.model = _network(settings, self.order).to(device)
        super().__init__(self.model, device)
        self.exact = exact_path and self.is_mlp
        self.precision, self.objective = PRECISIONS[settings.loss_precision], settings.loss
        self._train_batch = self._batch(self.pairs.train)
        test = self._batch(self.pairs.test)
        self._train: Replay | None = None
        self._test = Replay(lambda: self._measure(test), device)

    def train_metrics(self, epoch: int, gradients: Mapping[str, Tensor]) -> dict[str, float]:
        """Training loss and accuracy; the gradient of the loss overwrites ``gradients``."""
        if self._train is None:
            self._train = Replay(lambda: self._measure(self._train_batch, gradients), self.device)
        return _by_name("train", self._train())

    def test_metrics(self, epoch: int) -> dict[str, float]:
        """Test loss and accuracy."""
        return _by_name("test", self._test())

    def _batch(self, pairs: Int[np.ndarray, " some"]) -> _Batch:
        tokens = np.stack(np.divmod(pairs, self.order), axis=1)
        if not self.is_mlp:
            tokens = np.pad(tokens, ((0, 0), (0, 1)), constant_values=self.order)
        targets = torch.as_tensor(self.pairs.targets[pairs], device=self.device)
        return _Batch(torch.as_tensor(tokens, device=self.device), targets)

    def _logits(
        self, weights: Mapping[str, Tensor], tokens: Int[Tensor, "batch pos"]
    ) -> Float[Tensor, "batch order"]:
        if not self.exact:
            logits: Tensor = torch.func.functional_call(self.model, dict(weights), (tokens,))
            return logits if self.is_mlp else logits[:, -1]
        half = weights["W_x"].shape[1]
        left = weights["W_x"] @ weights["W"][:half]
        right = weights["W_y"] @ weights["W"][half:]
        # gathered by embedding, whose gradient is added up by element in one pass
        hidden = nn.functional.embedding(tokens[:, 0], left)
        hidden = (hidden + nn.functional.embedding(tokens[:, 1], right)).relu()
        logits = hidden @ weights["W_U"]
        return logits + weights["b_U"] if "b_U" in weights else logits

    def _measure(
        self, batch: _Batch, gradients: Mapping[str, Tensor] | None = None
    ) -> Float[Tensor, " metric"]:
        """Loss and accuracy."""
        trained = {
            name: self.state[name].detach().requires_grad_(gradients is not None)
            for name in self.trained
        }
        with torch.set_grad_enabled(gradients is not None):
            logits = self._logits({**self.state, **trained}, batch.tokens)
            losses = position_losses(logits, batch.targets, self.precision, self.objective)
        if gradients is not None:
            slopes = torch.autograd.grad(losses.minimised.mean(), list(trained.values()))
            for name, slope in zip(trained, slopes, strict=True):
                gradients[name].copy_(slope)
        is_right = logits.detach().argmax(dim=-1) == batch.targets
        loss = losses.logged.detach().mean()
        return torch.stack([loss.to(torch.float64), is_right.to(torch.float64).mean()])


def _network(settings: GroupSettings, order: int) -> nn.Module:
    if settings.model == "mlp":
        return GroupMLP(settings, order)
    shape = Shape(
        vocabulary=order + 1,
        context=3,
        d_model=settings.d_model,
        heads=settings.heads,
        d_mlp=settings.d_mlp,
        mlp_biases=False,
        outputs=order,
    )
    return Transformer(shape, seed=settings.seed)


def _by_name(split: str, values: Tensor | None) -> dict[str, float]:
    assert values is not None
    loss, accuracy = values.tolist()
    return {f"{split}_loss": loss, f"{split}_accuracy": accuracy}


def problem(
    settings: GroupSettings, device: torch.device, *, exact_path: bool = True
) -> GroupProblem:
    """The problem by its exact path, or by the network as it is."""
    return GroupProblem(settings, device, exact_path=exact_path)
