"""A recipe's settings as something that can be trained: parameters, gradients, losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grokviz.models.exact_path import ExactPath
from grokviz.models.transformer import Shape, Transformer
from grokviz.tasks.modular_addition.data import ModularAddition
from grokviz.training.losses import PRECISIONS, cross_entropy
from grokviz.training.replay import Replay


class Losses(Protocol):
    """Loss and gradients on a fixed set of inputs."""

    def loss(self, weights: Mapping[str, Tensor]) -> float:
        """Mean loss."""

    def loss_and_gradients(
        self, weights: Mapping[str, Tensor], gradients: Mapping[str, Tensor]
    ) -> float:
        """Mean loss; the gradient overwrites ``gradients``."""

    def measured(
        self, weights: Mapping[str, Tensor], gradients: Mapping[str, Tensor] | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Mean loss, and with ``gradients`` those and the logits' gradient, left on the device."""


class PlainPath:
    """The same by the plain model and autograd: all three positions, nothing folded."""

    def __init__(
        self,
        model: nn.Module,
        tokens: Int[Tensor, "batch pos"],
        targets: Int[Tensor, " batch"],
        precision: torch.dtype,
    ) -> None:
        self.model, self.tokens, self.targets, self.precision = model, tokens, targets, precision

    def loss(self, weights: Mapping[str, Tensor]) -> float:
        """Mean cross entropy at the last position."""
        return self.measured(weights)[0].item()

    def loss_and_gradients(
        self, weights: Mapping[str, Tensor], gradients: Mapping[str, Tensor]
    ) -> float:
        """Mean cross entropy; autograd's gradient overwrites ``gradients``."""
        return self.measured(weights, gradients)[0].item()

    def measured(
        self, weights: Mapping[str, Tensor], gradients: Mapping[str, Tensor] | None = None
    ) -> tuple[Tensor, Float[Tensor, "batch classes"] | None]:
        """Mean cross entropy and, with ``gradients``, the gradient of the logits."""
        if gradients is None:
            with torch.no_grad():
                return self._loss(self._logits(weights)), None
        trained = {name: weights[name].detach().requires_grad_() for name in gradients}
        logits = self._logits({**weights, **trained})
        loss = self._loss(logits)
        *found, d_logits = torch.autograd.grad(loss, [*trained.values(), logits])
        for name, gradient in zip(trained, found, strict=True):
            gradients[name].copy_(gradient)
        return loss.detach(), d_logits

    def _logits(self, weights: Mapping[str, Tensor]) -> Tensor:
        logits: Tensor = torch.func.functional_call(self.model, dict(weights), (self.tokens,))
        return logits[:, -1]

    def _loss(self, logits: Tensor) -> Tensor:
        return cross_entropy(logits, self.targets, self.precision)


class Problem:
    """What the loop trains.

    Attributes:
        state: every tensor of the state dict, by its published name.
        trained: the names that are trained.
        counts: what one update is called, "epoch" or "step".

    """

    counts: str = "epoch"

    def __init__(self, model: nn.Module, device: torch.device) -> None:
        self.state = {name: tensor.detach() for name, tensor in model.state_dict().items()}
        self.trained = [name for name, _ in model.named_parameters()]
        self.device = device

    def train_metrics(self, epoch: int, gradients: Mapping[str, Tensor]) -> dict[str, float]:
        """``train_loss`` and what is logged beside it; the gradient overwrites ``gradients``."""
        raise NotImplementedError

    def test_metrics(self, epoch: int) -> dict[str, float]:
        """``test_loss`` and what is logged beside it; nothing where all data is fresh."""
        return {}


class ModularAdditionProblem(Problem):
    """Modular addition on the two halves of the split, full batch.

    Attributes:
        train, test: losses on the two halves of the split.
        records_norms: whether :data:`NORMS` are logged at every update.

    """

    NORMS = ("unembedding_norm", "logit_gradient_sum")
    """||W_U||, and the sum of the training loss's gradient over all pairs' logits: zero but for
    rounding, since each pair's probabilities sum to one (arXiv:2605.06152)."""

    def __init__(
        self,
        model: nn.Module,
        train: Losses,
        test: Losses,
        device: torch.device,
        records_norms: bool = False,
    ) -> None:
        super().__init__(model, device)
        self.train, self.test, self.records_norms = train, test, records_norms
        self._train: Replay | None = None
        self._test = Replay(lambda: test.measured(self.state)[0], device)

    def train_metrics(self, epoch: int, gradients: Mapping[str, Tensor]) -> dict[str, float]:
        """Training loss and gradient; the two norms where they are recorded."""
        if self._train is None:
            self._train = Replay(lambda: self._measure(gradients), self.device)
        found = self._train()
        assert found is not None
        values = found.tolist()
        return dict(zip(("train_loss", *self.NORMS), values, strict=False))

    def test_metrics(self, epoch: int) -> dict[str, float]:
        """Test loss."""
        found = self._test()
        assert found is not None
        return {"test_loss": found.item()}

    def _measure(self, gradients: Mapping[str, Tensor]) -> Tensor:
        loss, d_logits = self.train.measured(self.state, gradients)
        if not self.records_norms:
            return loss.unsqueeze(0)
        assert d_logits is not None
        norm = self.state["unembed.W_U"].norm().to(torch.float64)
        return torch.stack([loss.to(torch.float64), norm, d_logits.sum(dtype=torch.float64)])


def modular_addition(
    settings: Mapping[str, Any], device: torch.device, *, exact_path: bool = True
) -> ModularAdditionProblem:
    """Modular addition by the exact path, or by the plain model."""
    task = ModularAddition.from_settings(settings)
    shape = Shape(
        vocabulary=task.vocabulary,
        context=task.context,
        d_model=settings["d-model"],
        heads=settings["heads"],
        d_mlp=settings["d-mlp"],
        mlp_biases=settings["mlp-biases"],
        outputs=task.vocabulary if settings["equals-class"] else task.p,
        spread=0.8 / settings["d-model"] ** 0.5 if settings["init"] == "transformerlens" else None,
    )
    model = Transformer(shape, seed=settings["seed"]).to(device)
    precision = PRECISIONS[settings["loss-precision"]]
    tokens = torch.as_tensor(task.tokens, device=device)
    targets = torch.as_tensor(task.targets, device=device)

    def losses(pairs: Any) -> Losses:
        chosen = torch.as_tensor(pairs, device=device)
        if exact_path:
            a, b = tokens[chosen, 0], tokens[chosen, 1]
            return ExactPath(a, b, targets[chosen], task.p, precision)
        return PlainPath(model, tokens[chosen], targets[chosen], precision)

    train, test = losses(task.train), losses(task.test)
    return ModularAdditionProblem(model, train, test, device, settings["record-norms"])


def problem(
    task: str, settings: Mapping[str, Any], device: torch.device, *, exact_path: bool = True
) -> Problem:
    """The problem of a task: what ``grokviz train`` trains."""
    return PROBLEMS[task](settings, device, exact_path=exact_path)


def _sampled(task: str) -> Callable[..., Problem]:
    def made(
        settings: Mapping[str, Any], device: torch.device, *, exact_path: bool = True
    ) -> Problem:
        from grokviz.training.sampled import sampled

        return sampled(task, settings, device, exact_path=exact_path)

    return made


PROBLEMS: dict[str, Callable[..., Problem]] = {
    "modular-addition": modular_addition,
    "repeated-subsequence": _sampled("repeated-subsequence"),
    "digit-addition": _sampled("digit-addition"),
    "skip-trigram": _sampled("skip-trigram"),
}
