"""What a state dict holds besides weights: runs count them, models and measures leave them out."""

from __future__ import annotations

BUFFERS = frozenset(
    {"mask", "IGNORE", "running_mean", "running_var", "num_batches_tracked", "position_ids"}
)
"""Last parts of the names of such tensors."""


def is_buffer(name: str) -> bool:
    """Whether a tensor of a state dict is none of the model's parameters."""
    return name.rsplit(".", 1)[-1] in BUFFERS
