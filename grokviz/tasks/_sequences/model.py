"""The models of the sequence tasks in float64: attention layers with optional MLPs.

No LayerNorm, learned positions, a causal softmax; names and shapes are the published ones
(arXiv:2301.05217, section 3, and the non-modular notebook).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from grokviz.errors import InputError
from grokviz.models import published
from grokviz.models.published import published_tensor

CHUNK = 16
"""Number of sequences per chunk, chosen so that a chunk's arrays stay in the processor's cache."""


@dataclass(frozen=True, eq=False)
class MLP:
    """One hidden layer of ReLU neurons."""

    W_in: Float[np.ndarray, "d_mlp d_model"]
    b_in: Float[np.ndarray, " d_mlp"]
    W_out: Float[np.ndarray, "d_model d_mlp"]
    b_out: Float[np.ndarray, " d_model"]

    def __call__(self, residual: Float[np.ndarray, "*any d_model"]) -> np.ndarray:
        """The MLP's output, which is added to the residual stream."""
        neurons = residual @ self.W_in.T
        neurons += self.b_in
        out: np.ndarray = np.maximum(neurons, 0, out=neurons) @ self.W_out.T + self.b_out
        return out


@dataclass(frozen=True, eq=False)
class Layer:
    """An attention layer with an optional MLP."""

    W_K: Float[np.ndarray, "heads d_head d_model"]
    W_Q: Float[np.ndarray, "heads d_head d_model"]
    W_V: Float[np.ndarray, "heads d_head d_model"]
    W_O: Float[np.ndarray, "d_model heads*d_head"]
    mlp: MLP | None

    def pattern(
        self, residual: Float[np.ndarray, "batch pos d_model"]
    ) -> Float[np.ndarray, "batch heads pos pos"]:
        """Attention of every query to every key at or before it; rows sum to 1."""
        queries, keys = self._project(self.W_Q, residual), self._project(self.W_K, residual)
        scores: np.ndarray = queries @ keys.swapaxes(-1, -2)
        scores /= np.sqrt(self.W_K.shape[1])
        is_later = np.triu(np.ones(scores.shape[-2:], dtype=bool), 1)
        scores[..., is_later] = -np.inf
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        return scores

    def head_output(
        self,
        pattern: Float[np.ndarray, "batch heads pos pos"],
        residual: Float[np.ndarray, "batch pos d_model"],
    ) -> Float[np.ndarray, "batch pos d_model"]:
        """The summed output of the heads."""
        mixture = (pattern @ self._project(self.W_V, residual)).swapaxes(1, 2)
        out: np.ndarray = mixture.reshape(*residual.shape[:2], -1) @ self.W_O.T
        return out

    def heads_at(
        self,
        residual: Float[np.ndarray, "batch pos d_model"],
        positions: Int[np.ndarray, "batch scored"],
    ) -> Float[np.ndarray, "batch scored d_model"]:
        """The summed output of the heads at ``positions`` alone: all that a last layer needs."""
        rows = np.arange(len(residual))[:, None]
        queries = self._project(self.W_Q, residual[rows, positions])
        scores: np.ndarray = queries @ self._project(self.W_K, residual).swapaxes(-1, -2)
        scores /= np.sqrt(self.W_K.shape[1])
        is_later = np.arange(residual.shape[1]) > positions[:, None, :, None]
        np.copyto(scores, -np.inf, where=is_later)
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        mixture = (scores @ self._project(self.W_V, residual)).swapaxes(1, 2)
        out: np.ndarray = mixture.reshape(*positions.shape, -1) @ self.W_O.T
        return out

    @staticmethod
    def _project(weight: np.ndarray, residual: np.ndarray) -> np.ndarray:
        heads, d_head, d_model = weight.shape
        flat = residual @ weight.reshape(-1, d_model).T
        by_head: np.ndarray = flat.reshape(*residual.shape[:2], heads, d_head).swapaxes(1, 2)
        return by_head


@dataclass(frozen=True, eq=False)
class SequenceWeights:
    """One checkpoint of a model that reads sequences.

    ``skip_weight`` is the factor of the residual stream added to the heads' output: 2 in the
    published code of two such layers, which adds it inside the layer and outside.
    """

    W_E: Float[np.ndarray, "d_model d_vocab"]
    W_pos: Float[np.ndarray, "n_ctx d_model"]
    layers: tuple[Layer, ...]
    W_U: Float[np.ndarray, "d_model d_vocab_out"]
    skip_weight: int = 1

    @property
    def heads(self) -> int:
        """Number of attention heads in a layer."""
        return int(self.layers[0].W_K.shape[0])

    @classmethod
    def of(cls, state_dict: Mapping[str, np.ndarray], skip_weight: int = 1) -> SequenceWeights:
        """Check ``state_dict`` (published names) and take its weights as float64.

        Raises :class:`InputError` for a tensor that is missing, of the wrong shape or not finite.
        """
        sizes: dict[str, int] = {}
        blocks = sorted({(m[1], int(m[2])) for m in map(published.LAYER.match, state_dict) if m})
        if not blocks or [i for _, i in blocks] != list(range(len(blocks))):
            raise InputError(
                "the weights have no attention layers blocks.0, blocks.1, ... under the published "
                "parameter names; record the model's state dict under those"
            )
        W_E = published_tensor(state_dict, "embed.W_E", ("d_model", "d_vocab"), sizes)
        W_pos = published_tensor(state_dict, "pos_embed.W_pos", ("n_ctx", "d_model"), sizes)
        layers = tuple(_layer(state_dict, f"{stack}.{i}", sizes) for stack, i in blocks)
        W_U = published_tensor(state_dict, "unembed.W_U", ("d_model", "d_vocab_out"), sizes)
        return cls(W_E, W_pos, layers, W_U, skip_weight)


