"""What can be added, found by name: a generic registry that knows no contract.

**Who may offer.** The package itself; installed packages, by an entry point of the kind's group
that names a module or an object of one; and the user's own files, ``./scenes/*.py``, each of
which may hold things of every kind.

**Who wins.** A user's file takes the place of an installed package's offer of the same name, and
that takes the place of ours. Of two files the later in the alphabet wins.

**When code of others is run.** Only when something is looked for, and only from the places that
:func:`looking_in` allows: a command that cannot use a user's code never runs it. A file that
cannot be imported is reported once and left out, and so is an installed package.
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
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, ParamSpec, TypeVar

from grokviz.errors import InputError, pick

P = ParamSpec("P")
T = TypeVar("T")

FILES, INSTALLED = "files", "installed"
PLACES = frozenset({FILES, INSTALLED})
FOLDER = Path("scenes")
"""Where the user's files lie, from the current folder."""

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
class Kind(Generic[T]):
    """One kind of thing that can be added.

    Attributes:
        noun: what one of them is called in sentences.
        group: the entry-point group of installed packages.
        package: where ours lie; "" where they are found in another way.
        members: the things of this kind that a module defines itself, by name.
        deep: whether ours lie in folders of that package, too; a task's folder is its own affair.
        listing: the command that lists them, for sentences.

    """

    noun: str
    group: str
    package: str
    members: Callable[[ModuleType], Mapping[str, T]]
    deep: bool = False
    listing: str = ""


@contextlib.contextmanager
def looking_in(places: Iterable[str]) -> Iterator[None]:
    """Look only in these places besides the package: of :data:`PLACES`, none, one or both."""
    token = _PLACES.set(frozenset(places) & _PLACES.get())
    try:
        yield
    finally:
        _PLACES.reset(token)


def user_code(allowed: bool) -> contextlib.AbstractContextManager[None]:
    """Look in the user's files and in plug-ins where that is ``allowed``, else in neither."""
    return looking_in(PLACES if allowed else ())


def places() -> frozenset[str]:
    """Where others' code is looked for now."""
    return _PLACES.get()


def as_here(function: Callable[P, T]) -> Callable[P, T]:
    """The function, for a worker process, looking there where others' code is looked for now."""
    return partial(_looking_in, places(), function)


def _looking_in(
    places: Iterable[str], function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    with looking_in(places):
        return function(*args, **kwargs)


@contextlib.contextmanager
def announcing(announce: Callable[[list[Path]], None] | None) -> Iterator[None]:
    """Call ``announce`` with the user's files just before they are run; None for nothing."""
    token = _ANNOUNCE.set(announce)
    try:
        yield
    finally:
        _ANNOUNCE.reset(token)


def find_all(kind: Kind[T]) -> dict[str, T]:
    """Everything of a kind by name, sorted."""
    files = user_files() if FILES in _PLACES.get() else []
    saved = tuple((file.resolve(), file.stat().st_mtime_ns) for file in files)
    key = (kind.noun, _PLACES.get(), saved)
    if key not in _MEMBERS:
        members: dict[str, T] = {}
        for module in modules(kind):
            members |= kind.members(module)
        _MEMBERS[key] = dict(sorted(members.items()))
    return dict(_MEMBERS[key])


def forget() -> None:
    """Look anew at everything, as when a package was installed since."""
    _MEMBERS.clear()
    _PLUGINS.clear()


def find(kind: Kind[T], name: str) -> T:
    """The thing of that name, or an ``InputError`` naming the nearest one."""
    listing = f" ({kind.listing} lists them)" if kind.listing else ""
    return pick(find_all(kind), kind.noun, name, listing)


def modules(kind: Kind[Any]) -> Iterator[ModuleType]:
    """The modules that may hold things of a kind: ours, installed ones, the user's files."""
    if kind.package:
        yield from _own(kind.package, kind.deep)
    if INSTALLED in _PLACES.get():
        yield from _installed(kind.group)
    if FILES in _PLACES.get():
        yield from user_modules()


def defined_in(module: ModuleType, kind: type[T]) -> list[type[T]]:
    """The classes of a kind that a module defines, and not those it imports."""
    return [
        member
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, kind) and member.__module__ == module.__name__
    ]


# --- ours ----------------------------------------------------------------------------


