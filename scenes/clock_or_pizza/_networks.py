"""What networks are called, and the bundled one that stands beside a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from grokviz.dataset.references.reference import reference
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr


def network(data: xr.Dataset) -> str:
    """What joins a and b in a run's network, in a few words; "" where the run does not say it."""
    settings = json.loads(data.attrs.get("settings") or "{}")
    stated = {str(key).replace("_", "-"): value for key, value in settings.items()}
    if stated.get("network") == "side-by-side":
        return "a beside b, no attention"
    if "attention-rate" not in stated:
        return ""
    rate = float(stated["attention-rate"])
    named = {0.0: "attention of 1 to both", 1.0: "attention by softmax"}
    return named.get(rate, f"attention at a rate of {rate:g}")


def partner(data: xr.Dataset, names: tuple[str, str], needs: tuple[str, ...]) -> xr.Dataset:
    """The first of two bundled runs, or the second where the first is the run itself."""
    first = reference(names[0], needs)
    same = first.attrs.get("run_checksum") == data.attrs.get("run_checksum")
    return reference(names[1], needs) if same else first


def index_at(data: xr.Dataset, part: xr.Dataset, i: int, clock: str = "field_epoch") -> int:
    """The index of a run, or of one beside it, at the epoch that the run shows, or its last."""
    return i if part is data else clocks.index_up_to(part, clock, float(data[clock].values[i]))
