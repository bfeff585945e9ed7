"""The datasets of two runs as one, for pictures that show both side by side."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from grokviz.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

TWO_PATHS = ("pair_plane", "pair_component_share")
"""What a picture needs that shows the paths of two runs through weight space in one plane."""

MARK = "run {} "
"""What names of variables and dimensions begin with: "run 0 ", "run 1 "."""


def joined(parts: Sequence[xr.Dataset], names: Sequence[str]) -> xr.Dataset:
    """Datasets as one, each variable and dimension under a name that says whose it is.

    ``names`` are what the runs are called. The attributes are those that all have in common.
    """
    import xarray as xr

    data = xr.Dataset()
    for n, part in enumerate(parts):
        every = {str(name) for name in (*part.variables, *part.dims)}
        data = data.merge(part.rename({name: f"{MARK.format(n)}{name}" for name in every}))
    data.attrs = attrs_of(parts, names)
    return data


def attrs_of(parts: Sequence[xr.Dataset], names: Sequence[str]) -> dict[str, str]:
    """Attributes of a dataset of several runs: what they have in common, and all of each."""
    sums = [str(part.attrs.get("run_checksum", "")) for part in parts]
    return {
        **{key: _common([str(part.attrs.get(key, "")) for part in parts])
           for key in ("recipe", "task", "counts")},
        "run_name": " and ".join(names),
        "run_checksum": hashlib.sha256("".join(sums).encode()).hexdigest(),
        "settings": "{}",
        "joined": json.dumps([{**part.attrs, "run_name": name}
                              for part, name in zip(parts, names, strict=True)], default=_plain),
    }  # fmt: skip


def separated(data: xr.Dataset) -> list[xr.Dataset]:
    """The datasets of which :func:`joined` made one."""
    import xarray as xr

    parts = []
    for n, attrs in enumerate(json.loads(data.attrs["joined"])):
        mark = MARK.format(n)
        own = {str(name) for name in (*data.variables, *data.dims) if str(name).startswith(mark)}
        part = xr.Dataset(
            {name: data.variables[name] for name in own & {*map(str, data.data_vars)}},
            coords={name: data.variables[name] for name in own & {*map(str, data.coords)}},
            attrs=attrs,
        )
        parts.append(part.rename({name: name.removeprefix(mark) for name in own}))
    return parts


def counted_alike(parts: Sequence[xr.Dataset]) -> None:
    """Raise InputError unless all runs count epochs, or all count steps."""
    words = [str(part.attrs.get("counts") or "epoch") for part in parts]
    if len({*words}) > 1:
        first, second = (str(part.attrs.get("run_name")) for part in parts[:2])
        raise InputError(
            f"{first} counts {words[0]}s and {second} {words[1]}s, which have no clock in common; "
            "draw each by itself"
        )


def _common(values: Sequence[str]) -> str:
    return values[0] if len({*values}) == 1 else ""


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else str(value)
