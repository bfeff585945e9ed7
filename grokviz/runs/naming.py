"""Names of a model's tensors without what wraps the model."""

from __future__ import annotations

from collections.abc import Collection

WRAPPERS = ("module.", "_orig_mod.", "_forward_module.", "_fsdp_wrapped_module.")
"""What DataParallel, torch.compile and their kin put before every name."""

INNER = ("_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.")
"""What wraps a part of a model, anywhere in a name."""


def common_prefix(names: Collection[str]) -> str:
    """The part up to the first dot that all names begin with, and none consists of; else ""."""
    first = next(iter(names), "")
    prefix = first[: first.find(".") + 1]
    alike = all(name.startswith(prefix) and name != prefix for name in names)
    return prefix if alike else ""


def without_wrappers(names: Collection[str]) -> dict[str, str]:
    """The name of each tensor without wrappers, by its whole name."""
    short = {name: name for name in names}
    while (prefix := common_prefix(short.values())) in WRAPPERS:
        short = {name: rest.removeprefix(prefix) for name, rest in short.items()}
    for inner in INNER:
        plain = {name: rest.replace("." + inner, ".") for name, rest in short.items()}
        if len(set(plain.values())) == len(plain):
            short = plain
    return short
