"""The sentence that pictures, films and pages carry on the run they are drawn from."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from grokviz.media.plain import clean_text
from grokviz.task import known_task, published_recipe

if TYPE_CHECKING:
    import xarray as xr


BETWEEN = "  ·  "
"""What stands between two parts of the sentence."""


def about(data: xr.Dataset) -> str:
    """One line on the run: what it learns and with what, in clean text; whether a recipe of its
    own makes it smaller than the published run. Of a family also the seed that its runs share.
    """
    return clean_text(_about(data)).replace("\n", " ")


def about_every(runs: Iterable[xr.Dataset]) -> str:
    """What one line says of each of some runs, of which at least one is given."""
    first, *others = (about(run) for run in runs)
    known = [set(other.split(BETWEEN)) for other in others]
    return BETWEEN.join(
        part for part in first.split(BETWEEN) if all(part in words for words in known)
    )


def _about(data: xr.Dataset) -> str:
    settings: dict[str, Any] = json.loads(data.attrs.get("settings") or "{}")
    name = data.attrs.get("task", "")
    task = known_task(name)
    words: list[str] = []
    # a recorded run may lack a setting that the task's sentence is made of
    with contextlib.suppress(KeyError):
        words = list(task.about(settings)) if task else []
    if not words:
        own = settings.get("about") or data.attrs.get("run_name", "")
        return BETWEEN.join(str(word) for word in (name, own) if word)
    if "weight-decay" in settings:
        words.append(f"weight decay {float(settings['weight-decay']):g}")
    if "member_name" in data.variables and "seed" in settings:
        # runs of a family differ from those of other pictures that are called the same
        drawn = ", drawn as published" if settings.get("init") == "published" else ""
        words.append(f"weights of seed {settings['seed']}{drawn}")
    if published_recipe(str(data.attrs.get("recipe", "")), task):
        words.append("smaller than published")
    return BETWEEN.join(words)
