"""Sums of squared weights, which weight decay reduces."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from grokviz.buffers import is_buffer
from grokviz.tasks.any.spectra import ENTRIES_AT_ONCE


def weight_names(state_dict: Mapping[str, np.ndarray]) -> list[str]:
    """The names of all parameters, in their order; buffers such as the attention mask are none.

    Whole numbers and truth values are no parameters, since they cannot be trained.
    """
    return [
        name
        for name, array in state_dict.items()
        if not is_buffer(name) and np.asarray(array).dtype.kind == "f"
    ]


def sums_of_squares(state_dict: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Sum of squared entries of each parameter, in float64, by its published name.

    Every parameter counts, the '=' class of W_U and the biases included; buffers such as the
    attention mask do not. Source: arXiv:2301.05217, figure 7 (total sum of squared weights).
    """
    return {name: _sum_of_squares(state_dict[name]) for name in weight_names(state_dict)}


def _sum_of_squares(array: np.ndarray) -> float:
    """The sum of an array's squared entries, of which a part at a time is in float64."""
    flat = np.ravel(array)
    parts = (flat[s : s + ENTRIES_AT_ONCE] for s in range(0, len(flat), ENTRIES_AT_ONCE))
    return float(sum(np.square(part.astype(np.float64)).sum() for part in parts))
