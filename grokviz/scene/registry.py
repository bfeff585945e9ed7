"""Which scenes there are: the package's own, those of plug-ins, and the user's."""

from __future__ import annotations

from types import ModuleType

from grokviz import plugins
from grokviz.scene.scene import Scene


def _members(module: ModuleType) -> dict[str, type[Scene]]:
    return {kind.name: kind for kind in plugins.defined_in(module, Scene) if kind.name}


SCENES = plugins.PluginKind(
    "scene", "grokviz.scenes", "grokviz.scenes", _members, recursive=True, listing="grokviz scenes"
)


def scenes(*, user: bool = True) -> dict[str, type[Scene]]:
    """Every scene by its name, sorted; without ``user``, the package's own alone."""
    with plugins.user_code(user):
        return plugins.find_all(SCENES)


def scene(name: str, *, user: bool = True) -> type[Scene]:
    """The scene of that name, or an ``InputError`` naming the nearest one."""
    with plugins.user_code(user):
        return plugins.find(SCENES, name)
