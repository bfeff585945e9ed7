"""What pictures of races say, on the bundled race and on data that say otherwise."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from grokviz.scenes.layernorm_addition import _lanes, _loss_scale, _track, _trails, _ways
from grokviz.scenes.layernorm_addition._hills import Hills
from grokviz.scenes.layernorm_addition._loss_scale import LossScale

from grokviz.dataset.references.reference import load
from grokviz.errors import InputError
from grokviz.scene.registry import scene


@pytest.fixture(scope="module")
def bundled() -> xr.Dataset:
    return load(None, [*scene("race").needs, *scene("race-inside").needs], default="race")


@pytest.fixture
def data(bundled: xr.Dataset) -> xr.Dataset:
    return bundled.copy(deep=True)


def where(data: xr.Dataset, recipe: str) -> np.ndarray:
    return np.flatnonzero(data["member_recipe"].values.astype(str) == recipe)


def learn(data: xr.Dataset, members: np.ndarray, epoch: int) -> None:
    """Let runs be right from an epoch on."""
    data["accurate_epoch"].values[members] = epoch
    for member in members:
        known = np.isfinite(data["member_test_accuracy"].values[member])
        data["member_test_accuracy"].values[member, known] = 0.99


def test_muon_is_first_with_layernorm_in_a_third_of_the_epochs(data: xr.Dataset) -> None:
    claim = scene("race")().claim(data)
    assert claim.holds
    assert claim.sentence == scene("race").title
    muon = data["accurate_epoch"].values[where(data, "layernorm-59-muon")]
    assert claim.numbers["Muon, with LayerNorm"] == muon.max()
    others = [lane for lane in _lanes.lanes(data) if lane.name != "Muon" and lane.learns]
    assert all(muon.max() < max(lane.accurate) for lane in others)


def test_another_winner_is_named(data: xr.Dataset) -> None:
    learn(data, where(data, "layernorm-59"), 5)
    claim = scene("race")().claim(data)
    assert not claim.holds
    assert claim.sentence == "With LayerNorm AdamW is first, without it orthogonal gradient"
    learn(data, where(data, "modular-addition-59-half"), 6)
    assert scene("race")().claim(data).sentence == "AdamW is first, with LayerNorm and without"


@pytest.mark.parametrize(
    ("epoch", "words"),
    [
        (20, "under a tenth of"),
        (55, "about a quarter of"),
        (62, "under a third of"),
        (110, "about half of"),
        (150, ""),
    ],
)
def test_the_share_of_the_epochs_is_that_of_the_medians(
    data: xr.Dataset, epoch: int, words: str
) -> None:
    learn(data, where(data, "layernorm-59-muon"), epoch)
    claim = scene("race")().claim(data)
    assert not claim.holds
    if words:
        assert claim.sentence == f"With LayerNorm, Muon needs {words} AdamW's epochs"
    else:
        assert claim.sentence == "With LayerNorm Muon is first, without it orthogonal gradient"


def test_nothing_is_compared_with_an_adamw_that_does_not_learn(data: xr.Dataset) -> None:
    data["accurate_epoch"].values[where(data, "layernorm-59")[0]] = -1
    claim = scene("race")().claim(data)
    assert not claim.holds
    assert "epochs" not in claim.sentence


def test_the_epoch_by_which_muon_has_not_learnt_is_that_of_its_shortest_run(
    data: xr.Dataset,
) -> None:
    muon = where(data, "modular-addition-59-muon")
    data["member_last_epoch"].values[muon[0]] = 350
    last = data.sizes["epoch"] - 1
    text = scene("race")().description(data, last)
    assert "Muon, without LayerNorm: none by 350" in text
    assert "AdamW, without LayerNorm: 1 of 3, at 1,260" in text
    learn(data, muon[:1], 300)
    text = scene("race")().description(data, last)
    assert "Muon, without LayerNorm: 1 of 3, at 300" in text


def test_a_long_race_shows_its_winners_and_adamw_unless_all_are_asked_for(
    data: xr.Dataset,
) -> None:
    drawn, every = scene("race")(), scene("race")(every=True)
    last = data.sizes["epoch"] - 1
    assert "Grokfast" not in drawn.description(data, last)
    assert "Grokfast with LayerNorm" in drawn.definition(data)
    assert "Grokfast, with LayerNorm" in every.description(data, last)
    assert "Left out" not in every.definition(data)
    learn(data, where(data, "layernorm-59-grokfast"), 5)
    assert "Grokfast, with LayerNorm" in drawn.description(data, last)


def test_what_is_left_out_is_counted_and_can_be_had(data: xr.Dataset) -> None:
    text = scene("race")().definition(data)
    assert "Left out: 7 of 11 lanes, with 21 runs (" in text
    assert "every=on draws them" in text
    inside = scene("race-inside")().definition(data)
    assert "updates=on draws both and the updates over epochs" in inside
    assert "Left out: SGD, hidden; every=on draws them." in inside
    assert "updates=on" not in scene("race-inside")(updates=True).definition(data)


def test_by_loss_what_diverges_goes_down(data: xr.Dataset) -> None:
    race = scene("race")(by="loss", every=True)
    hills = Hills(data, _lanes.lanes(data), "loss")
    (lane,) = [one for one in _lanes.lanes(data) if one.name == "Muon" and not one.learns]
    for member in lane.members:
        losses = data["member_test_loss"].values[member]
        heights = hills.heights(member)[1]
        order = np.argsort(losses[np.isfinite(losses)], kind="stable")
        assert (np.diff(heights[order]) <= 0).all()
        assert heights.min() < -0.5
    worst = float(np.nanmax(data["member_test_loss"]))
    assert f"to {worst:.0f};" in race.claim(data).watch
    assert f"the largest loss is {worst:.0f}." in race.definition(data)
    assert "test loss of its runs" in race.description(data, 0)


def test_the_track_ends_where_all_runs_go_and_those_that_learn_have_learnt(
    data: xr.Dataset,
) -> None:
    race, moments = scene("race"), data["epoch"].values
    assert race().film_span(data) == (0, 300)
    assert race().index_of(data, None) == list(moments).index(300)
    assert race(until=500).film_span(data) == (0, 500)
    assert race(every=True).film_span(data) == (0, 2500)
    learn(data, where(data, "modular-addition-59-muon"), 390)
    assert race().film_span(data)[1] == moments[moments >= 390][0]
    data["accurate_epoch"][:] = -1
    assert race().film_span(data) == (0, 2500)


def test_epochs_above_the_track_are_those_of_the_dots() -> None:
    assert _track.epochs_in_words([], 3, "epoch") == ""
    assert _track.epochs_in_words([70, 70, 70], 3, "epoch") == "epoch 70 (all 3)"
    assert _track.epochs_in_words([70, 70], 3, "epoch") == "epoch 70 (2 of 3)"
    assert _track.by_epoch([70, 70, 90]) == [[70, 70], [90]]
    assert _track.by_epoch([1, 2, 3, 1400]) == [[1, 2, 3, 1400]]
    assert _track.by_epoch([]) == []
    assert _track.epochs_in_words([70], 1, "step") == "step 70"
    assert _track.epochs_in_words([1, 2, 3, 1400], 4, "epoch") == "epochs 1\u20131,400"


def test_a_run_has_its_measured_values_on_the_track(data: xr.Dataset) -> None:
    (member,) = where(data, "layernorm-59")[:1]
    for by, of, scale in (
        ("accuracy", _lanes.accuracy, 100),
        ("loss", _loss_scale.losses, 1),
    ):
        x, y = of(data, member)
        all_x, all_y = _track.Track(data, [], by).values(member)
        assert np.isin(data["epoch"].values[:100], all_x).all()
        np.testing.assert_allclose(all_y[np.isin(all_x, x)], scale * y)
    data["member_test_loss"].values[member, 3] = np.inf
    all_x, all_y = _track.Track(data, [], "loss").values(member)
    assert np.isinf(all_y).sum() == 1


def test_runs_without_a_test_loss_are_no_lines_by_loss(data: xr.Dataset) -> None:
    from matplotlib.figure import Figure

    race, last = scene("race")(by="loss"), data.sizes["epoch"] - 1
    data["member_test_loss"].values[where(data, "layernorm-59")] = np.nan
    figure = Figure()
    race.draw(figure, data).update(last)
    assert "AdamW, with LayerNorm: 170\u2013300; now unknown" in race.description(data, last)
    scene("race")(by="loss", every=True).draw(Figure(), data).update(last)
    data["member_test_loss"][:] = np.nan
    figure = Figure()
    race.draw(figure, data).update(last)
    assert "no test loss to draw" in [text.get_text() for text in figure.axes[0].texts]


def test_a_loss_beyond_the_scale_is_said() -> None:
    scale = LossScale.of([np.array([4.0, 0.01, np.inf]), np.array([4.2, 3e3]), np.array([3.0])])
    assert (scale.ground, scale.worst) == (4.0, np.inf)
    assert scale.heights(np.array([0.01, 0.1, 4, 3e3, np.inf])).round(9).tolist() == [
        1,
        1,
        0,
        -1,
        -1,
    ]
    assert "to 160 and more" in scale.watch()
    assert "the largest loss is infinite. Pits end at 160." in scale.definition()
    calm = LossScale.of([np.array([4.0, 0.1])])
    assert "pit" not in calm.watch()


def test_grokfast_is_not_faster_in_the_bundled_race(data: xr.Dataset) -> None:
    """As the sentence on what is disputed says."""
    orders = {
        lane.name: lane.order for lane in _lanes.lanes(data) if lane.model == _lanes.LAYERNORM
    }
    assert orders["Grokfast"] > orders["AdamW"]


def test_rings_are_told_of_where_there_are_any(data: xr.Dataset) -> None:
    assert "a ring" not in scene("race")().claim(data).watch
    assert "a ring" in scene("race")(rings=True).claim(data).watch


def test_whoever_the_title_names_is_drawn(data: xr.Dataset) -> None:
    last = data.sizes["epoch"] - 1
    assert "orthogonal" not in scene("race")().description(data, last)
    assert "orthogonal gradient" in scene("race")(every=True).description(data, last)
    learn(data, where(data, "layernorm-59"), 5)
    claim = scene("race")().claim(data)
    assert "orthogonal gradient" in claim.sentence
    text = scene("race")().description(data, last)
    assert "orthogonal gradient, without LayerNorm" in text
    assert "Muon" not in text


def test_one_model_alone_and_nobody_at_all(data: xr.Dataset) -> None:
    own = np.flatnonzero(data["member_task"].values.astype(str) == "layernorm-addition")
    alone = data.isel(member=own)
    count = len(_lanes.lanes(alone))
    assert scene("race")().claim(alone).sentence == f"Muon is the first of {count} to learn"
    alone["accurate_epoch"][:] = -1
    sentence = f"0 of {count} learn, each run of theirs, and keep it"
    assert scene("race")().claim(alone).sentence == sentence
    alone["member_test_accuracy"][:] = np.nan
    for name in ("race", "race-inside"):
        with pytest.raises(InputError, match="runs"):
            scene(name).check(alone)


def test_what_diverges_has_lost_what_it_learnt(data: xr.Dataset) -> None:
    (lane,) = [one for one in _lanes.lanes(data) if one.name == "SGD"]
    assert not lane.learns
    assert "lost again" in lane.result
    ends = [_lanes.accuracy(data, member)[1][-1] for member in lane.members]
    best = [_lanes.accuracy(data, member)[1].max() for member in lane.members]
    assert any(last < 0.1 and top > 0.95 for last, top in zip(ends, best, strict=True))


def test_lanes_hold_every_run_and_are_in_the_order_of_arrival(data: xr.Dataset) -> None:
    every = _lanes.lanes(data)
    assert sorted(m for lane in every for m in lane.members) == list(range(data.sizes["member"]))
    for some in _lanes.by_model(every).values():
        orders = [lane.order for lane in some]
        assert orders == sorted(orders)
    assert every[0].model == _lanes.LAYERNORM


def test_large_weights_with_many_waves_and_small_ones_with_few(data: xr.Dataset) -> None:
    claim = scene("race-inside")().claim(data)
    assert claim.holds
    assert claim.sentence == scene("race-inside").title
    assert claim.numbers["fewest waves"] < claim.numbers["most waves"]
    assert claim.numbers["step of the larger"] > 0 > claim.numbers["step of the smaller"]
    data["member_wave_count"].values[where(data, "layernorm-59-muon")] = 3.0
    other = scene("race-inside")().claim(data)
    assert not other.holds
    assert "of norm" in other.sentence


def test_of_other_optimisers_the_first_two_are_named(data: xr.Dataset) -> None:
    swapped = {"muon": "grokfast", "adamw": "adam"}
    names = data["member_optimiser"].values.astype(str)
    data["member_optimiser"].values[:] = [swapped.get(name, name) for name in names]
    data["member_wave_count"].values[where(data, "layernorm-59-hidden-sgd")] = 3.0
    claim = scene("race-inside")().claim(data)
    assert not claim.holds
    last = data.sizes["epoch"] - 1
    text = scene("race-inside")().description(data, last)
    assert "Grokfast: norm" in text
    assert "SGD, hidden: norm" in text
    assert "Adam: norm" not in text


def test_the_first_optimiser_and_adamw_are_drawn_or_all_that_learn(data: xr.Dataset) -> None:
    drawn, every = scene("race-inside")(), scene("race-inside")(every=True)
    last = data.sizes["epoch"] - 1
    text, more = drawn.description(data, last), every.description(data, last)
    assert "Muon: norm" in text
    assert "AdamW: norm" in text
    assert "SGD, hidden: norm" not in text
    assert "SGD, hidden: norm" in more
    assert "Left out: SGD, hidden; every=on" in drawn.definition(data)
    for one in (drawn, every):
        assert "Grokfast" not in one.description(data, last)
        assert "Grokfast" in one.definition(data).split("not every run learns: ")[1]
    data["accurate_epoch"][:] = -1
    assert "Grokfast: norm" in drawn.description(data, last)
    assert drawn.claim(data).sentence.startswith("None")


def test_a_way_along_the_weights_is_said_to_be(data: xr.Dataset) -> None:
    early = int(np.searchsorted(data["epoch"].values, 100))
    text = scene("race-inside")().description(data, early)
    assert "step along the weights" in text
    data["member_step_cosine"][:] = np.nan
    text = scene("race-inside")().description(data, early)
    assert "step along" not in text


def test_a_way_ends_where_its_run_is_right_unless_the_rest_is_asked_for(
    data: xr.Dataset,
) -> None:
    moments = data["epoch"].values.astype(float)
    for way in _ways.ways(data, ""):
        trail, on = (_trails._Trail(way, moments, after=after) for after in (False, True))
        np.testing.assert_array_equal(trail.whole, trail.early)
        np.testing.assert_array_equal(on.early, trail.early)
        assert len(on.whole) == (moments <= way.epochs[-1]).sum()
        last = trail.right if way.accurate >= 0 else on.whole[-1]
        np.testing.assert_allclose(trail.early[-1], last)
    drawn, after = scene("race-inside")(), scene("race-inside")(after=True)
    assert drawn.film_span(data) == (0, 300)
    assert after.film_span(data) == (0, 1000)
    assert "after=on" in drawn.definition(data)
    assert "after=on" not in after.definition(data)
    assert "thick" in after.claim(data).watch


def test_a_run_that_is_never_right_ends_in_a_hollow_dot(data: xr.Dataset) -> None:
    from matplotlib.figure import Figure

    def shapes() -> tuple[int, int, list[str]]:
        figure = Figure()
        inside.draw(figure, data).update(data.sizes["epoch"] - 1)
        (axes,) = figure.axes
        dots, ends = [line for line in axes.lines if line.get_zorder() == 9]
        words = [text.get_text() for text in axes.texts]
        return len(dots.get_xdata()), len(ends.get_xdata()), words

    inside = scene("race-inside")()
    assert shapes()[:2] == (6, 0)
    assert "hollow" not in inside.claim(data).watch
    data["accurate_epoch"][:] = -1
    right, never, words = shapes()
    assert (right, never) == (0, len(_ways.ways(data, "")))
    assert "Muon, to epoch 300" in words
    assert "hollow" in inside.claim(data).watch


def test_ways_that_are_no_numbers_are_left_out(data: xr.Dataset) -> None:
    from matplotlib.figure import Figure

    inside, muon = scene("race-inside")(), where(data, "layernorm-59-muon")
    data["member_weight_norm"].values[muon[0]] = np.inf
    data["member_wave_count"].values[muon[1]] = np.nan
    figure = Figure()
    inside.draw(figure, data).update(data.sizes["epoch"] - 1)
    words = [text.get_text() for text in figure.axes[0].texts]
    assert {"epoch 70", "epoch 170", "epoch 220", "epoch 300"} <= set(words)
    data["member_wave_count"][:] = np.nan
    figure = Figure()
    inside.draw(figure, data).update(0)
    (text,) = figure.axes[0].texts
    assert text.get_text() == "no norms and waves to draw"


def test_what_to_watch_is_of_the_picture_that_is_drawn(data: xr.Dataset) -> None:
    plane, side_by_side = scene("race-inside")(), scene("race-inside")(updates=True)
    last = data.sizes["epoch"] - 1
    assert plane.claim(data).watch == plane.watch
    assert "medians" in side_by_side.claim(data).watch
    assert plane.description(data, last).startswith("A plane")
    assert side_by_side.description(data, last).startswith("Panels")
    data["accurate_epoch"][:] = -1
    assert plane.claim(data).watch.startswith("Each line is one run; a hollow dot")
    assert side_by_side.claim(data).watch == "Thick lines are medians of runs"


def test_steps_are_smoothed_by_the_values_near_them() -> None:
    from grokviz.scenes.layernorm_addition import race_inside

    x, y = np.array([10.0, 11.0, 50.0, 58.0, 100.0]), np.array([1.0, 3.0, 5.0, np.nan, 9.0])
    assert race_inside._smooth(x, y).tolist() == [2.0, 2.0, 5.0, 5.0, 9.0]


def test_the_sum_that_all_runs_learn_stands_below(data: xr.Dataset) -> None:
    words = "addition mod 59 · trained on 50% of the pairs · 33 runs"
    for name in ("race", "race-inside"):
        assert words in scene(name)().about(data).replace("  ", " ")
    data["member_task"].values[0] = "group-composition"
    assert "addition" not in scene("race")().about(data)


def test_how_many_of_the_runs_are_drawn_stands_below(data: xr.Dataset) -> None:
    for name, drawn in (("race", 12), ("race-inside", 6)):
        text = scene(name)().about(data)
        assert text.endswith(f"33 runs, {drawn} drawn: all of Muon and AdamW")
    assert scene("race")(every=True).about(data).endswith("33 runs")


def test_runs_without_layernorm_are_grey_while_none_of_them_learns(data: xr.Dataset) -> None:
    race = scene("race")
    lanes = race()._lanes(data)
    assert race()._faded(data, lanes) == "without LayerNorm:\nunder 50%\nby epoch 300"
    assert race(by="loss")._faded(data, lanes) == "without LayerNorm"
    # one of AdamW's learns by then
    assert race(until=2000)._faded(data, lanes) == ""
    member = where(data, "modular-addition-59-half")[0]
    early = data["member_test_epoch"].values[member] == 200
    for share, words in ((0.5, "under 55%"), (0.949, "under 95%"), (0.96, "")):
        data["member_test_accuracy"].values[member, early] = share
        assert words in race()._faded(data, lanes)
        assert bool(race()._faded(data, lanes)) == bool(words)
    names = _track.Track(data, lanes, "accuracy")._names(300)
    assert "AdamW\nwithout LayerNorm\n95% right: none" in names
    names = _track.Track(data, lanes, "accuracy")._names(2000)
    assert "AdamW\nwithout LayerNorm\n95% right: 1 of 3" in names
