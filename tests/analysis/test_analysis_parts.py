"""What a picture needs is read of a bundled run, and nothing else; as xarray would read it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from grokviz.dataset import netcdf, schema
from grokviz.dataset.cache import decode, encode
from grokviz.dataset.references import parts
from grokviz.dataset.references import reference as bundled
from grokviz.errors import InputError
from grokviz.scene.registry import scene

FOLDER = bundled.folder()
SEVERAL = sorted({file.parent for file in FOLDER.glob(f"*/{parts.PARTS}")})

ONE_OF_EACH_KIND = (
    "modular-addition/definitions", "modular-addition/path", "modular-addition/published",
    "modular-addition-59/embeddings", "double-descent/core", "rounding/rounding",
    "skip-trigram/core", "skip-trigram/held-out", "seeds/family",
)  # fmt: skip


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names of the NetCDF files that are read of references."""
    files: list[str] = []
    read = bundled.sealed_bytes

    def noting(file: Path) -> bytes:
        files.append(file.name)
        return read(file)

    monkeypatch.setattr(bundled, "sealed_bytes", noting)
    bundled._reference.cache_clear()
    yield files
    bundled._reference.cache_clear()


@pytest.mark.parametrize("name", ONE_OF_EACH_KIND)
def test_what_is_read_alone_is_what_xarray_reads(name: str) -> None:
    content = (FOLDER / f"{name}.nc").read_bytes()
    theirs, ours = decode(content), netcdf.plain(content)
    assert ours is not None
    assert theirs.identical(ours)
    assert [*theirs.variables] == [*ours.variables]
    for one in theirs.variables:
        assert theirs.variables[one].dtype == ours.variables[one].dtype, one
    assert encode(theirs) == encode(ours)


def test_some_variables_come_with_their_coordinates_alone() -> None:
    content = (FOLDER / "modular-addition" / "core.nc").read_bytes()
    whole = decode(content)
    some = netcdf.plain(content, {"embedding_frequency_norm", "phase_end", "no such name"})
    assert some is not None
    assert {*some.data_vars} == {"embedding_frequency_norm", "phase_end"}
    assert {*some.coords} == {"epoch", "frequency", "phase"}
    assert some.identical(whole[[*some.data_vars]])
    assert some.attrs == netcdf.read_attrs(content)


@pytest.mark.parametrize(
    "data",
    [
        xr.Dataset({"flag": ("x", np.array([True, False]))}),
        xr.Dataset({"at": ("x", np.array(["2020-01-01"], "datetime64[ns]"))}),
        xr.Dataset({"took": ("x", np.array([1, 2]), {"units": "seconds"})}),
        xr.Dataset({"a": ("x", [1.0, 2.0])}, coords={"other": ("x", [3, 4])}),
    ],
)
def test_what_needs_decoding_is_left_to_xarray(data: xr.Dataset) -> None:
    content = encode(data)
    assert netcdf.plain(content) is None
    assert set(decode(content).variables) == set(data.variables)


def test_packed_and_masked_numbers_are_left_to_xarray() -> None:
    for encoding in ({"scale_factor": 0.5}, {}):
        data = xr.Dataset({"a": ("x", [1.0, 2.0])})
        more = {"a": {"_FillValue": -1, "dtype": "int16", **encoding}}
        content = bytes(data.to_netcdf(engine="h5netcdf", encoding=more))
        assert netcdf.plain(content) is None


def test_a_dimension_without_a_coordinate_is_no_variable() -> None:
    content = encode(xr.Dataset({"a": (("x", "y"), np.ones((2, 3)))}, coords={"x": [1, 2]}))
    ours = netcdf.plain(content)
    assert ours is not None
    assert ours.identical(decode(content))
    assert [*ours.coords] == ["x"]


@pytest.mark.parametrize("place", SEVERAL, ids=lambda place: place.name)
def test_the_list_of_parts_is_of_the_parts_beside_it(place: Path) -> None:
    assert (place / parts.PARTS).read_bytes() == parts.listing(place)[parts.PARTS]


def test_each_reference_of_several_parts_has_a_list() -> None:
    counts = {place: len([*place.glob("*.nc")]) for place in FOLDER.iterdir() if place.is_dir()}
    assert sorted(place for place, count in counts.items() if count > 1) == SEVERAL


def test_a_list_of_other_files_is_not_believed(tmp_path: Path) -> None:
    place = tmp_path / "reference"
    shutil.copytree(FOLDER / "skip-trigram", place)
    true = parts.holdings(place)
    rows = json.loads((place / parts.PARTS).read_text())
    rows["core.nc"]["holds"] = ["nothing"]
    (place / parts.PARTS).write_text(json.dumps(rows))
    assert parts.holdings(place)["core.nc"] == ["nothing"]
    rows["core.nc"]["bytes"] += 1
    (place / parts.PARTS).write_text(json.dumps(rows))
    assert parts.holdings(place) == true
    (place / parts.PARTS).write_text("no list")
    assert parts.holdings(place) == true


def test_a_picture_opens_the_parts_that_hold_what_it_draws(opened: list[str]) -> None:
    data = bundled.load(None, scene("embedding-waves").needs)
    assert sorted(opened) == ["algorithm.nc", "core.nc"]  # the first has the key frequencies
    shared = {"key_frequency", "embedded_frequency"}
    assert {*data.data_vars} <= {*scene("embedding-waves").needs, *bundled.TOLD}
    assert shared <= {*data.coords}
    opened.clear()
    bundled.load(None, scene("embedding-waves").needs)
    assert opened == []


def test_of_one_variable_no_others_are_read(opened: list[str]) -> None:
    data = bundled.load("modular-addition", ["attention_map_fourier"])
    assert sorted(opened) == ["algorithm.nc", "core.nc"]
    assert {*data.data_vars} == {"attention_map_fourier", *bundled.TOLD} - {"epoch"}


def test_the_clock_is_read_of_what_does_not_run_along_it() -> None:
    data = bundled.load("digit-addition", ["logged_train_loss"])
    assert "epoch" in data.coords


def test_all_of_it_is_read_where_nothing_is_named(opened: list[str]) -> None:
    data = bundled.reference("skip-trigram")
    assert sorted(opened) == ["core.nc", "held-out.nc"]
    held = parts.holdings(FOLDER / "skip-trigram")
    assert {*data.variables} == {name for names in held.values() for name in names}


@pytest.mark.parametrize("name", ["modular-addition", "modular-addition-59", "seeds"])
def test_what_is_bundled_is_as_the_tables_say(name: str) -> None:
    data = bundled.reference(name).copy(deep=True)  # other arrays, of which nothing is known
    assert not any(schema._is_vouched(data, str(one)) for one in data.data_vars)
    schema.check(data, map(str, data.data_vars))
    assert all(schema._is_vouched(data, str(one)) for one in data.data_vars)


def test_what_was_changed_is_checked_anew() -> None:
    data = bundled.load(None, ["embedding_frequency_norm"])
    schema.check(data, ["embedding_frequency_norm"])
    turned = data.transpose("frequency", "epoch", ...)
    del turned["embedding_frequency_norm"].attrs["definition"]  # or it describes itself
    with pytest.raises(InputError, match="transpose or rename"):
        schema.check(turned, ["embedding_frequency_norm"])
    bare = data.drop_vars("frequency")
    with pytest.raises(InputError, match="needs the coordinate frequency"):
        schema.check(bare, ["embedding_frequency_norm"])