def _layer(state: Mapping[str, np.ndarray], prefix: str, sizes: dict[str, int]) -> Layer:
    heads = {
        name.removeprefix("attn."): published_tensor(state, f"{prefix}.{name}", dims, sizes)
        for name, dims in published.ATTENTION.items()
    }
    if f"{prefix}.mlp.W_in" not in state:
        return Layer(**heads, mlp=None)
    inner = {}
    for name, dims in published.MLP.items():
        key = name.removeprefix("mlp.")
        if published.is_optional(f"{prefix}.{name}") and f"{prefix}.{name}" not in state:
            inner[key] = np.zeros(sizes[dims[0]])
        else:
            inner[key] = published_tensor(state, f"{prefix}.{name}", dims, sizes)
    return Layer(**heads, mlp=MLP(**inner))


@dataclass(frozen=True, eq=False)
class ModelOutput:
    """The attention patterns and logits of the model on some sequences."""

    patterns: tuple[Float[np.ndarray, "batch heads pos pos"], ...]
    """Attention from every position to every position, for each layer."""
    logits: Float[np.ndarray, "batch scored classes"]
    """Logits at the scored positions."""


def run(
    w: SequenceWeights,
    tokens: Int[np.ndarray, "batch pos"],
    positions: Int[np.ndarray, "batch scored"],
) -> ModelOutput:
    """Run the model on sequences, with logits at ``positions``."""
    residual = w.W_E.T[tokens] + w.W_pos[: tokens.shape[1]]
    rows = np.arange(len(tokens))[:, None]
    patterns = []
    for i, layer in enumerate(w.layers, start=1):
        pattern = layer.pattern(residual)
        patterns.append(pattern)
        residual = w.skip_weight * residual + layer.head_output(pattern, residual)
        if i == len(w.layers):
            residual = residual[rows, positions]  # only attention mixes positions
        if layer.mlp is not None:
            residual = residual + layer.mlp(residual)
    return ModelOutput(tuple(patterns), residual @ w.W_U)


def logits_in_chunks(
    w: SequenceWeights,
    tokens: Int[np.ndarray, "batch pos"],
    positions: Int[np.ndarray, "batch scored"],
) -> Iterator[tuple[slice, Float[np.ndarray, "rows scored classes"]]]:
    """The logits at ``positions`` in chunks of sequences, without the attention patterns.

    The same as those of :func:`run` to the last bits, from less work.
    """
    for start in range(0, len(tokens), CHUNK):
        rows = slice(start, start + CHUNK)
        yield rows, _logits(w, tokens[rows], positions[rows])


def _logits(
    w: SequenceWeights,
    tokens: Int[np.ndarray, "batch pos"],
    positions: Int[np.ndarray, "batch scored"],
) -> Float[np.ndarray, "batch scored classes"]:
    residual = w.W_E.T[tokens] + w.W_pos[: tokens.shape[1]]
    for layer in w.layers[:-1]:
        heads = layer.head_output(layer.pattern(residual), residual)
        residual = w.skip_weight * residual + heads
        if layer.mlp is not None:
            residual = residual + layer.mlp(residual)
    last, rows = w.layers[-1], np.arange(len(tokens))[:, None]
    out = w.skip_weight * residual[rows, positions] + last.heads_at(residual, positions)
    if last.mlp is not None:
        out = out + last.mlp(out)
    logits: np.ndarray = out @ w.W_U
    return logits


def run_in_chunks(
    w: SequenceWeights,
    tokens: Int[np.ndarray, "batch pos"],
    positions: Int[np.ndarray, "batch scored"],
) -> Iterator[tuple[slice, ModelOutput]]:
    """Run the model in chunks of sequences; yields the rows and output of each chunk."""
    for start in range(0, len(tokens), CHUNK):
        rows = slice(start, start + CHUNK)
        yield rows, run(w, tokens[rows], positions[rows])


def log_softmax(logits: Float[np.ndarray, "*any classes"]) -> Float[np.ndarray, "*any classes"]:
    """Log of the softmax over classes."""
    top = logits.max(axis=-1, keepdims=True)
    centred = logits - top
    total = np.log(np.exp(centred).sum(axis=-1, keepdims=True))
    log_probabilities: np.ndarray = centred - total
    return log_probabilities
