"""What runs on drawn sequences say of their data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def amount_of_data(settings: Mapping[str, Any], noun: str) -> list[str]:
    """How many training sequences there are, in words; nothing where a run does not say it."""
    if "examples" not in settings:
        return []
    count = int(settings["examples"])
    # thin gaps between thousands, as everywhere in pictures
    shown = f"{count:,}".replace(",", "\u2009")
    return [f"{shown} training {noun}" if count else "fresh data at every step"]
