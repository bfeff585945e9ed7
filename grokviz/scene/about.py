"""The sentence that pictures, films and pages carry on the run they are drawn from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from grokviz.scene.clock import spaced

if TYPE_CHECKING:
    import xarray as xr


def about(data: xr.Dataset) -> str:
    """One line on the run: what it learns and with what."""
    settings: dict[str, Any] = json.loads(data.attrs.get("settings") or "{}")
    task = data.attrs.get("task", "")
    words = _learns(task, settings)
    if not words:
        return "  ·  ".join(word for word in (task, data.attrs.get("run_name", "")) if word)
    if "train-fraction" in settings:
        words.append(f"trained on {float(settings['train-fraction']):.0%} of the pairs")
    if "examples" in settings:
        count, what = int(settings["examples"]), "sums" if "digits" in settings else "sequences"
        words.append(f"{spaced(count)} training {what}" if count else "fresh data at every step")
    if "weight-decay" in settings:
        words.append(f"weight decay {float(settings['weight-decay']):g}")
    return "  ·  ".join(words)


def _learns(task: str, settings: dict[str, Any]) -> list[str]:
    """What a run of one of our tasks learns; nothing where its settings do not say enough."""
    if task == "modular-addition" and "p" in settings:
        return [f"addition mod {settings['p']}"]
    if task == "repeated-subsequence" and {"subsequence", "length"} <= settings.keys():
        return [f"{settings['subsequence']} repeated tokens among {settings['length']}"]
    if task == "digit-addition" and "digits" in settings:
        return [f"addition of {settings['digits']}-digit numbers"]
    if task == "skip-trigram" and "length" in settings:
        return [f"one key token among {settings['length']}"]
    return []
