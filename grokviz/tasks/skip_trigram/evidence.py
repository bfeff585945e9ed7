"""Evidence in foreign files about runs of skip trigrams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grokviz.task import Evidence


def fits(sizes: Mapping[str, int]) -> bool:
    """Whether the sizes are those of the published one-layer model."""
    published = {"layers": 1, "d_vocab": 22, "n_ctx": 42, "d_vocab_out": 10}
    return all(sizes.get(name) == size for name, size in published.items())


def settings(sizes: Mapping[str, int], state: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of noise tokens and tokens between, and the width of a head."""
    if "d_vocab" not in sizes:
        return {}
    return {
        "noise": (sizes["d_vocab"] - 2) // 2,
        "length": sizes["n_ctx"] - 2,
        "d-head": sizes["d_head"],
    }


EVIDENCE = Evidence(names=("skip_trigram",), fits=fits, settings=settings, stepwise=True)
