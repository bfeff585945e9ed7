"""What pictures of clocks, pizzas and tori say, on their references and on other data."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.text import Text

from grokviz.dataset.references.reference import load, reference
from grokviz.errors import InputError
from grokviz.options import options_of
from grokviz.scene.registry import scene


def of(name: str) -> xr.Dataset:
    one = scene(name)
    return load(None, one.needs, default=one.reference).copy(deep=True)


# --- clock-or-pizza --------------------------------------------------------------------


def test_a_clock_stands_beside_a_pizza() -> None:
    claim = scene("clock-or-pizza")().claim(of("clock-or-pizza"))
    assert claim.holds
    # the published Model A: 98.4 % by the pizza's formula, 75.4 % by the clock's
    assert claim.numbers["pizza explained"] == pytest.approx(0.984, abs=0.02)
    assert claim.numbers["clock explained"] > 0.9
    assert claim.numbers["pizza shortest"] < 0.1 < 0.25 < claim.numbers["clock shortest"]


def test_the_other_one_stands_beside_it_from_either_side() -> None:
    drawn, needs = scene("clock-or-pizza")(), scene("clock-or-pizza").needs
    pizza = reference("pizza-59-0", needs)
    assert drawn.claim(pizza).sentence == drawn.claim(of("clock-or-pizza")).sentence
    alone = drawn.alone().claim(pizza)
    assert "This network is a pizza" in alone.sentence
    assert drawn.alone().claim(of("clock-or-pizza")).sentence.startswith("This network is a clock")


@pytest.mark.parametrize("change", ["hands", "shares"])
def test_hands_that_shrink_are_no_clocks(change: str) -> None:
    data = of("clock-or-pizza")
    if change == "hands":
        data["hand"][:, :, 0] = 0
    else:
        data["clock_share"][-1], data["pizza_share"][-1] = 0.6, 0.5
    claim = scene("clock-or-pizza")().claim(data)
    assert not claim.holds
    assert "a clock explains" in claim.sentence
    assert f"{float(data['clock_share'][-1]):.0%}" in claim.sentence


def test_what_points_nowhere_is_marked_where_hands_shrink_to_nothing() -> None:
    data = of("clock-or-pizza")
    assert words_of("clock-or-pizza", data).count("points nowhere") == 1
    assert "for 12 of 59 answers" in scene("clock-or-pizza")().claim(data).watch
    figure = Figure(figsize=(9, 5))
    scene("clock-or-pizza")().alone().draw(figure, data)
    assert not [text for text in figure.findobj(Text) if text.get_text() == "points nowhere"]


BESIDE = ["clock-or-pizza", "manifold", "phase-differences"]


def users(name: str, **settings: object) -> xr.Dataset:
    """The bundled run as if a user had trained it, with other settings."""
    data = of(name)
    stated = json.loads(data.attrs["settings"]) | settings
    data.attrs.update(settings=json.dumps(stated), run_checksum="other", run_name="mine")
    return data


def words_of(name: str, data: xr.Dataset) -> list[str]:
    figure = Figure(figsize=(9, 5))
    scene(name)().draw(figure, data)
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


@pytest.mark.parametrize("name", BESIDE)
def test_bundled_runs_of_another_p_do_not_stand_beside_it(name: str) -> None:
    data = users(name, p=31)
    words = words_of(name, data)
    assert sum(words.count(kind) for kind in ("clock", "pizza", "disc", "torus")) == 1
    said = scene(name)().definition(data)
    assert "mod 59 and this one mod 31; give a second --run" in said
    assert "second --run" not in scene(name)().alone().definition(data)
    assert "second --run" not in scene(name)().definition(of(name))


@pytest.mark.parametrize("name", BESIDE)
def test_a_users_run_is_told_from_the_bundled_ones_beside_it(name: str) -> None:
    words = words_of(name, users(name))
    assert words.count("mine") == 1
    assert words.count("bundled") == (2 if name == "phase-differences" else 1)
    assert not {"mine", "bundled"} & {*words_of(name, of(name))}
    data = users(name)
    data.attrs["run_name"] = 40 * "long"
    assert any(word.startswith("long") and len(word) == 22 for word in words_of(name, data))


@pytest.mark.parametrize("name", BESIDE)
def test_what_does_not_lead_clearly_names_no_panel(name: str) -> None:
    data = users(name)
    if name == "manifold":
        data["outside_share"][-1] = 0.5
    else:
        data["clock_share"][-1] = data["pizza_share"][-1] = 0.01
    words = words_of(name, data)
    assert not {"clock", "pizza", "disc", "torus"} & {*words}
    assert words.count("no clear kind") == 1
    claim = scene(name)().claim(data)
    assert not claim.holds
    assert "this clock" not in claim.sentence
    assert "no clear kind; give a second --run" in scene(name)().definition(data)


def test_options_that_mean_the_same_are_one() -> None:
    helps = {options_of(scene(name))["beside"].help for name in BESIDE}
    assert len(helps) == 1


# --- manifold --------------------------------------------------------------------------


def test_a_disc_stands_beside_a_torus() -> None:
    claim = scene("manifold")().claim(of("manifold"))
    assert claim.holds
    assert claim.numbers["outside of disc"] < 0.01
    assert claim.numbers["outside of torus"] > 0.9


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("outside_share", 0.5, "50% lie outside of a's plane"),
     ("additive_share", 0.5, "Only 50% of what")],
)  # fmt: skip
def test_what_is_neither_is_not_said_to_be(name: str, value: float, words: str) -> None:
    data = of("manifold")
    data[name][-1] = value
    claim = scene("manifold")().claim(data)
    assert not claim.holds
    assert words in claim.sentence


def test_wheels_name_answers_where_their_colour_is() -> None:
    data = of("manifold")
    words = words_of("manifold", data)
    assert words.count("answer") == words.count("0") == 2
    # of frequency 5 mod 59 the answers 3, 6 and 56 are 15, 30 and 44 steps round
    assert int(data["surface_frequency"]) == 5
    assert {"3", "6", "56"} <= {*words}


def test_a_clock_is_said_to_be_a_disc_too() -> None:
    """As arXiv:2512.25060 has it, though its logits are a clock's."""
    clock = reference("clock-59-0", scene("manifold").needs)
    claim = scene("manifold")().alone().claim(clock)
    assert claim.sentence == "The neurons of one wave put all pairs on a disc"


