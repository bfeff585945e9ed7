"""The contract of an importer: its inputs and its results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, overload

import numpy as np
from jaxtyping import Float, Int

from grokviz import plugins
from grokviz.options import choice, option, whole

Checkpoint = tuple[int, dict[str, np.ndarray]]


class Checkpoints(Sequence[Checkpoint]):
    """A lazy sequence of checkpoints, because a complete published run takes 450 MB."""

    def __init__(self, epochs: Sequence[int], read: Callable[[int], dict[str, np.ndarray]]) -> None:
        self.epochs, self._read = list(epochs), read

    def __len__(self) -> int:
        return len(self.epochs)

    @overload
    def __getitem__(self, i: int) -> Checkpoint: ...
    @overload
    def __getitem__(self, i: slice) -> Sequence[Checkpoint]: ...
    def __getitem__(self, i: int | slice) -> Checkpoint | Sequence[Checkpoint]:
        """The ``i``-th epoch and its state, read again at each access."""
        if isinstance(i, slice):
            return [self[k] for k in range(len(self))[i]]
        k = range(len(self))[i]
        return self.epochs[k], self._read(k)


class Curve(NamedTuple):
    """The epochs and values of one metric."""

    epochs: Int[np.ndarray, " records"]
    values: Float[np.ndarray, " records"]


@dataclass(frozen=True)
class Belief:
    """A fact that is inferred rather than stated by a file, with the reason."""

    what: str
    value: Any
    because: str

    def __str__(self) -> str:
        value = f"{self.value:g}" if isinstance(self.value, float) else self.value
        return f"{self.what} {value}: {self.because}"

    def as_dict(self) -> dict[str, Any]:
        """JSON values, for ``run.json``."""
        return {"what": self.what, "value": self.value, "because": self.because}


@dataclass(frozen=True)
class Hints:
    """Facts from the user that a file may not state itself."""

    task: str | None = option(None, "what the model learnt: the name of a task")
    epoch: int | None = option(None, "the epoch of a single model's weights", whole(0))
    test_every: int | None = option(None, "how many epochs lie between two test losses", whole(1))
    layout: str | None = option(
        None, "own to keep the names and shapes of the file's tensors", choice("own")
    )
    map: str | None = option(None, "names for its tensors, theirs=ours, as --map gives them")
    only: str | None = option(None, "patterns of the names of tensors, as --only gives them")
    revisions: str | None = option(None, "patterns of a hub's revisions, such as step*000")


@dataclass(frozen=True)
class Source:
    """A file that was opened safely, or a folder not yet opened.

    ``data`` is the content of a file: mappings, lists, numbers, text, tensors and arrays, and
    no code. It is None for a folder, and for an importer that opens files itself.
    ``header_epoch`` is the epoch in the file's header, if it has one. ``title`` is what the file
    is called where its own name does not say enough, as in a folder of checkpoints.
    """

    path: Path
    sha256: str = ""
    data: Any = None
    header_epoch: int | None = None
    title: str = ""
    stubs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The file's name, and that of its folder where that is imported."""
        return self.title or self.path.name

    @property
    def is_folder(self) -> bool:
        """Whether this is a folder of checkpoints."""
        return self.path.is_dir()


@dataclass
class RunContents:
    """The contents of one run in a file.

    ``member`` names the run if the file holds several. ``settings`` have the recipes' keys and
    are not checked yet; ``fixed`` names those that the weights' shapes prove. ``checkpoints`` are
    in order of epochs. ``config`` is the file's own configuration. ``epoch_is_stated`` is whether
    the file itself, and not only its name, says of which epoch its weights are. ``counts`` is
    ``step`` or ``epoch``, what its clock counts, or "" to leave that to the task. ``finish`` is
    called once the run is written.
    """

    member: str = ""
    task: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    curves: dict[str, Curve] = field(default_factory=dict)
    checkpoints: Sequence[Checkpoint] = ()
    beliefs: list[Belief] = field(default_factory=list)
    config: Mapping[str, Any] = field(default_factory=dict)
    epoch_is_stated: bool = True
    counts: str = ""
    finish: Callable[[], None] = lambda: None


def is_address(path: Path) -> bool:
    """Whether a path is an address such as ``hf://OWNER/NAME``, of which Path keeps one slash."""
    scheme = path.parts[0] if len(path.parts) > 1 else ""
    return scheme.endswith(":") and len(scheme) > 2


@dataclass(frozen=True)
class Importer:
    """One kind of file.

    Attributes:
        name: its short name.
        title: a short description of such files.
        recognises: whether a source is of this kind. It reads no other file, raises nothing,
            and may be approximate.
        read: returns the runs in a source, one for most kinds. Every fact that the file does not
            state, and the choice between contradicting statements, is a :class:`Belief`. Wrong,
            missing or non-finite numbers raise an ``InputError`` that names the file, the tensor
            and a remedy.
        order: importers are tried in this order; a user's come before the built-in ones.
        unopened: whether it opens ``path`` itself; it is asked before any other, with no ``data``,
            and also about addresses such as ``hf://OWNER/NAME``.
        patterns: what the names of such files look like in a folder of a run, as ``*.csv``.

    """

    name: str
    title: str
    recognises: Callable[[Source], bool]
    read: Callable[[Source, Hints], list[RunContents]]
    order: int = 0
    unopened: bool = False
    patterns: tuple[str, ...] = ()


def _members(module: ModuleType) -> dict[str, Importer]:
    return {value.name: value for value in vars(module).values() if isinstance(value, Importer)}


IMPORTERS = plugins.PluginKind("importer", "grokviz.importers", "grokviz.importers.kinds", _members)
