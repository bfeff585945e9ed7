"""The source files that a result depends on, so that a cached result goes stale with them."""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

PACKAGE, SCENES = "grokviz", "grokviz.scenes"

# parsing the files would take ten times as long, and a false import costs nothing
_FROM = re.compile(r"^[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)", re.MULTILINE)
_IMPORT = re.compile(r"^[ \t]*import[ \t]+([\w.]+)", re.MULTILINE)
_NAME = re.compile(r"\w+")


def source_hash(files: Iterable[Path], without: Sequence[str] = ()) -> str:
    """SHA-256 of these files and of every module of the package that they import, transitively.

    A folder stands for all the files in it, and imports inside functions count. ``without``
    names modules, relative to the package, that are not followed because the cache key holds
    their results already.
    """
    return content_hash(closure(files, without))


def content_hash(paths: Iterable[Path]) -> str:
    """SHA-256 of the names and contents of these files, whatever their order."""
    digest = hashlib.sha256()
    for path in sorted(paths, key=lambda p: (p.name, str(p))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def closure(files: Iterable[Path], without: Sequence[str] = ()) -> set[Path]:
    """These files and every module of the package that they import, except those in ``without``."""
    paths = set[Path]()
    queue = [file.resolve() for path in files for file in _files(path)]
    while queue:
        path = queue.pop()
        if path not in paths:
            paths.add(path)
            queue += _imports(path, path.stat().st_mtime_ns, tuple(without))
    return paths


def _files(path: Path) -> Iterable[Path]:
    return path.rglob("*.py") if path.is_dir() else [path]


@lru_cache(maxsize=1024)
def _imports(path: Path, mtime_ns: int, without: tuple[str, ...]) -> tuple[Path, ...]:
    """The files that a file imports, from this package and from its own.

    ``mtime_ns`` is part of the cache key, because the file may be edited while we run.
    """
    home, package = _package(path)
    origins = []
    for name in _names(path, mtime_ns):
        top = name.partition(".")[0]
        if top == PACKAGE and not _is_excluded(name, without):
            origins.append(_origin(name))
        elif home is not None and top == home.name != PACKAGE:
            origins.append(_file_in(home, name.split(".")[1:]))
        elif name.startswith(".") and home is not None:
            dots = len(name) - len(name.lstrip("."))
            inner = package[: len(package) - dots + 1] + [n for n in name[dots:].split(".") if n]
            origins.append(_file_in(home, inner))
    return tuple(dict.fromkeys(origin for origin in origins if origin is not None))


def libraries(path: Path) -> set[str]:
    """The top-level modules of third-party libraries that a file imports."""
    home, _ = _package(path)
    excluded = {PACKAGE, "", home.name if home is not None else "", *sys.stdlib_module_names}
    return {name.partition(".")[0] for name in _names(path, path.stat().st_mtime_ns)} - excluded


@lru_cache(maxsize=1024)
def _names(path: Path, mtime_ns: int) -> tuple[str, ...]:
    """Every module that a file imports, and every name from one, which may be a module too.

    ``mtime_ns`` is part of the cache key, because the file may be edited while we run.
    """
    text = path.read_text("utf-8")
    names = _IMPORT.findall(text)
    for module, members in _FROM.findall(text):
        joint = "" if module.endswith(".") else "."
        names += [module, *(f"{module}{joint}{name}" for name in _NAME.findall(members))]
    return tuple(dict.fromkeys(names))


@lru_cache(maxsize=1024)
def _package(path: Path) -> tuple[Path | None, list[str]]:
    """The top folder of the package that contains a file, and the subpackages down to the file."""
    inner: list[str] = []
    folder = path.parent
    if not (folder / "__init__.py").is_file():
        return None, inner
    while (folder.parent / "__init__.py").is_file():
        inner.insert(0, folder.name)
        folder = folder.parent
    return folder, inner


def _file_in(home: Path, inner: Sequence[str]) -> Path | None:
    """The file of a module in a package's folder; None for a name inside a module."""
    base = home.joinpath(*inner)
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if inner and path.is_file():
            return path.resolve()
    return None


def _is_excluded(name: str, without: Sequence[str]) -> bool:
    inner = name.removeprefix(PACKAGE + ".")
    return any(inner == module or inner.startswith(module + ".") for module in without)


def _origin(name: str) -> Path | None:
    """The file of a module of this package, without importing it; None for a name in a module."""
    _, *inner = name.split(".")
    package = PACKAGE
    if inner[:1] == ["scenes"]:
        package, inner = SCENES, inner[1:]
    for home in importlib.import_module(package).__path__:
        file = _file_in(Path(home).resolve(), inner)
        if file is not None:
            return file
    return None
