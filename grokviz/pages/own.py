"""Panels of variables that no row of :mod:`grokviz.pages.panels` draws: what no table of ours has,
and what is measured of every tensor of any run.

So a measure of a user's, of a plug-in's, or a variable that a ``.nc`` file alone describes is in
the explorer without a line of JavaScript. What its panel looks like follows from its dimensions;
``web/panels/own.js`` draws it.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Int

from grokviz.dataset import schema
from grokviz.pages.content import points
from grokviz.pages.panels import Panel, Width
from grokviz.scene.spoken import capitalised
from grokviz.tasks.any.measures.matrices import spread

if TYPE_CHECKING:
    import xarray as xr

View = Literal["curves", "row", "matrix", "numbers"]

LOGGED = ("logged_epoch", "tested_epoch")
CLOCKS = ("epoch", "field_epoch", "step_epoch", "metric_epoch", "array_epoch", *LOGGED)

OF_ANY_RUN = (
    "logged_metric", "tensor_norm", "step_size", "step_cosine", "effective_rank", "singular_value",
    "entry_kurtosis", "component_share", "qk_rank", "ov_positivity", "circle_share",
)  # fmt: skip
"""Ours that no row of the table draws, and that any run may have: as panels of this kind."""

PANELS = 12
"""A page has at most so many of these panels."""
ARRAYS = 6
"""At most so many of them are recorded arrays, which come first."""
CURVES = 8
"""Of so many numbers at a checkpoint each is a curve; more are shown at the moment."""
MATRICES = 12
"""A panel chooses among at most so many matrices, with a button for each."""
CELLS = 300_000
"""A chart has at most so many numbers at a moment."""
NUMBERS = 1_000_000
"""Of a variable with more numbers, fewer checkpoints are kept, evenly."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OwnPanel(Panel):
    """A panel of one such variable, or of all those that are single numbers or words."""

    view: View = "curves"
    clock: str = ""
    """Its dimension of training time, if it has one."""
    meanings: Mapping[str, str] = field(default_factory=dict)
    """What stands at the axes; of single numbers, what they are called."""

    @property
    def script(self) -> str:
        """The file in ``web/panels`` that draws it."""
        return "own"

    def facts(self, data: xr.Dataset, width: Width) -> dict[str, Any]:
        """What the page's scripts know of it, as plain data."""
        more = {"view": self.view, "clock": self.clock, "meanings": dict(self.meanings)}
        return {**super().facts(data, width), **more}


def own_panels(data: xr.Dataset, panels: Sequence[Panel]) -> tuple[list[Panel], xr.Dataset]:
    """Panels of what these panels leave out, and the dataset as they are drawn from it.

    There, such a variable begins with its clock, and a large one has a clock of its own. A
    warning names the variables that no panel can show.
    """
    drawn = {name for panel in panels for name in panel.variables(data)}
    others, recorded = schema.others(data), _recorded_arrays(data)
    data = data.assign(recorded) if recorded else data
    every = [*recorded, *others, *_of_any_run(data)]
    names = [name for name in every if name not in drawn and data[name].size > 0]
    single = [name for name in names if data[name].size == 1 and not clock_of(data[name])]
    views = {name: view_of(data[name]) for name in names if name not in single}
    shown = [name for name, view in views.items() if view][: PANELS - bool(single)]
    arrays = {name: _as_drawn(data[name], views[name]) for name in shown}
    numbers = {name: data[name].squeeze(drop=True) for name in single}
    own: list[Panel] = [*_charts(arrays, views), *([_numbers(numbers)] if numbers else [])]
    if lost := [name for name in views if name not in arrays and name not in OF_ANY_RUN]:
        log.warning("no panel shows %s: %s", _counted(len(lost)), ", ".join(lost[:5]))
    return own, data.assign({**arrays, **numbers}) if own else data


def _of_any_run(data: xr.Dataset) -> Iterator[str]:
    """Ours that have panels of this kind; the losses alone have one of their own."""
    for name in OF_ANY_RUN:
        losses = name == "logged_metric" and name in data and {
            str(one) for one in data["logged_name"].values
        } <= {"train_loss", "test_loss"}  # fmt: skip
        if name in data and not losses:
            yield name


