"""Export of a dataset's variables as NetCDF, or as CSV in long format."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from grokviz.dataset.cache import write
from grokviz.errors import InputError
from grokviz.files import replacing

if TYPE_CHECKING:
    import xarray as xr


def write_data(data: xr.Dataset, names: Iterable[str], path: Path) -> Path:
    """Write variables to ``.nc``, or to ``.csv`` with one row per value.

    A CSV has the columns variable, value and units, and one for every dimension; columns of
    dimensions that a variable lacks are empty. A NetCDF file keeps all coordinates, so that a
    scene can be drawn from it.
    """
    selection = data[list(names)]
    if path.suffix == ".nc":
        write(selection.assign_coords(data.coords), path)
    elif path.suffix == ".csv":
        _write_csv(selection, path)
    else:
        raise InputError(f"{path}: numbers are written as .csv or .nc; choose one of them")
    return path


def _write_csv(data: xr.Dataset, path: Path) -> None:
    dims = [str(dim) for dim in data.dims]
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as handle:
        rows = csv.writer(handle)
        rows.writerow(["variable", *dims, "value", "units"])
        for name, variable in data.data_vars.items():
            columns = [dims.index(str(dim)) for dim in variable.dims]
            labels = product(*(variable[dim].values.tolist() for dim in variable.dims))
            units = variable.attrs.get("units", "")
            for label, value in zip(labels, variable.values.ravel().tolist(), strict=True):
                row = [""] * len(dims)
                for column, item in zip(columns, label, strict=True):
                    row[column] = item
                rows.writerow([name, *row, value, units])
