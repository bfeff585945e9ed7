"""The exact path without its first layer's matrix products.

Values exist for only 2p + 1 rows, so the neurons' map of them does too: a table with a vector for
each head and row. A neuron's input is a sum of three of a head's vectors, weighted by its pattern,
and what heads give to the logits directly is another. Forward that is a twelfth of the products'
arithmetic with four heads, and backward too, where each row adds up the gradients of its pairs.
The loops are compiled (the [fast] extra); they round otherwise than :class:`ExactPath`.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from grokviz.models.compiled import compiled, in_parts
from grokviz.models.products import product
from grokviz.tasks.modular_addition.exact_path import (
    B_IN,
    B_OUT,
    IN,
    OUT,
    ExactPath,
    K,
    O,
    U,
    Weights,
)
from grokviz.training.objectives import CROSS_ENTROPY


def add_rows(
    part: tuple[int, int],
    tables: Float[np.ndarray, "heads row width"],
    pattern: Float[np.ndarray, "3 pairs heads"],
    rows: Int[np.ndarray, "2 pairs"],
    bias: Float[np.ndarray, " width"],
    relu: bool,
    out: Float[np.ndarray, "pairs width"],
) -> None:
    """Write ``bias`` plus the weighted sum of its rows of the tables, for each pair of ``part``.

    The third row of a pair, that of "=", is the tables' last. ``part`` is first and end.
    """
    heads, query, width = tables.shape[0], tables.shape[1] - 1, tables.shape[2]
    for i in range(part[0], part[1]):
        to = out[i]
        for h in range(heads):
            at_a, at_b, at_end = tables[h, rows[0, i]], tables[h, rows[1, i]], tables[h, query]
            to_a, to_b, to_end = pattern[0, i, h], pattern[1, i, h], pattern[2, i, h]
            if h == 0:
                for j in range(width):
                    to[j] = bias[j] + to_a * at_a[j] + to_b * at_b[j] + to_end * at_end[j]
            else:
                for j in range(width):
                    to[j] += to_a * at_a[j] + to_b * at_b[j] + to_end * at_end[j]
        if relu:
            for j in range(width):
                to[j] *= to[j] > 0  # a product is compiled to faster code than a condition


def add_pairs(
    part: tuple[int, int],
    groups: tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " rows_and_1"]],
    tables: Float[np.ndarray, "heads row width"],
    pattern: Float[np.ndarray, "pairs heads"],
    gradient: Float[np.ndarray, "pairs width"],
    d_tables: Float[np.ndarray, "heads row width"],
    d_pattern: Float[np.ndarray, "pairs heads"],
) -> None:
    """Write the gradients of the tables' rows of ``part``, and of attention to them.

    ``groups`` are the pairs ordered by their row, and where each row's begin.
    """
    order, starts = groups
    heads, width = tables.shape[0], tables.shape[2]
    for row in range(part[0], part[1]):
        for h in range(heads):
            value, d_value = tables[h, row], d_tables[h, row]
            for j in range(width):
                d_value[j] = 0
            for place in range(starts[row], starts[row + 1]):
                i = order[place]
                d_out, share = gradient[i], pattern[i, h]
                d_share = np.float32(0)
                for j in range(width):
                    d_share += d_out[j] * value[j]
                    d_value[j] += share * d_out[j]
                d_pattern[i, h] = d_share


def keep_active(
    part: tuple[int, int],
    neurons: Float[np.ndarray, "pairs neuron"],
    gradient: Float[np.ndarray, "pairs neuron"],
) -> None:
    """Set the gradient to zero where a neuron is at zero."""
    for i in range(part[0], part[1]):
        for j in range(gradient.shape[1]):
            gradient[i, j] *= neurons[i, j] > 0


class TablePath(ExactPath):
    """Loss and gradients as of :class:`ExactPath`, on a CPU with numba."""

    def __init__(
        self,
        a: Int[Tensor, " pairs"],
        b: Int[Tensor, " pairs"],
        targets: Int[Tensor, " pairs"],
        p: int,
        precision: torch.dtype,
        objective: str = CROSS_ENTROPY,
    ) -> None:
        # pairs of one a together, so that its rows stay in the processor's cache
        order = torch.from_numpy(np.argsort(a.numpy(), kind="stable"))
        super().__init__(a[order], b[order], targets[order], p, precision, objective)
        self._rows = torch.stack([self.rows_a, self.rows_b]).numpy()
        self._groups = [
            (
                np.argsort(rows, kind="stable"),
                np.searchsorted(np.sort(rows, kind="stable"), np.arange(2 * p + 2)),
            )
            for rows in self._rows
        ]

    def _forward(self, w: Weights) -> dict[str, Tensor]:
        state = self._attention(w)
        query_row = state["query_row"]
        fold, after = w[IN] @ w[O], query_row + w[B_OUT]
        neuron_logit_map, head_logit_map = w[U].T @ w[OUT], w[U].T @ w[O]
        heads, d_head, _ = w[K].shape
        values = state["values"].view(-1, heads, d_head).transpose(0, 1)
        neuron_tables = values @ _by_head(fold, heads).transpose(1, 2)
        logit_tables = values @ _by_head(head_logit_map, heads).transpose(1, 2)

        bias = w[IN] @ query_row + w[B_IN]
        neurons = self._mix(neuron_tables, state["pattern"], bias, relu=True)
        logits = product(neurons, neuron_logit_map)
        logits += self._mix(logit_tables, state["pattern"], after @ w[U], relu=False)
        return state | self._loss(logits) | {
            "fold": fold, "head_values": values, "neuron_tables": neuron_tables,
            "logit_tables": logit_tables, "neurons": neurons, "after": after,
            "neuron_logit_map": neuron_logit_map, "head_logit_map": head_logit_map,
        }  # fmt: skip

    def _mix(self, tables: Tensor, pattern: Tensor, bias: Tensor, *, relu: bool) -> Tensor:
        out = tables.new_empty(self.count, tables.shape[2])
        arrays = (tables.numpy(), pattern.numpy(), self._rows, bias.numpy(), relu, out.numpy())
        in_parts(range(self.count), compiled(add_rows), *arrays)
        return out

    def _backward(self, w: Weights, s: dict[str, Tensor], g: Weights) -> Tensor:
        d_logits = self._d_logits(s)
        d_after_logits = d_logits.sum(0)
        d_neuron_map = product(d_logits.T, s["neurons"].T)
        d_neurons = product(d_logits, s["neuron_logit_map"].T)
        in_parts(range(self.count), compiled(keep_active), s["neurons"].numpy(), d_neurons.numpy())

        heads = w[K].shape[0]
        d_neuron_tables, d_pattern = self._unmix(s["neuron_tables"], s["pattern"], d_neurons)
        d_logit_tables, d_pattern_of_logits = self._unmix(s["logit_tables"], s["pattern"], d_logits)
        d_pattern += d_pattern_of_logits
        d_fold, d_head_map = (
            (d_tables.transpose(1, 2) @ s["head_values"]).transpose(0, 1).flatten(1)
            for d_tables in (d_neuron_tables, d_logit_tables)
        )
        d_values = d_neuron_tables @ _by_head(s["fold"], heads)
        d_values += d_logit_tables @ _by_head(s["head_logit_map"], heads)
        # a pair's attention sums to one, so the rows of any head hold the whole gradient
        d_bias = d_neuron_tables[0].sum(0)
        d_query_row = self._backward_maps(
            w, s, g, (d_fold, d_bias, d_neuron_map, d_head_map, d_after_logits)
        )
        d_rows = (d_pattern, d_values.transpose(0, 1).flatten(1), d_query_row)
        self._backward_rows(w, s, g, d_rows)
        return d_logits

    def _unmix(self, tables: Tensor, pattern: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of tables and pattern from that of their weighted sums."""
        d_tables, d_pattern = torch.empty_like(tables), torch.empty_like(pattern)
        for j, groups in enumerate(self._groups):
            rows = range(j * self.p, (j + 1) * self.p)
            arrays = (tables, pattern[j], gradient, d_tables, d_pattern[j])
            in_parts(rows, compiled(add_pairs), groups, *(array.numpy() for array in arrays))
        # every pair attends to the row of "=", the last: plain products
        torch.matmul(pattern[2].T, gradient, out=d_tables[:, -1])
        torch.matmul(gradient, tables[:, -1].T, out=d_pattern[2])
        return d_tables, d_pattern


def _by_head(
    weight: Float[Tensor, "out heads_by_d_head"], heads: int
) -> Float[Tensor, "heads out d_head"]:
    return weight.view(len(weight), heads, -1).transpose(0, 1)
