"""What pictures of networks that compose elements say, and on data that say otherwise."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from grokviz.dataset.references.reference import load
from grokviz.errors import InputError
from grokviz.scene.registry import scene


def of(name: str) -> xr.Dataset:
    one = scene(name)
    return load(None, one.needs, default=one.reference).copy(deep=True)


# --- group-table -----------------------------------------------------------------------


def test_the_answers_fall_into_blocks() -> None:
    data = of("group-table")
    claim = scene("group-table")().claim(data)
    assert claim.holds
    assert claim.sentence == scene("group-table").title
    assert claim.numbers["share"] == claim.numbers["right"] == 1
    assert claim.numbers["first"] < 0.5
    assert claim.watch.endswith("one of its 4 elements")
    # a few wrong ones: not all of them do
    data["answer"].values[-1, 0, :12] = data["answer"].values[0, 0, :12]
    claim = scene("group-table")().claim(data)
    assert not claim.holds
    assert f"{100 * claim.numbers['share']:.0f}% of the network's answers" in claim.sentence


def test_wrong_answers_half_way_are_in_no_block_of_theirs() -> None:
    claim = scene("group-table")(listed=False).claim(of("group-table"))
    assert claim.sentence == "The network learns its table cell by cell, not block by block"
    assert claim.numbers["in their coset"] < 1.5 * claim.numbers["by chance"]


def test_a_table_whose_wrong_answers_are_in_their_blocks_is_learnt_by_blocks() -> None:
    from grokviz.scenes.group_composition.group_table import _Table

    data = of("group-table")
    half, product = _Table(data).half, data["product"].values
    size, places = int(data["sorted_size"]), data["sorted_place"].values
    element = np.argsort(places, kind="stable")
    # the next element of the same coset
    wrong = element[places // size * size + (places % size + 1) % size][product]
    right = data["answer"].values[half] == product
    data["answer"].values[half] = np.where(right, product, wrong)
    table, claim = _Table(data), scene("group-table")(listed=False).claim(data)
    assert table.half == half
    assert table.wrong(half) == ((~right).sum(), (~right).sum())
    assert claim.sentence == "The network learns its table block by block before cell by cell"
    assert not claim.holds
    # all but those of the right coset are grey
    picture = table.corrected(half)
    dim, full = (picture[mask].std(axis=-1).mean() for mask in (~right, right))
    assert 0 < dim < full
    # few wrong ones say nothing
    data["answer"].values[half] = product
    assert scene("group-table")(listed=False).claim(data).sentence.endswith("fall into blocks")


def test_a_table_that_is_wrong_is_said_to_be() -> None:
    data = of("group-table")
    data["answer"][-1] = data["answer"][0]
    claim = scene("group-table")().claim(data)
    assert not claim.holds
    assert f"{100 * claim.numbers['share']:.0f}%" in claim.sentence


def test_a_table_that_was_right_from_the_first_did_not_fall_into_anything() -> None:
    data = of("group-table")
    data["answer"][:] = data["product"]
    assert not scene("group-table")().claim(data).holds


def test_cosets_of_no_normal_subgroup_are_bands() -> None:
    from grokviz.tasks.group_composition.formulas.groups import group
    from grokviz.tasks.group_composition.formulas.subgroups import proper_subgroups, sorted_places

    data = of("group-table")
    one = group("S4", "lexicographic")
    three = next(mask for mask in proper_subgroups(one) if mask.sum() == 3)
    data["sorted_place"].values = sorted_places(one, three)
    data["sorted_size"] = 3
    assert "not band by band" in scene("group-table")(listed=False).claim(data).sentence
    assert scene("group-table")().claim(data).sentence.endswith("bands")


def test_a_group_without_subgroups_has_no_cosets() -> None:
    data = of("group-table")
    data["sorted_size"] = 0
    with pytest.raises(InputError, match="cosets"):
        scene("group-table").check(data)


# --- cosets-or-representations -----------------------------------------------------------


def test_most_neurons_fit_both() -> None:
    data = of("cosets-or-representations")
    claim = scene("cosets-or-representations")().claim(data)
    assert claim.holds
    assert claim.sentence == scene("cosets-or-representations").title
    assert claim.numbers["both"] > 0.5
    assert claim.numbers["first"] == 0
    # the published network in S5: 126 of 128, and 3 from the wrong side
    assert claim.numbers["other side"] < 0.05


def test_the_neurons_that_fit_both_are_counted() -> None:
    data = of("cosets-or-representations")
    drawn, count = scene("cosets-or-representations")(), data.sizes["neuron"]
    before = round(drawn.claim(data).numbers["both"] * count)
    ratio, share = data["coset_ratio"].values[-1], data["neuron_share"].values[-1]
    fits = (np.nan_to_num(ratio[0], nan=np.inf) < 1).all(axis=0)
    fits = fits & (share.max(axis=2) >= 0.9).all(axis=0)
    assert fits.sum() == before
    data["coset_ratio"].values[-1][..., np.flatnonzero(fits)[0]] = 2
    claim = drawn.claim(data)
    assert not claim.holds
    assert f"fit {before - 1} of {count} neurons" in claim.sentence


@pytest.mark.parametrize("name", ["neuron_share", "coset_ratio"])
def test_neurons_that_fit_one_are_not_said_to_fit_both(name: str) -> None:
    data = of("cosets-or-representations")
    data[name][-1] = data[name][0]
    claim = scene("cosets-or-representations")().claim(data)
    assert not claim.holds
    assert claim.sentence.endswith("in one representation")
    for key in ("cosets", "representations"):
        assert f"{100 * claim.numbers[key]:.0f}%" in claim.sentence


def test_the_neuron_drawn_fits_both_and_its_words_follow_it() -> None:
    from grokviz.scenes.group_composition._neurons import Fits, One

    data = of("cosets-or-representations")
    drawn, fits, last = One(data), Fits.of(data, -1), data.sizes["field_epoch"] - 1
    assert fits.constant[drawn.neuron]
    assert fits.single[drawn.neuron]
    words = scene("cosets-or-representations")().description(data, last)
    assert f"nearly constant on its {drawn.cosets} cosets" in words
    steps = drawn.weights(last).reshape(drawn.cosets, -1)
    assert np.ptp(steps, axis=1).max() < 0.1 * np.ptp(steps)
    data["coset_ratio"].values[-1][..., drawn.neuron] = 2
    assert One(data).neuron != drawn.neuron
    assert "not constant" in scene("cosets-or-representations")().description(data, 0)


def test_bars_that_are_not_level_are_not_said_to_be_flat() -> None:
    from matplotlib.figure import Figure

    data, last = of("cosets-or-representations"), -1

    def words() -> str:
        figure = Figure(figsize=(9, 5))
        drawing = scene("cosets-or-representations")().draw(figure, data)
        drawing.update(data.sizes["field_epoch"] - 1)
        texts = [text.get_text() for axes in figure.axes for text in axes.texts]
        (words,) = (text for text in texts if text.endswith("its 5 cosets"))
        return words.removeprefix("Explanation 1: ")

    assert words() == "flat on each of its 5 cosets"
    # within the published bound still
    weights = data["neuron_weight"].values[last]
    weights += 0.3 * np.ptp(weights, axis=1, keepdims=True) * np.arange(60) / 60
    assert words() == "counts as constant on its 5 cosets"
    data["coset_ratio"].values[last] = 1.5
    assert words() == "not flat on its 5 cosets"


def test_every_neuron_is_a_dot_in_the_block_of_what_fits_it() -> None:
    from matplotlib.figure import Figure

    data = of("cosets-or-representations")
    figure = Figure(figsize=(9, 5))
    drawing = scene("cosets-or-representations")().draw(figure, data)
    axes, count = figure.axes[0], data.sizes["neuron"]
    dots, _ = axes.collections
    for i in (0, data.sizes["field_epoch"] - 1):
        drawing.update(i)
        places = dots.get_offsets()
        assert len({tuple(place) for place in places.tolist()}) == count
        assert places[:, 0].max() < axes.get_xlim()[1]
        shown = [text.get_text() for text in axes.texts]
        parts = [int(text.split()[0]) for text in shown if text[:1].isdigit()]
        assert sum(parts) == count
    fits = round(scene("cosets-or-representations")().claim(data).numbers["both"] * count)
    assert f"{fits} fit both" in shown
    # a full disc where both fit
    tall = [np.ptp(shape.vertices[:, 1], axis=0) if len(shape.vertices) else 0.0
            for shape in dots.get_paths()]  # fmt: skip
    assert sum(high > 0.9 for high in tall) == fits


def test_every_representation_has_a_bar_or_is_among_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from grokviz.scenes.group_composition import cosets_or_representations as module
    from grokviz.scenes.group_composition._neurons import One

    data = of("cosets-or-representations")
    one, count = One(data), data.sizes["representation"] - 1
    rows = module._Shares.rows(one)
    assert [len(row) for row in rows.values()] == [1] * count
    assert next(iter(rows)) == "standard"
    monkeypatch.setattr(module, "ROWS", 2)
    assert list(module._Shares.rows(one)) == ["standard", f"{count - 1} others"]


def test_without_subgroups_there_is_one_explanation() -> None:
    data = of("cosets-or-representations")
    data["neuron_coset"][:] = -1
    with pytest.raises(InputError, match="cosets"):
        scene("cosets-or-representations").check(data)


# --- representations ---------------------------------------------------------------------


def test_the_representation_that_comes_last_is_named() -> None:
    data = of("representations")
    claim = scene("representations")().claim(data)
    assert claim.holds
    assert claim.sentence == scene("representations").title
    assert claim.numbers["last"] > 3 * claim.numbers["before"] > 0
    names = data["representation"].values.astype(str)
    names[names == "sign"] = "5d b"
    data["representation"] = ("representation", names)
    other = scene("representations")().claim(data)
    assert not other.holds
    last = "comes last"
    assert other.sentence == f"The representation of dimension 5, b {last}"
    names[names == "5d b"] = "sign"
    data["representation"] = ("representation", names)
    data.attrs["settings"] = '{"group": "D12"}'
    words = scene("representations")().claim(data)
    assert words.sentence == f"A rotation or a flip {last}"
    del data.attrs["settings"]
    assert scene("representations")().claim(data).sentence == f"The sign representation {last}"


def test_the_line_of_the_representation_that_comes_last_alone_is_bold_and_coloured() -> None:
    from matplotlib.figure import Figure

    def looks(data: xr.Dataset) -> tuple[list[float], int]:
        figure = Figure(figsize=(9, 5))
        scene("representations")().draw(figure, data).update(data.sizes["epoch"] - 1)
        lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 2]
        lines = [line for line in lines if line.get_alpha() is None]
        colours = {str(line.get_color()) for line in lines}
        return sorted(line.get_linewidth() for line in lines), len(colours)

    data = of("representations")
    (*quiet, bold), colours = looks(data)
    assert bold > 2 * max(quiet)
    # of the last, of the test accuracy, and one grey of all others
    assert colours == 3
    data["similarity"][:] = np.linspace(0, 1, data.sizes["epoch"])[:, None]
    (dashed, *same), colours = looks(data)
    assert colours == 5
    assert len(set(same)) == 1
    assert dashed < same[0]


def test_each_line_has_a_dot_at_half_of_its_highest() -> None:
    from matplotlib.figure import Figure

    data = of("representations")
    figure = Figure(figsize=(9, 5))
    scene("representations")().draw(figure, data).update(data.sizes["epoch"] - 1)
    (axes,) = figure.axes
    dots = [line.get_ydata() for line in axes.lines if line.get_marker() == "o"]
    # of four representations and of the test accuracy
    assert sum(len(dot) == 1 and bool(np.isclose(dot[0], 0.5)) for dot in dots) == 5
    shown = [text.get_text() for text in axes.texts]
    assert "sign: even or odd" in shown


def test_two_that_come_last_together_are_not_told_apart() -> None:
    data = of("representations")
    names = data["representation"].values.astype(str).tolist()
    data["similarity"][:, names.index("2d")] = data["similarity"][:, names.index("sign")]
    claim = scene("representations")().claim(data)
    assert not claim.holds
    assert "half there by" in claim.sentence


def test_representations_that_come_together_are_said_to() -> None:
    data = of("representations")
    data["similarity"][:] = np.linspace(0, 1, data.sizes["epoch"])[:, None]
    claim = scene("representations")().claim(data)
    assert not claim.holds
    assert "half there by" in claim.sentence


def test_a_network_that_has_learnt_none_has_no_ridges() -> None:
    data = of("representations")
    data["key_representation"][:] = 0
    with pytest.raises(InputError, match="train the run further"):
        scene("representations").check(data)


# --- ladder ------------------------------------------------------------------------------


def test_groups_of_one_size_take_their_time() -> None:
    data = of("ladder")
    claim = scene("ladder")().claim(data)
    assert claim.holds
    assert claim.sentence == scene("ladder").title
    assert claim.numbers["factor"] > 3
    # of the published medians: 2,900 for A5 and more than 500 for Z60
    assert claim.numbers["published"] > 4


def test_how_many_times_as_long_the_last_group_takes_is_true_of_both_ladders() -> None:
    from grokviz.scenes.group_composition._ladders import latest

    ours = {"C60": [100.0], "D30": [200.0], "A5": [1100.0]}
    said = "A5 takes {} as long to learn as C60 or D30"
    for published, words in (
        ({"C60": [1.0], "A5": [400.0], "D30": [100.0]}, said.format("four times")),
        ({"C60": [1.0], "A5": [250.0], "D30": [100.0]}, said.format("over twice")),
        ({"C60": [1.0], "A5": [1.0]}, f"In our runs, {said}".format("over five times")),
        ({}, said.format("over five times")),
    ):
        assert latest(ours, published) == words
    assert latest(ours | {"A5": [300.0]}, {}) == ""
    never = latest(ours | {"A5": [np.inf]}, {})
    assert never == "In the median, A5 is not learnt by the end; C60 and D30 are"
    more = latest({"D6": [99.0], "S60": [99.0]} | ours, {})
    assert more.endswith("as any of four others of its size")
    assert latest(ours | {"D30": [np.inf], "A5": [np.inf]}, {}) == ""


def test_one_run_has_no_ladder() -> None:
    with pytest.raises(InputError, match=r"needs runs of at least two.* give each by --run"):
        scene("ladder").check(load("group-S4-0", scene("ladder").needs))


@pytest.mark.parametrize(
    ("name", "share"), [("C7", 1.0), ("D3", 0.5), ("S3", 0.5), ("A5", 5 / 60), ("C999", None)]
)
def test_pairs_whose_order_does_not_matter_are_counted(name: str, share: float | None) -> None:
    from grokviz.scenes.group_composition._groups import commuting

    # as many as the group has classes, for each element
    assert commuting(name) == pytest.approx(share) if share else commuting(name) is None


def by_loss() -> xr.Dataset:
    """The ladder's runs as if they had not logged their accuracy."""
    return of("ladder").drop_vars(["accurate_epoch", "member_test_accuracy"], errors="ignore")


