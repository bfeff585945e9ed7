"""An optimiser with a linear warm-up and a state that can be saved and restored bit for bit."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import torch
from torch import Tensor

from grokviz.errors import InputError
from grokviz.training.optimisers import rule_of
from grokviz.training.replay import Replay
from grokviz.training.settings import TrainingSettings


class Optimiser:
    """The optimiser of a run's settings; update t uses rate * min(t / warm-up, 1).

    The first update therefore has a rate of zero, as published: epochs 0 and 1 have the same loss.

    Args:
        parameters: trainable tensors by name; updated in place.
        settings: provides the optimiser, step size, weight decay, betas and warm-up.
        embeddings: names of the parameters that read tokens or write logits; those that say so
            by default, see :func:`grokviz.training.optimisers.rule.hidden_matrices`.

    Raises:
        InputError: the optimiser is for hidden matrices, and there are none.

    """

    def __init__(
        self,
        parameters: Mapping[str, Tensor],
        settings: TrainingSettings,
        embeddings: Collection[str] | None = None,
    ) -> None:
        self.parameters = dict(parameters)
        self.gradients = {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        for name, parameter in self.parameters.items():
            parameter.grad = self.gradients[name]
        self.rate, self.warm_up = settings.learning_rate, settings.warm_up
        self.updates = 0
        device = next(iter(self.parameters.values())).device
        rule = rule_of(settings.optimiser)
        captured = device.type == "cuda" and rule.capturable
        # a captured graph reads its step size from the device
        self._rate = torch.zeros((), device=device) if captured else None
        rate = self.rate if self._rate is None else self._rate
        self._parts = rule.parts(self.parameters, settings, rate, embeddings)
        groups = [group for part in self._parts for group in part.optimiser.param_groups]
        self._rates = [(group, group["lr"]) for group in groups]
        self._step = Replay(self._update, device if captured else torch.device("cpu"), self._state)

    def step(self) -> None:
        """Update the parameters with the current gradients."""
        share = min(self.updates / self.warm_up, 1.0) if self.warm_up else 1.0
        if self._rate is None:
            for group, rate in self._rates:
                group["lr"] = rate * share
        else:
            self._rate.fill_(self.rate * share)
        self._step()
        self.updates += 1

    def _update(self) -> None:
        for part in self._parts:
            part.optimiser.step()

    def _state(self) -> list[Tensor]:
        """The tensors that the warm-up of a captured graph must not change."""
        if not any(part.optimiser.state for part in self._parts):
            self._restore_buffers(_as_numpy(self.arrays()))
        states = [
            part.optimiser.state[tensor] for part in self._parts for tensor in part.tensors.values()
        ]
        buffers = (tensor for state in states for tensor in state.values())
        return [*self.parameters.values(), *buffers]

    def arrays(self) -> dict[str, Tensor]:
        """The weights, ``weights.<name>``, and what the optimiser keeps of each, as in
        ``exp_avg.<name>``.
        """
        state = {f"weights.{name}": tensor for name, tensor in self.parameters.items()}
        for part in self._parts:
            for name, tensor in part.tensors.items():
                buffers = part.optimiser.state.get(tensor, {})
                for buffer in part.buffers:
                    state[f"{buffer}.{name}"] = buffers.get(buffer, torch.zeros_like(tensor))
        return state

    def restore(self, arrays: Mapping[str, np.ndarray], updates: int) -> None:
        """Restore what :meth:`arrays` returned after ``updates`` updates.

        Raises ``InputError`` where the state was kept of other tensors.
        """
        missing = self.arrays().keys() - arrays.keys()
        if missing:
            raise InputError(
                f"the run was trained by an earlier version, by which {min(missing)} was not kept; "
                "train a new one with another --out"
            )
        self.updates = updates
        for name, parameter in self.parameters.items():
            parameter.copy_(torch.from_numpy(arrays[f"weights.{name}"]))
        if updates:  # before the first nothing is kept, and some begin otherwise than from zeros
            self._restore_buffers(arrays)

    def _restore_buffers(self, arrays: Mapping[str, np.ndarray]) -> None:
        for part in self._parts:
            for name, tensor in part.tensors.items():
                state: dict[str, Tensor] = {
                    buffer: torch.from_numpy(arrays[f"{buffer}.{name}"]).to(tensor.device)
                    for buffer in part.buffers
                }
                if part.counts_updates:
                    state["step"] = torch.tensor(float(self.updates), device=tensor.device)
                part.optimiser.state[tensor] = state


def _as_numpy(arrays: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.cpu().numpy() for name, tensor in arrays.items()}
