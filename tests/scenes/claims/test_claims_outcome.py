"""What stands over a picture is true of the data it shows."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from grokviz.dataset.references.reference import load
from grokviz.errors import InputError
from grokviz.scene.outcome import outcome
from grokviz.scene.registry import scene, scenes

EPOCHS = np.arange(0, 5001, 100)

HIGH = "Not memorised by epoch 5,000: the training loss is 4"


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
    ("data", "sentence"),
    [
        (run(200, 3000), "Memorised by epoch 200, generalised 2,800 epochs later"),
        (run(200, 1200), "Memorised by epoch 200, generalised 1,000 epochs later"),
        (run(200, 1100), "Memorised by epoch 200, generalised at epoch 1,100"),
        (run(200, 200), "Learned train and test data together, by epoch 200"),
        (run(None, 200), "Generalised by epoch 200"),
        (run(200, None), "Memorised by epoch 200; not generalised by epoch 5,000"),
        (run(None, None), HIGH),
        (run(300, None, tested=False), "Training loss below 0.1 from epoch 300 on; no test loss"),
    ],
)
def test_a_run_that_did_not_grok_is_not_said_to(data: xr.Dataset, sentence: str) -> None:
    claim = scene("grokking-curve").with_options().claim(data)
    assert claim.sentence == sentence
    assert claim.holds == ("later" in sentence)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.full(len(EPOCHS), np.nan), "The loss is no number from epoch 0 on"),
        (np.where(EPOCHS < 900, 4.0, np.nan), "The loss is no number from epoch 900 on"),
        (np.where(EPOCHS < 900, 4.0, np.inf), "The loss is no number from epoch 900 on"),
        (
            np.where(EPOCHS == 900, np.nan, 4.0),
            "Not memorised by epoch 5,000: the training loss is 4",
        ),
    ],
)
def test_losses_that_are_no_numbers_are_said_to_be(values: np.ndarray, sentence: str) -> None:
    data = run(None, None)
    data["logged_train_loss"] = ("logged_epoch", values)
    assert outcome(data).sentence == sentence


def test_what_was_generalised_and_lost_is_no_grokking() -> None:
    data = run(200, 2000)
    lost = np.where((EPOCHS >= 2000) & (EPOCHS < 3000), 0.01, 4.0)
    data["logged_test_loss"] = ("tested_epoch", lost)
    assert outcome(data).delay is None
    assert (
        outcome(data).sentence == "Generalised at epoch 2,000, and lost it: the test loss ends at 4"
    )


def test_a_run_without_losses_is_said_to_have_none() -> None:
    data = xr.Dataset(coords={"epoch": EPOCHS})
    assert outcome(data).sentence == "No loss was logged"
    measured = np.where(EPOCHS[:, None] >= np.array([200, 3000]), 0.01, 4.0)
    data["loss"] = (("epoch", "split"), measured)
    data = data.assign_coords(split=["train", "test"])
    assert outcome(data).sentence == "Memorised by epoch 200, generalised at epoch 3,000"


def test_less_data_is_said_to_take_longer_where_it_does() -> None:
    data = load(None, default="fraction-sweep")
    sweep = scene("fraction-sweep").with_options()
    assert sweep.claim(data).holds
    never, equal = data.copy(), data.copy()
    never["generalised_epoch"] = xr.full_like(data["generalised_epoch"], -1)
    equal["generalised_epoch"] = xr.full_like(data["generalised_epoch"], 100)
    count = data.sizes["fraction"]
    assert sweep.claim(never).sentence == f"0 of {count} training fractions generalise"
    assert sweep.claim(equal).sentence == f"{count} of {count} training fractions generalise"


@pytest.mark.parametrize("name", [n for n, s in scenes(user=False).items() if s.reference])
def test_the_bundled_runs_bear_their_sentences_out(name: str) -> None:
    kind = scenes(user=False)[name]
    instance = kind.with_options()
    claim = instance.claim(load(None, instance.variables(), default=kind.reference))
    assert claim.holds
    assert claim.sentence


NO_COURSE = {
    "ablation", "attention-map", "credits", "many-small-steps", "path", "smooth-from-many", "steps",
}  # fmt: skip
"""They draw one moment, a course as one number, or steps, which do not stand still; one no data."""

TOLD = (
    "phase_end", "event_epoch", "spike_epoch", "spike_height", "memorised_epoch",
    "generalised_epoch", "accurate_epoch",
)  # fmt: skip
"""What is known of a run beside its course."""

CLOCKS = {"point", "step", "x"}
"""Dimensions that run on with training, or with a lead, beside those that count epochs."""


def at_rest(data: xr.Dataset) -> xr.Dataset:
    """The data, had nothing moved since the first moment that has numbers."""
    changed = {name: xr.full_like(data[name], -1) for name in TOLD if name in data}
    if "member_spike_count" in data:
        changed["member_spike_count"] = xr.zeros_like(data["member_spike_count"])
    for name, values in data.drop_vars(changed).data_vars.items():
        for clock in values.dims:
            moves = clock in CLOCKS or str(clock).endswith("epoch")
            if values.dtype.kind not in "fiu" or not values.size or not moves:
                continue
            axis = values.dims.index(clock)
            others = tuple(n for n in range(values.ndim) if n != axis)
            known = np.flatnonzero(np.isfinite(values.values).any(axis=others))
            still = np.take(values.values, [known[0] if len(known) else 0], axis=axis)
            values = values.copy(data=np.broadcast_to(still, values.shape).copy())
        changed[str(name)] = values
    return data.assign(changed)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if n % 12 == 0 else pytest.mark.slow)
        for n, (name, s) in enumerate(scenes(user=False).items())
        if s.reference and name not in NO_COURSE
    ],
)
def test_a_run_in_which_nothing_moves_bears_no_sentence_out(name: str) -> None:
    kind = scenes(user=False)[name]
    drawn = kind.with_options()
    data = load(None, drawn.variables(), default=kind.reference)
    try:
        kind.check(still := at_rest(data))
    except InputError:
        return  # there is nothing to draw
    told = drawn.claim(still)
    assert not told.holds
    assert told.sentence != drawn.claim(data).sentence
    assert "nan" not in told.sentence
