"""Which scenes there are: the package's own, those of ``./scenes``, and installed plugins."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import logging
import pkgutil
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from grokviz.errors import InputError, nearest
from grokviz.scene.scene import Scene

GROUP = "grokviz.scenes"
PREFIX = "grokviz_user_scene_"
DRAWINGS = "films"
"""Folders of this name beside scenes hold manim scenes, which only manim can import."""

_REPORTED: set[tuple[Path, int]] = set()
log = logging.getLogger(__name__)


def scenes(*, user: bool = True) -> dict[str, type[Scene]]:
    """Every scene by its name, sorted; a user's scene takes the place of ours.

    ``user`` says whether ``./scenes/*.py`` and plugins are looked into. A user's file that
    cannot be imported is reported once and left out.
    """
    found: dict[str, type[Scene]] = {}
    for module in _own():
        found |= _in(module)
    if user:
        for module in _users():
            found |= _in(module)
    return dict(sorted(found.items()))


def scene(name: str, *, user: bool = True) -> type[Scene]:
    """The scene of that name, or an ``InputError`` naming the nearest one."""
    found = scenes(user=user)
    if name not in found:
        raise InputError(
            f"there is no scene {name}: {nearest(name, list(found))} (grokviz scenes lists them)"
        )
    return found[name]


def _own() -> Iterator[ModuleType]:
    package = importlib.import_module("grokviz.scenes")
    waiting = [(package.__name__, list(package.__path__))]
    while waiting:
        name, places = waiting.pop()
        for info in pkgutil.iter_modules(places, f"{name}."):
            last = info.name.rpartition(".")[2]
            if last.startswith("_") or last == DRAWINGS:
                continue
            module = importlib.import_module(info.name)
            if info.ispkg:
                waiting.append((info.name, list(module.__path__)))
            else:
                yield module


def _users() -> Iterator[ModuleType]:
    ours = {Path(p).resolve() for p in importlib.import_module("grokviz.scenes").__path__}
    folder = Path("scenes")
    if folder.is_dir() and folder.resolve() not in ours:
        for file in sorted(folder.glob("*.py")):
            module = _from_file(file)
            if module is not None:
                yield module
    for entry in entry_points(group=GROUP):
        try:
            loaded = entry.load()
        except (Exception, SystemExit) as error:  # a plugin must not take ours down
            log.warning("the plugin %s cannot be imported: %s", entry.name, error)
            continue
        yield loaded if isinstance(loaded, ModuleType) else sys.modules[loaded.__module__]


def files_of(used: Iterable[Scene]) -> list[Path]:
    """The users' files that these scenes are from: what another process has to load first."""
    modules = {type(scene).__module__ for scene in used}
    return sorted(
        Path(str(sys.modules[name].__file__)) for name in modules if name.startswith(PREFIX)
    )


def load_files(files: Iterable[Path]) -> None:
    """Load users' files, so that scenes from them can be received from another process."""
    for file in files:
        _from_file(file)


def _from_file(file: Path) -> ModuleType | None:
    """A user's file as a module; None, and a warning with the reason, where that fails."""
    file = file.resolve()
    # the moment it was saved: in a notebook the file may be edited between two calls
    name, saved = PREFIX + file.stem, file.stat().st_mtime_ns
    known = sys.modules.get(name)
    if known is not None and getattr(known, "grokviz_saved", None) == (file, saved):
        return known
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None or (file, saved) in _REPORTED:
        return None
    module = importlib.util.module_from_spec(spec)
    module.grokviz_saved = (file, saved)  # type: ignore[attr-defined]
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a user's file may fail in any way
        del sys.modules[name]
        _REPORTED.add((file, saved))
        said = " ".join(str(error).split())
        log.warning("%s cannot be imported: %s: %s", file, type(error).__name__, said)
        return None
    return module


def _in(module: ModuleType) -> dict[str, type[Scene]]:
    return {
        member.name: member
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, Scene) and member.name and member.__module__ == module.__name__
    }
