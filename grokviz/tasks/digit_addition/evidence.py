"""What a foreign file says about a run of digit addition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grokviz.task import Evidence


def fits(sizes: Mapping[str, int]) -> bool:
    """One layer over twelve tokens, with room for two numbers, two signs and an answer."""
    context = sizes.get("n_ctx", 0)
    written = sizes.get("d_vocab") == 12 and context > 0 and context % 3 == 0
    return sizes.get("layers") == 1 and written and sizes.get("d_vocab_out") in (10, 12)


def settings(sizes: Mapping[str, int], state: Mapping[str, Any]) -> dict[str, Any]:
    """The number of digits."""
    return {"digits": (sizes["n_ctx"] - 3) // 3} if "n_ctx" in sizes else {}


EVIDENCE = Evidence(names=("digit_add",), fits=fits, settings=settings, stepwise=True)
