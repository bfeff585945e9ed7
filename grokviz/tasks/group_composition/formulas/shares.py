"""What share of weights and of neurons is in each representation (arXiv:2302.03025).

A function of an element is in a representation where it is a sum of its matrix elements.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from grokviz.tasks.group_composition.formulas.groups import Group
from grokviz.tasks.group_composition.formulas.representations import projectors


def of_columns(
    columns: Float[np.ndarray, "order width"], group: Group
) -> Float[np.ndarray, "representation width"]:
    """The square of each function's part in each representation; they add up to its own square."""
    return np.stack([(columns * (p @ columns)).sum(axis=0) for p in projectors(group)])


def of_weights(
    columns: Float[np.ndarray, "order width"], group: Group
) -> Float[np.ndarray, " representation"]:
    """The share of the squared weights in each representation; they add up to one."""
    squares = of_columns(columns, group).sum(axis=1)
    shares: Float[np.ndarray, " representation"] = squares / max(squares.sum(), 1e-300)
    return shares


def of_hidden(
    hidden: Float[np.ndarray, "pairs d_mlp"], group: Group
) -> Float[np.ndarray, "3 representation"]:
    """The share of the neurons' squares that are functions of x, of y and of xy, by representation.

    Of the neurons less their means over all pairs, so that nothing is in the trivial one; the rest
    depends on x and y in another way.
    """
    n = group.order
    whole = hidden.reshape(n, n, -1) - hidden.mean(axis=0)
    by_product = np.zeros((n, whole.shape[2]))
    for x in range(n):
        by_product[group.table[x]] += whole[x]
    parts = np.stack([whole.sum(axis=1), whole.sum(axis=0), by_product]) / n
    total = max(float((whole**2).sum()), 1e-300)
    return np.stack([n * of_columns(part, group).sum(axis=1) for part in parts]) / total
