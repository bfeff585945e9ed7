"""What stands over a picture is true of the data it shows."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from grokviz.dataset.references.reference import load
from grokviz.scene.registry import scene, scenes

EPOCHS = np.arange(0, 5001, 100)


def run(train: int | None, test: int | None, *, tested: bool = True) -> xr.Dataset:
    """A run of 5,000 epochs whose losses fall below 0.1 at these epochs."""
    losses = [np.where((9999 if at is None else at) <= EPOCHS, 0.01, 4.0) for at in (train, test)]
    clock = EPOCHS if tested else EPOCHS[:0]
    return xr.Dataset(
        {
            "logged_train_loss": ("logged_epoch", losses[0]),
            "logged_test_loss": ("tested_epoch", losses[1][: len(clock)]),
        },
        coords={"epoch": EPOCHS, "logged_epoch": EPOCHS, "tested_epoch": clock},
    )


@pytest.mark.parametrize(
    ("data", "heading"),
    [
        (run(200, 3000), "It memorises at once and generalises thousands of epochs later"),
        (run(200, 1200), "It memorises at once and generalises thousands of epochs later"),
        (run(200, 1100), "It generalises by epoch 1,100"),
        (run(200, 200), "It generalises by epoch 200"),
        (run(None, 200), "It generalises by epoch 200"),
        (run(200, None), "It memorises, and has not generalised by epoch 5,000"),
        (run(None, None), "It has not memorised by epoch 5,000"),
        (run(300, None, tested=False), "The training loss is below 0.1 from epoch 300 on"),
    ],
)
def test_a_run_that_did_not_grok_is_not_said_to(data: xr.Dataset, heading: str) -> None:
    assert scene("grokking-curve").with_options().heading(data) == heading


def test_less_data_is_said_to_take_longer_where_it_does() -> None:
    data = load(None, default="fraction-sweep")
    sweep = scene("fraction-sweep").with_options()
    assert sweep.heading(data) == sweep.title
    never, equal = data.copy(), data.copy()
    never["generalised_epoch"] = xr.full_like(data["generalised_epoch"], -1)
    equal["generalised_epoch"] = xr.full_like(data["generalised_epoch"], 100)
    count = data.sizes["fraction"]
    assert sweep.heading(never) == f"0 of {count} training fractions generalise"
    assert sweep.heading(equal) == f"{count} of {count} training fractions generalise"


@pytest.mark.parametrize("name", [n for n, s in scenes(user=False).items() if s.reference])
def test_the_bundled_runs_bear_their_titles_out(name: str) -> None:
    kind = scenes(user=False)[name]
    assert kind.with_options().heading(load(None, kind.needs, default=kind.reference)) == kind.title


def test_what_to_watch_stands_under_a_title_that_holds() -> None:
    curve = scene("grokking-curve").with_options()
    assert curve.subtitle(run(200, 3000)) == curve.watch
    assert curve.subtitle(run(200, None)) == ""
