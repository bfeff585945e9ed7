"""The reading end of a run directory: lazy, in plain numpy, never past the index."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from grokviz.errors import InputError, nearest
from grokviz.runs import layout, metrics, tensors
from grokviz.runs.checksums import check_once
from grokviz.runs.layout import INDEX, RESUME, RUN, Damaged
from grokviz.runs.verify import Problem, verify_run


class Run:
    """A run as its index stood when it was opened; made by :func:`open_run`.

    ``facts`` is what ``run.json`` says, ``epochs`` the checkpointed epochs in ascending
    order, ``finished`` whether training came to its end.
    """

    path: Path
    name: str
    facts: Mapping[str, Any]
    epochs: Int[np.ndarray, " checkpoints"]
    finished: bool

    def __init__(self, path: Path, facts: Mapping[str, Any], index: layout.Index) -> None:
        self.path, self.facts, self._index = path, MappingProxyType(dict(facts)), index
        self.name = str(facts.get("name") or path.resolve().name)
        self.epochs = np.array(sorted(index.checkpoints), dtype=np.int64)
        self.finished = index.finished

    @property
    def checksum(self) -> str:
        """SHA-256 of what the run is: its facts, checkpoints and metrics.

        Equal for copies wherever they lie; when and by which command the run was made does
        not enter it, nor does the state for resuming.
        """
        facts = {k: v for k, v in self.facts.items() if k not in layout.CREATION_FACTS}
        content = [
            facts,
            [[e, s.sha256] for e, s in sorted(self._index.checkpoints.items())],
            [[n, r.records, r.sha256] for n, r in sorted(self._index.metrics.items())],
        ]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics, sorted."""
        return sorted(self._index.metrics)

    def checksum_of(self, epoch: int) -> str:
        """SHA-256 of the file of a checkpoint, as the index has it."""
        return self._index.checkpoints[self._checkpointed(epoch)].sha256

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process as the run stood when it was opened here."""
        return (Run, (self.path, dict(self.facts), self._index))

    def metric(
        self, name: str
    ) -> tuple[Int[np.ndarray, " records"], Float[np.ndarray, " records"]]:
        """Epochs and values of a metric; :class:`InputError` names the nearest one."""
        records = self.records(name, check=True)
        return records[:, 0].astype(np.int64), records[:, 1].copy()

    def records(self, name: str, *, check: bool = False) -> Float[np.ndarray, "records 2"]:
        """A metric's (epoch, value) as stored; ``check`` compares the checksum, too."""
        entry = self._index.metrics.get(name)
        if entry is None:
            raise InputError(f"{self.path} has no metric {name!r}; {nearest(name, self.metrics)}")
        file = self.path / layout.metric_file(name)
        try:
            return metrics.decode(metrics.read(file, entry, check=check))
        except (Damaged, OSError) as error:
            raise damaged(file, error) from error

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every parameter, by its name in the state dict; empty without checkpoints."""
        if not self.epochs.size:
            return {}
        with self._open(int(self.epochs[0])) as file:
            return {name: slot.shape for name, slot in file.slots.items()}

    def weights(self, epoch: int) -> dict[str, np.ndarray]:
        """All parameters at one checkpoint; :class:`InputError` names the nearest epochs."""
        with self._open(self._checkpointed(epoch)) as file:
            return file.read()

    def iter_weights(
        self, epochs: Iterable[int] | None = None, names: Iterable[str] | None = None
    ) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
        """``(epoch, parameters)`` of each checkpoint, reading only the named parameters."""
        wanted = None if names is None else [self._named(name) for name in names]
        clock = self.epochs if epochs is None else epochs
        for epoch in [self._checkpointed(epoch) for epoch in clock]:
            with self._open(epoch) as file:
                arrays = file.read(wanted)
            yield epoch, arrays

    def parameter(self, name: str, epochs: Iterable[int] | None = None) -> np.ndarray:
        """One parameter along the run, ``(n_epochs, *shape)``, by ranged reads."""
        clock = [self._checkpointed(e) for e in (self.epochs if epochs is None else epochs)]
        shape = self.shapes()[self._named(name)]
        out: np.ndarray | None = None
        for i, epoch in enumerate(clock):
            with self._open(epoch) as file:
                array = file.read([name])[name]
            if out is None:
                out = np.empty((len(clock), *shape), dtype=array.dtype)
            out[i] = array
        return np.empty((0, *shape), dtype=np.float32) if out is None else out

    def verify(self) -> list[Problem]:
        """Problems of the files on the disk now; empty for a sound run."""
        return verify_run(self.path)

    def _checkpointed(self, epoch: int) -> int:
        number = layout.whole(epoch)
        if number in self._index.checkpoints:
            return number
        if not self.epochs.size:
            raise InputError(f"{self.path} has no checkpoints yet; train it further")
        at = int(np.searchsorted(self.epochs, number))
        close = " and ".join(str(e) for e in self.epochs[max(at - 1, 0) : at + 1])
        raise InputError(f"{self.path} has no checkpoint of epoch {number}; the nearest: {close}")

    def _named(self, name: str) -> str:
        names = list(self.shapes())
        if name not in names:
            raise InputError(f"{self.path} has no parameter {name!r}; {nearest(name, names)}")
        return name

    @contextlib.contextmanager
    def _open(self, epoch: int) -> Iterator[tensors.TensorFile]:
        """An open checkpoint; inside the block, damage becomes a sentence naming its file."""
        path = self.path / layout.checkpoint_file(epoch)
        try:
            check_once(path, self._index.checkpoints[epoch])
            with tensors.TensorFile(path) as file:
                yield file
        except (Damaged, OSError, KeyError) as error:
            raise damaged(path, error) from error

    def __repr__(self) -> str:
        span = f", epochs {self.epochs[0]} to {self.epochs[-1]}" if self.epochs.size else ""
        state = "finished" if self.finished else "unfinished"
        return f"Run({self.name!r}: {len(self.epochs)} checkpoints{span}, {state})"


def open_run(path: str | Path) -> Run:
    """The run in the folder ``path``.

    Raises :class:`InputError` when there is no run, when it was written in a newer format,
    or when ``run.json`` or ``index.json`` is damaged.
    """
    path = Path(path)
    facts, index = read_documents(path)
    return Run(path, {k: v for k, v in facts.items() if k != "checksum"}, index)


def read_state(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and metadata of the state from which the run at ``path`` goes on."""
    file = path / RESUME
    try:
        arrays, text = tensors.load(file)
        return arrays, _state_metadata(text)
    except (Damaged, OSError) as error:
        raise damaged(file, error) from error


