"""The validated float64 weights of a one-layer modular-addition model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from grokviz.dataset.numerics.fourier import check_modulus
from grokviz.errors import InputError
from grokviz.models import published

# ordered so that each shape depends only on its own sizes and those of earlier ones
SHAPES: dict[str, tuple[str, ...]] = published.layers("blocks", 1)


@dataclass(frozen=True, eq=False)
class ModularAdditionWeights:
    """One checkpoint of the one-layer transformer that adds modulo ``p``.

    Names and shapes are the published ones (arXiv:2301.05217, section 3). ``W_E`` keeps
    its '=' column, the last of p + 1; ``W_U`` has no '=' class, as in the paper's analysis.
    Missing biases are zeros.
    """

    W_E: Float[np.ndarray, "d_model p+1"]
    W_pos: Float[np.ndarray, "3 d_model"]
    W_K: Float[np.ndarray, "heads d_head d_model"]
    W_Q: Float[np.ndarray, "heads d_head d_model"]
    W_V: Float[np.ndarray, "heads d_head d_model"]
    W_O: Float[np.ndarray, "d_model heads*d_head"]
    W_in: Float[np.ndarray, "d_mlp d_model"]
    b_in: Float[np.ndarray, " d_mlp"]
    W_out: Float[np.ndarray, "d_model d_mlp"]
    b_out: Float[np.ndarray, " d_model"]
    W_U: Float[np.ndarray, "d_model p"]

    @property
    def p(self) -> int:
        """The modulus, which is the number of number tokens."""
        return int(self.W_E.shape[1] - 1)

    @property
    def d_model(self) -> int:
        """Width of the residual stream."""
        return int(self.W_E.shape[0])

    @property
    def heads(self) -> int:
        """Number of attention heads."""
        return int(self.W_K.shape[0])

    @property
    def d_head(self) -> int:
        """Width of a head's queries, keys and values."""
        return int(self.W_K.shape[1])

    @property
    def d_mlp(self) -> int:
        """Number of neurons."""
        return int(self.W_in.shape[0])

    @property
    def number_embedding(self) -> Float[np.ndarray, "d_model p"]:
        """The embedding of the number tokens, without '='."""
        return self.W_E[:, :-1]

    @property
    def equals(self) -> Float[np.ndarray, " d_model"]:
        """The residual stream at '=' before the layer: its embedding plus its position's."""
        vector: Float[np.ndarray, " d_model"] = self.W_E[:, -1] + self.W_pos[2]
        return vector

    @property
    def output_by_head(self) -> Float[np.ndarray, "heads d_model d_head"]:
        """``W_O`` cut into heads."""
        return self.W_O.reshape(self.d_model, self.heads, self.d_head).transpose(1, 0, 2)

    @classmethod
    def of(cls, state_dict: Mapping[str, np.ndarray]) -> ModularAdditionWeights:
        """Check ``state_dict`` (published names) and take its weights as float64.

        Raises :class:`InputError` for a model of more than one layer, a tensor that is
        missing, of the wrong shape or not finite, and an even modulus.
        """
        _one_layer(state_dict)
        sizes: dict[str, int] = {}
        arrays: dict[str, np.ndarray] = {}
        for name, dims in SHAPES.items():
            if published.is_optional(name) and name not in state_dict:
                arrays[name] = np.zeros(sizes[dims[0]])
                continue
            arrays[name] = published.published_tensor(state_dict, name, dims, sizes)
        p = sizes["d_vocab"] - 1
        check_modulus(p)
        if sizes["n_ctx"] < 3:
            raise InputError(
                f"pos_embed.W_pos has {sizes['n_ctx']} positions; modular addition reads a, b and "
                "'=', so it needs 3"
            )
        if sizes["d_vocab_out"] not in (p, p + 1):
            raise InputError(
                f"unembed.W_U has {sizes['d_vocab_out']} classes; a model with {p + 1} tokens "
                f"answers with {p} or {p + 1}"
            )
        arrays["pos_embed.W_pos"] = arrays["pos_embed.W_pos"][:3]
        arrays["unembed.W_U"] = arrays["unembed.W_U"][:, :p]
        return cls(**{name.rsplit(".", 1)[1]: array for name, array in arrays.items()})


def _one_layer(state_dict: Mapping[str, np.ndarray]) -> None:
    matches = (re.match(r"(?:attn_)?blocks\.(\d+)\.", name) for name in state_dict)
    layers = {int(match[1]) for match in matches if match}
    if len(layers) > 1:
        raise InputError(
            f"modular-addition measures need a one-layer model; this one has {len(layers)}"
        )
