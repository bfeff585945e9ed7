"""What an importer is given and what it hands back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, overload

import numpy as np
from jaxtyping import Float, Int

from grokviz import plugins
from grokviz.options import option, whole

Checkpoint = tuple[int, dict[str, np.ndarray]]


class Checkpoints(Sequence[Checkpoint]):
    """Checkpoints that are read when they are asked for: a published run is 450 MB whole."""

    def __init__(self, epochs: Sequence[int], read: Callable[[int], dict[str, np.ndarray]]) -> None:
        self.epochs, self._read = list(epochs), read

    def __len__(self) -> int:
        return len(self.epochs)

    @overload
    def __getitem__(self, i: int) -> Checkpoint: ...
    @overload
    def __getitem__(self, i: slice) -> Sequence[Checkpoint]: ...
    def __getitem__(self, i: int | slice) -> Checkpoint | Sequence[Checkpoint]:
        """The ``i``-th epoch and its state; read anew each time."""
        if isinstance(i, slice):
            return [self[k] for k in range(len(self))[i]]
        k = range(len(self))[i]
        return self.epochs[k], self._read(k)


class Curve(NamedTuple):
    """One metric on its own clock."""

    epochs: Int[np.ndarray, " records"]
    values: Float[np.ndarray, " records"]


@dataclass(frozen=True)
class Belief:
    """A fact that a file does not state plainly: what is believed, and why."""

    what: str
    value: Any
    because: str

    def __str__(self) -> str:
        value = f"{self.value:g}" if isinstance(self.value, float) else self.value
        return f"{self.what} {value}: {self.because}"

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for ``run.json``."""
        return {"what": self.what, "value": self.value, "because": self.because}


@dataclass(frozen=True)
class Hints:
    """What the user says about a file that the file may not say itself."""

    task: str | None = option(None, "what the model learnt: the name of a task")
    epoch: int | None = option(None, "the epoch of a single model's weights", whole(0))
    test_every: int | None = option(None, "how many epochs lie between two test losses", whole(1))


@dataclass(frozen=True)
class Source:
    """A file that was opened safely, or a folder that was not opened yet.

    ``data`` is what a file held: mappings, lists, numbers, text, tensors and arrays, and
    nothing that could run. It is None for a folder, and for a file
    of an unknown kind. ``told`` is an epoch that the file's own header gives.
    """

    path: Path
    sha256: str = ""
    data: Any = None
    told: int | None = None

    @property
    def is_folder(self) -> bool:
        """Whether this is a folder of checkpoints."""
        return self.path.is_dir()


@dataclass
class Found:
    """One run that a file holds.

    ``member`` names it where a file holds several. ``settings`` are in the recipes' words
    and not checked yet; ``fixed`` names those that the weights' shapes prove. ``checkpoints`` are
    in order of epochs. ``config`` is what the file says in its own words.
    """

    member: str = ""
    task: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    curves: dict[str, Curve] = field(default_factory=dict)
    checkpoints: Sequence[Checkpoint] = ()
    beliefs: list[Belief] = field(default_factory=list)
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Importer:
    """One kind of file.

    Attributes:
        name: a word for it.
        title: what such a file is, in a few words.
        recognises: looks at a source and says whether it is of this kind. It reads no further
            file, raises nothing, and is content with an approximate look.
        read: gives the runs in it, one for most kinds. What it took from anywhere but a plain
            statement of the file, and which of two contradicting statements it took, is a
            :class:`Belief`. Wrong, missing or not finite numbers are an ``InputError`` that names
            the file, the tensor and a remedy.
        order: the first that recognises a source has it; a user's come before ours.
        unopened: whether it is asked about files, too, that are neither PyTorch's nor
            safetensors; their ``data`` is None, and it opens ``path`` itself.

    """

    name: str
    title: str
    recognises: Callable[[Source], bool]
    read: Callable[[Source, Hints], list[Found]]
    order: int = 0
    unopened: bool = False


def _members(module: ModuleType) -> dict[str, Importer]:
    return {value.name: value for value in vars(module).values() if isinstance(value, Importer)}


IMPORTERS = plugins.PluginKind("importer", "grokviz.importers", "grokviz.importers.kinds", _members)
