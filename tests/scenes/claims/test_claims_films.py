"""What films say is true of the data, and what is not is refused before it is drawn."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import xarray as xr
from grokviz.scenes.modular_addition.waves_to_circles import ROUND

from grokviz.dataset.references.reference import load
from grokviz.errors import InputError
from grokviz.scene.film import Film
from grokviz.scene.registry import scenes
from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY

OURS = (
    "clock", "fourier-multiplication", "neuron-wave", "waves-to-circles", "many-small-steps",
    "rounding", "opening", "credits", "phase-change-to-grokking", "thread", "finale",
    "induction-task",
)  # fmt: skip
FILMS: dict[str, Any] = scenes(user=False)


def film(name: str, **options: Any) -> Film:
    made: Film = FILMS[name].with_options(options)
    return made


def data_of(name: str) -> xr.Dataset:
    made = film(name)
    data = load(None, made.needs, default=made.reference)
    return data.drop_vars(set(data.data_vars) - set(made.needs)).copy(deep=True)


def memorised(data: xr.Dataset) -> xr.Dataset:
    """The same, had the test loss never fallen and no wave become anything."""
    data = data.copy(deep=True)
    if "logged_test_loss" in data:
        high = np.maximum(data["logged_test_loss"].values, 5.0)
        data["logged_test_loss"] = ("tested_epoch", high)
    if "phase_end" in data:
        data["phase_end"] = data["phase_end"] * 0 - 1
    return data


@pytest.mark.parametrize("name", OURS)
def test_its_sentence_holds_on_its_own_reference(name: str) -> None:
    made, data = film(name), data_of(name)
    claim = made.claim(data)
    assert claim.holds
    assert re.search(r"\d", claim.sentence)
    assert len(claim.sentence) <= 80
    assert made.alt_text(data, 0).startswith(claim.sentence)
    assert made.caption(data).startswith(claim.sentence)
    made.require(data)


# --- films of waves -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["clock", "fourier-multiplication"])
@pytest.mark.parametrize(("share", "holds"), [(0.51, True), (0.49, False), (np.nan, False)])
def test_waves_answer_where_they_explain_half_of_the_logits(
    name: str, share: float, holds: bool
) -> None:
    made, data = film(name), data_of(name)
    data["logit_variance_explained"][-1] = share
    assert made.claim(data).holds is holds
    if not holds:
        said = "do not answer" if np.isfinite(share) else "are no numbers"
        assert said in made.claim(data).sentence
        with pytest.raises(InputError, match="needs a run that adds by waves"):
            made.require(data)


@pytest.mark.parametrize("name", ["clock", "fourier-multiplication"])
def test_a_run_without_key_frequencies_has_no_clocks(name: str) -> None:
    data = data_of(name)
    # what has the dimension goes with it
    data = data.isel(key_frequency=slice(0)) if "key_frequency" in data.dims else data
    data = data.assign_coords(key_frequency=np.zeros(0, dtype=int))
    claim = film(name).claim(data)
    assert (claim.holds, claim.sentence) == (False, "No key frequencies yet: no waves answer")
    with pytest.raises(InputError, match="No key frequencies yet"):
        film(name).require(data)


def test_rivals_that_fit_as_well_are_no_answer() -> None:
    data = data_of("clock")
    heights = data["cosine_coefficient"]
    # one wave alone leaves its rivals, and those that hardly matter are no clocks
    heights[-1] = xr.where(heights["frequency"] == 42, heights[-1], 0.01 * heights[-1])
    claim = film("clock").claim(data)
    assert not claim.holds
    assert claim.sentence.startswith("One wave alone does not single out one answer")
    heights[-1] = -abs(heights[-1])
    assert "is low at the answer" in film("clock").claim(data).sentence


@pytest.mark.slow
def test_a_hundred_waves_are_too_many_clocks() -> None:
    data = data_of("clock")
    names = [name for name in data.data_vars if "key_frequency" in data[name].dims]
    data = data.drop_vars(names).drop_dims("key_frequency", errors="ignore")
    data = data.assign_coords(key_frequency=np.arange(1, 57))
    data["cosine_coefficient"][-1] = 300.0
    with pytest.raises(InputError, match="draws up to 12 waves and this run adds by 56"):
        film("clock").require(data)


def test_the_numbers_of_a_sum_follow_p() -> None:
    data = data_of("clock")
    assert film("clock").sum_of(data) == (87, 81)  # type: ignore[attr-defined]
    few = data.isel(residue=slice(0, 59))
    assert max(film("clock").sum_of(few)) < 59  # type: ignore[attr-defined]


@pytest.mark.parametrize(("least", "holds"), [(0.49, False), (0.51, True)])
def test_a_direction_that_is_no_product_is_not_shown_as_one(least: float, holds: bool) -> None:
    made, data = film("fourier-multiplication"), data_of("fourier-multiplication")
    data["key_direction_variance_explained"] = data["key_direction_variance_explained"] * 0 + least
    if holds:
        made.require(data)
        return
    with pytest.raises(InputError, match="is only 49% a product of waves"):
        made.require(data)


def test_the_dots_of_all_pairs_have_the_share_that_was_measured() -> None:
    made, data = film("fourier-multiplication"), data_of("fourier-multiplication")
    shares, measured = made.shares(data), made.directions(data)  # type: ignore[attr-defined]
    assert shares == pytest.approx(measured, abs=5e-3)
    assert f"{shares[0]:.0%} is that cosine" in made.description(data, 0)


# --- a neuron, and circles ------------------------------------------------------------


@pytest.mark.parametrize(("last", "holds"), [(0.51, True), (0.49, False)])
def test_a_neuron_is_a_wave_where_half_of_it_is(
    last: float, holds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, data = film("neuron-wave"), data_of("neuron-wave")
    end = made.moments(data)[-1]  # type: ignore[attr-defined]
    monkeypatch.setattr(type(made), "share", lambda self, data, i: last if i == end else 0.02)
    claim = made.claim(data)
    assert claim.holds is holds
    assert f"{last:.0%}" in claim.sentence
    monkeypatch.setattr(type(made), "share", lambda self, data, i: last)
    assert not made.claim(data).holds, "it was as much of a wave before"


def test_a_neuron_without_a_frequency_is_no_wave() -> None:
    made, data = film("neuron-wave"), data_of("neuron-wave")
    data["neuron_frequency"] = data["neuron_frequency"] * 0 + NO_FREQUENCY
    assert made.claim(data).sentence == "No neuron that is stored has a frequency"
    with pytest.raises(InputError, match="has no frequency"):
        made.require(data)


@pytest.mark.parametrize(("apart", "holds"), [(0.24, True), (0.26, False)])
def test_a_cloud_is_a_circle_where_its_radius_hardly_spreads(apart: float, holds: bool) -> None:
    made, data = film("waves-to-circles"), data_of("waves-to-circles")
    angles = 2 * np.pi * np.arange(data.sizes["residue"]) / data.sizes["residue"]
    # two radii with a spread of ``apart`` of their mean; an odd number of them
    radius = 1 + apart * np.where(np.arange(len(angles)) % 2, 1, -1)
    radius = 1 + (radius - radius.mean()) / radius.std() * apart
    ring = np.stack([radius * np.cos(angles), radius * np.sin(angles)], axis=1)
    planes = data["embedding_plane"].transpose("epoch", "embedded_frequency", "residue", "axis")
    planes[-1] = np.broadcast_to(ring, planes[-1].shape)
    data["embedding_plane"] = planes
    claim = made.claim(data)
    assert claim.holds is holds
    if not holds:
        assert claim.sentence.startswith("No circles at epoch 40,000")
        with pytest.raises(InputError, match="needs an embedding of circles"):
            made.require(data)


@pytest.mark.parametrize(("times", "holds"), [(1.01, True), (0.99, False)])
def test_what_was_round_from_the_first_checkpoint_on_does_not_wind(
    times: float, holds: bool
) -> None:
    made, data = film("waves-to-circles"), data_of("waves-to-circles")
    count = data.sizes["residue"]
    angles = 2 * np.pi * np.arange(count) / count
    radius = 1 + np.where(np.arange(count) % 2, 1.0, -1.0)
    radius = 1 + (radius - radius.mean()) / radius.std() * times * ROUND
    ring = np.stack([radius * np.cos(angles), radius * np.sin(angles)], axis=1)
    planes = data["embedding_plane"].transpose("epoch", "embedded_frequency", "residue", "axis")
    planes[0] = np.broadcast_to(ring, planes[0].shape)
    assert made.claim(data.assign(embedding_plane=planes)).holds is holds


def test_circles_of_one_checkpoint_are_not_said_to_wind() -> None:
    made, data = film("waves-to-circles"), data_of("waves-to-circles").isel(epoch=[-1])
    assert made.claim(data).sentence == "6 circles at epoch 40,000, with 99.6% of the embedding"
    made.require(data)


# --- families -------------------------------------------------------------------------


@pytest.mark.parametrize(("many", "holds"), [(0.49, True), (0.51, False)])
def test_a_mean_is_smooth_where_it_falls_half_as_steeply(many: float, holds: bool) -> None:
    made, data = film("many-small-steps"), data_of("many-small-steps")
    falls = data["mean_steepest_fall"]
    falls[-1] = many * float(falls[0])
    claim = made.claim(data)
    assert claim.holds is holds
    assert ("only" in claim.sentence) is holds


@pytest.mark.parametrize(
    ("leaps", "holds"), [((3, 0), True), ((2, 0), False), ((38, 12), True), ((38, 13), False)]
)
def test_rounding_throws_training_off_where_it_leaps_more_often(
    leaps: tuple[int, int], holds: bool
) -> None:
    made, data = film("rounding"), data_of("rounding")
    data["member_spike_count"][:] = np.array(leaps)
    assert made.claim(data).holds is holds


@pytest.mark.parametrize(("share", "grows"), [(0.04, True), (0.02, False)])
def test_weights_are_said_to_grow_where_they_do_before_every_leap(
    share: float, grows: bool
) -> None:
    made, data = film("rounding"), data_of("rounding")
    assert made.grows_first(data)  # type: ignore[attr-defined]
    first = made.growths(data)[0]  # type: ignore[attr-defined]
    epochs = data["member_epoch"].values[0]
    norm = np.where(epochs <= first.lowest, 1.0, 1 + share)
    later = data["member_unembedding_norm"].values[0]
    # as they are after the first leap
    data["member_unembedding_norm"][0] = np.where(epochs < first.leap, norm, later)
    assert made.grows_first(data) is grows  # type: ignore[attr-defined]
    assert ("the unembedding grows" in made.description(data, 0)) is grows
    data["member_unembedding_norm"][:] = np.nan
    assert not made.grows_first(data)  # type: ignore[attr-defined]


def test_rounding_compares_runs_that_differ_in_nothing_else() -> None:
    made, data = film("rounding"), data_of("rounding")
    data["member_seed"][:] = np.arange(data.sizes["member"])
    with pytest.raises(InputError, match="of the same seed, and there is no such pair"):
        made.require(data)


def test_more_data_that_does_not_help_is_not_said_to() -> None:
    made, data = film("phase-change-to-grokking"), data_of("phase-change-to-grokking")
    most, *_, least = made.members(data)  # type: ignore[attr-defined]
    first = int(data["memorised_epoch"][most])
    data["generalised_epoch"][most] = 2 * first - 1
    assert made.claim(data).holds
    data["generalised_epoch"][most] = 2 * first
    assert not made.claim(data).holds
    data["generalised_epoch"][:] = -1
    assert made.claim(data).sentence == "95% of the sums: generalised never; 25%: never"
    data = data_of("phase-change-to-grokking")
    data["generalised_epoch"][least] = -1
    assert "to 28% of the sums" in made.claim(data).sentence


# --- the thread -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["opening", "thread"])
def test_a_run_that_only_memorised_has_no_question(name: str) -> None:
    made, data = film(name), memorised(data_of(name))
    claim = made.claim(data)
    assert not claim.holds
    last = int(data_of(name)["epoch"].values[-1])
    said = rf"Memorised by epoch 15\d; not generalised by epoch {last:,}"
    assert re.fullmatch(said, claim.sentence)
    with pytest.raises(InputError, match=r"needs a run that groks\. Memorised by epoch 15"):
        made.require(data)


@pytest.mark.parametrize("name", ["opening", "thread"])
@pytest.mark.parametrize(("times", "holds"), [(1.9, False), (2.1, True)])
def test_the_question_is_asked_where_it_waited(name: str, times: float, holds: bool) -> None:
    epochs = np.arange(0, 5001, 10)
    losses = [np.where(epochs < at, 5.0, 0.01) for at in (1000, 1000 * times)]
    data = xr.Dataset(
        {
            "logged_train_loss": ("logged_epoch", losses[0]),
            "logged_test_loss": ("tested_epoch", losses[1]),
        },
        coords={"epoch": epochs, "logged_epoch": epochs, "tested_epoch": epochs},
    )
    assert film(name).claim(data).holds is holds


# --- the table and the circles ----------------------------------------------------------


def answered(**changed: Any) -> xr.Dataset:
    """The finale's data, with some of its variables changed: each by a function of its values."""
    data = data_of("finale")
    for name, change in changed.items():
        data[name] = (data[name].dims, change(data[name].values.copy()))
    return data


