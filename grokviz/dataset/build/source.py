"""What the code of a measure is: everything of ours and of its plug-in's that it imports.

Two versions of a measure never read one another's values.
"""

from __future__ import annotations

import hashlib
import inspect
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path

from grokviz import sources
from grokviz.dataset.contract import Measure


def source_of(one: Measure) -> str | None:
    """A hash of the source of a measure and of what it imports; None where it has no file.

    Of other libraries it holds the versions.
    """
    try:
        file = inspect.getsourcefile(one.function)
    except TypeError:
        return None
    # what was typed into an interpreter or a notebook has no file that anybody could read again
    if file is None or not Path(file).is_file() or one.module == "__main__":
        return None
    path = Path(file).resolve()
    text = f"{_code_of(path, path.stat().st_mtime_ns)} {one.function.__qualname__} {one.variable}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@lru_cache(maxsize=256)
def _code_of(path: Path, saved: int) -> str:
    """A hash of a file's code and of what it imports, as it was saved then."""
    files = sources.closure([path])
    libraries = sorted({library for file in files for library in sources.libraries(file)})
    versions = [f"{name} {_version(name)}" for name in libraries]
    return sources.content_hash(files) + " " + " ".join(versions)


@lru_cache(maxsize=256)
def _version(library: str) -> str:
    """The version of the distribution that a top-level module is of; "" of one without any."""
    try:
        return version(library)
    except PackageNotFoundError:
        return " ".join(map(version, _distributions().get(library, ())))


@lru_cache(maxsize=1)
def _distributions() -> dict[str, list[str]]:
    return dict(packages_distributions())
