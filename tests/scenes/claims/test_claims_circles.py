"""The sentences of string-to-circle and of chorus hold as far as their data bear them out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from grokviz.scenes.modular_addition._dials import turn
from grokviz.scenes.modular_addition._pair import Pair
from grokviz.scenes.modular_addition.embedding._string import Circle, apart
from grokviz.scenes.modular_addition.logits import chorus

from grokviz.dataset.references.reference import load
from grokviz.errors import InputError
from grokviz.media.provenance import read_provenance
from grokviz.render.render import render
from grokviz.scene import Claim
from grokviz.scene.registry import scene
from grokviz.tasks.modular_addition import fields

P = 113


def of(name: str) -> xr.Dataset:
    return load(None, scene(name).needs).copy(deep=True)


def claim(name: str, data: xr.Dataset, **options: object) -> Claim:
    return scene(name).with_options(options).claim(data)


# --- string-to-circle ---------------------------------------------------------------------


def test_the_reference_is_wound_as_often_as_its_frequency_says() -> None:
    data = of("string-to-circle")
    for k in (14, 35, 41, 42, 52):
        told = claim("string-to-circle", data, frequency=k)
        assert told.holds
        assert told.sentence == f"The network winds its 113 numbers {k} times round a circle"
        assert told.numbers["turns"] == k
    assert claim("string-to-circle", data).sentence.count("14 times")


def test_its_radii_vary_as_those_of_wave_circles_at_the_same_moment() -> None:
    own, rings = of("string-to-circle"), of("wave-circles")
    said = scene("wave-circles").with_options().description(rings, -1)
    spread = claim("string-to-circle", own).numbers["spread"]
    assert f", spread {spread:.0%}" in said.partition("frequency 14 has radius")[2][:20]
    assert f"At epoch 40,000 radii vary by {spread:.0%}" in claim("string-to-circle", own).watch


def test_the_gap_of_the_angles_is_that_of_the_embedding() -> None:
    data = of("string-to-circle")
    plane = data["embedding_plane"].sel(embedded_frequency=14).isel(epoch=-1).values.astype(float)
    angle = np.degrees(np.arctan2(plane[:, 1], plane[:, 0]))
    for a, b in ((27, 95), (5, 6), (112, 112)):
        away = (angle[a] + angle[b] - angle[(a + b) % P] + 180) % 360 - 180
        told = claim("string-to-circle", data, a=a, b=b)
        assert told.numbers["gap"] == pytest.approx(abs(away), abs=1e-6)
        assert f"that of {(a + b) % P}, within {abs(away):.0f}\u00b0" in told.watch


@pytest.mark.parametrize(("spread", "holds"), [(0.19, True), (0.21, False)])
def test_a_cloud_is_no_circle(spread: float, holds: bool) -> None:
    data = of("string-to-circle")
    place = list(data["embedded_frequency"].values).index(14)
    plane = data["embedding_plane"].values[-1, place].astype(float)
    unit = plane / np.linalg.norm(plane, axis=1, keepdims=True)
    radius = 1 + spread * np.where(np.arange(P) % 2, 1, -1)
    # an odd one out does not shift the mean by more than the margin
    data["embedding_plane"][-1, place] = unit * radius[:, None]
    told = claim("string-to-circle", data)
    assert told.holds is holds
    if not holds:
        assert told.sentence == "In the plane of frequency 14 the numbers lie in a cloud: " \
            "radii vary by 21%"  # fmt: skip


def test_numbers_out_of_order_do_not_go_round() -> None:
    data = of("string-to-circle")
    order = np.random.default_rng(0).permutation(P)
    data["embedding_plane"][:] = data["embedding_plane"].values[:, :, order]
    told = claim("string-to-circle", data)
    assert told.sentence == "In the plane of frequency 14 the numbers do not go round in order"
    assert not told.holds


def test_a_run_without_frequencies_or_with_others_is_refused() -> None:
    data = of("string-to-circle")
    with pytest.raises(InputError, match="13 is not embedded; there are 14, 31, 35"):
        claim("string-to-circle", data, frequency=13)
    with pytest.raises(InputError, match="a=113, b=95 are not both below p=113"):
        claim("string-to-circle", data, a=113)
    data["embedding_plane"][-1] = np.nan
    with pytest.raises(InputError, match="is no number, or has no extent; draw another run"):
        claim("string-to-circle", data)
    none = data.drop_vars(["embedding_plane", "embedded_frequency"]).assign_coords(
        embedded_frequency=np.zeros(0, int)
    )
    with pytest.raises(InputError, match="no embedded frequency"):
        claim("string-to-circle", none)


def test_the_string_goes_through_every_number() -> None:
    draw = np.random.default_rng(1)
    points = np.exp(2j * np.pi * 5 * np.arange(17) / 17) * draw.uniform(0.8, 1.2, 17)
    circle = Circle(5, points, 3, 4)
    s, turning = circle.string()
    whole = np.isclose(s, np.round(s))
    assert whole.sum() == 17
    np.testing.assert_allclose(turning[whole], points)
    assert (circle.turns, circle.c) == (5, 7)


@pytest.mark.parametrize("k", [1, 5, 14])
def test_angles_are_counted_as_the_numbers_go_round(k: int) -> None:
    draw = np.random.default_rng(1)
    wanted = 2 * np.pi * (k * np.arange(17) % 17) / 17
    points = np.exp(1j * (wanted + draw.uniform(-0.1, 0.1, 17)))
    circle = Circle(k, points, 3, 16)
    for n in range(17):
        # never back from 0, but for what the measured number is off
        assert circle.angle(n) == pytest.approx(wanted[n], abs=0.1)
        assert np.exp(1j * circle.angle(n)) == pytest.approx(points[n])
        assert turn(k, n, 17) == pytest.approx(wanted[n])


def test_names_on_a_circle_are_set_apart_and_else_stay() -> None:
    angles = np.radians([170.0, -175.0, 20.0])
    found = apart(angles, np.radians(30))
    turns = (found - angles + np.pi) % (2 * np.pi) - np.pi
    assert abs(turns[2]) < 1e-9
    away = np.degrees((found[1] - found[0]) % (2 * np.pi))
    assert away == pytest.approx(30)
    np.testing.assert_allclose(turns[0], -turns[1])


# --- chorus ---------------------------------------------------------------------------------


def test_the_references_waves_agree_at_the_answer() -> None:
    told = claim("chorus", of("chorus"))
    assert told.holds
    assert told.sentence == "Five waves agree at one number: 9"
    assert told.watch == (
        "27 + 95 mod 113: 35 logits, at most 19 at any other; the waves are 99.5% of the variance"
    )


def test_waves_and_what_they_leave_out_are_the_whole() -> None:
    data = of("chorus")
    pair = Pair.of(data, 27, 95, 7)
    logits = fields.pair_logits(data, 27, 95)
    c, rest = np.arange(P), logits - logits.mean()
    squares = float(np.square(rest).sum())
    for k in pair.shown:
        cos, sin = (wave(2 * np.pi * k * c / P) * np.sqrt(2 / P) for wave in (np.cos, np.sin))
        part = (rest @ cos) * cos + (rest @ sin) * sin
        np.testing.assert_allclose(pair.wave(k, c), part, atol=1e-9)
    left = rest - sum(pair.wave(k, c) for k in pair.shown)
    assert pair.share == pytest.approx(1 - float(np.square(left).sum()) / squares)
    np.testing.assert_allclose(pair.total(), rest - left)
    np.testing.assert_allclose(pair.total(2), sum(pair.wave(k, c) for k in pair.shown[:2]))
    half = 0.5 * pair.wave(pair.shown[0], c)
    np.testing.assert_allclose(pair.total(0.5), half)


def test_a_network_that_answers_wrongly_is_said_to() -> None:
    data = of("chorus")
    # each class is read as the next one
    for name in ("neuron_logit_map", "stream_logit_map", "logit_start"):
        data[name][:] = np.roll(data[name].values, 1, axis=0)
    told = claim("chorus", data)
    assert not told.holds
    assert told.sentence.startswith("27 + 95 = 9 mod 113, the network says 10; 5 waves")
    drawn = scene("chorus").with_options({})
    assert "The network's own highest logit is at 10" in drawn.alt_text(data, 0)


@pytest.mark.parametrize(("noise", "holds"), [(0.4, True), (0.8, False)])
def test_logits_that_are_something_else_are_no_waves(noise: float, holds: bool) -> None:
    data = of("chorus")
    own = fields.pair_logits(data, 27, 95)
    c = np.arange(P)
    # a wave of another frequency, lowest at no answer near this one
    other = noise * own.std() * np.sqrt(2) * np.cos(2 * np.pi * 20 * (c - 9) / P)
    data["logit_start"] = data["logit_start"] + other
    told = claim("chorus", data)
    assert told.numbers["share"] == pytest.approx(1 / (1 + noise**2), abs=0.02)
    assert (told.numbers["share"] >= chorus.MADE_OF) is holds
    assert told.holds is holds


def test_fewer_waves_can_be_asked_for_and_what_is_left_out_grows() -> None:
    data = of("chorus")
    pair = Pair.of(data, 27, 95, 2)
    assert pair.shown == [42, 52]
    assert pair.keys == [14, 35, 41, 42, 52]
    assert pair.share < Pair.of(data, 27, 95, 5).share
    assert ", the 2 highest of 5," in scene("chorus").with_options({"most": "2"}).caption(data)


@pytest.mark.parametrize(("keys", "said"), [(12, "Twelve waves"), (13, "Twelve of 13 waves")])
def test_a_dozen_waves_are_drawn_and_more_are_counted(keys: int, said: str) -> None:
    data = of("chorus").drop_vars(["key_neurons", "key_frequency"])
    waves = np.arange(3, 3 + 4 * keys, 4)
    data = data.assign_coords(key_frequency=("key_frequency", waves))
    data["key_neurons"] = ("key_frequency", np.ones(keys))
    turns = 2 * np.pi * np.outer(waves, np.arange(P) - 9) / P
    data["logit_start"] = data["logit_start"] + 30 * np.cos(turns).sum(0)
    told = claim("chorus", data)
    assert told.sentence == f"{said} agree at one number: 9"


# --- of one checkpoint ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["algorithm", "string-to-circle"])
def test_the_checkpoint_asked_for_is_drawn(name: str, tmp_path: Path) -> None:
    (path,) = render(name, None, tmp_path / "a.svg", epoch=8000, venue="slide")
    assert "epoch 8,000" in path.read_text("utf-8")
    said = read_provenance(path)
    assert said.epochs == (8000,)
    assert "40,000" not in said.caption + said.alt + said.title


def test_logits_that_are_no_numbers_are_refused() -> None:
    data = of("chorus")
    data["logit_start"][3] = np.nan
    with pytest.raises(InputError, match="no numbers; draw another run"):
        claim("chorus", data)
    for wrong in ({"a": -1}, {"most": 0}, {"most": 13}):
        with pytest.raises(InputError, match=r"not possible|not be negative"):
            scene("chorus").with_options(wrong)
