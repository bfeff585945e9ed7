"""The runs and checkpoints of transformers with LayerNorm, as their measures see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from grokviz.dataset.checkpoint import Checkpoint, RunView
from grokviz.dataset.numerics.fourier import check_modulus
from grokviz.errors import InputError
from grokviz.tasks.layernorm_addition.data import PairTokens
from grokviz.tasks.layernorm_addition.forward import all_logits

HEADS = 4
"""Attention heads of a run that does not say it: those of the published one."""

EMBED, UNEMBED, QKV = "embed.weight", "unembed.weight", "blocks.0.qkv.weight"


def residues(state: Mapping[str, np.ndarray]) -> int:
    """The number of residues; ``InputError`` where the tensors are none of such a model."""
    missing = [name for name in (EMBED, UNEMBED, QKV) if name not in state]
    if missing:
        raise InputError(f"the model has no {missing[0]}, as a transformer with LayerNorm has")
    shapes = {name: np.shape(state[name]) for name in (EMBED, UNEMBED, QKV)}
    tokens, width = shapes[EMBED] if len(shapes[EMBED]) == 2 else (0, 0)
    if shapes[UNEMBED] != (tokens, width) or shapes[QKV] != (3 * width, width):
        raise InputError(
            f"{EMBED} is {shapes[EMBED]}, {UNEMBED} {shapes[UNEMBED]} and {QKV} {shapes[QKV]}; "
            "they should be (p + 1, width) twice, and (3 width, width)"
        )
    check_modulus(tokens - 1)
    return int(tokens) - 1


def number_embedding(state: Mapping[str, np.ndarray]) -> Float[np.ndarray, "width residue"]:
    """The embedding of the residues, without "=", in float64."""
    embedding: np.ndarray = np.asarray(state[EMBED], dtype=np.float64)[: residues(state)].T
    return embedding


@dataclass
class LayerNormCheckpoint(Checkpoint):
    """The weights of one epoch, and intermediates shared by several measures."""

    _logits: dict[int, Float[np.ndarray, "pairs token"]] = field(
        default_factory=dict, init=False, repr=False
    )

    @cached_property
    def number_embedding(self) -> Float[np.ndarray, "width residue"]:
        """The embedding of the residues, without "=", in float64."""
        return number_embedding(self.state)

    def logits(self, heads: int) -> Float[np.ndarray, "pairs token"]:
        """The logits of all pairs, computed once."""
        if heads not in self._logits:
            pairs = PairTokens(residues(self.state))
            self._logits[heads] = all_logits(self.state, pairs.tokens, heads)
        return self._logits[heads]


@dataclass
class LayerNormRun(RunView):
    """Everything that is constant along a run."""

    checkpoint_type = LayerNormCheckpoint

    @classmethod
    def check_model(cls, state: Mapping[str, np.ndarray], settings: Mapping[str, Any]) -> None:
        """Raise InputError unless it is such a model, of the run's p where that is known."""
        p = residues(state)
        if settings.get("p", p) != p:
            raise InputError(
                f"the model has {p} residues, so p is {p} and not {settings['p']}; give that"
            )

    @cached_property
    def p(self) -> int:
        """The number of residues."""
        return residues(self.last.state)

    @cached_property
    def heads(self) -> int:
        """The number of attention heads, which the weights do not say."""
        return int(self.settings.get("heads", HEADS))

    @cached_property
    def is_train(self) -> Bool[np.ndarray, " pairs"] | None:
        """The mask of training pairs, or None if the split is unknown."""
        return PairTokens.trained_on(self, self.p, f"its weights have {self.p} residues")
