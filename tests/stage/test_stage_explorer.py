"""The page's making: what is packed, what is escaped, what is refused."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import grokviz as gv
from grokviz.dataset.schema import variables
from grokviz.errors import InputError, MissingExtra
from grokviz.media.plain import clean_text
from grokviz.pages import content as contents
from grokviz.pages import page as pages
from grokviz.pages.own import own_panels
from grokviz.pages.pack import EXACT, MISSING, pack
from grokviz.pages.panels import PANELS, available, named
from grokviz.scene.registry import scene

TYPES = {"i2": "<i2", "u2": "<u2", "i4": "<i4", "f4": "<f4", "f8": "<f8"}


def unpacked(text: str, about: dict[str, Any]) -> np.ndarray:
    """What web/data.js does, in Python."""
    block = zlib.decompress(base64.b64decode(text))
    kind = np.dtype(TYPES[about["type"]])
    count = int(np.prod(about["shape"]))
    part = block[about["start"] : about["start"] + count * kind.itemsize]
    codes = np.frombuffer(part, np.uint8).reshape(kind.itemsize, count).T.copy().view(kind)
    codes = codes.reshape(about["shape"])
    if about.get("differences"):
        codes = np.cumsum(codes, axis=0, dtype=codes.dtype)
    if "scale" not in about:
        return codes
    values = about["offset"] + about["scale"] * codes.astype(np.float64)
    return np.where(codes == MISSING, np.nan, values)


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(
        st.sampled_from([np.int8, np.int16, np.int32, np.int64, np.uint16, np.bool_]),
        arrays.array_shapes(max_dims=3, max_side=6),
    )
)
def test_whole_numbers_come_back_as_they_were(array: np.ndarray) -> None:
    text, where = pack({"x": array})
    if array.dtype == np.int64 and np.abs(array.astype(float)).max() > 2**53:
        return  # a browser has no larger whole numbers
    np.testing.assert_array_equal(unpacked(text, where["x"]), array)


def test_numbers_come_back_and_several_arrays_lie_apart() -> None:
    rng = np.random.default_rng(0)
    long = rng.normal(size=(EXACT // 100 + 1, 101)).cumsum(axis=0)
    long[3, 4] = np.nan
    coarse = np.round(rng.uniform(0, 1, (EXACT // 100 + 1, 101)) * 256) / 256
    short = rng.normal(size=(20, 3)).astype(np.float32)
    given = {"long": long, "coarse": coarse, "short": short, "none": np.zeros((0, 3))}
    text, where = pack(given)
    found = {name: unpacked(text, where[name]) for name in given}
    np.testing.assert_array_equal(found["short"], short)
    np.testing.assert_array_equal(found["coarse"], coarse)
    np.testing.assert_allclose(found["long"], long, atol=np.nanmax(np.abs(long)) / 30_000)
    assert np.isnan(found["long"][3, 4])
    assert found["none"].shape == (0, 3)


def test_a_constant_array_and_one_of_nan() -> None:
    same, missing = np.full((EXACT, 2), 0.3), np.full((EXACT, 2), np.nan)
    text, where = pack({"same": same, "missing": missing})
    np.testing.assert_allclose(unpacked(text, where["same"]), same)
    assert np.isnan(unpacked(text, where["missing"])).all()


HOSTILE = "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>\u2028"


def test_facts_cannot_leave_their_element() -> None:
    text = pages.json_text({"name": HOSTILE, "list": [HOSTILE, float("nan"), 1.5], HOSTILE: None})
    assert "<" not in text
    assert "\u2028" not in text
    clean = clean_text(HOSTILE)
    assert json.loads(text) == {"name": clean, "list": [clean, None, 1.5], clean: None}


class Elements(HTMLParser):
    """The elements of a page, with what they load."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for key, value in attrs if key in ("src", "href", "action")]


@pytest.fixture(scope="module")
def reference() -> xr.Dataset:
    return gv.reference()


@pytest.fixture(scope="module")
def few(reference: xr.Dataset) -> xr.Dataset:
    """Twelve of its checkpoints, at which all is known: a page of every panel, quickly made."""
    epochs = reference["field_epoch"].values[::8]
    return reference.sel(epoch=epochs, field_epoch=epochs)


def test_page_loads_nothing_and_holds_no_markup_of_the_run(few: xr.Dataset, tmp_path: Path) -> None:
    data = few.copy()
    data.attrs = {**few.attrs, "run_name": HOSTILE, "command": HOSTILE}
    path = gv.explore(data, tmp_path / "run.html", command=HOSTILE)
    found = Elements()
    found.feed(path.read_text("utf-8"))
    assert found.tags.count("script") == 4
    assert "img" not in found.tags
    assert set(found.loads) == {"data:,", "#panels"}


