"""The list of scenes as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grokviz.dataset import schema as variables
from grokviz.dataset.contract import definition_of
from grokviz.dataset.references.reference import references
from grokviz.media.formats import FORMATS
from grokviz.render.engine import engine_of
from grokviz.scene.registry import scene as find
from grokviz.scene.registry import scenes
from grokviz.scene.scene import Scene

if TYPE_CHECKING:
    import xarray as xr


def list_scenes(*, user: bool = True) -> dict[str, type[Scene]]:
    """Every scene by its name; ``gv.scenes`` itself is the package that holds them."""
    return scenes(user=user)


def listing(*, user: bool = True) -> list[dict[str, Any]]:
    """What ``grokviz scenes --json`` prints, an object a scene."""
    bundled = references()
    return [_entry(scene, bundled) for scene in scenes(user=user).values()]


def scene_entry(name: str) -> dict[str, Any]:
    """What ``grokviz scenes --json`` prints of one scene; ``InputError`` for an unknown name."""
    return _entry(find(name), references())


def _entry(scene: type[Scene], bundled: list[str]) -> dict[str, Any]:
    formats = [f.name for f in FORMATS.values() if scene.able(f)]
    return {
        "name": scene.name,
        "title": scene.title,
        "source": scene.source,
        "engine": scene.engine,
        "formats": formats,
        "recipe": scene.recipe,
        "reference": scene.reference if scene.reference in bundled else None,
        "clock": scene.clock,
        "sound": scene.sounds(),
        "needs": list(scene.needs),
        "options": scene.options(),
        **engine_of(scene).facts(scene),
    }


def summary(scene: type[Scene]) -> str:
    """What a scene draws, whatever the data say of it: the first line of its docstring."""
    return definition_of(scene).removesuffix(".")


def schema(scene: str) -> dict[str, dict[str, Any]]:
    """The dataset variables a scene needs: dimensions, unit, definition and source of each.

    ``gv.check(data, scene)`` says whether a dataset built by hand has them.
    """
    return variables.describe(find(scene).needs)


def check(data: xr.Dataset, scene: str) -> None:
    """Raise InputError unless ``data`` has what ``scene`` needs."""
    find(scene).check(data)
