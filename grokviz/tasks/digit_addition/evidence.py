"""Evidence in foreign files about runs of digit addition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grokviz.task import Evidence


def fits(sizes: Mapping[str, int]) -> bool:
    """Whether the sizes are one layer over twelve tokens, with positions for a whole sum."""
    context = sizes.get("n_ctx", 0)
    written = sizes.get("d_vocab") == 12 and context > 0 and context % 3 == 0
    return sizes.get("layers") == 1 and written and sizes.get("d_vocab_out") in (10, 12)


def settings(sizes: Mapping[str, int], state: Mapping[str, Any]) -> dict[str, Any]:
    """The number of digits, from the sizes."""
    return {"digits": (sizes["n_ctx"] - 3) // 3} if "n_ctx" in sizes else {}


EVIDENCE = Evidence(
    names=("digit_add",), fits=fits, could_be=fits, settings=settings, stepwise=True
)
