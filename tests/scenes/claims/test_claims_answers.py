"""What is said of a network's answers holds of whichever run they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from grokviz.scenes.modular_addition import _answers
from grokviz.scenes.modular_addition._answers import Answers
from grokviz.scenes.modular_addition.progress.answers import _Table
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from grokviz.dataset.references.reference import load
from grokviz.media.motion import STAND
from grokviz.render.drawing import frames_of
from grokviz.render.job import render_options
from grokviz.render.plan import plan
from grokviz.scene import drawing_in, style
from grokviz.scene.registry import scene
from grokviz.tasks.modular_addition.formulas.answers import GROUPS, groups_of_pairs, right_by_group

P, EPOCHS = 21, np.arange(0, 5001, 1000)
TITLE = "First the shown sums, then some mirrors, then the rest"
NEVER: tuple[float, ...] = (0, 0, 0, 0, 0, 0)
AT_ONCE: tuple[float, ...] = (0, 1, 1, 1, 1, 1)
LATE: tuple[float, ...] = (0, 0, 0, 0, 1, 1)


def run(
    shown: Sequence[float], mirror: Sequence[float], rest: Sequence[float], *, split: bool = True
) -> xr.Dataset:
    """A run in which such shares of each group are right at each epoch, a row after another."""
    train = np.random.default_rng(0).random(P * P) < 0.4
    true = groups_of_pairs(train, P)
    right = np.zeros((len(EPOCHS), P * P), bool)
    for n, shares in enumerate((shown, mirror, rest)):
        places = np.flatnonzero(true.reshape(-1) == n)
        for i, share in enumerate(shares):
            right[i, places[: round(share * len(places))]] = True
    group = groups_of_pairs(train if split else None, P)
    losses = [np.where(np.array(s) >= 0.99, 1e-3, 5.0) for s in (shown, rest)]
    cells = ("epoch", "residue", "residue_b")
    return xr.Dataset(
        {
            "answer_right": (cells, right.reshape(-1, P, P).astype(np.int8)),
            "answer_probability": (cells, np.where(right, 0.75, 0.25).reshape(-1, P, P)),
            "right_answers": (
                ("epoch", "pair_group"), np.array([right_by_group(one, group) for one in right])
            ),
            "group_of_pair": (("residue", "residue_b"), group),
            "logged_train_loss": ("logged_epoch", losses[0]),
            "logged_test_loss": ("tested_epoch", losses[1]),
            "phase_end": ("phase", [-1, -1, -1]),
        },
        coords={
            "epoch": EPOCHS, "logged_epoch": EPOCHS, "tested_epoch": EPOCHS,
            "pair_group": list(GROUPS), "residue": np.arange(P), "residue_b": np.arange(P),
        },
    )  # fmt: skip


MIRRORS = run(AT_ONCE, (0, 0.3, 0.6, 0.8, 1, 1), LATE)


def test_the_bundled_run_learns_mirrors_between_the_shown_and_the_rest() -> None:
    kind = scene("answers")
    data = load(None, kind.needs, default=kind.reference)
    claim = kind.with_options().claim(data)
    assert claim.holds
    assert claim.sentence == TITLE
    assert len(claim.sentence) <= 66, "a title of one line"
    assert len(claim.watch) <= 80
    assert claim.watch == (
        "At epoch 1,400 it knows 686 unseen sums, 683 of them mirrors: a + b = b + a"
    )
    i = kind.with_options().index_of(data, None)
    assert abs(int(data["epoch"].values[i]) - 1400) <= 100
    assert claim.numbers["mirrors"] > 0.98
    known = "683 of the 686 unseen sums that it has right are mirrors"
    assert known in kind.with_options().alt_text(data, i)
    assert known in kind.with_options().caption(data)
    assert known not in kind.with_options().alt_text(data, -1)


def test_its_film_stands_where_it_knows_the_mirrors_only(tmp_path: Path) -> None:
    kind = scene("answers")
    data = load(None, kind.needs, default=kind.reference)
    (job,) = plan(kind(), tmp_path / "a.mp4", (), render_options({"fps": 10, "duration": 12}))
    moments = data["epoch"].values[frames_of(job, data)]
    assert len(moments) == 120
    assert np.all(np.diff(moments) >= 0)
    assert np.sum(moments == 1400) >= 10 * STAND


@pytest.mark.parametrize(
    ("data", "holds"),
    [
        (MIRRORS, True),
        (run(AT_ONCE, LATE, LATE), False),  # nothing before the rest
        (run(AT_ONCE, (0, 0.3, 0.3, 0.3, 1, 1), (0, 0.3, 0.3, 0.3, 1, 1)), False),  # as the rest
        (run(AT_ONCE, (0, 0.3, 0.6, 0.8, 1, 1), NEVER), False),  # never the rest
        (run(LATE, (0, 0.3, 0.6, 0.8, 1, 1), LATE), False),  # before the shown
        (run(NEVER, NEVER, NEVER), False),
    ],
)
def test_the_sentence_is_said_where_that_is_the_order(data: xr.Dataset, holds: bool) -> None:
    claim = scene("answers").with_options().claim(data)
    assert claim.holds == holds
    if not holds:
        counts = data["right_answers"].values[-1].astype(int)
        assert f"and {counts[1] + counts[2]:,} of" in claim.sentence
        assert f"{counts[0]:,} of" in claim.sentence


@pytest.mark.parametrize(("share", "which"), [(0.4, "some"), (0.6, "their")])
def test_less_than_half_of_the_mirrors_are_some(share: float, which: str) -> None:
    claim = scene("answers").with_options().claim(run(AT_ONCE, (0, share, 0.7, 0.8, 1, 1), LATE))
    assert claim.holds
    assert f"then {which} mirrors" in claim.sentence


def test_without_a_split_only_the_right_answers_are_told() -> None:
    data = run(AT_ONCE, LATE, LATE, split=False)
    drawn = scene("answers").with_options()
    assert (
        drawn.claim(data).sentence == f"{P * P} of {P * P} sums are answered right at epoch 5,000"
    )
    assert f"{P * P} of all {P * P} sums" in drawn.alt_text(data, 5)
    assert drawn.index_of(data, None) == 5


def test_the_still_is_of_the_mirrors_where_they_are_the_story() -> None:
    drawn = scene("answers").with_options()
    assert drawn.index_of(MIRRORS, None) == 1
    late = MIRRORS.assign(phase_end=("phase", [1600, 3500, 4500]))
    assert drawn.index_of(late, None) == 2
    assert drawn.index_of(run(AT_ONCE, LATE, LATE), None) == 5


def test_the_example_is_right_all_the_time_and_its_mirror_was_shown() -> None:
    example = _answers.example(MIRRORS)
    assert example is not None
    a, b = example
    assert int(MIRRORS["group_of_pair"][a, b]) == _answers.MIRROR
    assert int(MIRRORS["group_of_pair"][b, a]) == _answers.SHOWN
    assert bool((MIRRORS["answer_right"][1:, a, b] == 1).all())
    assert _answers.example(run(NEVER, NEVER, NEVER)) is None


def test_a_cell_has_its_groups_colour_as_far_as_it_is_sure_and_none_where_wrong() -> None:
    with drawing_in(style().theme):
        table = _Table(Figure().add_subplot(), MIRRORS)
        table.update(1)
        cells = np.asarray(table.image.get_array())
        train = np.array(to_rgb(style().colours.train))
    shown = np.argwhere(MIRRORS["group_of_pair"].values == _answers.SHOWN)[0]
    wrong = np.argwhere(MIRRORS["group_of_pair"].values == _answers.NEITHER)[0]
    # a runs to the right
    np.testing.assert_allclose(cells[tuple(wrong[::-1])], table.ground)
    expected = table.ground + 0.75 * (train - table.ground)
    np.testing.assert_allclose(cells[tuple(shown[::-1])], expected)


def test_a_sum_known_by_its_mirror_and_that_mirror_are_magnified() -> None:
    with drawing_in(style().theme):
        figure = Figure(figsize=(19.2, 10.8))
        scene("answers").with_options().draw(figure, MIRRORS).update(1)
        table, *patches = (axes for axes in figure.axes if axes.images)
        cells = np.asarray(table.images[0].get_array())
    example = _answers.example(MIRRORS)
    assert example is not None
    for patch, (a, b) in zip(patches, (example, example[::-1]), strict=True):
        part = np.asarray(patch.images[0].get_array())
        windows = np.lib.stride_tricks.sliding_window_view(cells, part.shape)[:, :, 0]
        (y,), (x,) = np.nonzero((windows == part).all(axis=(2, 3, 4)))
        assert y <= b < y + len(part)
        assert x <= a < x + len(part)
        assert any(text.get_text().startswith(f"{a} + {b}: ") for text in patch.texts)


def test_hills_are_as_high_as_the_share_of_their_sums_that_is_right() -> None:
    drawn = scene("answers").with_options()
    with drawing_in(style().theme, ghost=False):
        figure = Figure(figsize=(19.2, 10.8))
        drawn.draw(figure, MIRRORS).update(len(EPOCHS) - 1)
    lines = [line for axes in figure.axes for line in axes.lines]
    hills = [line.get_ydata() for line in lines if len(line.get_ydata()) == len(EPOCHS)]
    assert len(hills) == 3
    right, sums = MIRRORS["right_answers"].values, Answers.of(MIRRORS).sums
    for hill, count, most in zip(hills, right.T, sums, strict=True):
        np.testing.assert_allclose((hill - hill[0]) / (hill[-1] - hill[0]), count / most)
