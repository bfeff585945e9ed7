"""A few variables of a NetCDF file of ours, read through h5py alone.

xarray, over h5netcdf, looks at every variable of a file and decodes each in a dozen steps: ten
times what it takes to read the few that a picture draws. What our own writer never writes (groups,
packed or masked numbers, times) is left to xarray.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import h5py
    import xarray as xr

    Variables = dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, Any]]]

HIDDEN = frozenset({
    "CLASS", "NAME", "REFERENCE_LIST", "DIMENSION_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates",
    "_NCProperties",
})  # fmt: skip
"""Attributes by which HDF5 and NetCDF tell dimensions; the rest are the writer's own."""

CODED = frozenset({
    "_FillValue", "missing_value", "scale_factor", "add_offset", "_Unsigned", "_Encoding", "dtype",
    "calendar", "coordinates", "grid_mapping", "bounds", "cell_measures", "formula_terms",
    "ancillary_variables", "flag_values",
})  # fmt: skip
"""Attributes by which xarray decodes values, or makes coordinates of variables."""

TIMES = frozenset({
    "days", "hours", "minutes", "seconds", "milliseconds", "microseconds", "nanoseconds",
})  # fmt: skip
"""Units of durations, which xarray gives a type of their own."""

LENGTH_ALONE = b"This is a netCDF dimension but not a netCDF variable"
"""How the name of a dimension begins that has a length and no coordinate."""


class _Coded(Exception):
    """The file has what only xarray decodes."""


def plain(content: bytes, names: Set[str] | None = None) -> xr.Dataset | None:
    """The variables of these names, and the coordinates along their dimensions, in memory.

    All variables without ``names``. None where the file has what only xarray decodes.
    """
    import xarray as xr

    with _opened(content) as file:
        try:
            variables, attrs = _variables(file, names), _attrs(file)
        except _Coded:
            return None
    return xr.Dataset(variables, attrs=attrs)


def read_attrs(content: bytes) -> dict[str, Any]:
    """What a NetCDF file says of itself: its own attributes that are text or a number."""
    with _opened(content) as file:
        return {name: file.attrs[name] for name in file.attrs if name not in HIDDEN}


def names_in(content: bytes) -> list[str]:
    """The names of a file's variables and coordinates, in its order."""
    with _opened(content) as file:
        return [name for name, item in file.items() if not _is_length(item)]


def _opened(content: bytes) -> h5py.File:
    """The file with these bytes, which no other process can lock."""
    import h5py

    return h5py.File(h5py.h5f.open_file_image(content))


def _variables(file: h5py.File, names: Set[str] | None) -> Variables:
    """Dimensions, values and attributes of variables, in the order of the file."""
    order = list(file)
    queue = [name for name in order if names is None or name in names]
    items: dict[str, h5py.Dataset] = {}
    dims: dict[str, tuple[str, ...]] = {}
    for name in queue:
        if name not in dims:
            items[name] = _dataset(file[name])
            dims[name] = _dims(name, items[name])
            queue += dims[name]
    wanted = [n for n in order if n in dims and not _is_length(items[n])]
    return {n: (dims[n], _values(items[n]), _attrs(items[n])) for n in wanted}


def _dataset(item: Any) -> h5py.Dataset:
    import h5py

    if not isinstance(item, h5py.Dataset):
        raise _Coded
    return item


def _dims(name: str, item: h5py.Dataset) -> tuple[str, ...]:
    """The dimensions of a variable; one that is itself a dimension runs along itself."""
    import h5py

    if h5py.h5ds.is_scale(item.id):
        if item.ndim != 1:
            raise _Coded
        return (name,)
    scales = [dim.values() for dim in item.dims]
    if any(len(one) != 1 for one in scales):
        raise _Coded
    return tuple(str(one[0].name).removeprefix("/") for one in scales)


def _is_length(item: h5py.Dataset) -> bool:
    return bytes(item.attrs.get("NAME", b"")).startswith(LENGTH_ALONE)


def _values(item: h5py.Dataset) -> np.ndarray:
    """The values, text as arrays of characters."""
    kind = item.dtype.kind
    if kind == "O":
        texts = item.asstr()[()]
        return np.array(texts.ravel().tolist(), dtype=str).reshape(item.shape)
    if kind not in "iuf":
        raise _Coded
    values: np.ndarray = item[()]
    return values


def _attrs(item: h5py.File | h5py.Dataset) -> dict[str, Any]:
    """The writer's own attributes; raises :class:`_Coded` for one that changes what values mean."""
    attrs = {name: _attribute(item.attrs[name]) for name in item.attrs if name not in HIDDEN}
    if _is_nan(attrs.get("_FillValue")) and item.dtype.kind == "f":
        del attrs["_FillValue"]  # no number is one already
    if not CODED.isdisjoint(attrs) or _is_time(attrs):
        raise _Coded
    return attrs


def _attribute(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "iuf":
        return value[0]
    if isinstance(value, str | np.number):
        return value
    raise _Coded


def _is_nan(value: Any) -> bool:
    return isinstance(value, np.floating) and bool(np.isnan(value))


def _is_time(attrs: Mapping[str, Any]) -> bool:
    units = str(attrs.get("units", ""))
    return " since " in units or units in TIMES