def test_the_page_of_a_whole_run_is_within_its_budget(
    reference: xr.Dataset, few: xr.Dataset, tmp_path: Path
) -> None:
    assert available(few) == available(reference)
    path = gv.explore(reference, tmp_path / "run.html")
    assert path.stat().st_size < 12e6
    text = path.read_text("utf-8")
    assert "OwnRow" not in text
    (plotly,) = re.findall(r'id="plotly">([^<]*)<', text)
    licence = zlib.decompress(base64.b64decode(plotly)).decode("utf-8")[:400]
    assert "Licensed under the MIT license" in licence


def test_panels_name_known_variables_and_have_a_script() -> None:
    for panel in PANELS:
        assert set(panel.needs + panel.also) <= set(variables()), panel.name
        script = (pages.WEB / "panels" / f"{panel.name}.js").read_text("utf-8")
        assert f'"{panel.name}"' in script
    scenes = gv.list_scenes(user=False)
    named = {name for scene in scenes.values() for name in scene.panels}
    assert named
    assert named <= {panel.name for panel in PANELS}


def test_a_dataset_has_the_panels_whose_variables_it_has(reference: xr.Dataset) -> None:
    assert [p.name for p in available(reference[["logged_train_loss"]])] == ["loss"]
    assert available(reference[["phase_end"]]) == []
    assert own_panels(reference, available(reference))[0] == []
    assert [p.name for p in named(scene("embedding-waves").panels, reference)] == ["waves", "loss"]
    assert scene("singular-values").panels == ()


def test_curves_keep_their_extremes() -> None:
    y = np.sin(np.arange(40_000) / 900)
    y[12_345], y[30_001], y[7] = 9.0, -9.0, np.nan
    kept = contents.extremes(y)
    assert len(kept) <= 2 * contents.BINS + 2
    assert {0, 12_345, 30_001, 39_999} <= set(kept.tolist())
    assert (np.diff(kept) > 0).all()
    np.testing.assert_array_equal(contents.extremes(y[:50]), np.arange(50))


def test_long_runs_are_thinned_with_the_fields_kept(reference: xr.Dataset) -> None:
    many = reference.isel(epoch=np.repeat(np.arange(551), 3))
    epochs = np.arange(3 * 551) * 25
    many = many.assign_coords(epoch=epochs, field_epoch=epochs[[1, 100, 1000, *range(1200, 1293)]])
    short, every = contents.thinned(many)
    assert every == 3
    assert short.sizes["epoch"] < contents.MOMENTS + 96
    assert set(many["field_epoch"].values) <= set(short["epoch"].values)
    assert short["epoch"].values[-1] == epochs[-1]
    assert contents.thinned(reference)[1] == 1


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"out": "run.pdf"}, "run.pdf is not a page"),
        ({"theme": "lite"}, "unknown theme 'lite'"),
        ({"source": "no-such-run"}, "neither a run directory nor a reference"),
    ],
)
def test_what_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=said):
        gv.explore(**asked)
    assert list(tmp_path.iterdir()) == []


def test_a_dataset_without_anything_to_show(reference: xr.Dataset, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing that a panel shows"):
        gv.explore(reference[["phase_end"]], tmp_path / "a.html")


def test_without_plotly_the_command_is_said(
    few: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    with pytest.raises(MissingExtra, match=r"pip install 'grokviz\[web\]'"):
        gv.explore(few, tmp_path / "a.html")
    with pytest.raises(MissingExtra, match=r"pip install 'grokviz\[web\]'"):
        gv.render("embedding-waves", few, tmp_path / "a.html")
    assert list(tmp_path.iterdir()) == []
    gv.render("attention-map", few, tmp_path / "a.html")  # a picture needs none


def test_the_page_is_called_after_its_run(
    reference: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = reference[["logged_train_loss", "loss"]].copy()
    data.attrs["run_name"] = "../a <b>/c"
    assert gv.explore(data) == Path("a--b--c.html")
    assert [path.name for path in tmp_path.iterdir()] == ["a--b--c.html"]


@pytest.mark.slow
def test_the_command_makes_the_same_page(few: xr.Dataset, tmp_path: Path) -> None:
    few.to_netcdf(tmp_path / "few.nc", engine="h5netcdf")
    ran = subprocess.run(
        [sys.executable, "-m", "grokviz", "explore", "few.nc"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(gv.__file__).parents[1])},
    )  # fmt: skip
    assert (ran.returncode, ran.stdout.strip()) == (0, "modular-addition.html"), ran.stderr
    page = tmp_path / "modular-addition.html"
    assert "grokviz explore few.nc" in page.read_text("utf-8")
    same = gv.explore(tmp_path / "few.nc", tmp_path / "same.html", command="grokviz explore few.nc")
    assert same.read_bytes() == page.read_bytes()


@pytest.mark.parametrize("scene", sorted(gv.list_scenes(user=False)))
def test_every_scene_says_that_it_can_be_a_page(scene: str) -> None:
    from grokviz.media.formats import FORMATS

    assert gv.list_scenes(user=False)[scene].able(FORMATS["html"])


def test_a_page_larger_than_wished_is_refused(reference: xr.Dataset, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="more than --max-size 1"):
        gv.render("grokking-curve", reference, tmp_path / "a.html", max_size=1)
    assert list(tmp_path.iterdir()) == []