def test_groups_that_are_as_fast_are_not_said_to_differ() -> None:
    data = by_loss()
    data["generalised_epoch"][:] = 900
    claim = scene("ladder")().claim(data)
    assert not claim.holds
    assert "1.0 times" in claim.sentence


def test_runs_that_do_not_say_their_groups_have_no_ladder() -> None:
    data = of("ladder").drop_vars("member_group")
    data["member_name"][:] = "run"
    with pytest.raises(InputError, match="sweep over group"):
        scene("ladder").check(data)


def test_what_ours_have_reached_is_said_unless_it_is_the_published_mark() -> None:
    from matplotlib.figure import Figure

    data, drawn = by_loss(), scene("ladder")()

    def words() -> tuple[str, ...]:
        figure = Figure(figsize=(8, 4.5))
        drawn.draw(figure, data)
        return drawn.claim(data).watch, figure.axes[0].get_xlabel(), drawn.definition(data)

    assert all("test loss below 0.1" in one and "95%" in one for one in words())
    assert "test loss" in drawn.description(data, 0)
    # as runs that log their accuracy have it
    data["accurate_epoch"] = ("member", data["generalised_epoch"].values - 100)
    data["member_test_accuracy"] = (("member", "point"), 1 + 0 * data["member_test_loss"].values)
    data["accurate_epoch"][0] = -1
    assert not any("test loss" in one for one in words())
    assert all("95%" in one for one in words()[1:])
    # the middle one of the three of C60, of which the first was never so
    middle = int(data["accurate_epoch"].values[1:3].max())
    assert f"C60 {middle:,}" in drawn.description(data, 0)
    # one without: the same mark for all of ours
    data["member_test_accuracy"][0] = np.nan
    assert all("test loss below 0.1" in one for one in words())


