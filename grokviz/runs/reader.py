"""Lazy reading of run directories into numpy arrays, limited to what the index lists."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from grokviz.errors import InputError, nearest
from grokviz.runs import layout, metrics, tensors
from grokviz.runs.checksums import check_once, check_stored, read_stored
from grokviz.runs.journal import read_index
from grokviz.runs.layout import INDEX, RESUME, RUN, DamagedFile
from grokviz.runs.verify import Finding, verify_run

_PART = re.compile(r"(.+)\[(\d{1,9})\]")
"""A parameter's name and an index along its first axis."""


class Run:
    """A run, as listed by its index when :func:`open_run` read it.

    ``facts`` is the content of ``run.json``, ``epochs`` the epochs of its checkpoints in ascending
    order, ``array_epochs`` those of recorded arrays, ``finished`` whether training has ended.
    """

    path: Path
    name: str
    facts: Mapping[str, Any]
    epochs: Int[np.ndarray, " checkpoints"]
    array_epochs: Int[np.ndarray, " recorded"]
    finished: bool

    def __init__(self, path: Path, facts: Mapping[str, Any], index: layout.Index) -> None:
        self.path, self.facts, self._index = path, MappingProxyType(dict(facts)), index
        self.name = str(facts.get("name") or path.resolve().name)
        self.epochs = np.array(sorted(index.checkpoints), dtype=np.int64)
        self.array_epochs = np.array(sorted(index.arrays), dtype=np.int64)
        self.finished = index.finished

    @property
    def checksum(self) -> str:
        """SHA-256 over the facts, checkpoints and metrics.

        Independent of the run's path, of when and by which command it was created, and of its
        resumable state.
        """
        facts = {k: v for k, v in self.facts.items() if k not in layout.CREATION_FACTS}
        content = [
            facts,
            [[e, s.sha256] for e, s in sorted(self._index.checkpoints.items())],
            [[n, r.records, r.sha256] for n, r in sorted(self._index.metrics.items())],
        ]
        if self._index.arrays:
            content.append([[e, s.sha256] for e, s in sorted(self._index.arrays.items())])
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics, sorted."""
        return sorted(self._index.metrics)

    def checkpoint_bytes(self, epoch: int) -> bytes:
        """The bytes of a checkpoint's file; raises :class:`InputError` if they are not its own."""
        number = self._require_checkpoint(epoch)
        path = self.path / layout.checkpoint_file(number)
        try:
            data = layout.read_regular(path)
            if hashlib.sha256(data).hexdigest() != self._index.checkpoints[number].sha256:
                raise DamagedFile("its bytes do not match its checksum")
        except (DamagedFile, OSError) as error:
            raise read_error(path, error) from error
        return data

    def checksum_of(self, epoch: int) -> str:
        """SHA-256 of a checkpoint's file, from the index."""
        return self._index.checkpoints[self._require_checkpoint(epoch)].sha256

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the index with the run, so that both processes see the same checkpoints."""
        return (Run, (self.path, dict(self.facts), self._index))

    def metric(
        self, name: str
    ) -> tuple[Int[np.ndarray, " records"], Float[np.ndarray, " records"]]:
        """Epochs and values of a metric; raises :class:`InputError` if there is no such metric."""
        records = self.records(name, check=True)
        return records[:, 0].astype(np.int64), records[:, 1].copy()

    def records(self, name: str, *, check: bool = False) -> Float[np.ndarray, "records 2"]:
        """The records (epoch, value) of a metric, compared with their checksum if ``check``."""
        entry = self._index.metrics.get(name)
        if entry is None:
            raise InputError(f"{self.path} has no metric {name!r}; {nearest(name, self.metrics)}")
        file = self.path / layout.metric_file(name)
        try:
            return metrics.decode_records(metrics.read_records(file, entry, check=check))
        except (DamagedFile, OSError) as error:
            raise read_error(file, error) from error

    def until(self, epoch: int) -> Run:
        """The run as it was when a checkpoint was written: those after it are left out.

        Its metrics stay whole. Raises :class:`InputError` unless there is such a checkpoint.
        """
        last = self._require_checkpoint(epoch)
        index = dataclasses.replace(
            self._index,
            checkpoints={at: one for at, one in self._index.checkpoints.items() if at <= last},
            arrays={at: one for at, one in self._index.arrays.items() if at <= last},
        )
        return Run(self.path, dict(self.facts), index)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of all parameters by name in the state dict; empty without checkpoints."""
        if not self.epochs.size:
            return {}
        with self._open(int(self.epochs[0])) as file:
            return {name: tensor.shape for name, tensor in file.types.items()}

    def weights(self, epoch: int) -> dict[str, np.ndarray]:
        """All parameters of the checkpoint of ``epoch``; raises :class:`InputError` without one."""
        number = self._require_checkpoint(epoch)
        return self._whole(layout.checkpoint_file(number), self._index.checkpoints[number])

    def arrays(self, epoch: int, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
        """The arrays recorded at ``epoch``, or those of these names that were.

        Raises :class:`InputError` if there are none of that epoch.
        """
        number = self._require_arrays(epoch)
        if names is None:
            return self._whole(layout.array_file(number), self._index.arrays[number])
        with self._opened(layout.array_file(number), self._index.arrays[number]) as file:
            return file.read([name for name in names if name in file.types])

    def array_shapes(self, epoch: int) -> dict[str, tuple[int, ...]]:
        """Shapes of the arrays recorded at ``epoch``, by name; raises as :meth:`arrays` does."""
        number = self._require_arrays(epoch)
        with self._opened(layout.array_file(number), self._index.arrays[number]) as file:
            return {name: tensor.shape for name, tensor in file.types.items()}

    def _require_arrays(self, epoch: int) -> int:
        """The epoch as an int; raises :class:`InputError` unless arrays were recorded then."""
        number = layout.epoch_number(epoch)
        if number not in self._index.arrays:
            close = _nearest_epochs(self.array_epochs, number)
            raise InputError(f"{self.path} has no arrays of epoch {number}{close}")
        return number

    def iter_weights(
        self, epochs: Iterable[int] | None = None, names: Iterable[str] | None = None
    ) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
        """Yield ``(epoch, parameters)`` of each checkpoint; only the named parameters are read."""
        selection = None if names is None else [self._require_parameter(name) for name in names]
        for epoch in self._require_checkpoints(epochs):
            if selection is None:
                yield epoch, self.weights(epoch)
                continue
            with self._open(epoch) as file:
                arrays = file.read(selection)
            yield epoch, arrays

    def parameter(
        self, name: str, epochs: Iterable[int] | None = None, *, rows: slice | None = None
    ) -> np.ndarray:
        """One parameter at all checkpoints or those of ``epochs``, ``(n_epochs, *shape)``.

        ``name[i]`` is its i-th part along the first axis, such as one head of a ``W_Q`` that has
        an axis for the heads. With ``rows``, only that part of its first dimension is read.
        """
        checkpoints = self._require_checkpoints(epochs)
        part = _PART.fullmatch(name)
        if part and name not in self.shapes():
            return self._part(part[1], int(part[2]), checkpoints)
        shape = self.shapes()[self._require_parameter(name)]
        out: np.ndarray | None = None
        for i, epoch in enumerate(checkpoints):
            with self._open(epoch) as file:
                array = file.read([name])[name] if rows is None else file.read_rows(name, rows)
            if out is None:
                shape = shape if rows is None else array.shape
                out = np.empty((len(checkpoints), *shape), dtype=array.dtype)
            out[i] = array
        return np.empty((0, *shape), dtype=np.float32) if out is None else out

    def _part(self, name: str, i: int, checkpoints: list[int]) -> np.ndarray:
        shape = self.shapes()[self._require_parameter(name)]
        if not shape or i >= shape[0]:
            raise InputError(
                f"{name} of {self.path} has the shape {shape} and no part {i}; "
                "give an index along its first axis"
            )
        part = self.parameter(name, checkpoints, rows=slice(i, i + 1))
        return part[:, 0] if checkpoints else part.reshape(0, *shape[1:])

    def verify(self) -> list[Finding]:
        """Findings about the files that are on the disk now; empty for an intact run."""
        return verify_run(self.path)

    def _require_checkpoints(self, epochs: Iterable[int] | None) -> list[int]:
        return [self._require_checkpoint(e) for e in (self.epochs if epochs is None else epochs)]

    def _require_checkpoint(self, epoch: int) -> int:
        """The epoch as an int; raises :class:`InputError` unless it has a checkpoint."""
        number = layout.epoch_number(epoch)
        if number in self._index.checkpoints:
            return number
        if not self.epochs.size:
            raise InputError(f"{self.path} has no checkpoints yet; train it further")
        close = _nearest_epochs(self.epochs, number)
        raise InputError(f"{self.path} has no checkpoint of epoch {number}{close}")

    def _require_parameter(self, name: str) -> str:
        """The name itself; raises :class:`InputError` unless there is such a parameter."""
        names = list(self.shapes())
        if name not in names:
            raise InputError(f"{self.path} has no parameter {name!r}; {nearest(name, names)}")
        return name

    def _whole(self, name: str, entry: layout.FileEntry) -> dict[str, np.ndarray]:
        """All arrays of a file, compared as they are read; an ``InputError`` names it."""
        path = self.path / name
        try:
            return read_stored(path, entry)
        except (DamagedFile, OSError) as error:
            raise read_error(path, error) from error

    def _open(self, epoch: int) -> contextlib.AbstractContextManager[tensors.TensorFile]:
        return self._opened(layout.checkpoint_file(epoch), self._index.checkpoints[epoch])

    @contextlib.contextmanager
    def _opened(self, name: str, entry: layout.FileEntry) -> Iterator[tensors.TensorFile]:
        """Open a file of arrays; errors in the block become an ``InputError`` that names it."""
        path = self.path / name
        try:
            check_once(path, entry)
            with tensors.TensorFile(path) as file:
                yield file
        except (DamagedFile, OSError, KeyError) as error:
            raise read_error(path, error) from error

    def __repr__(self) -> str:
        span = f", epochs {self.epochs[0]} to {self.epochs[-1]}" if self.epochs.size else ""
        state = "finished" if self.finished else "unfinished"
        return f"Run({self.name!r}: {len(self.epochs)} checkpoints{span}, {state})"


def _nearest_epochs(epochs: Int[np.ndarray, " epochs"], number: int) -> str:
    """The epochs next to a number, as the end of an error message."""
    at = int(np.searchsorted(epochs, number))
    close = " and ".join(str(epoch) for epoch in epochs[max(at - 1, 0) : at + 1])
    return f"; the nearest: {close}" if close else "; none were recorded"


def open_run(path: str | Path) -> Run:
    """Open the run in the folder ``path``.

    Raises :class:`InputError` if there is no run, if it has a newer format, or if ``run.json`` or
    ``index.json`` is damaged.
    """
    path = Path(path)
    facts, index = read_documents(path)
    return Run(path, {k: v for k, v in facts.items() if k != "checksum"}, index)


def read_state(path: Path, *, check: bool = True) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and metadata of the resumable state of the run at ``path``.

    It is compared with the checksums in the index if ``check``. Raises :class:`InputError`.
    """
    file = path / RESUME
    try:
        if check:
            check_stored(file, [entry for entry in read_index(path).resume if entry is not None])
        arrays, text = tensors.load(file)
        return arrays, _state_metadata(text)
    except (DamagedFile, OSError) as error:
        raise read_error(file, error) from error


def _state_metadata(text: str) -> dict[str, Any]:
    try:
        metadata = layout.parse_object(text.encode())
        layout.epoch_number(metadata.get("epoch"))
    except (DamagedFile, InputError) as error:
        raise DamagedFile("its metadata does not say from which epoch it goes on") from error
    return metadata


def read_documents(path: Path) -> tuple[dict[str, Any], layout.Index]:
    """The facts, including ``format``, and the index of a run; raises as :func:`open_run`."""
    file = path / RUN
    try:
        data = layout.read_regular(file)
        layout.check_format(path, data, indent=2)
        facts = layout.decode_facts(data)
        file = path / INDEX
        index = read_index(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        if file.name == INDEX:
            raise read_error(file, error) from error
        raise InputError(
            f"{path}/: there is no run there (no {RUN}); give the folder of a run, "
            f"or make one: grokviz train RECIPE --out {path}"
        ) from error
    except (DamagedFile, OSError) as error:
        raise read_error(file, error) from error
    return facts, index


def read_error(file: Path, error: Exception) -> InputError:
    """The ``InputError`` that explains why a file of a run cannot be used."""
    if isinstance(error, FileNotFoundError):
        what = "is missing"
    elif isinstance(error, DamagedFile):
        file, what = error.file or file, f"is damaged: {error}"
    elif isinstance(error, OSError):
        what = f"cannot be read ({error.strerror or error})"
    else:
        what = "is damaged: it does not hold what the run's other checkpoints hold"
    return InputError(f"{file} {what}; restore it from a copy, or write the run again")
