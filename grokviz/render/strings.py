"""The texts of a dataset, which other people wrote, and of a figure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.media.plain import clean_text

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure


def clean_data(data: xr.Dataset) -> xr.Dataset:
    """The dataset with clean texts in its variables and attributes; itself where all are."""
    attributes = _clean_attributes(data.attrs)
    changed = {name: data[name].copy(data=values) for name, values in _clean_variables(data)}
    if attributes == data.attrs and not changed:
        return data
    return data.assign(changed).assign_attrs(attributes)


def strings_of(data: xr.Dataset) -> Iterator[str]:
    """The texts among its values: names of members and the like."""
    for values in _string_values(data).values():
        yield from map(str, values.flat)


def clean_texts(figure: Figure) -> list[str]:
    """Clean a figure's texts, such as what a scene reads in a run's settings, and return them.

    Those of ticks that are written when it is drawn are returned, too.
    """
    from matplotlib.axis import Axis
    from matplotlib.text import Text

    texts: list[str] = []
    for artist in figure.findobj(lambda one: isinstance(one, (Text, Axis))):
        if isinstance(artist, Text):
            text = clean_text(artist.get_text())
            if text != artist.get_text():
                artist.set_text(text)
            texts.append(text)
        elif isinstance(artist, Axis):
            texts += map(str, getattr(artist.get_major_formatter(), "seq", ()))
    return texts


def _clean_variables(data: xr.Dataset) -> Iterator[tuple[str, np.ndarray]]:
    for name, values in _string_values(data).items():
        clean = np.array([clean_text(str(text)) for text in values.flat], dtype=object)
        if any(new != old for new, old in zip(clean, values.flat, strict=True)):
            yield name, clean.reshape(values.shape)


def _clean_attributes(attributes: Any) -> dict[str, Any]:
    return {
        name: clean_text(value) if isinstance(value, str) else value
        for name, value in attributes.items()
    }


def _string_values(data: xr.Dataset) -> dict[str, np.ndarray]:
    """Values that are texts, by their variable."""
    return {
        str(name): variable.values
        for name, variable in data.variables.items()
        if variable.dtype.kind in "OU" and all(isinstance(v, str) for v in variable.values.flat)
    }
