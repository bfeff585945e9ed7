"""Evidence in foreign files about runs of repeated subsequences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grokviz.task import Evidence


def recognises(data: Mapping[str, Any]) -> str:
    """The reason to recognise such a file: its config has the subsequence's length."""
    sequences = data.get("data_config")
    known = isinstance(sequences, Mapping) and "subseq_len" in sequences
    return "the stored config has a subseq_len" if known else ""


def settings(sizes: Mapping[str, int], state: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of tokens and positions, from the sizes."""
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
