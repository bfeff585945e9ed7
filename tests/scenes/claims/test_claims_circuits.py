"""The sentences of heads, embedding-map and matrix, and what they compute to draw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from grokviz.scenes.any._ring import dial_angles, is_ring, once_round, order_on_ring
from grokviz.scenes.any.heads import SIGNS
from grokviz.scenes.any.matrix import angular_order
from matplotlib.figure import Figure
from test_claims_tensors import LONGEST, claim, reference

from grokviz.errors import InputError
from grokviz.scene.registry import scene


@pytest.mark.parametrize("name", ["heads", "embedding-map", "matrix"])
def test_a_sentence_of_the_reference_holds_and_rests_on_numbers(name: str) -> None:
    own = claim(name, reference(name))
    assert own.holds
    assert len(own.sentence) <= LONGEST
    assert own.numbers
    assert np.isfinite(list(own.numbers.values())).all()


def test_a_pattern_that_fits_none_is_refused() -> None:
    for name, kind in (("matrix", "matrix"), ("embedding-map", "embedding")):
        with pytest.raises(InputError, match=f"tensors=nothing is (the name of )?no {kind}"):
            claim(name, reference(name), tensors="nothing")
    with pytest.raises(InputError, match="heads=nothing is no head"):
        claim("heads", reference("heads"), heads="nothing")


@pytest.mark.parametrize(
    ("qk", "ov", "holds"), [(0.49, 1, True), (1, 0.49, True), (0.51, 0.51, False)]
)
def test_circuits_narrow_to_half(qk: float, ov: float, holds: bool) -> None:
    data = reference("heads")
    for name, share in (("qk_rank", qk), ("ov_rank", ov)):
        ranks = np.full(data[name].shape, 20.0)
        # of half of the heads it is so, and of one more
        ranks[-1, : 1 + ranks.shape[1] // 2] *= share
        ranks[-1, 1 + ranks.shape[1] // 2 :] *= 2 * share
        data[name] = (data[name].dims, ranks)
    own = claim("heads", data, heads="0.0,0.1,0.2")
    assert own.holds == holds
    assert ("keep more than half" in own.sentence) != holds
    assert own.numbers["qk_first"] == 20
    assert own.numbers["qk_last"] == pytest.approx(20 * qk)


@pytest.mark.parametrize(("turn", "holds"), [(0.51, True), (0.49, False)])
@pytest.mark.parametrize("circuit", ["qk", "ov"])
def test_the_sign_of_circuits_turns(circuit: str, turn: float, holds: bool) -> None:
    data = reference("heads")
    for name in SIGNS:
        signs = np.zeros(data[name].shape)
        signs[-1] = turn if name.startswith(circuit) else 0
        data[name] = (data[name].dims, signs)
    own = claim("heads", data, show="signs")
    assert own.holds == holds
    words = {"qk": "look for what is like the token", "ov": "write a copy of what they see"}
    assert (words[circuit] in own.sentence) == holds


@pytest.mark.parametrize(("last", "holds"), [(0.16, True), (0.14, False)])
def test_an_embedding_gathers_in_a_plane(last: float, holds: bool) -> None:
    data = reference("embedding-map")
    shares = np.full(data["leading_plane_share"].shape, 0.1)
    shares[-1] = last
    data["leading_plane_share"] = (data["leading_plane_share"].dims, shares)
    own = claim("embedding-map", data)
    assert own.holds == holds
    assert own.numbers["last"] == pytest.approx(last)
    # no ring, of which the sentence would be
    heap = np.random.default_rng(0).normal(size=data["leading_plane"].shape)
    own = claim("embedding-map", data.assign(leading_plane=(data["leading_plane"].dims, heap)))
    assert own.holds == holds
    assert f"Two directions end with {100 * last:.0f}% of the variance of" in own.sentence


def test_vectors_of_two_numbers_are_in_a_plane_from_the_first() -> None:
    data = reference("embedding-map")
    shares, planes = data["leading_plane_share"].copy(), data["leading_plane"].copy()
    shares[:] = 1.0
    planes[0] *= 0
    planes[0, ..., 0] = 0.25
    own = claim("embedding-map", data.assign(leading_plane_share=shares, leading_plane=planes))
    assert not own.holds
    assert own.sentence.endswith("0.25 at first")


@pytest.mark.parametrize(("spread", "ring"), [(0.24, True), (0.26, False)])
def test_vectors_are_a_ring_where_they_are_as_far_from_the_middle(
    spread: float, ring: bool
) -> None:
    angles = np.arange(60) * 2 * np.pi / 60
    # every second one farther out, so that the middle stays
    radii = 1 + spread * np.where(np.arange(60) % 2, 1, -1)
    points = radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert is_ring(points) == ring
    assert not is_ring(points[:45]), "a quarter is empty"


@pytest.mark.parametrize("extra", [0, 1])
def test_the_order_on_a_ring_is_the_step_to_the_nearest_neighbour(extra: int) -> None:
    # a frequency of 13 puts n + 9 a turn of -1/59 from n, as 9 * 13 = 2 * 59 - 1
    angles = 2 * np.pi * 13 * np.append(np.arange(59), [20.5] * extra) / 59
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    order = order_on_ring(points)
    assert order is not None
    assert (order.step, order.modulus, len(order.pairs)) == (9, 59, 59)
    assert order.words == "n to n + 9 mod 59"
    assert order.walk(4).tolist() == [0, 9, 18, 27]
    assert order.walk(8).tolist()[-1] == 63 % 59
    assert once_round(points, order)
    # on an even dial each number stands where it is
    there, here = points[:59] - points.mean(axis=0), dial_angles(points, order)
    assert np.allclose(np.exp(1j * here), there @ [1, 1j] / np.abs(there @ [1, 1j]), atol=0.05)
    # the same step round a ring of the double angle, or in an order of another ring, is no one turn
    twice = np.stack([np.cos(2 * angles), np.sin(2 * angles)], axis=1)
    assert not once_round(twice, order)
    mixed = np.random.default_rng(0).permutation(59)
    assert order_on_ring(points[mixed]) is order_on_ring(0 * points) is None


def test_a_ring_that_does_not_close_has_no_modulus() -> None:
    angles = 2 * np.pi * np.arange(59) / 70
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    order = order_on_ring(points)
    assert order is not None
    assert (order.step, order.modulus, order.words) == (1, 0, "n to n + 1")
    assert not once_round(points, order)


def test_a_ring_is_counted_round_where_a_walk_is_one_turn() -> None:
    data = reference("embedding-map")
    own = claim("embedding-map", data)
    assert own.sentence == "One plane of the embedding becomes a clock face that counts by 25"
    assert "on a dial: 0, 25, 50 " in own.watch
    # the same ring, its numbers in no order
    mixed = data["leading_plane"].values[:, :, np.random.default_rng(0).permutation(60)]
    data["leading_plane"] = (data["leading_plane"].dims, mixed)
    own = claim("embedding-map", data)
    assert own.holds
    assert own.sentence == "The vectors of the embedding end on a ring"


def test_numbers_stand_beside_their_dots_once_these_are_a_ring() -> None:
    from matplotlib.figure import Figure

    data, figure = reference("embedding-map"), Figure(figsize=(16, 8))
    drawing = scene("embedding-map").with_options({}).draw(figure, data)
    began, now = figure.axes
    np.testing.assert_allclose(now.bbox.size, began.bbox.size)
    texts = {text.get_text(): text for text in now.texts if text.get_text().isdecimal()}
    assert list(texts) == ["0", "25", "50", "16", "41", "7"]
    drawing.update(0)
    assert not any(text.get_visible() for text in texts.values())
    drawing.update(data.sizes["field_epoch"] - 1)
    dots = np.asarray(now.collections[-1].get_offsets())
    for word, text in texts.items():
        assert not text.get_visible() or np.hypot(*(dots[int(word)] - text.get_position())) < 0.2
    assert sum(text.get_visible() for text in texts.values()) >= 4


@pytest.mark.parametrize(("third", "holds"), [(0.9, False), (0.3, True)])
def test_a_matrix_gathers_in_two_directions(third: float, holds: bool) -> None:
    data = reference("matrix")
    entries = data["matrix_entry"].values
    entries[:], data["matrix_size"][:] = np.nan, 4
    entries[:, :, :4, :4] = np.diag([1.0, 1.0, 1.0, 1.0])
    entries[-1, 0, 2:4] *= third
    data["matrix_entry"] = (data["matrix_entry"].dims, entries)
    own = claim("matrix", data)
    first, last = 0.5, 1 / (1 + third**2)
    assert own.numbers == pytest.approx({"first": first, "last": last})
    assert own.holds == (last >= 1.5 * first) == holds


def test_rows_and_columns_are_in_the_order_of_their_angles() -> None:
    angles = np.linspace(-3, 3, 9)
    points = np.stack([2 * np.cos(angles), 1.5 * np.sin(angles)], axis=1)
    mixed = np.random.default_rng(0).permutation(9)
    rows, columns = angular_order(points[mixed] @ points.T)
    for order, of in ((rows, mixed), (columns, np.arange(9))):
        steps = np.diff(of[order])
        # one round, from somewhere on and one way or the other
        assert (steps == steps[0]).sum() >= 7
        assert abs(steps[0]) == 1


def test_labels_of_an_embedding_are_lines_of_a_file(tmp_path: Path) -> None:
    data = reference("embedding-map")
    words = tmp_path / "words.txt"
    words.write_text("\n".join(f"word{n}" for n in range(60)), "utf-8")
    drawn = scene("embedding-map").with_options({"labels": str(words)})
    assert "word" in drawn.description(data, 0)
    words.write_text("one\ntwo", "utf-8")
    with pytest.raises(InputError, match="has 2 lines, and 60 vectors are drawn"):
        drawn.draw(Figure(), data)
    words.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        drawn.draw(Figure(), data)