def test_groups_are_read_of_the_runs_settings() -> None:
    data = by_loss()
    data["member_name"][:] = "run"
    data["member_group"] = ("member", ["C6"] * 3 + ["S3"] * 3 + [""] * 3)
    scene("ladder").check(data)
    data["generalised_epoch"][:6] = -1
    assert scene("ladder")().claim(data).sentence == "None of 2 groups was learnt by the end"
    data["generalised_epoch"][:3] = 100
    assert scene("ladder")().claim(data).sentence == "Of 2 groups one was learnt by the end"


def test_groups_of_another_size_are_drawn_where_all_are_wanted() -> None:
    data = by_loss()
    # the sentence says which comes last, and what else there is to the order stands below
    assert "comes last" not in scene("ladder")().claim(data).watch
    assert "A5 comes last in both, but the order of the others differs. " in scene(
        "ladder"
    )().definition(data)
    assert "Beside each group" in scene("ladder")(every=True).claim(data).watch
    names = [str(name).replace("D30", "D12") for name in data["member_name"].values]
    data["member_name"] = ("member", [name.replace("A5", "S4") for name in names])
    assert "have 24 elements" not in scene("ladder")().claim(data).watch
    data["generalised_epoch"][:] = 900
    assert "Beside each group" in scene("ladder")().claim(data).watch


