"""The steps of a page: five moments of a run, and what to look at in each.

Their sentences are what scenes argue of this very run (:class:`grokviz.scene.claim.Claim`), so
they are true of whatever run it is; the page adds what a panel shows at the moment.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.dataset.numerics.curves import PHASES
from grokviz.errors import InputError
from grokviz.pages.panels import Panel
from grokviz.scene import clock as clocks
from grokviz.scene.claim import Claim
from grokviz.scene.registry import scenes
from grokviz.scene.scene import Scene

if TYPE_CHECKING:
    import xarray as xr

STEPS = 5

FIRST = (
    "loss", "progress", "waves", "circles", "sum", "heads", "pattern", "digits", "family",
    "rounding", "held-out",
)  # fmt: skip
"""Panels that steps go to before others, where the page has them."""

FALLS = ((0.25, "a quarter"), (0.5, "half"), (0.9, "nine tenths"))
"""Shares of the way down of a loss without phases, in numbers and in words."""

log = logging.getLogger(__name__)


def steps(data: xr.Dataset, panels: Sequence[Panel]) -> list[dict[str, Any]]:
    """Five steps through a run, in the order of training.

    Args:
        data: the dataset of the page.
        panels: the panels of the page.

    Returns:
        Of each step ``epoch``, ``panel`` (its name), ``claim`` (a sentence without its full stop)
        and ``where`` (what happens at that epoch, in words).

    """
    claims = {panel.name: claims_of(data, panel) for panel in panels}
    names = _panels_of_steps([panel.name for panel in panels], claims)
    visits = [names[n * len(names) // STEPS] for n in range(STEPS)]
    sentences: dict[int, str] = {}
    # where a panel is visited twice, what is left of the claims
    for n in sorted(range(STEPS), key=lambda n: visits[n] in visits[:n]):
        unused = [one for one in claims[visits[n]] if one not in sentences.values()]
        sentences[n] = next(iter(unused), "")
    return [
        {
            "epoch": epoch, "panel": visits[n], "where": where,
            "claim": sentences[n] or f"{where[:1].upper()}{where[1:]}",
        }
        for n, (epoch, where) in enumerate(moments(data))
    ]  # fmt: skip


def claims_of(data: xr.Dataset, panel: Panel) -> list[str]:
    """What scenes argue of what this panel draws, the closest first.

    They are the scenes that name the panel, those first whose first panel it is; where none of
    them can be drawn, those that draw its first variable. What holds is before what stands in
    the place of a scene's own sentence.
    """
    of_scene = {name: kind for name, kind in scenes().items() if kind.engine == "matplotlib"}
    named = [kind for kind in of_scene.values() if panel.name in kind.panels]
    own = [kind for kind in named if kind.panels[0] == panel.name]
    # a recorded array has a panel of its own, and all of them one variable
    drawn = [
        "array_entry" if name.startswith("recorded_array_") else name
        for name in panel.variables(data)[:1]
    ]
    others = [kind for kind in of_scene.values() if drawn and [*kind.needs[:1]] == drawn]
    claims = [*_claims(data, own), *_claims(data, [kind for kind in named if kind not in own])]
    claims = claims or [*_claims(data, others)]
    return list(dict.fromkeys(claim.sentence for claim in claims))


def _claims(data: xr.Dataset, kinds: Sequence[type[Scene]]) -> list[Claim]:
    """Claims of the scenes that can be drawn, those first that hold."""
    claims = []
    for kind in kinds:
        try:
            scene = kind()
            scene.check(data)
            claims.append(scene.claim(data))
        except InputError:
            continue
        except Exception as error:  # a user's scene may fail on a run it was not written for
            log.warning("no step speaks of %s: %s", kind.name, error)
    return sorted(claims, key=lambda claim: not claim.holds)


def _panels_of_steps(names: Sequence[str], claims: dict[str, list[str]]) -> list[str]:
    """At most five panels, in the page's order: those of :data:`FIRST`, then those with a claim."""
    ranked = [name for name in FIRST if name in names and (claims[name] or name == "sum")]
    ranked += [name for name in names if name not in ranked and claims[name]]
    ranked = ranked or list(names)
    return [name for name in names if name in ranked[:STEPS]]


def moments(data: xr.Dataset) -> list[tuple[int, str]]:
    """Five checkpoints in the order of training, and what happens at each in words.

    They are the ends of the phases of training, or how far a loss has come down, or evenly spread.
    """
    epochs = data["epoch"].values
    if len(epochs) < 2:
        return [(int(epochs[0]), "the only checkpoint")] * STEPS
    first = "before training" if epochs[0] == 0 else "the first checkpoint"
    between = _phases(data) or _falls(data) or _evenly(epochs)
    inner = [(int(epochs[np.abs(epochs - epoch).argmin()]), words) for epoch, words in between]
    return [(int(epochs[0]), first), *inner, (int(epochs[-1]), "the end of training")]


def _phases(data: xr.Dataset) -> list[tuple[float, str]]:
    edges = clocks.phase_edges(data)[1:-1]
    if not edges:
        return []
    ends = [(end, f"{name} ends") for end, name in zip(edges, PHASES, strict=False)]
    if len(ends) == 3:
        return ends
    middle = (sum(edges[:2]) / 2, f"the middle of {PHASES[1]}")
    return [ends[0], middle, *ends[1:]]


def _falls(data: xr.Dataset) -> list[tuple[float, str]]:
    """When the training loss, as logged, has first come so far of its way down."""
    if "logged_train_loss" not in data or data.sizes["logged_epoch"] < STEPS:
        return []
    loss, at = data["logged_train_loss"].values, data["logged_epoch"].values
    known = np.isfinite(loss)
    if not known.any():
        return []
    begin, least = loss[known][0], loss[known].min()
    if not least < begin:
        return []
    fall = [(begin - loss) / (begin - least) >= share for share, _ in FALLS]
    moments_of_fall = [
        (
            float(at[np.argmax(reached & known)]),
            f"the training loss has come {words} of its way down",
        )
        for reached, (_, words) in zip(fall, FALLS, strict=True)
    ]
    epochs = data["epoch"].values
    places = {int(np.abs(epochs - epoch).argmin()) for epoch, _ in moments_of_fall}
    return moments_of_fall if len(places - {0, len(epochs) - 1}) == len(FALLS) else []


def _evenly(epochs: np.ndarray) -> list[tuple[float, str]]:
    span = float(epochs[-1] - epochs[0])
    words = ("a quarter", "half", "three quarters")
    return [(epochs[0] + span * n / 4, f"{words[n - 1]} of training") for n in (1, 2, 3)]
