"""Curves of the published run behind those of a run like it, where a dataset has them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from grokviz.scene.curves import Curve
from grokviz.scene.style import style

if TYPE_CHECKING:
    import xarray as xr

HELP = "the published run's curves too, thin and dashed, of a run with its settings"
WORDS = "thin dashes: the published run"
SEEDS = {"seed": "weights", "split-seed": "split"}
"""Settings of which the published run has 0, and what they are called."""

TRAIN, TEST = "published_train_loss", "published_test_loss"


def definition(data: xr.Dataset) -> str:
    """What the dashes are, and which seeds of this run are not the published one's."""
    try:
        settings = json.loads(data.attrs.get("settings", "{}"))
    except ValueError:
        settings = {}
    others = [f"{word} {settings[key]}" for key, word in SEEDS.items() if settings.get(key, 0) != 0]
    own = f" but with seed 0 for weights and split (here {' and '.join(others)})" if others else ""
    return (
        f" Thin dashes: the published run with these settings{own}, read off the vector paths of "
        "its figures (neelnanda-io/Grokking, figs)."
    )


def watch(words: str) -> str:
    """What there is to see, with what the dashes are."""
    return f"{words}; {WORDS}" if words else WORDS


def losses(data: xr.Dataset) -> dict[str, Curve]:
    """The published train and test loss, which have no name in the panel."""
    colours = style().colours
    return {
        "_published train": curve(data, TRAIN, colours.train),
        "_published test": curve(data, TEST, colours.test),
    }


def curve(data: xr.Dataset, name: str, colour: str, **at: int) -> Curve:
    """A published curve in the colour of ours; ``at`` picks one of several."""
    values = data[name].sel(dict(at)) if at else data[name]
    own = Curve.of(data["published_epoch"].values, values.values, colour)
    own.dashed = True
    return own
