"""Panels of variables that no other panel draws: which there are, and from what they are drawn."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import grokviz as gv
from grokviz.pages import own
from grokviz.pages.own import own_panels, view_of
from grokviz.pages.pack import pack
from grokviz.pages.panels import available

EPOCHS = np.arange(0, 60, 10)
SIZES = {"epoch": 6, "field_epoch": 3, "bit": 30, "way": 2, "query": 5, "key": 4, "one": 1}


def variable(*dims: str, dtype: Any = float, **attrs: str) -> xr.DataArray:
    shape = [SIZES[dim] for dim in dims]
    values = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    known = {"epoch": EPOCHS, "field_epoch": EPOCHS[::2], "way": ["here", "there"]}
    coords = {dim: known[dim] for dim in dims if dim in known}
    return xr.DataArray(values, coords, dims, attrs=attrs)


@pytest.mark.parametrize(
    ("dims", "view"),
    [
        (("epoch",), "curves"),
        (("epoch", "way"), "curves"),
        (("way", "epoch", "one"), "curves"),
        (("epoch", "bit"), "row"),
        (("bit",), "row"),
        (("field_epoch", "query", "key"), "matrix"),
        (("epoch", "way", "query", "key"), "matrix"),
        (("query", "key"), "matrix"),
        (("epoch", "bit", "query", "key"), None),
    ],
)
def test_dimensions_say_how_a_variable_is_drawn(dims: tuple[str, ...], view: str | None) -> None:
    assert view_of(variable(*dims)) == view


def test_what_is_no_number_or_too_much_has_no_panel() -> None:
    assert view_of(variable("epoch", "bit", dtype=complex)) is None
    assert view_of(variable("bit", dtype=str)) is None
    assert view_of(xr.DataArray(np.zeros((600, 600)), dims=("x", "y"))) is None


def test_our_own_variables_have_no_panels_but_those_of_the_table() -> None:
    data = gv.reference("skip-trigram")
    panels, same = own_panels(data, available(data))
    assert panels == []
    assert same is data


def test_what_any_run_has_of_its_tensors_and_its_log_has_panels(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    shapes = {"embed": (3, 4), "W_O": (4, 4)} | {f"W_{part}": (2, 2, 4) for part in "QKV"}
    with gv.record(tmp_path / "run", p=3) as run:
        for step in range(4):
            state = {n: rng.normal(size=shape).astype(np.float32) for n, shape in shapes.items()}
            run.step(step, state, train_loss=1 / (1 + step), speed=step)
    data = gv.analyze(tmp_path / "run")
    panels, drawn = own_panels(data, available(data))
    assert {panel.variables(drawn)[0] for panel in panels} == {*own.OF_ANY_RUN}
    facts = {panel.variables(drawn)[0]: panel.facts(drawn, "half") for panel in panels}
    assert facts["tensor_norm"]["view"] == facts["step_size"]["view"] == "curves"
    assert facts["step_size"]["clock"] == "step_epoch"
    assert facts["logged_metric"]["clock"] == "metric_epoch"
    assert facts["qk_rank"]["view"] == "curves"
    assert facts["singular_value"]["view"] == "matrix"
    # losses alone have a panel of their own
    losses = data.sel(logged_name=["train_loss"])
    assert "logged_metric" not in [p.variables(losses)[0] for p in own_panels(losses, [])[0]]


def test_a_panel_says_what_its_variable_is() -> None:
    about = {"long_name": "weight on each bit", "units": "nats", "definition": "Norm of a bit"}
    norm, loss = variable("epoch", "bit", **about), variable("epoch", "way")
    data = xr.Dataset({"b norm": norm, "loss": loss})
    data["bit"] = ("bit", np.arange(30), {"long_name": "Number of the input bit"})
    panel, other = own_panels(data, [])[0]
    assert panel.name == "own-0-b-norm"
    assert (panel.title, panel.note) == ("Weight on each bit", "Norm of a bit.")
    facts = panel.facts(data, "half")
    assert facts["meanings"] == {"bit": "Number of the input bit"}
    assert facts["clock"] == "epoch"
    # ours has other dimensions, so that this one is not ours
    assert (other.title, other.script) == ("Loss", "own")
    assert [p.title for p in own_panels(data, [panel])[0]] == ["Loss"]


def test_numbers_of_the_whole_run_share_a_panel() -> None:
    data = xr.Dataset({"change": 3, "word": "wave", "first": variable("one")})
    (panel,), drawn = own_panels(data, [])
    assert panel.variables(drawn) == ["change", "word", "first"]
    assert panel.facts(drawn, "half")["view"] == "numbers"
    assert drawn["first"].ndim == 0
    _, where = pack({"change": drawn["change"].values})
    assert where["change"]["shape"] == []


def test_its_clock_comes_first_and_a_large_one_has_fewer_moments(monkeypatch: Any) -> None:
    monkeypatch.setattr(own, "NUMBERS", 100)
    data = xr.Dataset({"turned": variable("bit", "epoch"), "norm": variable("epoch")})
    (turned, _), drawn = own_panels(data, [])
    assert drawn["turned"].dims == ("turned:epoch", "bit")
    kept = drawn["turned:epoch"].values
    np.testing.assert_array_equal(kept, [0, 20, 50])
    np.testing.assert_array_equal(drawn["turned"], data["turned"].transpose().sel(epoch=kept))
    assert turned.facts(drawn, "half")["clock"] == "turned:epoch"
    assert drawn["norm"].identical(data["norm"])


def test_more_variables_than_a_page_takes_are_named(caplog: pytest.LogCaptureFixture) -> None:
    data = xr.Dataset({f"v{n}": variable("epoch") for n in range(own.PANELS + 2)})
    with caplog.at_level(logging.WARNING):
        panels, _ = own_panels(data, [])
    assert len(panels) == own.PANELS
    assert "no panel shows 2 variables of the dataset: v12, v13" in caplog.text


def test_a_page_has_them_behind_ours(tmp_path: Path) -> None:
    logged = xr.DataArray(np.geomspace(1, 0.1, 60), {"logged_epoch": np.arange(60)})
    data = xr.Dataset({"bit_norm": variable("epoch", "bit"), "logged_train_loss": logged})
    text = gv.explore(data, tmp_path / "page.html").read_text("utf-8")
    (facts,) = re.findall(r'id="facts">(.*?)</script>', text)
    assert [panel["name"] for panel in json.loads(facts)["panels"]] == ["loss", "own-bit_norm"]
    assert text.count("class OwnRow") == 1
