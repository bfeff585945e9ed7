"""What a page holds beside its looks: the arrays its panels draw, and the facts of the run."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.dataset.numerics.curves import PHASES
from grokviz.media import library_versions
from grokviz.media.palette import SINGLE_COLOURS
from grokviz.media.theme import PALETTES, Colours, colour_map
from grokviz.pages.pack import pack
from grokviz.pages.panels import Panel, laid_out
from grokviz.scene import clock as clocks
from grokviz.scene.about import about

if TYPE_CHECKING:
    import xarray as xr

MOMENTS = 600
"""A page keeps at most so many checkpoints; of a longer run they are taken evenly."""
BINS = 700
"""A logged curve is thinned to the lowest and the highest value in each of so many bins."""
STOPS = 24
"""Colours of a heatmap's scale."""


def content(data: xr.Dataset, panels: Sequence[Panel]) -> tuple[dict[str, Any], str]:
    """The facts as plain data, and the arrays as one text.

    Args:
        data: the dataset.
        panels: the panels of the page.

    """
    names = list(dict.fromkeys(name for panel in panels for name in panel.variables(data)))
    sample, every = thinned(data)
    arrays, labels = _arrays(sample, names)
    text, where = pack(arrays)
    variables = {
        name: {"dims": _dims(sample, name), **_description(sample, name), **where[name]}
        for name in arrays
    }
    facts = {
        "run": run_facts(data),
        "word": clocks.word(data),
        "every": every,
        "phases": _phases(data),
        "events": _events(data),
        "keys": _numbers(data, "key_frequency"),
        "embedded": _numbers(data, "embedded_frequency"),
        "palettes": palettes(),
        "panels": [
            panel.facts(sample, width)
            for panel, width in zip(panels, laid_out(panels), strict=True)
        ],
        "variables": variables,
        "labels": labels,
        "versions": library_versions("grokviz", "plotly", "numpy"),
    }
    return facts, text