def without_late(values: np.ndarray) -> np.ndarray:
    """The same, had none of the others become right."""
    values[:, 1:] = 0
    return values


def test_the_opening_shows_the_table_only_where_it_asks_the_question() -> None:
    made, data = film("opening"), answered()
    told = made.told(data)  # type: ignore[attr-defined]
    assert told is not None
    assert sum(told.sums) == data.sizes["residue"] ** 2
    assert told.shown[told.first] >= 0.99 > told.others[told.second - 1]
    assert (told.others[told.second :] >= 0.99).all()
    assert f"{told.sums[0]:,} sums that it is shown" in made.alt_text(data, 0)
    for lacking in (answered(right_answers=without_late), data.drop_vars("answer_right")):
        assert made.told(lacking) is None  # type: ignore[attr-defined]
        assert "How sure the network is" in made.alt_text(lacking, 0)
    unknown = answered(group_of_pair=lambda group: group * 0 - 1)
    assert made.told(unknown) is None  # type: ignore[attr-defined]


def test_the_finale_says_how_many_circles_there_are() -> None:
    made, data = film("finale"), answered()
    rings = made.rings(data)  # type: ignore[attr-defined]
    radius = np.linalg.norm(rings.points[-1], axis=-1)
    spread = radius.std(axis=-1) / radius.mean(axis=-1)
    assert made.counted(data) == "five circles"  # type: ignore[attr-defined]
    assert (spread < ROUND).sum() == len(rings.starts) == 5
    rng = np.random.default_rng(0)

    def cloud(planes: np.ndarray) -> np.ndarray:
        at = list(data["embedded_frequency"].values).index(rings.keys[0])
        planes[-1, at] = rng.normal(size=planes[-1, at].shape)
        return planes

    broken = answered(embedding_plane=cloud)
    assert not made.claim(broken).holds
    assert made.claim(broken).sentence.startswith("4 of 5 planes")
    assert made.counted(broken) == "4 of 5 circles"  # type: ignore[attr-defined]


def test_the_finale_needs_a_question_and_planes() -> None:
    made = film("finale")
    never = answered(right_answers=without_late)
    assert not made.claim(never).holds
    with pytest.raises(InputError, match="needs a run that is right about the sums"):
        made.require(never)
    gone = answered(embedding_plane=lambda planes: planes * np.nan)
    assert made.claim(gone).sentence == "The embedding has no frequencies of its own"
    with pytest.raises(InputError, match="frequencies of its embedding"):
        made.require(gone)


def test_a_head_that_looks_elsewhere_is_not_said_to_look_up() -> None:
    made, data = film("induction-task"), data_of("induction-task")
    assert made.claim(data).holds
    data["attention_pattern"][:] = 1 / 85
    claim = made.claim(data)
    assert not claim.holds
    assert "gives 1% to what came next" in claim.sentence
    data["shown_source"][:] = -1
    with pytest.raises(InputError, match="in which a passage comes back"):
        made.require(data)


def test_the_sources_are_named_without_a_test_loss() -> None:
    data = data_of("credits").isel(tested_epoch=slice(0))
    text = film("credits").alt_text(data, 0)
    assert "Training loss below 0.1 from epoch 150 on; no test loss." in text
