"""A generic registry of plug-ins, found by name; it knows nothing of their contracts.

**Where plug-ins come from.** The package itself; installed packages, through an entry point of
the kind's group that names a module or an object in one; and the user's files,
``./scenes/*.py``, each of which may define plug-ins of every kind.

**Precedence.** Of plug-ins with one name, a user's file wins over an installed package, and that
over the package itself. Of two files, the later in alphabetical order wins.

**When foreign code runs.** Only during a look-up, and only from the places that
:func:`looking_in` allows: a command that cannot use a user's code never runs it. A file or an
installed package that cannot be imported is reported once and left out.
"""

from __future__ import annotations

import contextlib
import contextvars
import hashlib
import importlib
import importlib.util
import inspect
import logging
import pkgutil
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import metadata
from importlib.metadata import EntryPoints
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, ParamSpec, TypeVar

from grokviz.errors import InputError, require_entry

P = ParamSpec("P")
T = TypeVar("T")

FILES, INSTALLED = "files", "installed"
PLACES = frozenset({FILES, INSTALLED})
FOLDER = Path("scenes")
"""The folder of the user's files, relative to the current one."""

ENTRIES = "[grokviz."
"""How the heading of each group of entry points begins."""

PREFIX = "grokviz_user_scene_"
DRAWINGS = "films"
"""Folders of this name beside scenes hold manim scenes, which only manim can import."""

_PLACES: contextvars.ContextVar[frozenset[str]] = contextvars.ContextVar("places", default=PLACES)
_ANNOUNCE: contextvars.ContextVar[Callable[[list[Path]], None] | None] = contextvars.ContextVar(
    "announce", default=None
)
_REPORTED: set[tuple[Path, int]] = set()
_PLUGINS: dict[str, ModuleType | None] = {}
_MEMBERS: dict[Any, dict[str, Any]] = {}
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PluginKind(Generic[T]):
    """One kind of plug-in: tasks, measures, scenes or importers.

    Attributes:
        noun: the word for one of them in messages.
        group: the entry-point group of installed packages.
        package: the package of the built-in ones; "" if they are found in another way.
        members: returns the plug-ins of this kind that a module itself defines, by name.
        recursive: whether to search the subpackages of ``package`` too.
        listing: the command that lists them, for messages.

    """

    noun: str
    group: str
    package: str
    members: Callable[[ModuleType], Mapping[str, T]]
    recursive: bool = False
    listing: str = ""


@contextlib.contextmanager
def looking_in(places: Iterable[str]) -> Iterator[None]:
    """Restrict look-ups outside the package to these :data:`PLACES` within the block."""
    token = _PLACES.set(frozenset(places) & _PLACES.get())
    try:
        yield
    finally:
        _PLACES.reset(token)


def user_code(allowed: bool) -> contextlib.AbstractContextManager[None]:
    """Search the user's files and installed packages if ``allowed``, else neither."""
    return looking_in(PLACES if allowed else ())


def places() -> frozenset[str]:
    """The places outside the package that are searched now."""
    return _PLACES.get()


def with_current_places(function: Callable[P, T]) -> Callable[P, T]:
    """Bind ``function`` to the current places, for a call in a worker process."""
    return partial(_looking_in, places(), function)


