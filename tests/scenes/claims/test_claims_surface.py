"""The lit surface of a neuron: what it says of a run, its orders, its stages, and its film."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import xarray as xr
from grokviz.scenes.modular_addition import _surface, _surface_picture
from grokviz.scenes.modular_addition.neuron_surface import NOISE, WAVE, NeuronSurface
from matplotlib.figure import Figure

import grokviz as gv
from grokviz.dataset.references.reference import load
from grokviz.errors import InputError
from grokviz.scene import drawing_in, relief

STAGES = ("all", "epochs", "re-sorted", "torus", "landscape")


@lru_cache(maxsize=1)
def reference() -> xr.Dataset:
    return load(None, NeuronSurface.needs)


def with_wave(data: xr.Dataset, share: float, at: int) -> xr.Dataset:
    """The neuron at a moment with so much of its variance in its own frequency.

    Its tables become a wave of the frequency and one that is not; the attention is even.
    """
    k, p = int(data["neuron_frequency"][0]), data.sizes["row"] // 2
    own, other = (np.cos(2 * np.pi * j * np.arange(p) / p) for j in (k, k + 3))
    table = np.zeros(data.sizes["row"])
    table[:p] = np.sqrt(share) * own + np.sqrt(1 - share) * other
    data = data.copy(deep=True)
    data["neuron_table"].loc[{"field_epoch": data["field_epoch"][at]}] = table
    epoch = data["field_epoch"].values[at]
    data["attention_score"].loc[{"epoch": epoch}] = 0
    return data


def end_of(data: xr.Dataset) -> int:
    """The last moment that the claim is of."""
    last = 1.5 * float(data["phase_end"].values[2])
    return int(np.flatnonzero(data["field_epoch"].values <= last)[-1])


def test_it_takes_the_clearest_neuron_of_the_lowest_frequency() -> None:
    data = reference()
    at = NeuronSurface().shown(data)
    k, share = data["neuron_frequency"].values, data["neuron_variance_explained"].values
    assert k[at] == k.min()
    assert share[at] == share[k == k.min()].max()


@pytest.mark.parametrize("stage", STAGES)
def test_the_sentence_holds_on_the_reference(stage: str) -> None:
    claim = NeuronSurface.with_options({"stage": stage}).claim(reference())
    assert claim.holds
    assert "14 \u00d7 14 hills" in claim.sentence
    assert claim.numbers["last"] > 0.9
    assert claim.numbers["first"] < 0.1


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(("share", "holds"), [(WAVE + 0.01, True), (WAVE - 0.01, False)])
def test_a_neuron_of_other_waves_is_no_egg_crate(stage: str, share: float, holds: bool) -> None:
    data = with_wave(reference(), share, end_of(reference()))
    claim = NeuronSurface.with_options({"stage": stage}).claim(data)
    assert claim.holds is holds
    assert ("hills" in claim.sentence) is holds
    assert np.isclose(claim.numbers["last"], share, atol=1e-3)


@pytest.mark.parametrize("stage", ["epochs", "landscape"])
@pytest.mark.parametrize(("share", "holds"), [(NOISE - 0.01, True), (NOISE + 0.01, False)])
def test_what_was_a_wave_at_first_was_no_noise(stage: str, share: float, holds: bool) -> None:
    claim = NeuronSurface.with_options({"stage": stage}).claim(with_wave(reference(), share, 0))
    assert claim.holds is holds
    assert ("noise" in claim.sentence) is holds


def test_a_neuron_without_a_frequency_is_not_sorted() -> None:
    data = reference().copy(deep=True)
    data["neuron_frequency"][:] = 0
    assert "no frequency" in NeuronSurface().claim(data).sentence
    assert _surface_picture.words(NeuronSurface()._source(data), 2.0)[1] == (
        "by nothing: no frequency"
    )


def test_one_hill_is_not_said_to_be_shuffled() -> None:
    data = reference().copy(deep=True)
    data["neuron_frequency"][:] = 1
    k, p = 1, data.sizes["row"] // 2
    wave = np.zeros(data.sizes["row"])
    wave[:p] = np.cos(2 * np.pi * k * np.arange(p) / p)
    data["neuron_table"][:] = wave
    data["attention_score"][:] = 0
    claim = NeuronSurface().claim(data)
    assert not claim.holds
    assert claim.sentence.endswith("one hill as it is: its frequency is 1")


def test_a_neuron_that_is_not_stored_is_refused() -> None:
    with pytest.raises(InputError, match="neuron 3 is not stored; there are 248"):
        NeuronSurface(neuron=3).shown(reference())


# --- its orders and stages -----------------------------------------------------------


def source(data: xr.Dataset) -> Any:
    return NeuronSurface()._source(data)


def test_re_sorted_the_hills_are_one_with_its_top_in_the_middle() -> None:
    data = reference()
    one = source(data)
    p, end = one.p, end_of(data)
    assert sorted(one.a_order.tolist()) == sorted(one.b_order.tolist()) == list(range(p))
    assert set(np.diff(one.a_order * one.k % p) % p) == {1}
    values = relief.percentile_scale(one.field(end))
    hill = values[np.ix_(one.a_order, one.b_order)]
    third = slice(p // 3, 2 * p // 3)
    assert hill[third, third].mean() > 0.5
    assert max(hill[:6, :6].mean(), hill[-6:, :6].mean(), hill[-6:, -6:].mean()) < -0.5


def field_of(data: xr.Dataset, factor: int = 2) -> _surface.Field:
    one = source(data)
    values = relief.percentile_scale(one.field(end_of(data)))
    return _surface.Field(values, one.k, one.a_order, one.b_order, factor)


@pytest.mark.parametrize("first", [0, 1])
def test_what_slides_begins_and_ends_as_the_sheets_on_both_sides(first: int) -> None:
    field, camera = field_of(reference()), relief.Camera(azimuth=-60)
    with drawing_in(gv.theme("dark", "slide")):
        for at, whole in ((first + 1e-9, first), (first + 1 - 1e-9, first + 1)):
            shapes = [_surface.shape_of(field, stage, camera).points for stage in (at, whole)]
            middles = [relief.quads(one, one).corners.mean(axis=1) for one in shapes]
            assert len(middles[0]) == (2 * len(field.values)) ** 2
            assert np.allclose(*(np.sort(one, axis=0) for one in middles), atol=2e-6)


@pytest.mark.parametrize("stage", [2.0, 2.5, 3.0, 3.5, 4.0])
def test_a_sheet_is_within_its_outline_at_every_bend(stage: float) -> None:
    data, azimuth = reference(), -60.0
    camera = _surface_picture.camera_of(stage, azimuth)
    with drawing_in(gv.theme("dark", "slide")):
        shape = _surface.shape_of(field_of(data), stage, camera)
    box = (0.0, 0.0, 800.0, 600.0)
    view = relief.fitted([camera], _surface_picture.outline(stage, source(data)), box)
    at = view.pixels(camera.seen(shape.points.reshape(-1, 3)))
    assert at.min() > -25
    assert (at.max(axis=0) < np.array([825, 625])).all()


def test_a_film_goes_through_the_stages_in_order_and_stays_at_the_torus() -> None:
    stages = [_surface_picture._stage(share) for share in np.linspace(0, 1, 400)]
    assert stages[0] == 0
    assert stages[-1] == 4
    assert (np.diff(stages) >= 0).all()
    assert max(np.diff(stages)) < 0.06


@pytest.mark.parametrize(
    "stage", ["all", "torus", pytest.param("landscape", marks=pytest.mark.slow)]
)
def test_a_film_shows_all_its_moments_in_order(stage: str) -> None:
    data = reference()
    with drawing_in(gv.theme("dark", "slide"), ghost=False):
        figure = Figure(figsize=(19.2, 8.8), dpi=12)
        drawing = NeuronSurface.with_options({"stage": stage}).draw(figure, data)
    index = [0, 20, 40, 60, 83]
    with drawing_in(gv.theme("dark", "slide"), ghost=False):
        shown = [drawing.play(share, index) for share in (0, 0.1, 0.25, 0.41, 1.0)]
    assert shown == sorted(shown)
    assert shown[0] == 0
    assert shown[-1] == 83
