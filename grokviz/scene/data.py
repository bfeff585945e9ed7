"""What a scene is drawn from: what it needs, and what it draws too where it is there."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from grokviz.dataset.references.reference import load
from grokviz.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

    from grokviz.scene.scene import Scene


def load_for(scene: Scene, source: Any, *, default: str, report: Any = None) -> xr.Dataset:
    """The dataset of a source with all that a scene needs, and with what it wishes for.

    Raises :class:`InputError` as :func:`~grokviz.dataset.references.reference.load` does for what
    it needs; where a source has not all that it wishes for, this is left out.
    """
    data = load(source, scene.variables(), default=default, report=report)
    missing = [name for name in scene.wishes if name not in data]
    if missing:
        with contextlib.suppress(InputError):
            more = load(source, missing, default=default, report=report)
            data = data.merge(more[missing], combine_attrs="override")
    return data


def drawn_of(scene: Scene, data: xr.Dataset) -> tuple[str, ...]:
    """The variables of a dataset that a scene draws."""
    return (*scene.needs, *(name for name in scene.wishes if name in data))
