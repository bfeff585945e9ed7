"""Pictures of what is measured at the last checkpoint alone, drawn of earlier ones of a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from grokviz.dataset.references.reference import load
from grokviz.errors import InputError
from grokviz.media.provenance import read_provenance
from grokviz.render.render import data_of, render
from grokviz.runs import open_run
from grokviz.scene.registry import scene

NAMES = ("attention-map", "chorus")
SMALL = {"p": 13, "checkpoint-every": "10"}


@pytest.fixture
def runs(trained: Callable[..., Path]) -> tuple[Path, Path]:
    """A run, and its beginning as a run of its own."""
    long, short = (trained("modular-addition-59", {**SMALL, "epochs": n}) for n in (30, 20))
    return long, short


@pytest.mark.parametrize("name", NAMES)
def test_any_checkpoint_of_a_run_is_drawn_as_its_last_one_was(
    name: str, runs: tuple[Path, Path], tmp_path: Path
) -> None:
    long, short = runs
    drawn = scene(name)()
    found, wanted = data_of(drawn, long, 20), load(short, drawn.variables())
    assert found["epoch"].values.tolist() == [20]
    for variable in drawn.variables():
        want = wanted[variable]
        want = want.isel(epoch=[-1]) if "epoch" in want.dims else want
        if "logged_epoch" not in want.dims and "tested_epoch" not in want.dims:
            np.testing.assert_array_equal(found[variable].values, want.values, variable)
    (path,) = render(name, long, tmp_path / "a.svg", epoch=23, venue="slide")
    assert "epoch 20" in path.read_text("utf-8")
    said = read_provenance(path)
    assert said.epochs == (20,)
    assert said.run_checksum == open_run(long).checksum


@pytest.mark.parametrize("name", NAMES)
def test_its_last_one_is_as_without_asking(name: str, runs: tuple[Path, Path]) -> None:
    asked, own = (data_of(scene(name)(), runs[0], epoch) for epoch in ("30", None))
    for variable in scene(name).needs:
        last = {"epoch": [-1]} if "epoch" in own[variable].dims else {}
        np.testing.assert_array_equal(asked[variable].values, own[variable].isel(last).values)


@pytest.mark.parametrize("name", NAMES)
def test_of_a_reference_the_sentence_names_what_there_is(name: str, tmp_path: Path) -> None:
    said = (
        rf"--epoch 8000: what {name} draws is kept of modular-addition at its last checkpoint "
        r"alone, epoch 40,000; leave --epoch out, or draw a run of your own at any checkpoint: "
        r"grokviz train modular-addition --out RUN, then --run RUN --epoch 8000$"
    )
    with pytest.raises(InputError, match=said):
        render(name, None, tmp_path / "a.svg", epoch=8000)
    with pytest.raises(InputError, match="from 0 to 40000"):
        render(name, None, tmp_path / "a.svg", epoch=90_000)
    for epoch in ("last", 40_000):
        (path,) = render(name, None, tmp_path / "a.svg", epoch=epoch, venue="slide")
        assert "epoch 40,000" in path.read_text("utf-8")


def test_other_epochs_of_a_run_are_refused_as_anywhere(runs: tuple[Path, Path]) -> None:
    for wrong, said in (("55", "outside the run"), ("grok", "did not grok"), ("x", "not an epoch")):
        with pytest.raises(InputError, match=said):
            data_of(scene("chorus")(), runs[0], wrong)
