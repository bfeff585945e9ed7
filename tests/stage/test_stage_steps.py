"""The steps of a page: which moments, which panels, and sentences that are true of the run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import grokviz as gv
from grokviz.errors import InputError
from grokviz.explorer.steps import STEPS, claims_of, moments, steps
from grokviz.pages.own import own_panels
from grokviz.pages.panels import Panel, available
from grokviz.scene.registry import scene


def panels_of(data: xr.Dataset) -> tuple[list[Panel], xr.Dataset]:
    panels = available(data)
    own, data = own_panels(data, panels)
    return [*panels, *own], data


REFERENCES = [
    "modular-addition", "digit-addition", "repeated-subsequence", "skip-trigram", "digits",
    "superposition", "slingshots",
]  # fmt: skip


@pytest.mark.parametrize("name", REFERENCES)
def test_every_run_has_five_steps_in_the_order_of_training(name: str) -> None:
    panels, data = panels_of(gv.reference(name))
    told = steps(data, panels)
    assert len(told) == STEPS
    epochs = [step["epoch"] for step in told]
    assert epochs == sorted(epochs)
    assert (epochs[0], epochs[-1]) == (data["epoch"].values[0], data["epoch"].values[-1])
    assert set(epochs) <= set(data["epoch"].values)
    names = [panel.name for panel in panels]
    places = [names.index(step["panel"]) for step in told]
    assert places == sorted(places)
    sentences = [step["claim"] for step in told]
    assert len(set(sentences)) == STEPS
    assert not any(sentence.endswith(".") for sentence in sentences)


def test_the_sentences_are_claims_of_this_run() -> None:
    data = gv.reference()
    told = {step["panel"]: step["claim"] for step in steps(data, available(data))}
    assert told["loss"] == scene("grokking-curve")().claim(data).sentence
    assert told["waves"] == scene("embedding-waves")().claim(data).sentence
    never = data.copy()
    for name in ("logged_test_loss", "loss"):
        never[name] = xr.full_like(data[name], float(data["logged_test_loss"][0]))
    changed = {step["panel"]: step["claim"] for step in steps(never, available(never))}
    assert changed["loss"] == scene("grokking-curve")().claim(never).sentence != told["loss"]


def test_moments_are_the_ends_of_phases_or_of_falls() -> None:
    data = gv.reference()
    epochs = [epoch for epoch, _ in moments(data)]
    clock = data["epoch"].values
    for epoch, end in zip(epochs[1:4], data["phase_end"].values, strict=True):
        assert abs(epoch - end) == np.abs(clock - end).min()
    falls = gv.reference("digit-addition")
    loss = falls["logged_train_loss"].values
    least = loss[0] - 0.5 * (loss[0] - np.nanmin(loss))
    half = float(falls["logged_epoch"][np.argmax(loss <= least)])
    assert abs(moments(falls)[2][0] - half) == np.abs(falls["epoch"].values - half).min()


def test_one_checkpoint_is_the_moment_of_all_steps() -> None:
    data = gv.reference().isel(epoch=[-1])
    assert {epoch for epoch, _ in moments(data)} == {40000}
    assert len(steps(data, available(data))) == STEPS


def test_a_scene_that_fails_on_a_run_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    data = gv.reference()
    loss = next(panel for panel in available(data) if panel.name == "loss")
    before = claims_of(data, loss)

    def fail(*_: object) -> None:
        raise ZeroDivisionError("not of this run")

    monkeypatch.setattr(scene("grokking-curve"), "claim", fail)
    assert claims_of(data, loss) == before[1:]


def test_two_runs_that_do_not_count_alike_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("plotly")
    first, second = gv.reference("modular-addition-59"), gv.reference("digits")
    with pytest.raises(InputError, match="counts epochs and digits steps"):
        gv.explore(first, tmp_path / "two.html", beside=second)
