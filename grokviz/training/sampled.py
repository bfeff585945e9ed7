"""Tasks whose sequences are drawn: fresh ones at every update, or a fixed number of them."""

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
from grokviz.training.losses import PRECISIONS
from grokviz.training.problem import ModelProblem
from grokviz.training.replay import Replay
from grokviz.training.settings import SampledSettings

FIXED, TEST, FRESH, ORDER = range(4)
"""What a random stream is for: each is seeded by data-seed and this number."""


@dataclass(frozen=True)
class HowScored:
    """How a problem's sequences are scored.

    Attributes:
        skip_weight: factor of the residual stream that is added to the heads' output.
        exact_path: whether logits are computed at the scored positions alone.
        by_token: whether the loss of each scored position is logged by itself.

    """

    skip_weight: int = 1
    exact_path: bool = True
    by_token: bool = False


class SampledProblem(ModelProblem):
    """Sequences of a task, in batches.

    Everything drawn depends on ``data-seed`` and the number of the update alone, so a resumed
    run sees what an unbroken one would have seen.

    Args:
        data: what the sequences are drawn from.
        model: the network, on ``device``.
        settings: how many sequences there are, and in which batches.
        device: where it is trained.
        how: how sequences are scored.

    """

    def __init__(
        self,
        data: SampledData,
        model: nn.Module,
        settings: SampledSettings,
        device: torch.device,
        how: HowScored = HowScored(),  # frozen
    ) -> None:
        super().__init__(model, device)
        self.task, self.model = data, model
        self.skip_weight, self.exact_path = how.skip_weight, how.exact_path
        self.examples, self.batch = settings.examples, settings.batch
        if self.examples % self.batch:
            raise InputError(
                f"examples = {self.examples} does not divide into batches of {self.batch}; "
                f"give a batch that divides it, such as {_divisor(self.examples, self.batch)}"
            )
        if self.examples != self.batch:
            self.counts = "step"
        self.seed = settings.data_seed
        self.precision = PRECISIONS[settings.loss_precision]
        self.names = [f"token_{i}" for i in range(data.scored)] if how.by_token else []
        self._fixed = data.sample(self.examples, self._rng(FIXED)) if self.examples else None
        self._given = self._on_device(self._batch_at(0))
        self._train: Replay | None = None
        self._test: Replay | None = None
        if self._fixed is not None:
            held_out = data.sample(settings.test_examples, self._rng(TEST))
            given = self._on_device(held_out)
            self._test = Replay(lambda: self._measure(given, None), device)

    def train_metrics(self, epoch: int, gradients: Mapping[str, Tensor]) -> dict[str, float]:
        """Mean loss of this update's batch, and of each digit of an answer."""
        if self._train is None:
            self._train = Replay(lambda: self._measure(self._given, gradients), self.device)
        if self.examples != self.batch:
            for now, new in zip(self._given, self._arrays(self._batch_at(epoch)), strict=True):
                now.copy_(torch.from_numpy(new))
        return self._named("train_loss", self._train())

    def test_metrics(self, epoch: int) -> dict[str, float]:
        """The same on held-out sequences; nothing where every batch is fresh."""
        return self._named("test_loss", self._test()) if self._test else {}

    def _measure(
        self, given: tuple[Tensor, ...], gradients: Mapping[str, Tensor] | None
    ) -> Float[Tensor, " metric"]:
        if gradients is None:
            with torch.no_grad():
                return self._summary(self._losses(self.state, given))
        trained = {name: self.state[name].detach().requires_grad_() for name in gradients}
        losses = self._losses({**self.state, **trained}, given)
        grads = torch.autograd.grad(losses.mean(), list(trained.values()))
        for name, gradient in zip(trained, grads, strict=True):
            gradients[name].copy_(gradient)
        return self._summary(losses.detach())

    def _losses(
        self, weights: Mapping[str, Tensor], given: tuple[Tensor, ...]
    ) -> Float[Tensor, "batch scored"]:
        tokens, positions, targets = given
        if self.exact_path:
            logits = scored_logits(weights, tokens, positions, self.skip_weight)
        else:
            rows = torch.arange(len(tokens), device=self.device).unsqueeze(1)
            everywhere = torch.func.functional_call(self.model, dict(weights), (tokens,))
            logits = everywhere[rows, positions]
        log_probabilities = logits.to(self.precision).log_softmax(dim=-1)
        return -log_probabilities.gather(-1, targets.unsqueeze(-1)).squeeze(-1)

    def _summary(self, losses: Float[Tensor, "batch scored"]) -> Float[Tensor, " metric"]:
        mean = losses.mean().unsqueeze(0)
        return torch.cat([mean, losses.mean(0)]) if self.names else mean

    def _named(self, name: str, values: Tensor | None) -> dict[str, float]:
        assert values is not None
        names = [name, *(f"{name}_{token}" for token in self.names)]
        return dict(zip(names, values.tolist(), strict=True))

    def _batch_at(self, update: int) -> Batch:
        """What one update is trained on."""
        if self._fixed is None:
            return self.task.sample(self.batch, self._rng(FRESH, update))
        turn, part = divmod(update, self.examples // self.batch)
        if self.examples == self.batch:
            return self._fixed
        order = self._rng(ORDER, turn).permutation(self.examples)
        rows = order[part * self.batch : (part + 1) * self.batch]
        fixed = self._fixed
        return Batch(fixed.tokens[rows], fixed.positions[rows], fixed.targets[rows])

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


def _divisor(count: int, near: int) -> int:
    """The divisor of ``count`` nearest to ``near``."""
    divisors = [n for n in range(1, count + 1) if count % n == 0]
    return min(divisors, key=lambda n: abs(n - near))