# --- phase-differences -----------------------------------------------------------------


def test_clock_and_pizza_keep_in_step_and_a_torus_does_not() -> None:
    drawn, needs = scene("phase-differences")(), scene("phase-differences").needs
    claim = drawn.claim(of("phase-differences"))
    assert claim.holds
    assert claim.sentence == drawn.title
    assert claim.numbers["in step in clock"] == claim.numbers["in step in pizza"] == 1
    # 15 of 180 degrees: where phases are independent, a twelfth, and here some more
    assert claim.numbers["in step in torus"] < 0.25
    assert drawn.claim(reference("torus-59-0", needs)).numbers == claim.numbers


def test_neurons_out_of_step_are_counted() -> None:
    drawn, data = scene("phase-differences")(), of("phase-differences")
    data["phase_difference"].values[-1, :32] = 2.0
    claim = drawn.claim(data)
    assert not claim.holds
    assert claim.sentence == "In 75% of this clock's neurons a and b are in step"
    torus = reference("torus-59-0", drawn.needs)
    assert "of this torus's neurons" in drawn.alone().claim(torus).sentence


def test_a_dot_is_at_its_neurons_angle() -> None:
    data = of("phase-differences")
    # float32 holds pi as more than it is, and -pi is the same angle
    angles = [0.0, 0.2, -0.2, np.pi, -np.pi, 1.6, -1.6, 1.6, 1.6, 1.6]
    data["phase_difference"].values[-1] = np.nan
    data["phase_difference"].values[-1, :10] = angles
    figure = Figure(figsize=(9, 5))
    drawing = scene("phase-differences")().alone().draw(figure, data)
    drawing.update(data.sizes["epoch"] - 1)
    (axes,) = figure.axes
    (dots,) = [one for one in axes.collections if len(one.get_offsets()) > 1]
    shown = np.ma.filled(dots.get_offsets(), np.nan)[:, 0]
    assert shown[np.isfinite(shown)] == pytest.approx(
        np.minimum(np.degrees(np.abs(angles)), 180), abs=1e-4
    )
    # of those that have an angle, three are below 15 degrees
    assert "30%" in [text.get_text() for text in axes.texts]


# --- attention-rates -------------------------------------------------------------------


