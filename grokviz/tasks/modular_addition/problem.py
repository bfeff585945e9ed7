"""The training problem of modular addition: full batch, on both parts of the split."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn

from grokviz.models import kernels
from grokviz.models.transformer import Shape, Transformer
from grokviz.tasks.modular_addition.exact_path import ExactPath
from grokviz.tasks.modular_addition.settings import ModularAdditionSettings
from grokviz.tasks.modular_addition.table_path import TablePath
from grokviz.training.losses import PRECISIONS
from grokviz.training.problem import Losses, ModelProblem, PlainPath
from grokviz.training.replay import Replay


class ModularAdditionProblem(ModelProblem):
    """Modular addition on both parts of the split, full batch.

    Attributes:
        train, test: losses on the two parts of the split.
        records_norms: whether :data:`NORMS` are logged at every update.
        accuracy_of: the plain losses whose accuracy is logged with the test loss, if any.

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
        self.accuracy_of: PlainPath | None = None
        self._train: Replay | None = None
        self._test = Replay(self._measure_test, device)

    def train_metrics(self, epoch: int, gradients: Mapping[str, Tensor]) -> dict[str, float]:
        """Training loss and gradient, and the two norms if ``records_norms``."""
        if self._train is None:
            self._train = Replay(lambda: self._measure(gradients), self.device)
        metrics = self._train()
        assert metrics is not None
        values = metrics.tolist()
        return dict(zip(("train_loss", *self.NORMS), values, strict=False))

    def test_metrics(self, epoch: int) -> dict[str, float]:
        """Test loss, and accuracy if ``accuracy_of``."""
        metrics = self._test()
        assert metrics is not None
        return dict(zip(("test_loss", "test_accuracy"), metrics.tolist(), strict=False))

    def _measure_test(self) -> Tensor:
        loss = self.test.loss_tensors(self.state)[0].to(torch.float64)
        if self.accuracy_of is None:
            return loss.unsqueeze(0)
        return torch.stack([loss, self.accuracy_of.accuracy(self.state)])

    def _measure(self, gradients: Mapping[str, Tensor]) -> Tensor:
        loss, d_logits = self.train.loss_tensors(self.state, gradients)
        if not self.records_norms:
            return loss.unsqueeze(0)
        assert d_logits is not None
        norm = self.state["unembed.W_U"].norm().to(torch.float64)
        return torch.stack([loss.to(torch.float64), norm, d_logits.sum(dtype=torch.float64)])


def problem(
    settings: ModularAdditionSettings, device: torch.device, *, exact_path: bool = True
) -> ModularAdditionProblem:
    """The problem by the exact path, or by the plain model."""
    data = settings.data
    shape = Shape(
        vocabulary=data.vocabulary,
        context=data.context,
        d_model=settings.d_model,
        heads=settings.heads,
        d_mlp=settings.d_mlp,
        mlp_biases=settings.mlp_biases,
        outputs=data.vocabulary if settings.equals_class else data.p,
        spread=0.8 / settings.d_model**0.5 if settings.init == "transformerlens" else None,
    )
    model = Transformer(shape, seed=settings.seed).to(device)
    precision = PRECISIONS[settings.loss_precision]
    tokens = torch.as_tensor(data.tokens, device=device)
    targets = torch.as_tensor(data.targets, device=device)
    tables = exact_path and device.type == "cpu" and kernels.current().compile_loops()
    path = TablePath if tables else ExactPath

    def plain(pairs: Int[np.ndarray, " some"]) -> PlainPath:
        rows = torch.as_tensor(pairs, device=device)
        return PlainPath(model, tokens[rows], targets[rows], precision, settings.loss)

    def losses(pairs: Int[np.ndarray, " some"]) -> Losses:
        if not exact_path:
            return plain(pairs)
        rows = torch.as_tensor(pairs, device=device)
        a, b = tokens[rows, 0], tokens[rows, 1]
        return path(a, b, targets[rows], data.p, precision, settings.loss)

    train, test = losses(data.train), losses(data.test)
    training = ModularAdditionProblem(model, train, test, device, settings.record_norms)
    if settings.record_accuracy:
        training.accuracy_of = plain(data.test)
    return training
