"""Exact faster training of the transformer on modular addition.

Its shortcuts change results only by rounding:

* only the last position is scored, and its token is always "=", so there is **one query**;
* keys and values exist for only **2p + 1 rows**: p residues at each of two positions, and "=";
* nothing non-linear lies between W_O and W_in, or between W_out and W_U, so they **fold**:
  neurons = ReLU(z W_fold^T + c), logits = [neurons, z] W_logit^T + c', where z is the
  attention-weighted mix of values;
* the backward pass is explicit, and its products use the fastest kernel available.

Tests verify that its loss and gradients equal those of the plain model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from jaxtyping import Int
from torch import Tensor

from grokviz.models.products import product
from grokviz.training.losses import position_losses
from grokviz.training.objectives import CROSS_ENTROPY

Weights = Mapping[str, Tensor]

E, POS, U = "embed.W_E", "pos_embed.W_pos", "unembed.W_U"
K, Q, V, O = (f"blocks.0.attn.W_{letter}" for letter in "KQVO")  # noqa: E741
IN, B_IN, OUT, B_OUT = (f"blocks.0.mlp.{name}" for name in ("W_in", "b_in", "W_out", "b_out"))


class ExactPath:
    """Loss and gradients of a fixed set of pairs (a, b).

    Args:
        a, b: the inputs, shape (pairs,).
        targets: the correct classes, shape (pairs,).
        p: number of residues; the token of "=" is p.
        precision: dtype in which log-softmax and its gradient are computed.
        objective: the loss whose gradient is taken; losses are cross entropies all the same.

    """

    def __init__(
        self,
        a: Int[Tensor, " pairs"],
        b: Int[Tensor, " pairs"],
        targets: Int[Tensor, " pairs"],
        p: int,
        precision: torch.dtype,
        objective: str = CROSS_ENTROPY,
    ) -> None:
        self.p, self.precision, self.objective = p, precision, objective
        self.rows_a, self.rows_b = a, b + p
        self.targets = targets.unsqueeze(1)
        self.count = len(a)
        self._minus_share = torch.full((1, 1), -1 / self.count, dtype=precision, device=a.device)

    def loss(self, weights: Weights) -> float:
        """Mean cross entropy over the pairs."""
        return self.loss_tensors(weights)[0].item()

    def loss_and_gradients(self, weights: Weights, gradients: Weights) -> float:
        """Mean cross entropy; its gradient overwrites ``gradients`` (same names and shapes)."""
        return self.loss_tensors(weights, gradients)[0].item()

    def loss_tensors(
        self, weights: Weights, gradients: Weights | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Mean cross entropy and, with ``gradients``, the gradient of the logits.

        Both stay on the device, which avoids synchronisation.
        """
        state = self._forward(weights)
        if gradients is None:
            return state["loss"], None
        return state["loss"], self._backward(weights, state, gradients)

    def _attention(self, w: Weights) -> dict[str, Tensor]:
        """The attention pattern, the values of each row, and what they are computed from."""
        p, n = self.p, self.count
        d_head, d_model = w[K].shape[1:]

        residues = w[E][:, :p].T
        query_row = w[E][:, p] + w[POS][2]
        x = torch.cat([residues + w[POS][0], residues + w[POS][1], query_row.unsqueeze(0)])
        query = torch.einsum("hid,d->hi", w[Q], query_row)
        key_map = torch.einsum("hi,hid->hd", query, w[K]) / math.sqrt(d_head)
        scores, values = x @ key_map.T, x @ w[V].view(-1, d_model).T

        at_end = scores[2 * p].expand(n, -1)
        pattern = torch.stack([scores[self.rows_a], scores[self.rows_b], at_end]).softmax(dim=0)
        return {
            "x": x, "query_row": query_row, "query": query, "key_map": key_map,
            "values": values, "pattern": pattern,
        }  # fmt: skip

    def _forward(self, w: Weights) -> dict[str, Tensor]:
        p, n = self.p, self.count
        heads, d_head, _ = w[K].shape
        state = self._attention(w)
        query_row, values, pattern = state["query_row"], state["values"], state["pattern"]

        value_a = values.index_select(0, self.rows_a).view(n, heads, d_head)
        value_b = values.index_select(0, self.rows_b).view(n, heads, d_head)
        value_q = values[2 * p].view(1, heads, d_head)
        mixed = value_a * pattern[0].unsqueeze(2)
        mixed.addcmul_(value_b, pattern[1].unsqueeze(2)).addcmul_(value_q, pattern[2].unsqueeze(2))
        z = mixed.view(n, -1)

        fold = w[IN] @ w[O]
        neurons = product(z, fold, w[IN] @ query_row + w[B_IN], relu=True)
        after = query_row + w[B_OUT]
        neuron_logit_map, head_logit_map = w[U].T @ w[OUT], w[U].T @ w[O]
        logits = product(neurons, neuron_logit_map, after @ w[U])
        logits += product(z, head_logit_map)

        return state | self._loss(logits) | {
            "fold": fold, "value_a": value_a, "value_b": value_b, "value_q": value_q,
            "z": z, "neurons": neurons, "after": after, "neuron_logit_map": neuron_logit_map,
            "head_logit_map": head_logit_map,
        }  # fmt: skip

    def _loss(self, logits: Tensor) -> dict[str, Tensor]:
        log_probabilities = logits.to(self.precision).log_softmax(dim=1)
        loss = -log_probabilities.gather(1, self.targets).mean()
        state = {"log_probabilities": log_probabilities, "loss": loss}
        return state if self.objective == CROSS_ENTROPY else {**state, "logits": logits}

    def _d_logits(self, s: dict[str, Tensor]) -> Tensor:
        if self.objective != CROSS_ENTROPY:
            return self._d_logits_by_autograd(s["logits"])
        # autograd's own form, grad - exp(logp) * sum(grad), since float32 slingshots depend on it
        d_logits = s["log_probabilities"].exp_().div_(self.count)
        d_logits.scatter_add_(1, self.targets, self._minus_share.expand(self.count, 1))
        return d_logits.to(s["x"].dtype)

    def _d_logits_by_autograd(self, logits: Tensor) -> Tensor:
        with torch.enable_grad():
            begun, targets = logits.detach().requires_grad_(), self.targets.squeeze(1)
            losses = position_losses(begun, targets, self.precision, self.objective)
            (d_logits,) = torch.autograd.grad(losses.minimised.mean(), begun)
        return d_logits

    def _backward(self, w: Weights, s: dict[str, Tensor], g: Weights) -> Tensor:
        d_logits = self._d_logits(s)
        d_after_logits = d_logits.sum(0)
        d_neuron_map = product(d_logits.T, s["neurons"].T)
        d_head_map = product(d_logits.T, s["z"].T)
        d_neurons = product(d_logits, s["neuron_logit_map"].T)
        torch.ops.aten.threshold_backward.grad_input(
            d_neurons, s["neurons"], 0, grad_input=d_neurons
        )
        d_fold = product(s["z"].T, d_neurons.T).T
        d_bias = d_neurons.sum(0)
        d_z = product(d_neurons, s["fold"].T)
        d_z += product(d_logits, s["head_logit_map"].T)

        d_query_row = self._backward_maps(
            w, s, g, (d_fold, d_bias, d_neuron_map, d_head_map, d_after_logits)
        )
        self._backward_attention(w, s, g, d_z, d_query_row)
        return d_logits

    def _backward_maps(
        self, w: Weights, s: dict[str, Tensor], g: Weights, d_maps: tuple[Tensor, ...]
    ) -> Tensor:
        """Gradients of the weights within the folded maps; that of the query's row is returned.

        ``d_maps`` are the gradients of the neurons' map and bias, of the logits' maps from neurons
        and from heads, and of their bias.
        """
        d_fold, d_bias, d_neuron_map, d_head_map, d_after_logits = d_maps
        d_after = w[U] @ d_after_logits
        g[OUT].copy_(w[U] @ d_neuron_map)
        g[O].copy_(torch.addmm(w[U] @ d_head_map, w[IN].T, d_fold))
        g[IN].copy_(torch.addmm(torch.outer(d_bias, s["query_row"]), d_fold, w[O].T))
        d_unembed = torch.addmm(torch.outer(s["after"], d_after_logits), w[OUT], d_neuron_map.T)
        g[U].copy_(d_unembed.addmm_(w[O], d_head_map.T))
        if B_IN in g:
            g[B_IN].copy_(d_bias)
            g[B_OUT].copy_(d_after)
        return d_after + w[IN].T @ d_bias

    def _backward_attention(
        self, w: Weights, s: dict[str, Tensor], g: Weights, d_z: Tensor, d_query_row: Tensor
    ) -> None:
        n, (heads, d_head, _) = self.count, w[K].shape
        pattern, d_z = s["pattern"], d_z.view(n, heads, d_head)

        d_pattern = torch.stack(
            [(d_z * s[name]).sum(2) for name in ("value_a", "value_b", "value_q")]
        )
        d_values = s["x"].new_zeros(2 * self.p + 1, heads * d_head)
        for j, rows in enumerate((self.rows_a, self.rows_b)):
            d_values.index_add_(0, rows, (d_z * pattern[j].unsqueeze(2)).view(n, -1))
        d_values[2 * self.p] = (d_z * pattern[2].unsqueeze(2)).sum(0).flatten()
        self._backward_rows(w, s, g, (d_pattern, d_values, d_query_row))

    def _backward_rows(
        self, w: Weights, s: dict[str, Tensor], g: Weights, d_rows: tuple[Tensor, Tensor, Tensor]
    ) -> None:
        """Gradients of attention's weights and the embeddings.

        ``d_rows`` are the gradients of the pattern, of the values, and of the query's row.
        """
        p, (heads, d_head, d_model) = self.p, w[K].shape
        pattern, (d_pattern, d_values, d_query_row) = s["pattern"], d_rows
        d_chosen = pattern * (d_pattern - (pattern * d_pattern).sum(0))
        d_scores = s["x"].new_zeros(2 * p + 1, heads)
        for j, rows in enumerate((self.rows_a, self.rows_b)):
            d_scores.index_add_(0, rows, d_chosen[j])
        d_scores[2 * p] = d_chosen[2].sum(0)

        g[V].copy_((d_values.T @ s["x"]).view(heads, d_head, d_model))
        d_key_map = (d_scores.T @ s["x"]) / math.sqrt(d_head)
        g[K].copy_(s["query"].unsqueeze(2) * d_key_map.unsqueeze(1))
        d_query = torch.einsum("hid,hd->hi", w[K], d_key_map)
        g[Q].copy_(d_query.unsqueeze(2) * s["query_row"])
        d_x = d_scores @ s["key_map"] + d_values @ w[V].view(-1, d_model)
        d_query_row = d_query_row + d_x[2 * p] + torch.einsum("hid,hi->d", w[Q], d_query)

        g[E][:, :p] = (d_x[:p] + d_x[p : 2 * p]).T
        g[E][:, p] = d_query_row
        g[POS][0], g[POS][1], g[POS][2] = d_x[:p].sum(0), d_x[p : 2 * p].sum(0), d_query_row
        if g[POS].shape[0] > 3:
            g[POS][3:].zero_()
