"""Scenes of variables that a dataset has of its own, in no table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import grokviz as gv
from grokviz.errors import InputError
from grokviz.media import read_provenance
from grokviz.runs import RunWriter
from grokviz.scene import style


@dataclass(frozen=True)
class Things(gv.Scene):
    """A number of each thing."""

    name, title, source = "things", "Things differ", "this test"
    needs = ("thing_number",)

    def draw(self, figure: Any, data: xr.Dataset) -> gv.Drawing:
        axes = style().panels(figure)[0][0]
        return gv.Drawing(axes.plot(data["thing_number"].values))


@pytest.fixture
def own() -> xr.Dataset:
    values = np.arange(8.0).reshape(4, 2)
    return xr.Dataset(
        {"thing_number": (("epoch", "thing"), values)},
        coords={"epoch": [0, 10, 20, 30], "thing": ["this", "that"]},
    )


@pytest.mark.slow
def test_they_are_drawn_from_memory_and_from_a_file(here: Path, own: xr.Dataset) -> None:
    own.to_netcdf("own.nc", engine="h5netcdf")
    for name, data in {"a.png": own, "b.png": "own.nc"}.items():
        gv.render(Things(), data, name, quality="l", command="the same")
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    assert gv.render(Things(), own, ["c.svg", "c.html"]) == [Path("c.svg"), Path("c.html")]


def test_what_is_missing_is_a_sentence(here: Path, own: xr.Dataset) -> None:
    with pytest.raises(InputError, match="thing_number needs the coordinate thing: add it"):
        gv.render(Things(), own.drop_vars("thing"), "a.png")
    renamed = own.rename(thing_number="thing_numbers")
    with pytest.raises(InputError, match="nothing here makes it: did you mean thing_numbers"):
        gv.render(Things(), renamed, "a.png")
    with RunWriter.create("run", {}) as writer:
        writer.log(0, train_loss=1.0)
    with pytest.raises(InputError, match="there is no dataset variable thing_number"):
        gv.render(Things(), "run", "a.png")
    assert not list(here.glob("*.png"))


@dataclass(frozen=True)
class Clock(gv.Scene):
    """The epochs alone."""

    name, title, source = "clock-alone", "Time goes by", "this test"

    def draw(self, figure: Any, data: xr.Dataset) -> gv.Drawing:
        axes = style().panels(figure)[0][0]
        return gv.Drawing(axes.plot(data["epoch"].values))


def test_a_scene_without_losses_knows_when_its_run_grokked(here: Path) -> None:
    with RunWriter.create("run", {}) as writer:
        for epoch, loss in enumerate([2.0, 4.0, 3.0, 1.0, 0.5]):
            writer.log(10 * epoch, train_loss=0.0, test_loss=loss)
            writer.checkpoint(10 * epoch, {"w": np.full(3, epoch, np.float32)})
    (path,) = gv.render(Clock(), "run", "a.png", epoch="grok")
    assert read_provenance(path).epochs == (30,)
    with pytest.raises(InputError, match="no test loss that says when it grokked; give --epoch"):
        gv.render(Clock(), gv.load("run", ()), "b.png", epoch="grok")


def test_without_a_run_the_sentence_names_what_it_is_drawn_from(here: Path) -> None:
    with pytest.raises(InputError, match="modular-addition, from which it is drawn without --run"):
        gv.render(Things(), None, "a.png")