def test_the_order_of_our_ladder_is_compared_with_the_published() -> None:
    from grokviz.scenes.group_composition._ladders import compared

    published = {"C60": [500.0], "D30": [1200.0], "A5": [2900.0]}
    for ours, words in (
        (("C60", "D30", "A5"), "both have the same order"),
        (("D30", "C60", "A5"), "A5 comes last in both, but the order of the others differs"),
        (("A5", "C60", "D30"), "their orders differ"),
        (("C60", "S4"), ""),
    ):
        assert compared({group: [1.0] for group in ours}, published) == words


@pytest.mark.parametrize(("every", "published"), [(False, 15), (True, 30)])
def test_each_run_of_a_ladder_is_a_dot_and_both_kinds_are_named_once_above_all(
    every: bool, published: int
) -> None:
    from matplotlib.figure import Figure

    data, figure = of("ladder"), Figure(figsize=(16, 9))
    drawn = scene("ladder")(every=every)
    drawn.draw(figure, data)
    (axes,) = figure.axes
    dots = sum(len(line.get_xdata()) for line in axes.lines if line.get_marker() == "o")
    # five seeds of each of three groups of 60 elements, and of three of 120; two are the key
    assert dots == data.sizes["member"] + published + 2
    assert "runs" not in drawn.about(data)
    named = [(note.get_text(), note.xy[1] > 1) for note in axes.texts]
    assert [named.count((word, True)) for word in ("ours", "published")] == [1, 1]


def test_groups_whose_pairs_commute_more_are_drawn_first_with_every_run_to_be_seen() -> None:
    from matplotlib.figure import Figure

    from grokviz.media.theme import theme
    from grokviz.scene.style import drawing_in

    data = of("ladder")
    figure = Figure(figsize=(8, 4.5))
    with drawing_in(theme("light", "paper")):
        scene("ladder")().draw(figure, data)
    (axes,) = figure.axes
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    # ours and the published of each group, and beside the axes those that never learnt
    places = [
        tuple(place)
        for line in dots
        for place in line.get_transform().transform(np.asarray(line.get_xydata(), float)).round(3)
    ]
    # five seeds of each of three published groups of 60 elements, and two dots of the key
    assert len(places) == len(set(places)) == data.sizes["member"] + 15 + 2
    names = [text.get_text() for text in axes.texts if text.get_text() in {"C60", "D30", "A5"}]
    assert names == ["C60", "D30", "A5"]
