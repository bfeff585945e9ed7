"""Training on sampled sequences: fresh ones at every update, or a fixed set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from grokviz.errors import InputError
from grokviz.models.scored_path import scored_logits
from grokviz.training.batch import Batch, SampledData
from grokviz.training.losses import PRECISIONS, PositionLosses, position_losses
from grokviz.training.problem import ModelProblem
from grokviz.training.replay import Replay
from grokviz.training.settings import SampledSettings

FIXED, TEST, FRESH, ORDER = range(4)
"""The purposes of random streams, each seeded by data-seed and this number."""


@dataclass(frozen=True)
class Scoring:
    """How a problem's sequences are scored.

    Attributes:
        skip_weight: factor of the residual stream that is added to the heads' output.
        exact_path: whether to compute logits only at the scored positions.
        by_token: whether to log the loss of each scored position separately.

    """

    skip_weight: int = 1
    exact_path: bool = True
    by_token: bool = False


class SampledProblem(ModelProblem):
    """A problem whose training data are sampled sequences, in batches.

    All random numbers depend only on ``data-seed`` and the number of the update, so a resumed
    run sees the same data as an uninterrupted one.

    Args:
        data: the distribution of the sequences.
        model: the network, on ``device``.
        settings: the number of sequences and the batch size.
        device: where it is trained.
        scoring: how sequences are scored.

    """

    def __init__(
        self,
        data: SampledData,
        model: nn.Module,
        settings: SampledSettings,
        device: torch.device,
        scoring: Scoring = Scoring(),  # frozen
    ) -> None:
        super().__init__(model, device)
        self.task, self.model = data, model
        self.skip_weight, self.exact_path = scoring.skip_weight, scoring.exact_path
        self.examples, self.batch = settings.examples, settings.batch
        if self.examples % self.batch:
            raise InputError(
                f"examples = {self.examples} does not divide into batches of {self.batch}; "
                f"give a batch that divides it, such as {_divisor(self.examples, self.batch)}"
            )
        if self.examples != self.batch:
            self.counts = "step"
        self.seed = settings.data_seed
        self.precision, self.objective = PRECISIONS[settings.loss_precision], settings.loss
        self.names = [f"token_{i}" for i in range(data.scored)] if scoring.by_token else []
        self._examples = data.sample(self.examples, self._rng(FIXED)) if self.examples else None
        self._inputs = self._on_device(self._batch_at(0))
        self._train: Replay | None = None
        self._test: Replay | None = None
        if self._examples is not None:
            test_batch = data.sample(settings.test_examples, self._rng(TEST))
            test_inputs = self._on_device(test_batch)
            self._test = Replay(lambda: self._measure(test_inputs, None), device)

    def train_metrics(self, epoch: int, gradients: Mapping[str, Tensor]) -> dict[str, float]:
        """Mean loss of this update's batch, and of each digit of an answer."""
        if self._train is None:
            self._train = Replay(lambda: self._measure(self._inputs, gradients), self.device)
        if self.examples != self.batch:
            for tensor, array in zip(
                self._inputs, self._arrays(self._batch_at(epoch)), strict=True
            ):
                tensor.copy_(torch.from_numpy(array))
        return self._by_metric("train_loss", self._train())

    def test_metrics(self, epoch: int) -> dict[str, float]:
        """Mean loss on held-out sequences; empty if every batch is fresh."""
        return self._by_metric("test_loss", self._test()) if self._test else {}

    def _measure(
        self, inputs: tuple[Tensor, ...], gradients: Mapping[str, Tensor] | None
    ) -> Float[Tensor, " metric"]:
        if gradients is None:
            with torch.no_grad():
                return self._summary(self._losses(self.state, inputs).logged)
        parameters = {name: self.state[name].detach().requires_grad_() for name in gradients}
        losses = self._losses({**self.state, **parameters}, inputs)
        grads = torch.autograd.grad(losses.minimised.mean(), list(parameters.values()))
        for name, gradient in zip(parameters, grads, strict=True):
            gradients[name].copy_(gradient)
        return self._summary(losses.logged.detach())

    def _losses(self, weights: Mapping[str, Tensor], inputs: tuple[Tensor, ...]) -> PositionLosses:
        tokens, positions, targets = inputs
        if self.exact_path:
            logits = scored_logits(weights, tokens, positions, self.skip_weight)
        else:
            rows = torch.arange(len(tokens), device=self.device).unsqueeze(1)
            everywhere = torch.func.functional_call(self.model, dict(weights), (tokens,))
            logits = everywhere[rows, positions]
        return position_losses(logits, targets, self.precision, self.objective)

    def _summary(self, losses: Float[Tensor, "batch scored"]) -> Float[Tensor, " metric"]:
        mean = losses.mean().unsqueeze(0)
        return torch.cat([mean, losses.mean(0)]) if self.names else mean

    def _by_metric(self, name: str, values: Tensor | None) -> dict[str, float]:
        assert values is not None
        names = [name, *(f"{name}_{token}" for token in self.names)]
        return dict(zip(names, values.tolist(), strict=True))

    def _batch_at(self, update: int) -> Batch:
        """The batch of one update."""
        if self._examples is None:
            return self.task.sample(self.batch, self._rng(FRESH, update))
        pass_number, part = divmod(update, self.examples // self.batch)
        if self.examples == self.batch:
            return self._examples
        order = self._rng(ORDER, pass_number).permutation(self.examples)
        rows = order[part * self.batch : (part + 1) * self.batch]
        examples = self._examples
        return Batch(examples.tokens[rows], examples.positions[rows], examples.targets[rows])

    def _rng(self, *purpose: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *purpose])

    def _arrays(self, batch: Batch) -> tuple[np.ndarray, ...]:
        return (
            np.ascontiguousarray(batch.tokens[:, : self.task.read]),
            batch.positions,
            batch.targets,
        )

    def _on_device(self, batch: Batch) -> tuple[Tensor, ...]:
        return tuple(torch.from_numpy(array).to(self.device) for array in self._arrays(batch))


def _divisor(count: int, target: int) -> int:
    """The divisor of ``count`` nearest to ``target``."""
    divisors = [n for n in range(1, count + 1) if count % n == 0]
    return min(divisors, key=lambda n: abs(n - target))