def _recorded_arrays(data: xr.Dataset) -> dict[str, xr.DataArray]:
    """Each recorded array as a variable of its own shape."""
    import xarray as xr

    if "array_entry" not in data:
        return {}
    arrays = {}
    for place, name in enumerate(map(str, data["recorded_array"].values[:ARRAYS])):
        shape = [int(n) for n in data["array_shape"].values[place] if n >= 0]
        sides = [int(n) for n in data["array_kept_shape"].values[place] if n >= 0]
        words = [f"dimension {axis}" for axis in range(len(sides) - 2)]
        words += ["row", "column"] if len(sides) > 1 else ["place"] * len(sides)
        entries = data["array_entry"].values[:, place, : math.prod(sides)]
        some = "" if shape == sides else ", at evenly spread places along its dimensions"
        arrays[f"recorded_array_{name}"] = xr.DataArray(
            entries.reshape(-1, *sides),
            {
                "array_epoch": data["array_epoch"].values,
                **{f"{word} of {name}": spread(*pair)
                   for word, pair in zip(words, zip(shape, sides, strict=True), strict=True)},
            },
            ["array_epoch", *(f"{word} of {name}" for word in words)],
            attrs={
                "long_name": name, "units": "1", "source": data["array_entry"].attrs["source"],
                "definition": f"Array {name} as training recorded it{some}",
            },
        )  # fmt: skip
    return arrays


def clock_of(array: xr.DataArray) -> str:
    """The dimension of training time that a variable runs along; "" for one without."""
    return next((clock for clock in CLOCKS if clock in array.dims and clock in array.coords), "")


def view_of(array: xr.DataArray) -> View | None:
    """How a variable is drawn; None where nothing here can draw it."""
    clock = clock_of(array)
    sizes = [size for dim, size in array.sizes.items() if dim != clock and size > 1]
    cells = math.prod(sizes)
    if array.dtype.kind not in "iufb" or cells > CELLS:
        return None
    if clock and cells <= CURVES:
        return "curves"
    if len(sizes) == 1:
        return "row"
    return "matrix" if math.prod(sizes[:-2]) <= MATRICES else None


def _charts(arrays: Mapping[str, xr.DataArray], views: Mapping[str, Any]) -> Iterator[OwnPanel]:
    for n, (name, array) in enumerate(arrays.items()):
        plain = re.sub(r"[^\w-]", "-", name, flags=re.ASCII)
        # two names may be the same in plain letters
        label = f"own-{plain}" if plain == name else f"own-{n}-{plain}"
        first = str(array.dims[0])
        clock = first if first.rpartition(":")[2] in CLOCKS and first in array.coords else ""
        meanings = {str(dim): _meaning(array, str(dim)) for dim in array.dims if dim != clock}
        yield OwnPanel(
            label, capitalised(_called(name, array)), _sentence(array.attrs.get("definition", "")),
            (name,), view=views[name], clock=clock, meanings=meanings,
        )  # fmt: skip


def _numbers(arrays: Mapping[str, xr.DataArray]) -> OwnPanel:
    meanings = {name: _called(name, array) for name, array in arrays.items()}
    return OwnPanel(
        "own-numbers", "Numbers of the run", "Measured once a run.", tuple(arrays),
        view="numbers", meanings=meanings,
    )  # fmt: skip


def _as_drawn(array: xr.DataArray, view: View | None) -> xr.DataArray:
    """A variable with its clock first and without dimensions of one place; thinned if large."""
    clock = clock_of(array)
    single = [dim for dim, size in array.sizes.items() if size == 1 and dim != clock]
    array = array.squeeze(single, drop=True).reset_coords(drop=True)
    if not clock:
        return array
    array = array.transpose(clock, ...)
    moments = _moments(array, view)
    if len(moments) == len(array) and clock not in LOGGED:
        return array
    return array.isel({clock: moments}).rename({clock: f"{array.name}:{clock}"})


def _moments(array: xr.DataArray, view: View | None) -> Int[np.ndarray, " moment"]:
    """The places on its clock that are kept of a variable: the extremes of curves, else evenly."""
    count = len(array)
    if view == "curves":
        return points(array.values) if clock_of(array) in LOGGED else np.arange(count)
    most = max(NUMBERS * count // array.size, 2)
    return np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int))


def _called(name: str, array: xr.DataArray) -> str:
    return str(array.attrs.get("long_name") or name.replace("_", " "))


def _sentence(definition: Any) -> str:
    text = str(definition)
    return f"{text}." if text and text[-1] not in ".!?" else text


def _meaning(array: xr.DataArray, dim: str) -> str:
    """What stands at an axis: the meaning of the coordinate, where it is short enough."""
    meaning = str(array[dim].attrs.get("long_name", "")) if dim in array.coords else ""
    return meaning if 0 < len(meaning) <= 48 else dim.replace("_", " ")


def _counted(count: int) -> str:
    return "a variable of the dataset" if count == 1 else f"{count} variables of the dataset"
