"""A NetCDF file of a user's that is damaged is refused in one sentence."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from grokviz.dataset import cache
from grokviz.dataset.references.reference import load
from grokviz.errors import InputError

MUTANTS = 150


@pytest.mark.slow
def test_mutants_are_read_or_refused(tmp_path: Path) -> None:
    file, draw = tmp_path / "data.nc", np.random.default_rng(0)
    values = xr.Dataset({"x": ("epoch", np.arange(50.0))}, coords={"epoch": np.arange(50)})
    cache.write(values, file)
    good = file.read_bytes()
    refused, sentences = 0, set()
    for _ in range(MUTANTS):
        bad = bytearray(good)
        for at in draw.integers(0, len(good), int(draw.integers(1, 9))):
            bad[at] = int(draw.integers(256))
        file.write_bytes(bad[: int(draw.integers(1, len(bad)))] if draw.random() < 0.2 else bad)
        try:
            load(str(file))
        except InputError as error:
            refused += 1
            sentences.add(str(error))
    gc.collect()  # what was half open ends here, and says nothing
    assert refused > MUTANTS // 4
    assert not [text for text in sentences if "\n" in text]
    file.write_bytes(b"")
    with pytest.raises(InputError, match="cannot be read as NetCDF"):
        load(str(file))


@pytest.mark.parametrize("size", [0, 8, 3865, 2**40])
def test_a_heap_in_which_hdf5_would_go_round_for_ever_is_refused(tmp_path: Path, size: int) -> None:
    file = tmp_path / "data.nc"
    cache.write(xr.Dataset({"x": ("epoch", np.arange(3.0))}, coords={"epoch": np.arange(3)}), file)
    good = file.read_bytes()
    cache.check_heaps(good)
    place = good.index(b"GCOL") + 16
    while int.from_bytes(good[place : place + 2], "little"):  # up to the object that is free
        held = int.from_bytes(good[place + 8 : place + 16], "little")
        place += 16 + (held + 7) // 8 * 8
    file.write_bytes(good[: place + 8] + size.to_bytes(8, "little") + good[place + 16 :])
    with pytest.raises(InputError, match="the heap at byte"):
        load(str(file))


def test_it_is_read_where_no_lock_can_be_had(tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    file = tmp_path / "data.nc"
    cache.write(xr.Dataset({"x": ("epoch", np.arange(5.0))}, coords={"epoch": np.arange(5)}), file)
    with file.open("rb+") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # as on a disk without locks, none can be taken now
        with pytest.raises(OSError, match="lock"):
            xr.load_dataset(file, engine="h5netcdf", driver_kwds={"locking": True})
        assert load(str(file))["x"].sum() == 10
