"""How large a still or a page of one of our scenes usually is, as measured once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from grokviz.scene.scene import Scene

TABLE = Path(__file__).with_name("still_sizes.json")
"""Bytes by scene and format, of pictures without options; from ``benchmarks/still_sizes.py``."""

SLIDE = 1920 * 1080
"""Pixels of the PNGs in the table."""

GROWS = {"png": 0.57, "avif": 0.57}
"""By what power of its pixels a picture of this format grows; others do not."""

LIKE = {"avif": ("png", 0.42)}
"""Of a format that the table has not, the one that it is about so large a share of."""


@lru_cache(maxsize=1)
def sizes() -> Mapping[str, Mapping[str, int]]:
    """The table; empty where it is not there."""
    if not TABLE.is_file():
        return {}
    table: dict[str, dict[str, int]] = json.loads(TABLE.read_text("utf-8"))
    return table


def usual_bytes(scene: Scene, kind: str, pixels: int) -> float | None:
    """About how many bytes a still or page has, to a factor of two; None where nobody knows.

    ``pixels`` are those of the picture.
    """
    name, share = LIKE.get(kind, (kind, 1.0))
    measured = sizes().get(scene.name, {}).get(name)
    if measured is None:
        return None
    return float(measured * share * (pixels / SLIDE) ** GROWS.get(kind, 0.0))