def _own(package_name: str, deep: bool) -> Iterator[ModuleType]:
    """What lies in a package of ours; names with an underscore are helpers."""
    package = importlib.import_module(package_name)
    waiting = [(package.__name__, list(package.__path__))]
    while waiting:
        name, paths = waiting.pop()
        for info in pkgutil.iter_modules(paths, f"{name}."):
            last = info.name.rpartition(".")[2]
            if last.startswith("_") or last == DRAWINGS:
                continue
            module = importlib.import_module(info.name)
            yield module
            if info.ispkg and deep:
                waiting.append((info.name, list(module.__path__)))


def with_inner(module: ModuleType) -> list[ModuleType]:
    """A module and, of a package, all modules in it; names with an underscore are helpers."""
    paths = getattr(module, "__path__", None)
    if paths is None:
        return [module]
    names = [info.name for info in pkgutil.iter_modules(paths, f"{module.__name__}.")]
    inner = [name for name in names if not name.rpartition(".")[2].startswith("_")]
    return [module, *map(importlib.import_module, inner)]


# --- installed packages --------------------------------------------------------------


def _installed(group: str) -> Iterator[ModuleType]:
    for entry in entry_points(group=group):
        if entry.value not in _PLUGINS:
            try:
                loaded = entry.load()
                plugin = loaded if isinstance(loaded, ModuleType) else _module_of(loaded)
                _PLUGINS[entry.value] = plugin
            except (Exception, SystemExit) as error:  # a plug-in must not take ours down
                log.warning("the plug-in %s cannot be imported: %s", entry.name, error)
                _PLUGINS[entry.value] = None
        module = _PLUGINS[entry.value]
        if module is not None:
            yield module


def _module_of(offer: Any) -> ModuleType:
    """The module that an object of an entry point is from."""
    name = getattr(offer, "__module__", None) or type(offer).__module__
    return sys.modules[name]


# --- the user's files ----------------------------------------------------------------


def user_files() -> list[Path]:
    """The user's files in the current folder, sorted; none where that is our own repository."""
    if not FOLDER.is_dir():
        return []
    ours = {Path(p).resolve() for p in importlib.import_module("grokviz.scenes").__path__}
    return [] if FOLDER.resolve() in ours else sorted(FOLDER.glob("*.py"))


def user_modules() -> Iterator[ModuleType]:
    """The user's files as modules, run where they were not yet or have changed since."""
    files = user_files()
    announce = _ANNOUNCE.get()
    if files and announce is not None:
        announce(files)
    for file in files:
        module = load_file(file)
        if module is not None:
            yield module


def load_files(files: Iterable[Path]) -> None:
    """Load users' files, so that what is from them can be received from another process."""
    for file in files:
        load_file(file)


def load_file(file: Path) -> ModuleType | None:
    """A user's file as a module; None, and a warning with the reason, where that fails."""
    file = file.resolve()
    # the moment it was saved: in a notebook the file may be edited between two calls
    # and where it lies: a file of the same name in another folder must not take its place
    where = hashlib.sha256(str(file).encode()).hexdigest()[:8]
    name, saved = f"{PREFIX}{file.stem}_{where}", file.stat().st_mtime_ns
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
        reason = " ".join(str(error).split())
        log.warning("%s cannot be imported: %s: %s", file, type(error).__name__, reason)
        return None
    return module


def load_named(file: Path) -> ModuleType:
    """A file that the user names, as a module.

    Raises :class:`InputError` where it is not there or cannot be imported.
    """
    if not file.is_file():
        raise InputError(f"there is no file {file}; give a Python file of your own")
    module = load_file(file)
    if module is None:
        raise InputError(f"{file} cannot be imported; run python {file} to see why")
    return module


def files_of(things: Iterable[object]) -> list[Path]:
    """The users' files whose classes these are of: what another process has to load first."""
    files = {file_of(type(thing).__module__) for thing in things}
    return sorted(file for file in files if file is not None)


def file_of(module: str) -> Path | None:
    """The user's file that a module's name stands for; None for any other module."""
    return Path(str(sys.modules[module].__file__)) if module.startswith(PREFIX) else None


def line_of(error: BaseException) -> str:
    """The user's file and line in which an error arose, another process's too; "" where in none."""
    files = {str(m.__file__) for name, m in [*sys.modules.items()] if name.startswith(PREFIX)}
    text = "".join(traceback.format_exception(error))
    lines = re.findall(r'File "(.+)", line (\d+)', text)
    return next((f"{file}, line {line}" for file, line in lines[::-1] if file in files), "")
