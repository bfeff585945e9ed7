"""The weights of a two-layer network under its published names, checked and in float64."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from grokviz.dataset.numerics.fourier import check_modulus
from grokviz.errors import InputError

W_IN, W_OUT = "mlp.W_in", "mlp.W_out"


@dataclass(frozen=True, eq=False)
class TwoLayerWeights:
    """What each neuron gives a number as a and as b, and gives each answer.

    Attributes:
        layers: (layer, neuron, residue): ``input`` and ``output`` of summed inputs, else
            ``input a``, ``input b`` and ``output``.
        summed: whether a and b enter by the same weights.

    """

    layers: Float[np.ndarray, "layer neuron residue"]
    summed: bool

    @property
    def p(self) -> int:
        """Number of residues."""
        return int(self.layers.shape[2])

    @property
    def width(self) -> int:
        """Number of neurons."""
        return int(self.layers.shape[1])

    @property
    def names(self) -> list[str]:
        """The layers by name."""
        return ["input", "output"] if self.summed else ["input a", "input b", "output"]

    @property
    def of_a(self) -> Float[np.ndarray, "neuron residue"]:
        """What a gives each neuron."""
        weights: Float[np.ndarray, "neuron residue"] = self.layers[0]
        return weights

    @property
    def of_b(self) -> Float[np.ndarray, "neuron residue"]:
        """What b gives each neuron."""
        weights: Float[np.ndarray, "neuron residue"] = self.layers[-2]
        return weights

    @property
    def output(self) -> Float[np.ndarray, "neuron residue"]:
        """What each neuron gives each answer."""
        weights: Float[np.ndarray, "neuron residue"] = self.layers[-1]
        return weights

    @classmethod
    def of(cls, state: Mapping[str, np.ndarray]) -> TwoLayerWeights:
        """Read a state dict with ``mlp.W_in`` and ``mlp.W_out``; others are not looked at.

        Raises ``InputError`` for missing matrices, other shapes, or an even p.
        """
        missing = [name for name in (W_IN, W_OUT) if name not in state]
        if missing:
            raise InputError(f"the model has no {missing[0]}, as a network of two layers has")
        w_in, w_out = (np.asarray(state[name], dtype=np.float64) for name in (W_IN, W_OUT))
        if w_in.ndim != 2 or w_out.ndim != 2 or w_in.shape[0] != w_out.shape[1]:
            raise InputError(
                f"{W_IN} is {w_in.shape} and {W_OUT} {w_out.shape}; they should be (width, p) or "
                "(width, 2p), and (p, width)"
            )
        p = w_out.shape[0]
        if w_in.shape[1] not in (p, 2 * p):
            raise InputError(
                f"{W_IN} has {w_in.shape[1]} columns for {p} answers; it should have {p} for "
                f"summed inputs, or {2 * p} for concatenated ones"
            )
        check_modulus(p)
        parts = np.split(w_in, w_in.shape[1] // p, axis=1)
        return cls(np.stack([*parts, w_out.T]), summed=len(parts) == 1)

    def state(self) -> dict[str, Float[np.ndarray, "rows columns"]]:
        """The state dict, in float32."""
        w_in = np.concatenate(self.layers[:-1], axis=1)
        return {
            W_IN: w_in.astype(np.float32),
            W_OUT: np.ascontiguousarray(self.output.T, dtype=np.float32),
        }
