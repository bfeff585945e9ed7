"""Repetition of one computation, on a CUDA device as a captured graph.

With models as small as these a GPU waits for Python to launch each kernel; a graph launches
them all at once (measurements: docs/speed.md).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

WARM_UPS = 3


class Replay:
    """A computation on fixed tensors: its inputs change in place, its output is one tensor.

    Args:
        compute: reads and writes the same tensors at each call, and never synchronises.
        device: where it runs; on anything but CUDA it is simply called.
        state: returns the tensors that the warm-up must not change.

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
        side_stream = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
        side_stream.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(side_stream):
            for _ in range(WARM_UPS):
                self.compute()
        torch.cuda.current_stream(self.device).wait_stream(side_stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.output = self.compute()
        for tensor, value in before:
            tensor.copy_(value)
