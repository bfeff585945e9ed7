"""``analyze``: a run's dataset, of which only what is not kept beside the run is measured."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import struct
from collections.abc import Callable, Iterable, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grokviz.dataset.netcdf import plain
from grokviz.errors import GrokvizError
from grokviz.files import replacing
from grokviz.progress import ProgressCallback
from grokviz.sources import source_hash
from grokviz.strays import remove_strays
from grokviz.task import any_task, known_task

if TYPE_CHECKING:
    import xarray as xr

    from grokviz.dataset.contract import Measure
    from grokviz.runs import Run

FOLDER = "cache"
log = logging.getLogger(__name__)


def analyze(
    run: Run | str | os.PathLike[str],
    needs: Iterable[str | Measure] | None = None,
    *,
    epochs: Sequence[int] | None = None,
    cache: bool = True,
    report: ProgressCallback | None = None,
    workers: int | None = None,
) -> xr.Dataset:
    """Measure a run into the labelled dataset that scenes draw.

    Args:
        run: an open run or its folder.
        needs: names of variables, or of coordinates (docs/reference/variables.md has them all),
            or measures themselves; everything that can be measured of the run, by default.
        epochs: which checkpoints; all by default.
        cache: whether to read and write ``<run>/cache``, so that only what is missing there is
            measured.
        report: called with (done, all) of the checkpoints that are read.
        workers: how many processes measure, by default as many as are worth it; the result is
            the same.

    Returns:
        A dataset in memory, as :mod:`grokviz.dataset.schema` describes it.

    Raises:
        InputError: no run there, no checkpoints, a name that nothing measures, or weights that
            are not those of its task.

    """
    from grokviz.dataset.build.assemble import assemble
    from grokviz.runs import Run, open_run

    run = run if isinstance(run, Run) else open_run(Path(run))
    folder = run.path / FOLDER if cache else None
    return assemble(run, needs, epochs=epochs, cache=folder, report=report, workers=workers)


def read_or_make(file: Path, make: Callable[[], xr.Dataset]) -> xr.Dataset:
    """Read a dataset from its file in the cache, or make it and try to write it there.

    The file ends in the SHA-256 of the bytes before, which NetCDF ignores.
    """
    if file.exists():
        try:
            stored = file.read_bytes()
            content, seal = stored[:-_SEAL_BYTES], stored[-_SEAL_BYTES:]
            if _seal(content) != seal:
                raise ValueError("its checksum does not match")
            data = decode_ours(content)
            remove_strays(file.parent)
            return data
        except Exception as error:  # a cache that cannot be read is made again, whatever is wrong
            log.warning("%s cannot be read and is made again: %s", file, error)
    data = make()
    try:
        content = encode(data)
        with replacing(file) as part:
            part.write_bytes(content + _seal(content))
    except GrokvizError as error:
        log.warning("the analysis is not cached: %s", error)
    return data


def _seal(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


_SEAL_BYTES = len(_seal(b""))


def read(file: Path, names: Set[str] | None = None) -> xr.Dataset:
    """A dataset from a NetCDF file, in memory: all of it, or these variables with coordinates."""
    return decode(file.read_bytes(), names)


def decode_ours(content: bytes, names: Set[str] | None = None) -> xr.Dataset:
    """As :func:`decode`, of bytes that are known to be as :func:`encode` wrote them: much faster.

    Of some ``names`` it has the coordinates along their dimensions and no others.
    """
    data = plain(content, names)
    return decode(content, names) if data is None else data


def decode(content: bytes, names: Set[str] | None = None) -> xr.Dataset:
    """A dataset from the bytes of a NetCDF file, as :func:`read`."""
    import h5netcdf
    import xarray as xr
    from xarray.backends import H5NetCDFStore

    class File(h5netcdf.File):  # type: ignore[misc]
        """One of which Python prints no traceback when it goes before it has quite opened."""

        _closed, _writable = True, False

    class Store(H5NetCDFStore):
        """One that does not look at the variables that nobody asked for."""

        def get_variables(self) -> dict[str, Any]:
            return {
                name: self.open_store_variable(name, variable)  # type: ignore[no-untyped-call]
                for name, variable in self.ds.variables.items()
                if names is None or name in names or name in self.ds.dimensions
            }

    check_heaps(content)
    # from memory: HDF5 would lock the file, and homes on NFS or Lustre often have no locks
    with File(io.BytesIO(content), "r") as container:
        return xr.load_dataset(Store(container))


def check_heaps(content: bytes) -> None:
    """Raise ValueError where HDF5 would never come to the end of a damaged global heap.

    It walks along a heap by the sizes that its objects say, and stands still at one of size 0.
    Source: HDF5 file format specification, version 3, section III.E.
    """
    at = content.find(_HEAP)
    while at >= 0:
        size = int.from_bytes(content[at + 8 : at + 16], "little")
        place, end = at + 16, at + size
        while place + 16 <= min(end, len(content)):
            (index, *_, held) = struct.unpack_from("<HHIQ", content, place)
            step = 16 + (held + 7) // 8 * 8 if index else held
            if not 16 <= step <= end - place:
                raise ValueError(f"the heap at byte {at} is damaged")
            place += step
        at = content.find(_HEAP, at + 8)


_HEAP = b"GCOL\x01\0\0\0"


def write(data: xr.Dataset, file: Path) -> None:
    """A dataset as compressed NetCDF, there whole or not at all."""
    content = encode(data)
    with replacing(file) as part:
        part.write_bytes(content)


def encode(data: xr.Dataset) -> bytes:
    """The bytes of a dataset as compressed NetCDF."""
    import h5netcdf
    from xarray.backends import H5NetCDFStore

    encoding = {
        name: {"zlib": True, "complevel": 6, "shuffle": True}
        for name, variable in data.variables.items()
        if variable.ndim and variable.dtype.kind in "fiu"
    }
    memory = io.BytesIO()
    # not to the disk itself: where that gets full, HDF5 takes the whole process down
    with h5netcdf.File(memory, "w") as container:
        data.dump_to_store(H5NetCDFStore(container), encoding=encoding)
    return memory.getvalue()


def code_version(names: Iterable[str]) -> str:
    """SHA-256 of every source file that can change a family of runs of these tasks.

    So no code ever reads another's cache, be it ours or a user's.
    """
    return source_hash(source_files(names))


def source_files(names: Iterable[str]) -> list[Path]:
    """The files whose imports, and theirs, make up :func:`code_version`."""
    here = Path(__file__).parent
    files = [here / "build" / "assemble.py", here / "families" / "family.py", *any_task().files()]
    known = (known_task(name) for name in sorted(set(names)))
    return [*files, *(file for task in known if task for file in task.files())]
