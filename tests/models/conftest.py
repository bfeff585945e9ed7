"""Small modular addition problems on both paths, and how far their gradients are apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from grokviz.models.kernels import ONEDNN, Kernels, using
from grokviz.task import recipe
from grokviz.tasks.modular_addition.problem import problem as modular_addition
from grokviz.training.optimiser import Optimiser
from grokviz.training.problem import ModelProblem as Problem

SMALL = {"p": 13, "d-model": 16, "heads": 2, "d-mlp": 24, "train-fraction": 0.5}


class Both:
    """One set of settings by the exact path and by the plain model, from the same weights.

    The exact path is that of tables with ``compile_loops``.
    """

    def __init__(self, *, compile_loops: bool = False, **given: Any) -> None:
        given = {name.replace("_", "-"): value for name, value in given.items()}
        self.settings = recipe("modular-addition").read({**SMALL, **given})
        cpu = torch.device("cpu")
        with using(Kernels(ONEDNN, compile_loops=compile_loops)):
            self.exact: Problem = modular_addition(self.settings, cpu, exact_path=True)
        self.plain: Problem = modular_addition(self.settings, cpu, exact_path=False)

    def gradients(
        self, problem: Problem, state: Mapping[str, Tensor]
    ) -> tuple[float, dict[str, Tensor]]:
        # filled, so that a gradient that is not written shows
        into = {name: torch.full_like(state[name], 1e3) for name in problem.trained}
        return problem.train.loss_and_gradients(state, into), into

    def differences(self, state: Mapping[str, Tensor], floor: float = 0.0) -> dict[str, float]:
        """Of both losses and each gradient, relative to the norm of the plain model's.

        ``floor`` is the share of the whole gradient's norm below which a part of it counts as
        nothing: such a part is all rounding.
        """
        loss, exact = self.gradients(self.exact, state)
        expected, plain = self.gradients(self.plain, state)
        assert exact.keys() == plain.keys() == set(self.plain.trained)
        whole = torch.cat([gradient.flatten() for gradient in plain.values()]).norm()
        apart = {
            name: ((exact[name] - gradient).norm() / gradient.norm().clamp(min=floor * whole))
            for name, gradient in plain.items()
        }
        test = self.exact.test.loss(state) / self.plain.test.loss(state)
        return {
            "train loss": abs(loss / expected - 1),
            "test loss": abs(test - 1),
            **{name: difference.item() for name, difference in apart.items()},
        }

    def train(self, problem: Problem, updates: int) -> list[float]:
        trained = {name: problem.state[name] for name in problem.trained}
        optimiser = Optimiser(trained, self.settings)
        losses = []
        for _ in range(updates):
            losses.append(problem.train.loss_and_gradients(problem.state, optimiser.gradients))
            optimiser.step()
        return losses


@pytest.fixture(scope="session")
def both() -> type[Both]:
    return Both
