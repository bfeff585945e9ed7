"""The network of two layers, without biases, in torch: how it is begun and what it computes.

Source: arXiv:2602.16849 and its code; inputs side by side as in arXiv:2301.02679.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grokviz.dataset.numerics.fourier import fourier_basis, frequencies
from grokviz.tasks.two_layer_addition.settings import TwoLayerSettings
from grokviz.tasks.two_layer_addition.weights import W_IN, W_OUT


class TwoLayerNetwork(nn.Module):
    """logits = W_out σ(W_in x), where x has ones at a and at b.

    ``W_in`` is (width, p) for summed and (width, 2p) for concatenated inputs, ``W_out`` (p, width).
    """

    def __init__(self, settings: TwoLayerSettings) -> None:
        super().__init__()
        p, width = settings.p, settings.width
        self.p, self.quadratic = p, settings.activation == "quadratic"
        self.summed = settings.inputs == "summed"
        columns = p if self.summed else 2 * p
        rng = torch.Generator().manual_seed(settings.seed)
        draw = _single_waves if settings.init == "single" else _random
        weights = draw(settings, columns, rng)
        self.mlp = nn.ParameterDict(
            {W_IN.removeprefix("mlp."): weights[0], W_OUT.removeprefix("mlp."): weights[1]}
        )
        assert self.mlp["W_out"].shape == (p, width)

    def inputs(self, numbers: Int[Tensor, "2 pairs"]) -> Float[Tensor, "pairs column"]:
        """The input of each pair: the sum of the two one-hot vectors, or both side by side."""
        hot = [nn.functional.one_hot(one, self.p).to(torch.float32) for one in numbers]
        return hot[0] + hot[1] if self.summed else torch.cat(hot, dim=1)

    def forward(self, x: Float[Tensor, "pairs column"]) -> Float[Tensor, "pairs residue"]:
        """The logits of each pair."""
        before = x @ self.mlp["W_in"].T
        after = before.square() if self.quadratic else before.relu()
        logits: Tensor = after @ self.mlp["W_out"].T
        return logits


def _random(
    settings: TwoLayerSettings, columns: int, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Independent normal numbers, scale / √p wide, drawn in the published order."""
    spread = settings.scale / math.sqrt(settings.p)
    w_in = spread * torch.randn(settings.width, columns, generator=rng)
    return w_in, spread * torch.randn(settings.p, settings.width, generator=rng)


def _single_waves(
    settings: TwoLayerSettings, columns: int, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """One wave a neuron, the frequencies dealt evenly and shuffled, phases at random.

    Each is scale * sqrt(p / 2) long, so that its largest weight is about ``scale``.
    """
    p, width = settings.p, settings.width
    every = torch.as_tensor(frequencies(p))
    dealt = every.repeat(-(-width // len(every)))[:width]
    own = dealt[torch.randperm(width, generator=rng)]
    basis = torch.tensor(fourier_basis(p), dtype=torch.float32)
    cosines, sines = basis[2 * own - 1], basis[2 * own]

    def rows() -> Float[Tensor, "width p"]:
        plane = torch.randn(width, 2, generator=rng)
        plane = plane / plane.norm(dim=1, keepdim=True) * settings.scale * math.sqrt(p / 2)
        wave: Tensor = plane[:, :1] * cosines + plane[:, 1:] * sines
        return wave

    w_in = torch.cat([rows() for _ in range(columns // p)], dim=1)
    return w_in, rows().T.contiguous()
