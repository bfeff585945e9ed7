"""What networks are called, and the bundled ones that stand beside a run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from grokviz.dataset.references.reference import reference
from grokviz.scene import Scene, option, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr

CLOCK, PIZZA, TORUS = "clock-59-0", "pizza-59-0", "torus-59-0"
"""The bundled networks."""

TINTS = {"clock": 0, "pizza": 4, "torus": 1}
"""The colour of each kind among those of the frequencies."""

MEANING = {
    "clock": "always points at an answer",
    "pizza": "for some sums points nowhere",
    "torus": "a and b in separate planes",
}
"""What each kind of network does, in a few words below its name."""

NAMELESS = "no clear kind"

LEAST, LEAD = 0.5, 0.1
"""Share of the logits that a formula must explain at least for a network to be called by it, and
how much more than the other."""

FLAT, ROUND = 0.05, 0.9
"""Shares of b's waves outside of a's plane, up to which it is a disc, from which a torus."""

LONGEST = 22
"""Letters of a run's name that have room below a panel."""

CALLED = (
    "A network is called a clock or a pizza where that formula explains at least half of its "
    "logits, and at least a tenth of them more than the other does. "
)
"""When a network is called by what explains its logits, in a sentence for captions."""


@dataclass(frozen=True)
class BesideBundled(Scene):
    """A scene of a run beside the bundled ones that it differs from in kind."""

    beside: bool = option(True, "bundled runs of the other kinds beside it, if they have its p")

    def alone(self) -> Scene:
        """Without the bundled runs."""
        return replace(self, beside=False)

    def others(self, data: xr.Dataset, kind: str, bundled: Sequence[str]) -> list[xr.Dataset]:
        """Those of the bundled networks that stand beside a run of that kind.

        None where they are not wanted, add another p, or where the run is of no clear kind.
        """
        if not self.beside or not kind:
            return []
        parts = (reference(name, self.needs) for name in bundled)
        return [part for part in parts if modulus(part) == modulus(data)]

    def why_alone(self, data: xr.Dataset, kind: str) -> str:
        """Why no bundled run stands beside it, and what to give for one, for captions."""
        if not self.beside:
            return ""
        there = modulus(reference(self.reference, self.needs))
        here = modulus(data)
        remedy = "give a second --run, and both stand side by side. "
        if here != there:
            its = f"this one mod {here}" if here else "this one does not say its p"
            return f"Drawn alone, since the bundled runs add mod {there} and {its}; {remedy}"
        return "" if kind else f"Drawn alone, since it is of no clear kind; {remedy}"


def stated(data: xr.Dataset) -> dict[str, Any]:
    """The settings of a run, by their keys."""
    settings = json.loads(data.attrs.get("settings") or "{}")
    return {str(key).replace("_", "-"): value for key, value in settings.items()}


def modulus(data: xr.Dataset) -> int | None:
    """The p of a run; None where it does not say it."""
    p = stated(data).get("p")
    return int(p) if isinstance(p, (int, float)) else None


def network(data: xr.Dataset) -> str:
    """How a run's network attends to a and b, in a few words; "" where the run does not say it."""
    settings = stated(data)
    if settings.get("network") == "side-by-side":
        return "no attention"
    if "attention-rate" not in settings:
        return ""
    rate = float(settings["attention-rate"])
    named = {0.0: "fixed attention", 1.0: "learned attention"}
    return named.get(rate, f"attention rate {rate:g}")


def explained(data: xr.Dataset) -> dict[str, float]:
    """The shares of the logits that a clock and a pizza explain in the end."""
    return {name: float(data[f"{name}_share"].values[-1]) for name in ("clock", "pizza")}


def by_logits(data: xr.Dataset) -> str:
    """Clock or pizza, whichever explains the logits and leads clearly; "" for neither."""
    shares = explained(data)
    first, second = sorted(shares, key=lambda name: -shares[name])
    leads = shares[first] >= LEAST and shares[first] - shares[second] >= LEAD
    return first if leads else ""


def outside(data: xr.Dataset) -> float:
    """Share of b's waves outside of a's plane in the end."""
    return float(data["outside_share"].values[-1])


def shape(data: xr.Dataset) -> str:
    """Disc or torus, where the surface clearly is one in the end; "" for neither."""
    share = outside(data)
    return "disc" if share <= FLAT else "torus" if share >= ROUND else ""


def tint(kind: str) -> str:
    """The colour of a kind of network."""
    colours = style().colours
    return colours.frequencies[TINTS[kind]] if kind in TINTS else colours.muted


def is_bundled(data: xr.Dataset) -> bool:
    """Whether a dataset is that of a bundled network."""
    own = data.attrs.get("run_checksum")
    return any(reference(name, ()).attrs.get("run_checksum") == own
               for name in (CLOCK, PIZZA, TORUS))  # fmt: skip


def run_names(parts: Sequence[xr.Dataset]) -> list[str]:
    """What stands below each panel where a run of the user's is beside bundled ones; else "".

    So that it is told from them.
    """
    if len(parts) < 2 or all(map(is_bundled, parts)):
        return [""] * len(parts)
    names = [str(part.attrs.get("run_name") or "the run") for part in parts]
    return [
        "bundled" if is_bundled(part)
        else name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
        for part, name in zip(parts, names, strict=True)
    ]  # fmt: skip


def index_at(data: xr.Dataset, part: xr.Dataset, i: int, clock: str = "field_epoch") -> int:
    """The index of a run, or of one beside it, at the epoch that the run shows, or its last."""
    return i if part is data else clocks.index_up_to(part, clock, float(data[clock].values[i]))