def _looking_in(
    places: Iterable[str], function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    with looking_in(places):
        return function(*args, **kwargs)


@contextlib.contextmanager
def announcing(announce: Callable[[list[Path]], None] | None) -> Iterator[None]:
    """Within the block, call ``announce`` with the user's files just before they run."""
    token = _ANNOUNCE.set(announce)
    try:
        yield
    finally:
        _ANNOUNCE.reset(token)


def runs_foreign_code() -> bool:
    """Whether a look-up now runs code that is not the package's own."""
    files = FILES in _PLACES.get() and bool(user_files())
    return files or (INSTALLED in _PLACES.get() and _declared(tuple(sys.path)))


def find_all(kind: PluginKind[T]) -> dict[str, T]:
    """All plug-ins of a kind by name, sorted."""
    key = _key(kind)
    if key not in _MEMBERS:
        members: dict[str, T] = {}
        for module in modules(kind):
            members |= kind.members(module)
        _MEMBERS[key] = dict(sorted(members.items()))
    return dict(_MEMBERS[key])


def _key(kind: PluginKind[Any]) -> Any:
    """What the plug-ins of a kind depend on: the places searched, and the user's files as saved."""
    files = user_files() if FILES in _PLACES.get() else []
    stamps = tuple((file.resolve(), file.stat().st_mtime_ns) for file in files)
    return kind.noun, _PLACES.get(), stamps


def forget() -> None:
    """Clear the caches, so that packages installed since are found."""
    _MEMBERS.clear()
    _PLUGINS.clear()
    with_inner.cache_clear()
    _entries.cache_clear()
    _declared.cache_clear()


def get(kind: PluginKind[T], name: str) -> T | None:
    """The plug-in of that name, or None.

    Of the package's own modules no others are imported than those that could define it.
    """
    if _key(kind) in _MEMBERS or not kind.package:
        return find_all(kind).get(name)
    members: dict[str, T] = {}
    for module in _foreign(kind):
        members |= kind.members(module)
    if name in members:
        return members[name]
    for module_name in _mentioning(kind, name):
        own = kind.members(importlib.import_module(module_name))
        if name in own:
            return own[name]
    return None


def find(kind: PluginKind[T], name: str) -> T:
    """The plug-in of that name; an ``InputError`` suggests the nearest one."""
    plugin = get(kind, name)
    if plugin is not None:
        return plugin
    listing = f" ({kind.listing} lists them)" if kind.listing else ""
    return require_entry(find_all(kind), kind.noun, name, listing)


def modules(kind: PluginKind[Any]) -> Iterator[ModuleType]:
    """The modules that may define plug-ins of a kind: built-in, installed, the user's files."""
    if kind.package:
        yield from _builtin(kind.package, kind.recursive)
    yield from _foreign(kind)


def _foreign(kind: PluginKind[Any]) -> Iterator[ModuleType]:
    """The modules of a kind outside the package, those that win last."""
    if INSTALLED in _PLACES.get():
        yield from _installed(kind.group)
    if FILES in _PLACES.get():
        yield from user_modules()


def defined_in(module: ModuleType, kind: type[T]) -> list[type[T]]:
    """The subclasses of ``kind`` that a module defines rather than imports."""
    return [
        member
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, kind) and member.__module__ == module.__name__
    ]


# --- built in ------------------------------------------------------------------------


def _builtin(package_name: str, recursive: bool) -> Iterator[ModuleType]:
    """The modules of a package of grokviz; names with an underscore are helpers."""
    package = importlib.import_module(package_name)
    queue = [(package.__name__, list(package.__path__))]
    while queue:
        name, paths = queue.pop()
        for info in pkgutil.iter_modules(paths, f"{name}."):
            stem = info.name.rpartition(".")[2]
            if stem.startswith("_") or stem == DRAWINGS:
                continue
            module = importlib.import_module(info.name)
            yield module
            if info.ispkg and recursive:
                queue.append((info.name, list(module.__path__)))


def _mentioning(kind: PluginKind[Any], name: str) -> list[str]:
    """The package's own modules whose source holds ``name`` as a text, the likeliest first."""
    package = importlib.import_module(kind.package)
    called, quoted = name.replace("-", "_"), (f'"{name}"'.encode(), f"'{name}'".encode())
    likely, others = [], []
    for folder in map(Path, package.__path__):
        for file in _sources(folder, kind.recursive):
            parts = file.relative_to(folder).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            module = ".".join((kind.package, *parts))
            if parts[-1] == called:
                likely.append(module)
            elif any(text in file.read_bytes() for text in quoted):
                others.append(module)
    return [*likely, *others]


