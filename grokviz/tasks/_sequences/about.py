"""Descriptions of the data of runs on sampled sequences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def amount_of_data(settings: Mapping[str, Any], noun: str) -> list[str]:
    """The number of training sequences in words; empty if the settings do not give it."""
    if "examples" not in settings:
        return []
    count = int(settings["examples"])
    return [f"{count:,} training {noun}" if count else "fresh data at every step"]
