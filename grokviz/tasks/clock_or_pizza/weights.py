"""The weights of both networks under their published names, checked and in float64."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from grokviz.dataset.numerics.fourier import check_modulus
from grokviz.errors import InputError
from grokviz.models import published

ATTENTION = published.layers("blocks", 1)
SIDE_BY_SIDE: dict[str, tuple[str, ...]] = {
    "embed.W_E": ("d_model", "d_vocab"),
    "mlp.W_in": ("d_mlp", "2 d_model"),
    "mlp.b_in": ("d_mlp",),
    "unembed.W_U": ("d_mlp", "d_vocab_out"),
}


@dataclass(frozen=True, eq=False)
class AttentionWeights:
    """One layer of attention and one of neurons over two tokens (arXiv:2306.17844, its code)."""

    W_E: Float[np.ndarray, "d_model p"]
    W_pos: Float[np.ndarray, "2 d_model"]
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
        """Number of residues."""
        return int(self.W_E.shape[1])

    @property
    def width(self) -> int:
        """Number of neurons."""
        return int(self.W_in.shape[0])

    @property
    def output_by_head(self) -> Float[np.ndarray, "heads d_model d_head"]:
        """``W_O`` cut into heads."""
        heads, width = self.W_K.shape[:2]
        return self.W_O.reshape(-1, heads, width).transpose(1, 0, 2)


@dataclass(frozen=True, eq=False)
class SideBySideWeights:
    """Neurons that read the embeddings of a and of b side by side."""

    W_E: Float[np.ndarray, "d_model p"]
    W_in: Float[np.ndarray, "d_mlp 2*d_model"]
    b_in: Float[np.ndarray, " d_mlp"]
    W_U: Float[np.ndarray, "d_mlp p"]

    @property
    def p(self) -> int:
        """Number of residues."""
        return int(self.W_E.shape[1])

    @property
    def width(self) -> int:
        """Number of neurons."""
        return int(self.W_in.shape[0])

    @property
    def by_number(self) -> Float[np.ndarray, "2 d_mlp d_model"]:
        """What the neurons read of a, and of b."""
        return np.stack(np.split(self.W_in, 2, axis=1))


Weights = AttentionWeights | SideBySideWeights


def weights_of(state: Mapping[str, np.ndarray]) -> Weights:
    """Read a state dict of either network; other tensors are not looked at.

    Raises ``InputError`` for one that is neither, for wrong shapes, an even p, or more than two
    positions.
    """
    if any(name.startswith("blocks.1.") for name in state):
        raise InputError("clock and pizza are told of one layer; this network has more")
    attends = "blocks.0.attn.W_K" in state
    sizes: dict[str, int] = {}
    arrays: dict[str, np.ndarray] = {}
    for name, dims in (ATTENTION if attends else SIDE_BY_SIDE).items():
        if "2 d_model" in dims:
            sizes["2 d_model"] = 2 * sizes["d_model"]
        if published.is_optional(name) and name not in state:
            arrays[name] = np.zeros(sizes[dims[0]])
            continue
        arrays[name] = published.published_tensor(state, name, dims, sizes)
    if sizes["d_vocab_out"] != sizes["d_vocab"]:
        raise InputError(
            f"unembed.W_U has {sizes['d_vocab_out']} answers for {sizes['d_vocab']} numbers; a "
            "clock or a pizza has one for each number, and no sign for ="
        )
    if sizes.get("n_ctx", 2) != 2:
        raise InputError(
            f"pos_embed.W_pos has {sizes['n_ctx']} positions; a clock or a pizza reads a and b "
            "alone, so it needs 2"
        )
    check_modulus(sizes["d_vocab"])
    kind = AttentionWeights if attends else SideBySideWeights
    return kind(**{name.rsplit(".", 1)[1]: array for name, array in arrays.items()})
