"""Which scenes there are: the package's own, those of plug-ins, and the user's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from grokviz import plugins
from grokviz.scene.scene import Scene


def _members(module: ModuleType) -> dict[str, type[Scene]]:
    return {kind.name: kind for kind in plugins.defined_in(module, Scene) if kind.name}


SCENES = plugins.Kind(
    "scene", "grokviz.scenes", "grokviz.scenes", _members, deep=True, listing="grokviz scenes"
)


def scenes(*, user: bool = True) -> dict[str, type[Scene]]:
    """Every scene by its name, sorted; ``user`` says whether others' than ours are among them."""
    with plugins.looking_in(plugins.PLACES if user else ()):
        return plugins.find_all(SCENES)


def scene(name: str, *, user: bool = True) -> type[Scene]:
    """The scene of that name, or an ``InputError`` naming the nearest one."""
    with plugins.looking_in(plugins.PLACES if user else ()):
        return plugins.find(SCENES, name)


def files_of(used: Iterable[Scene]) -> list[Path]:
    """The users' files that these scenes are from: what another process has to load first."""
    files = {plugins.file_of(type(scene).__module__) for scene in used}
    return sorted(file for file in files if file is not None)
