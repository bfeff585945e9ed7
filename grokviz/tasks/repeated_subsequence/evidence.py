"""What a foreign file says about a run of repeated subsequences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grokviz.task import Evidence


def recognises(data: Mapping[str, Any]) -> str:
    """The published code keeps how long the subsequence is."""
    sequences = data.get("data_config")
    known = isinstance(sequences, Mapping) and "subseq_len" in sequences
    return "the stored config has a subseq_len" if known else ""


def settings(sizes: Mapping[str, int], state: Mapping[str, Any]) -> dict[str, Any]:
    """Tokens and positions."""
    if "d_vocab" not in sizes:
        return {}
    return {"vocabulary": sizes["d_vocab"], "length": sizes["n_ctx"]}


EVIDENCE = Evidence(
    names=("induction", "repeated_subsequence"),
    recognises=recognises,
    settings=settings,
    seeds={"data_config": "data-seed", "model_config": "seed"},
    stepwise=True,
)
