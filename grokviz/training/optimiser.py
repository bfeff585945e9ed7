"""AdamW with a linear warm-up and a state that can be saved and restored bit for bit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from grokviz.training.replay import Replay
from grokviz.training.settings import TrainingSettings

MOMENTS = ("exp_avg", "exp_avg_sq")


class Optimiser:
    """Decoupled weight decay on every trained parameter; update t uses rate * min(t / warm-up, 1).

    The first update therefore has a rate of zero, as published: epochs 0 and 1 have the same loss.

    Args:
        parameters: trainable tensors by name; updated in place.
        settings: provides step size, weight decay, betas and warm-up.

    """

    def __init__(self, parameters: Mapping[str, Tensor], settings: TrainingSettings) -> None:
        self.parameters = dict(parameters)
        self.gradients = {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        for name, parameter in self.parameters.items():
            parameter.grad = self.gradients[name]
        self.rate, self.warm_up = settings.learning_rate, settings.warm_up
        self.updates = 0
        device = next(iter(self.parameters.values())).device
        on_cuda = device.type == "cuda"
        # a captured graph reads its step size from the device
        self._rate = torch.zeros((), device=device) if on_cuda else None
        self._adam = torch.optim.AdamW(
            list(self.parameters.values()),
            lr=self.rate if self._rate is None else self._rate,
            capturable=on_cuda,
            betas=settings.betas,
            eps=1e-8,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        self._step = Replay(self._adam.step, device, self._state)

    def step(self) -> None:
        """Update the parameters with the current gradients."""
        share = min(self.updates / self.warm_up, 1.0) if self.warm_up else 1.0
        if self._rate is None:
            self._adam.param_groups[0]["lr"] = self.rate * share
        else:
            self._rate.fill_(self.rate * share)
        self._step()
        self.updates += 1

    def _state(self) -> list[Tensor]:
        """The tensors that the warm-up of a captured graph must not change."""
        if not self._adam.state:
            self.restore(_as_numpy(self.arrays()), self.updates)
        states = (self._adam.state[parameter].values() for parameter in self.parameters.values())
        return [*self.parameters.values(), *(tensor for state in states for tensor in state)]

    def arrays(self) -> dict[str, Tensor]:
        """Weights and moments: ``weights.<name>``, ``exp_avg.<name>``, ``exp_avg_sq.<name>``."""
        state = {f"weights.{name}": tensor for name, tensor in self.parameters.items()}
        for name, parameter in self.parameters.items():
            adam_state = self._adam.state.get(parameter, {})
            for moment in MOMENTS:
                state[f"{moment}.{name}"] = adam_state.get(moment, torch.zeros_like(parameter))
        return state

    def restore(self, arrays: Mapping[str, np.ndarray], updates: int) -> None:
        """Restore what :meth:`arrays` returned after ``updates`` updates."""
        self.updates = updates
        for name, parameter in self.parameters.items():
            parameter.copy_(torch.from_numpy(arrays[f"weights.{name}"]))
            adam_state: dict[str, Tensor] = {
                "step": torch.tensor(float(updates), device=parameter.device)
            }
            for moment in MOMENTS:
                adam_state[moment] = torch.from_numpy(arrays[f"{moment}.{name}"]).to(
                    parameter.device
                )
            self._adam.state[parameter] = adam_state


def _as_numpy(arrays: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.cpu().numpy() for name, tensor in arrays.items()}
