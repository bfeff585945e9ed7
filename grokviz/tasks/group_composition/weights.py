"""The weights of a network that composes elements, checked and in float64, in three layouts.

The MLP of arXiv:2302.03025 has ``W_x``, ``W_y`` (order, d_model), ``W`` (2 d_model, d_mlp) and
``W_U`` (d_mlp, order), and ours ``b_U`` where the answers have a bias. That of arXiv:2312.06581
has ``lembed``, ``rembed``, ``linear`` and ``unembed``. Transformers are in the published layout of
one layer, with a token more for "=".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float

from grokviz.errors import InputError
from grokviz.models import published

MLP = ("W_x", "W_y", "W", "W_U")
LINEAR = ("lembed.weight", "rembed.weight", "linear.weight", "unembed.weight")
BIASES = {"W_U": "b_U", "unembed.weight": "unembed.bias"}


@dataclass(frozen=True, eq=False)
class MLPWeights:
    """An MLP of one hidden layer.

    Attributes:
        left, right: what x and what y give each neuron, the embedding times its half of W.
        output: what each neuron gives each answer.
        bias: what each answer has by itself.
        d_model: the width of the embeddings.

    """

    left: Float[np.ndarray, "order d_mlp"]
    right: Float[np.ndarray, "order d_mlp"]
    output: Float[np.ndarray, "d_mlp order"]
    bias: Float[np.ndarray, " order"]
    d_model: int

    @property
    def order(self) -> int:
        """The number of elements."""
        return len(self.left)

    def hidden(self) -> Float[np.ndarray, "pairs d_mlp"]:
        """The neurons after the ReLU, for every pair."""
        pre = self.left[:, None] + self.right
        np.maximum(pre, 0, out=pre)
        neurons: Float[np.ndarray, "pairs d_mlp"] = pre.reshape(self.order**2, -1)
        return neurons

    def logits(self, hidden: Float[np.ndarray, "pairs d_mlp"]) -> Float[np.ndarray, "pairs order"]:
        """The logits of every pair."""
        logits: Float[np.ndarray, "pairs order"] = hidden @ self.output
        logits += self.bias
        return logits

    @property
    def embeddings(self) -> dict[str, Float[np.ndarray, "order width"]]:
        """What stands for an element as x, as y, and as an answer."""
        return {"left": self.left, "right": self.right, "answers": self.output.T}

    @property
    def inputs(self) -> dict[str, Float[np.ndarray, "order d_mlp"]]:
        """What x and what y give each neuron."""
        return {"left": self.left, "right": self.right}

    def projected(self, projector: Float[np.ndarray, "order order"]) -> MLPWeights:
        """The network whose x and y have this part of their embeddings alone."""
        return replace(self, left=projector @ self.left, right=projector @ self.right)


@dataclass(frozen=True, eq=False)
class TransformerWeights:
    """A one-layer transformer of the published layout, its matrices by their last names."""

    parts: Mapping[str, np.ndarray]

    @property
    def order(self) -> int:
        """The number of elements; there is a token more for "="."""
        return int(self.parts["W_E"].shape[1]) - 1

    @property
    def d_model(self) -> int:
        """The width of the residual stream."""
        return int(self.parts["W_E"].shape[0])

    def _middle(self) -> Float[np.ndarray, "pairs d_model"]:
        """The residual stream at "=" after attention, for every pair."""
        w, n = self.parts, self.order
        tokens = w["W_E"].T
        rows = [tokens[:n] + w["W_pos"][0], tokens[:n] + w["W_pos"][1], tokens[n:] + w["W_pos"][2]]
        query = w["W_Q"] @ rows[2][0]
        middle = np.broadcast_to(rows[2], (n * n, self.d_model)).copy()
        d_head = w["W_Q"].shape[1]
        by_head = np.split(w["W_O"], len(query), axis=1)
        for q, k, v, out in zip(query, w["W_K"], w["W_V"], by_head, strict=True):
            scores = [row @ (k.T @ q) / np.sqrt(d_head) for row in rows]
            of = [scores[0][:, None], scores[1][None], scores[2][None]]
            top = max(float(one.max()) for one in of)
            weight = [np.exp(one - top) + np.zeros((n, n)) for one in of]
            total = weight[0] + weight[1] + weight[2]
            values = [row @ (out @ v).T for row in rows]
            middle += ((weight[0] / total)[..., None] * values[0][:, None]).reshape(n * n, -1)
            middle += ((weight[1] / total)[..., None] * values[1][None]).reshape(n * n, -1)
            middle += ((weight[2] / total)[..., None] * values[2][None]).reshape(n * n, -1)
        return middle

    def hidden(self) -> Float[np.ndarray, "pairs d_mlp"]:
        """The neurons after the ReLU at "=", for every pair."""
        neurons: Float[np.ndarray, "pairs d_mlp"] = np.maximum(
            self._middle() @ self.parts["W_in"].T + self.parts["b_in"], 0
        )
        return neurons

    def logits(self, hidden: Float[np.ndarray, "pairs d_mlp"]) -> Float[np.ndarray, "pairs order"]:
        """The logits of the elements at "=", for every pair."""
        w = self.parts
        residual = self._middle() + hidden @ w["W_out"].T + w["b_out"]
        logits: Float[np.ndarray, "pairs order"] = residual @ w["W_U"][:, : self.order]
        return logits

    @property
    def embeddings(self) -> dict[str, Float[np.ndarray, "order width"]]:
        """What stands for an element as x and as y, which are the same, and as an answer."""
        numbers = self.parts["W_E"].T[: self.order]
        return {
            "left": numbers, "right": numbers, "answers": self.parts["W_U"].T[: self.order],
        }  # fmt: skip

    @cached_property
    def inputs(self) -> dict[str, Float[np.ndarray, "order d_mlp"]]:
        """What x and what y give each neuron: its input averaged over the other element, less the
        average over both.

        Attention weighs each by the other, so that the input is no sum of two parts; of one that
        is, as an MLP's, these are the parts, less their means.
        """
        n = self.order
        middle = self._middle().reshape(n, n, -1)
        means = {"left": middle.mean(axis=1), "right": middle.mean(axis=0)}
        return {
            side: (mean - mean.mean(axis=0)) @ self.parts["W_in"].T for side, mean in means.items()
        }

    def projected(self, projector: Float[np.ndarray, "order order"]) -> TransformerWeights:
        """The network whose elements have this part of their embeddings alone."""
        tokens = self.parts["W_E"].copy()
        tokens[:, : self.order] = tokens[:, : self.order] @ projector.T
        return TransformerWeights({**self.parts, "W_E": tokens})


GroupWeights = MLPWeights | TransformerWeights


def weights_of(state: Mapping[str, np.ndarray]) -> GroupWeights:
    """Read a state dict of one of the three layouts; other tensors are not looked at.

    Raises ``InputError`` for missing matrices and other shapes.
    """
    if "embed.W_E" in state:
        return _transformer(state)
    names = LINEAR if LINEAR[0] in state else MLP
    missing = [name for name in names if name not in state]
    if missing:
        raise InputError(f"the model has no {missing[0]}, as a network that composes elements has")
    x, y, w, u = (np.asarray(state[name], dtype=np.float64) for name in names)
    if names is LINEAR:
        w, u = w.T, u.T
    shapes = (x.ndim, y.ndim, w.ndim, u.ndim)
    if shapes != (2, 2, 2, 2) or not (
        x.shape == y.shape and w.shape[0] == 2 * x.shape[1] and u.shape == (w.shape[1], len(x))
    ):
        raise InputError(
            f"{', '.join(names)} are {x.shape}, {y.shape}, {w.shape} and {u.shape}; they should "
            "be (order, d_model) twice, (2 d_model, d_mlp) and (d_mlp, order)"
        )
    bias = np.asarray(state.get(BIASES[names[3]], np.zeros(len(x))), dtype=np.float64)
    if bias.shape != (len(x),):
        raise InputError(f"{BIASES[names[3]]} is {bias.shape}; it should be ({len(x)},)")
    half = x.shape[1]
    return MLPWeights(x @ w[:half], y @ w[half:], u, bias, half)


def _transformer(state: Mapping[str, np.ndarray]) -> TransformerWeights:
    sizes: dict[str, int] = {}
    parts = {}
    for name, dims in published.layers("blocks", 1).items():
        last = name.rsplit(".", 1)[-1]
        if published.is_optional(name) and name not in state:
            parts[last] = np.zeros(tuple(sizes[dim] for dim in dims))
        else:
            parts[last] = published.published_tensor(state, name, dims, sizes)
    n = sizes["d_vocab"] - 1
    if sizes["n_ctx"] != 3 or sizes["d_vocab_out"] not in (n, n + 1):
        raise InputError(
            f"the model has {sizes['n_ctx']} positions, {n + 1} tokens and "
            f"{sizes['d_vocab_out']} answers; composing two elements takes the three x, y and =, "
            'a token for "=", and as many answers as elements'
        )
    return TransformerWeights(parts)
