"""Runs the same computation again and again: on a CUDA device as one captured graph.

Models as small as these leave a GPU waiting for Python to launch the next kernel; a graph
launches them all at once (measured: see docs/speed.md).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

WARM_UPS = 3


class Replay:
    """A computation on fixed tensors: its inputs change in place, its output is one tensor.

    Args:
        compute: reads and writes the same tensors at each call, and never waits for the device.
        device: where it runs; anything but CUDA calls it as it is.
        state: gives the tensors that warming up must leave as they were.

    """

    def __init__(
        self,
        compute: Callable[[], Tensor | None],
        device: torch.device,
        state: Callable[[], list[Tensor]] = list,
    ) -> None:
        self.compute, self.device, self.state = compute, device, state
        self.graph: torch.cuda.CUDAGraph | None = None
        self.output: Tensor | None = None

    def __call__(self) -> Tensor | None:
        """The output, valid until the next call."""
        if self.device.type != "cuda":
            return self.compute()
        if self.graph is None:
            self._capture()
        assert self.graph is not None
        self.graph.replay()
        return self.output

    def _capture(self) -> None:
        before = [(tensor, tensor.clone()) for tensor in self.state()]
        beside = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
        beside.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(beside):
            for _ in range(WARM_UPS):
                self.compute()
        torch.cuda.current_stream(self.device).wait_stream(beside)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.output = self.compute()
        for tensor, value in before:
            tensor.copy_(value)