def thinned(data: xr.Dataset) -> tuple[xr.Dataset, int]:
    """At most :data:`MOMENTS` checkpoints, those of the field clock among them; and every which."""
    if data.sizes.get("epoch", 0) <= MOMENTS:
        return data, 1
    epochs, step = data["epoch"].values, -(-data.sizes["epoch"] // MOMENTS)
    keep = np.zeros(len(epochs), bool)
    keep[::step] = True
    keep[-1] = True
    if "field_epoch" in data.coords:
        keep |= np.isin(epochs, data["field_epoch"].values)
    return data.isel(epoch=np.flatnonzero(keep)), step


def extremes(y: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Indices of the lowest and the highest finite value in each bin, and of both ends."""
    if len(y) <= 2 * bins:
        return np.arange(len(y))
    edges = np.linspace(0, len(y), bins + 1).astype(int)
    indices = {0, len(y) - 1}
    for start, stop in itertools.pairwise(edges):
        part = y[start:stop]
        known = np.flatnonzero(np.isfinite(part))
        if known.size:
            indices |= {start + int(known[f(part[known])]) for f in (np.argmin, np.argmax)}
    return np.array(sorted(indices))


def points(curves: np.ndarray) -> np.ndarray:
    """Points that keep the extremes of a curve, or of each of several curves."""
    columns = curves.reshape(len(curves), -1).T
    bins = max(BINS // max(len(columns), 1), 60)
    return np.unique(np.concatenate([extremes(column, bins) for column in columns]))


def _arrays(
    data: xr.Dataset, names: Iterable[str]
) -> tuple[dict[str, np.ndarray], dict[str, list[str]]]:
    """Variables and their numeric coordinates by name, and the coordinates that are words."""
    arrays: dict[str, np.ndarray] = {}
    labels: dict[str, list[str]] = {}
    for name in names:
        array = data[name]
        clock = str(array.dims[0]) if array.ndim else ""
        if clock in ("logged_epoch", "tested_epoch"):
            # each variable has its own points, because its extremes are its own
            places = points(array.values)
            arrays[f"{name}:{clock}"] = array[clock].values[places]
            arrays[name] = array.values[places]
            continue
        if array.dtype.kind not in "iufb":
            labels[name] = [str(value) for value in array.values.ravel()]
            continue
        arrays[name] = array.values
        for dim in map(str, array.dims):
            if dim in data.coords and dim not in arrays and dim not in labels:
                _coordinate(data, dim, arrays, labels)
    if "epoch" in data.coords:
        arrays["epoch"] = data["epoch"].values
    return arrays, labels


def _coordinate(
    data: xr.Dataset, dim: str, arrays: dict[str, np.ndarray], labels: dict[str, list[str]]
) -> None:
    values = data[dim].values
    if values.dtype.kind in "iufb":
        arrays[dim] = values
    else:
        labels[dim] = [str(value) for value in values]


def _dims(data: xr.Dataset, name: str) -> list[str]:
    """Dimensions of a variable, or of a curve's own points ("variable:clock")."""
    return list(map(str, data[name].dims)) if name in data.variables else name.split(":")[1:]


def _description(data: xr.Dataset, name: str) -> dict[str, str]:
    attrs = data[name].attrs if name in data else {}
    known = ("long_name", "units", "definition", "source")
    return {key: str(attrs[key]) for key in known if attrs.get(key)}


def _phases(data: xr.Dataset) -> dict[str, Any] | None:
    edges = clocks.phase_edges(data) if "epoch" in data.coords else []
    if not edges:
        return None
    # the script adds the end of the run
    return {"ends": list(map(int, edges[1:-1])), "names": list(PHASES[: len(edges) - 1])}


def _events(data: xr.Dataset) -> list[dict[str, Any]]:
    """What happened when, of a run whose loss does not tell phases apart."""
    if "event_epoch" not in data or _phases(data):
        return []
    pairs = zip(data["event"].values, data["event_epoch"].values, strict=True)
    return [{"name": str(name), "epoch": int(epoch)} for name, epoch in pairs if epoch >= 0]


def _numbers(data: xr.Dataset, name: str) -> list[int]:
    return [int(k) for k in data[name].values] if name in data.coords else []


def run_facts(data: xr.Dataset) -> dict[str, Any]:
    """The run's name, recipe, settings, checksum, and the command that made it."""
    try:
        settings = json.loads(data.attrs.get("settings") or "{}")
    except ValueError:
        settings = {}
    names = ("run_name", "recipe", "task", "run_checksum", "command")
    facts: dict[str, Any] = {
        name.removeprefix("run_"): str(data.attrs.get(name) or "") for name in names
    }
    facts["about"] = about(data)
    facts["settings"] = dict(_in_words(settings)) if isinstance(settings, Mapping) else {}
    return facts


def _in_words(settings: Mapping[Any, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Settings as names and plain values: nested ones with dots, as in "optimiser.betas"."""
    for key, value in settings.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping):
            yield from _in_words(value, f"{name}.")
        elif isinstance(value, list) and any(isinstance(one, list | Mapping) for one in value):
            yield name, json.dumps(value)
        else:
            yield name, "none" if value is None else value


def palettes() -> dict[str, dict[str, Any]]:
    """The themes' colours by meaning, heatmap scales included, for both themes."""
    return {name: _palette(colours) for name, colours in PALETTES.items()}


def _palette(colours: Colours) -> dict[str, Any]:
    palette: dict[str, Any] = {name: getattr(colours, name) for name in SINGLE_COLOURS}
    palette["frequencies"] = list(colours.frequencies)
    palette["phases"] = list(colours.phases)
    for name in ("sequential", "diverging"):
        palette[name] = _scale(getattr(colours, name))
    return palette


def _scale(name: str) -> list[list[Any]]:
    from matplotlib.colors import to_hex

    at, colours = np.linspace(0, 1, STOPS), colour_map(name)
    return [[float(x), to_hex(colours(x))] for x in at]