def _state_metadata(text: str) -> dict[str, Any]:
    try:
        metadata = layout.parse(text.encode())
        layout.whole(metadata.get("epoch"))
    except (Damaged, InputError) as error:
        raise Damaged("its metadata does not say from which epoch it goes on") from error
    return metadata


def read_documents(path: Path) -> tuple[dict[str, Any], layout.Index]:
    """The facts (``format`` among them) and the index of a run; raises as :func:`open_run`."""
    file = path / RUN
    try:
        data = file.read_bytes()
        layout.refuse_newer(path, layout.parse(data))
        facts = layout.decode_facts(data)
        file = path / INDEX
        data = file.read_bytes()
        layout.refuse_newer(path, layout.parse(data))
        index = layout.Index.decode(data)
    except (FileNotFoundError, NotADirectoryError) as error:
        if file.name == INDEX:
            raise damaged(file, error) from error
        raise InputError(
            f"{path}/: there is no run there (no {RUN}); give the folder of a run, "
            f"or make one: grokviz train RECIPE --out {path}"
        ) from error
    except (Damaged, OSError) as error:
        raise damaged(file, error) from error
    return facts, index


def damaged(file: Path, error: Exception) -> InputError:
    """A file of a run that cannot be used, as a sentence."""
    if isinstance(error, FileNotFoundError):
        what = "is missing"
    elif isinstance(error, Damaged):
        what = f"is damaged: {error}"
    elif isinstance(error, OSError):
        what = f"cannot be read ({error.strerror or error})"
    else:
        what = "is damaged: it does not hold what the run's other checkpoints hold"
    return InputError(f"{file} {what}; restore it from a copy, or write the run again")
