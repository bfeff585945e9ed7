"""The sentence over the learning coefficient, and how it is drawn."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray as xr
from grokviz.scenes.modular_addition.progress import learning_coefficient
from grokviz.scenes.modular_addition.progress.learning_coefficient import _Turn
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.figure import Figure

import grokviz as gv
from grokviz.dataset.references.reference import load
from grokviz.scene import drawing_in
from grokviz.scene.registry import scenes

SCENE = scenes(user=False)["learning-coefficient"]


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    return load(None, SCENE.needs, default=SCENE.reference)


def of_level(data: xr.Dataset, share: float) -> xr.Dataset:
    """The data with that share of the peak from where the run groks on."""
    chains = data["learning_coefficient"].copy(deep=True)
    peak = float(chains.mean("chain").max())
    chains.loc[{"field_epoch": slice(3500, None)}] = share * peak
    return data.assign(learning_coefficient=chains)


def test_it_falls_before_the_test_loss_on_its_reference(data: xr.Dataset) -> None:
    own = SCENE().claim(data)
    assert own.holds
    peak, left = (f"{own.numbers[name]:.2g}" for name in ("peak", "left"))
    assert own.numbers["peak"] > 10 * own.numbers["left"] > 0
    # in no more digits than the chains agree on
    gap = own.numbers["grokked"] - own.numbers["fallen"]
    told = re.search(r"halves about ([\d,]+) epochs before the test loss", own.sentence)
    assert told is not None, (peak, left)
    rounded = int(told[1].replace(",", ""))
    assert rounded % 10 == 0
    assert rounded == pytest.approx(gap, abs=rounded / 10)
    assert "4 estimates" in own.watch
    # the arrow begins on the line that is drawn
    means = data["learning_coefficient"].mean("chain").values
    there = float(np.interp(own.numbers["fallen"], data["field_epoch"].values, means))
    assert there == pytest.approx(own.numbers["peak"] / 2, rel=1e-5)


@pytest.mark.parametrize(("epoch", "holds"), [(1800, True), (2000, False)])
def test_half_of_the_time_to_grok_is_the_threshold(
    data: xr.Dataset, epoch: int, holds: bool
) -> None:
    chains = data["learning_coefficient"].copy(deep=True)
    early = data["field_epoch"] < epoch
    chains[{"field_epoch": early.values}] = 100.0
    own = SCENE().claim(data.assign(learning_coefficient=chains))
    assert own.holds == holds
    assert own.numbers["fallen"] == pytest.approx(epoch, abs=450)


@pytest.mark.parametrize("side", [1, -1])
def test_half_of_the_peak_is_the_threshold(data: xr.Dataset, side: int) -> None:
    moved = of_level(data, learning_coefficient.FALLEN * (1 - 0.02 * side))
    assert SCENE().claim(moved).holds == (side > 0)


def test_chains_that_do_not_agree_show_no_fall(data: xr.Dataset) -> None:
    chains = data["learning_coefficient"].copy(deep=True)
    chains[:, 0] = 0.0
    assert not SCENE().claim(data.assign(learning_coefficient=chains)).holds


@pytest.mark.parametrize("kind", ["none", "infinite"])
def test_chains_without_numbers_are_no_claim(data: xr.Dataset, kind: str) -> None:
    value = {"none": np.nan, "infinite": np.inf}[kind]
    lost = data.assign(learning_coefficient=xr.full_like(data["learning_coefficient"], value))
    scene = SCENE()
    assert not scene.claim(lost).holds
    assert "no number" in scene.description(lost, 3)
    assert "estimates" not in scene.claim(lost).watch


@pytest.mark.parametrize("traces", [False, True])
@pytest.mark.parametrize("ghost", [False, True])
def test_the_band_grows_to_the_moment_shown(data: xr.Dataset, traces: bool, ghost: bool) -> None:
    with drawing_in(gv.theme("dark", "slide"), ghost=ghost):
        figure = Figure(figsize=(19.2, 10.8))
        drawing = SCENE.with_options({"traces": traces}).draw(figure, data)
    (band,) = [one for one in flat(drawing.moving) if isinstance(one, FillBetweenPolyCollection)]
    for i in (3, 20):
        drawing.update(i)
        epoch = float(data["field_epoch"][i])
        assert band.get_paths()[0].vertices[:, 0].max() == epoch
    lines = [one for one in flat(drawing.moving) if len(np.atleast_1d(xdata(one))) == 20]
    assert len(lines) == (4 if traces else 0)
    for line, values in zip(lines, data["learning_coefficient_trace"].values[20], strict=False):
        np.testing.assert_allclose(line.get_ydata(), values)


def flat(parts: object) -> list[object]:
    if isinstance(parts, (list, tuple)):
        return [one for part in parts for one in flat(part)]
    return [parts]


def xdata(artist: object) -> object:
    return artist.get_xdata() if hasattr(artist, "get_xdata") else []


def test_a_gap_has_no_more_digits_than_the_chains_agree_on() -> None:
    turn = _Turn(0, 100.0, 10.0, 400.0, 3793.0, True, 0.0, 11.0)
    for spread, words in ((0.0, "3,393"), (8.0, "about 3,390"), (60.0, "about 3,400"),
                          (9e3, "about 3,000")):  # fmt: skip
        assert turn._replace(spread=spread).gap == words


def test_the_other_progress_measures_are_drawn_beside_it() -> None:
    scene = SCENE.with_options({"others": True})
    data = load(None, scene.variables(), default=SCENE.reference)
    with drawing_in(gv.theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        scene.draw(figure, data).update(len(data["field_epoch"]) - 1)
    measures = {
        "key waves alone": data["restricted_loss"].sel(split="all"),
        "without them": data["excluded_loss_2d"],
        "squared weights": data["sum_squared_weights"].sum("parameter"),
    }
    drawn = [np.asarray(line.get_ydata()) for line in figure.axes[0].lines]
    for values in measures.values():
        share = 100 * values.values / values.values.max()
        assert any(len(y) == len(share) and np.allclose(y, share) for y in drawn)
    assert measures.keys() < {text.get_text() for text in figure.axes[0].texts}
    assert "test pairs included" in scene.definition(data)


def test_how_far_the_chains_agree_is_said(data: xr.Dataset) -> None:
    assert "1.05 in the median of the checkpoints, at most 1.42" in SCENE().definition(data)
    at = data["field_epoch"].values.tolist().index(120)
    assert "(split R-hat 1.42)" in SCENE().description(data, at)
    one = data.isel(stretch=slice(0, 9))
    assert "R-hat" not in SCENE().definition(one) + SCENE().description(one, at)