def _sources(folder: Path, recursive: bool) -> Iterator[Path]:
    """The source files of the modules and packages that :func:`_builtin` imports."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("_") or path.stem == DRAWINGS:
            continue
        if path.suffix == ".py":
            yield path
        elif (path / "__init__.py").is_file():
            yield path / "__init__.py"
            if recursive:
                yield from _sources(path, recursive)


@lru_cache(maxsize=256)
def with_inner(module: ModuleType) -> tuple[ModuleType, ...]:
    """A module and, if it is a package, its modules, except those with an underscore."""
    paths = getattr(module, "__path__", None)
    if paths is None:
        return (module,)
    names = [info.name for info in pkgutil.iter_modules(paths, f"{module.__name__}.")]
    inner = [name for name in names if not name.rpartition(".")[2].startswith("_")]
    return (module, *map(importlib.import_module, inner))


# --- installed packages --------------------------------------------------------------


def _installed(group: str) -> Iterator[ModuleType]:
    for entry in _entries(group, tuple(sys.path)):
        if entry.value not in _PLUGINS:
            try:
                obj = entry.load()
                plugin = obj if isinstance(obj, ModuleType) else _module_of(obj)
                _PLUGINS[entry.value] = plugin
            except (Exception, SystemExit) as error:  # a broken plug-in must not break grokviz
                log.warning("the plug-in %s cannot be imported: %s", entry.name, error)
                _PLUGINS[entry.value] = None
        module = _PLUGINS[entry.value]
        if module is not None:
            yield module


@lru_cache(maxsize=64)
def _entries(group: str, path: tuple[str, ...]) -> EntryPoints:
    """The entry points of a group on this import path."""
    return entry_points(group=group)


def entry_points(*, group: str) -> EntryPoints:
    """The entry points of a group, parsed only where a package has one for us."""
    if _declared(tuple(sys.path)):
        return metadata.entry_points(group=group)
    return EntryPoints(())


@lru_cache(maxsize=8)
def _declared(path: tuple[str, ...]) -> bool:
    """Whether any installed package on this import path says that it extends grokviz.

    Its text is looked for: parsing the entry points of all packages takes three times as long,
    and each kind of plug-in asks.
    """
    texts = (package.read_text("entry_points.txt") for package in metadata.distributions())
    return any(text is not None and ENTRIES in text for text in texts)


def _module_of(obj: Any) -> ModuleType:
    """The module that defines the object of an entry point."""
    name = getattr(obj, "__module__", None) or type(obj).__module__
    return sys.modules[name]


# --- the user's files ----------------------------------------------------------------


def user_files() -> list[Path]:
    """The user's files in the current folder, sorted; none inside grokviz's own repository."""
    if not FOLDER.is_dir():
        return []
    ours = {Path(p).resolve() for p in importlib.import_module("grokviz.scenes").__path__}
    return [] if FOLDER.resolve() in ours else sorted(FOLDER.glob("*.py"))


def user_modules() -> Iterator[ModuleType]:
    """The user's files as modules; those that are new or have changed are run."""
    files = user_files()
    announce = _ANNOUNCE.get()
    if files and announce is not None:
        announce(files)
    for file in files:
        module = load_file(file)
        if module is not None:
            yield module


def load_files(files: Iterable[Path]) -> None:
    """Load users' files, so that objects they define can be unpickled in this process."""
    for file in files:
        load_file(file)


def load_file(file: Path) -> ModuleType | None:
    """A user's file as a module; if it fails, log a warning with the reason and return None."""
    file = file.resolve()
    # the path is hashed because files of one name may lie in two folders, and the time of
    # saving is kept because in a notebook a file may be edited between two calls
    path_hash = hashlib.sha256(str(file).encode()).hexdigest()[:8]
    name, mtime_ns = f"{PREFIX}{file.stem}_{path_hash}", file.stat().st_mtime_ns
    loaded = sys.modules.get(name)
    if loaded is not None and getattr(loaded, "grokviz_saved", None) == (file, mtime_ns):
        return loaded
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None or (file, mtime_ns) in _REPORTED:
        return None
    module = importlib.util.module_from_spec(spec)
    module.grokviz_saved = (file, mtime_ns)  # type: ignore[attr-defined]
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a user's file may fail in any way
        del sys.modules[name]
        _REPORTED.add((file, mtime_ns))
        reason = " ".join(str(error).split())
        log.warning("%s cannot be imported: %s: %s", file, type(error).__name__, reason)
        return None
    return module


def load_named(file: Path) -> ModuleType:
    """The module of a file that the user names.

    Raises :class:`InputError` if it is missing or cannot be imported.
    """
    if not file.is_file():
        raise InputError(f"there is no file {file}; give a Python file of your own")
    module = load_file(file)
    if module is None:
        raise InputError(f"{file} cannot be imported; run python {file} to see why")
    return module


def files_of(objects: Iterable[object]) -> list[Path]:
    """The users' files that define the classes of these objects, to load in another process."""
    files = {file_of(type(item).__module__) for item in objects}
    return sorted(file for file in files if file is not None)


def file_of(module: str) -> Path | None:
    """The user's file behind a module's name; None for any other module."""
    return Path(str(sys.modules[module].__file__)) if module.startswith(PREFIX) else None


def line_of(error: BaseException) -> str:
    """The user's file and line in which an error arose, another process's too; "" where in none."""
    files = {str(m.__file__) for name, m in [*sys.modules.items()] if name.startswith(PREFIX)}
    text = "".join(traceback.format_exception(error))
    lines = re.findall(r'File "(.+)", line (\d+)', text)
    return next((f"{file}, line {line}" for file, line in lines[::-1] if file in files), "")
