"""What the page of what others say tells in words, against the bundled data.

Its numbers are computed, and tests/docs/test_docs_numbers.py holds them.
"""

from __future__ import annotations

import re
from pathlib import Path

import grokviz as gv
from grokviz.scene.registry import scenes
from website.gallery import DISPUTED, Entry, page

PAGE = (Path(__file__).parents[2] / "docs" / "disputed.md").read_text("utf-8")
PAPER = re.compile(r"\d{4}\.\d{5}")


def test_pictures_say_what_is_disputed_and_by_whom() -> None:
    said = {name: one.disputed for name, one in scenes(user=False).items() if one.disputed}
    # those that the page draws, the films of the same things, and no others that it does not cite
    drawn = set(re.findall(r"^grokviz render (\S+)", PAGE, re.MULTILINE))
    assert drawn <= {*said}
    for name, sentence in said.items():
        papers = PAPER.findall(sentence)
        assert papers, name
        assert {*papers} <= {*PAPER.findall(PAGE)}, name


def test_a_caption_ends_with_it_and_the_gallery_leads_to_the_page() -> None:
    scene = scenes(user=False)["weight-norms"]
    data = gv.load("modular-addition", scene().variables())
    assert scene().caption(data).endswith("(arXiv:2310.06110).")
    assert DISPUTED in page(Entry(scene))
    assert DISPUTED not in page(Entry(scenes(user=False)["embedding-waves"]))


def test_spikes_are_in_float32_and_in_one_seed_alone() -> None:
    runs = gv.load("slingshots", ("member_spike_count", "member_precision", "member_train_loss"))
    counts = dict(
        zip(runs["member_precision"].values, runs["member_spike_count"].values, strict=True)
    )
    assert counts["float64"] == 0 < counts["float32"]
    assert not (runs["member_train_loss"].values == 0).any()
    seeds = gv.load("seeds", ("member_spike_count",))["member_spike_count"].values
    assert (seeds > 0).sum() == 1


def test_the_weights_shrink_and_are_larger_at_the_turn_than_before_training() -> None:
    data = gv.load("modular-addition", ("sum_squared_weights", "phase_end"))
    squares = data["sum_squared_weights"].sum("parameter")
    start, turn = (float(squares.sel(epoch=t, method="nearest")) for t in (0, 8380))
    assert float(squares[-1]) < start < turn < float(squares.sel(epoch=200))