def test_more_attention_is_less_of_a_pizza() -> None:
    data = of("attention-rates")
    claim = scene("attention-rates")().claim(data)
    assert claim.holds
    assert claim.numbers["correlation"] < -0.5
    learnt = data["member_accuracy"].sel(split="all").values >= 0.95
    assert ("crosses" in claim.watch) == (not learnt.all())
    share = {word: claim.numbers[f"clocks with {word}"] / claim.numbers[f"of {word}"]
             for word in ("less", "more")}  # fmt: skip
    assert share["more"] > share["less"] + 0.3


def test_as_many_clocks_with_less_attention_are_not_said_to_be_fewer() -> None:
    data = of("attention-rates")
    drawn = scene("attention-rates")()
    assert drawn.claim(data).holds
    # all nearer to a clock, in the same order
    data["member_gradient_symmetricity"].values[:] *= 0.5
    claim = drawn.claim(data)
    assert claim.numbers["correlation"] < -0.5
    assert not claim.holds
    last = data.sizes["epoch"] - 1
    counts = [int(claim.numbers[key]) for key in ("clocks with more", "of more")]
    assert counts[0] == counts[1]
    assert f"{counts[0]} of {counts[1]} above" in drawn.description(data, last)


def test_networks_of_one_rate_stand_apart_at_what_their_symmetricity_lacks() -> None:
    from grokviz.scenes.clock_or_pizza import _rates, _rates_columns

    data = of("attention-rates")
    places = _rates_columns.Columns(data)
    members = _rates.members(data)
    measures = _rates.places_at(data, members, np.inf)
    x, y = places(members, measures).T
    rates = data["member_attention_rate"].values[members]
    assert len(np.unique(x)) == len(members) == 18
    # nearer to their own rate than to the edges of a published range
    assert np.abs(x - rates).max() < 0.05
    learnt = _rates.has_learned(data)[members]
    assert y[learnt] == pytest.approx(1 - measures[learnt, 0])
    # a height below the axis is no value
    assert (y[~learnt] < _rates_columns.FOOT).all()
    assert scene("attention-rates")().about(data) == "addition mod 59  ·  18 runs"
    assert "3 of the 21 runs have no rate" in scene("attention-rates")().definition(data)


def test_counts_of_clocks_stand_above_the_rates_whose_networks_have_learned() -> None:
    data = of("attention-rates")
    numbers = scene("attention-rates")().claim(data).numbers
    counts = [words.split(" of ") for words in words_of("attention-rates", data)
              if " of " in words and words.replace(" of ", "").isdigit()]  # fmt: skip
    clocks, learnt = np.array(counts, int).sum(axis=0)
    assert clocks == numbers["clocks with less"] + numbers["clocks with more"]
    assert learnt == numbers["learnt"]
    data["member_accuracy"][:] = 0.5
    assert not any(" of " in words for words in words_of("attention-rates", data))


def test_the_plane_of_both_measures_is_drawn_when_asked_for() -> None:
    data, plane = of("attention-rates"), scene("attention-rates")(plane=True)
    assert "coloured by" in plane.claim(data).watch
    assert "higher" in scene("attention-rates")().claim(data).watch
    assert "at the angle" in plane.definition(data)
    assert "at the angle" not in scene("attention-rates")().definition(data)
    caption = plane.caption(data)
    assert "does not hold for small p" in caption
    assert caption.rindex("arXiv:2512.25060") > caption.rindex("arXiv:2306.17844") > 0


def test_rates_that_do_not_matter_are_not_said_to() -> None:
    data = of("attention-rates")
    data["member_gradient_symmetricity"].values[:] = 0.5
    claim = scene("attention-rates")().claim(data)
    assert not claim.holds
    assert "networks have learned" in claim.sentence


def test_networks_that_have_not_learned_do_not_count() -> None:
    data = of("attention-rates")
    data["member_accuracy"][:] = 0.5
    assert scene("attention-rates")().claim(data).sentence == "None of these networks has learned"
    data["member_attention_rate"][:] = np.nan
    with pytest.raises(InputError, match="no run here has one"):
        scene("attention-rates").check(data)


@pytest.mark.parametrize("name", ["clock-or-pizza", "manifold", "phase-differences"])
def test_only_what_is_true_of_both_networks_stands_below_them(name: str) -> None:
    data = of(name)
    both, alone = scene(name)().about(data), scene(name)().alone().about(data)
    network = alone.split("  ·  ")[1]
    assert "attention at a rate" in network or "side by side" in network
    assert network not in both
    assert both.startswith("addition mod 59")
