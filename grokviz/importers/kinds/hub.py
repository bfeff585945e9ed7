"""A model on the Hugging Face hub, ``hf://OWNER/NAME``, whose revisions are the steps of a run.

Only safetensors files are read, and of them only the bytes of the tensors that are asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from grokviz.errors import InputError
from grokviz.importers import evidence
from grokviz.importers.contract import Belief, Checkpoints, Hints, Importer, RunContents, Source
from grokviz.importers.reading.hub import Repository, Revision
from grokviz.importers.reading.steps import read_steps
from grokviz.importers.reading.values import Unreadable
from grokviz.importers.weights import OWN, keeps_names, matching, read_weights
from grokviz.runs import tensors

SCHEME = "hf:"
MOST_AT_ONCE = 1 << 28
"""Bytes of tensors side by side that are asked for at once."""

_WHOLE, _INDEX, _CONFIG = "model.safetensors", "model.safetensors.index.json", "config.json"


class _Place(NamedTuple):
    """Where a tensor lies in a file."""

    file: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def _recognises(source: Source) -> bool:
    return source.path.parts[:1] == (SCHEME,) and len(source.path.parts) == 3


def _read(source: Source, hints: Hints) -> list[RunContents]:
    _, owner, address = source.path.parts
    name, _, wanted = address.partition("@")
    repository = Repository(owner, name)
    steps, beliefs = _steps(repository, wanted or hints.revisions)
    revisions = list(steps)
    config = _config(repository, revisions[-1])
    title = Path(repository.title)
    last, sizes, layout = read_weights(
        _tensors(repository, revisions[-1], hints.only), title, hints
    )
    run = evidence.run_contents(source.name, {"config": config}, hints, sizes, last, layout)
    if keeps_names(layout):
        hints = replace(hints, layout=OWN)

    def read(i: int) -> dict[str, np.ndarray]:
        state = _tensors(repository, revisions[i], hints.only)
        weights = read_weights(state, title / revisions[i].name, hints)[0]
        if weights.keys() != last.keys():
            odd = sorted(weights.keys() ^ last.keys())[0]
            raise InputError(
                f"not all revisions of {repository.title} have {odd}, {revisions[i].name} is one "
                "that differs; leave it out with --only, or choose revisions with "
                "--set revisions=PATTERN"
            )
        return weights

    run.checkpoints, run.counts = Checkpoints(list(steps.values()), read), "step"
    run.config = {**run.config, "hub": {r.name: r.commit for r in revisions}}
    run.beliefs += beliefs
    run.finish = repository.forget
    return [run]


def _steps(repository: Repository, wanted: str | None) -> tuple[dict[Revision, int], list[Belief]]:
    """The step of each revision, in order; those without one are left out, unless none has one."""
    revisions = {revision.name: revision for revision in repository.revisions()}
    selected = matching(revisions, wanted) if wanted else list(revisions)
    if not selected:
        names = ", ".join(list(revisions)[:8])
        raise InputError(f"{repository.title} has no revision {wanted}; there are {names}")
    reading = read_steps(selected)
    if reading.same:
        first, second = reading.same
        raise InputError(
            f"{first} and {second} of {repository.title} are both of the same step; choose "
            "revisions with --set revisions=PATTERN"
        )
    if not reading.steps:
        name = selected[0] if len(selected) == 1 else "main"
        if name not in selected:
            raise InputError(
                f"no revision of {repository.title} has a step in its name ({selected[0]}); choose "
                "one with --set revisions=NAME"
            )
        return {revisions[name]: 0}, [Belief("epoch", 0, f"nothing says the step of {name}")]
    steps = dict(sorted(reading.steps.items(), key=lambda item: item[1]))
    beliefs = [Belief("steps", f"{len(steps)} revisions", reading.because)]
    beliefs += [
        Belief("left out", name, "it has no step in its name")
        for name in selected
        if name not in steps
    ]
    return {revisions[name]: step for name, step in steps.items()}, beliefs[:20]


def _config(repository: Repository, revision: Revision) -> Mapping[str, Any]:
    if _CONFIG not in repository.files(revision.commit):
        return {}
    content = repository.document(revision.commit, _CONFIG)
    return content if isinstance(content, Mapping) else {}


def _tensors(repository: Repository, revision: Revision, only: str | None) -> dict[str, Any]:
    """The tensors of a revision whose names match, read by ranges."""
    takes = _taker(only)
    places = [
        place
        for file in _files(repository, revision, takes)
        for place in _places(repository, revision, file, takes)
    ]
    state: dict[str, Any] = {}
    for together in _side_by_side([place for place in places if tensors.is_readable(place.dtype)]):
        first, last = together[0], together[-1]
        data = repository.bytes_of(revision.commit, first.file, first.start, last.stop)
        for place in together:
            part = data[place.start - first.start : place.stop - first.start]
            state[place.name] = tensors.array_of(part, place.dtype, place.shape)
    for place in places:
        reason = f"it holds {place.dtype} and not plain numbers"
        state.setdefault(place.name, Unreadable(reason))
    return state


def _taker(only: str | None) -> Callable[[str], bool]:
    """Whether a tensor of this name is read."""
    return lambda name: only is None or bool(matching([name], only))


def _files(repository: Repository, revision: Revision, takes: Callable[[str], bool]) -> list[str]:
    """The files that hold tensors which are read."""
    files = repository.files(revision.commit)
    if _WHOLE in files:
        return [_WHOLE]
    if _INDEX not in files:
        raise InputError(
            f"{revision.name} of {repository.title} has no {_WHOLE}; download it, and import the "
            "folder"
        )
    content = repository.document(revision.commit, _INDEX)
    table = content.get("weight_map") if isinstance(content, Mapping) else None
    if not isinstance(table, Mapping) or not set(map(str, table.values())) <= set(files):
        raise InputError(f"{_INDEX} of {repository.title} does not say which file holds what")
    return sorted({file for name, file in table.items() if takes(name)})


def _places(
    repository: Repository, revision: Revision, file: str, takes: Callable[[str], bool]
) -> list[_Place]:
    """Where the tensors that are read lie in a file, in their order."""
    header, begin = repository.header(revision.commit, file)
    header.pop("__metadata__", None)
    places = []
    for name in filter(takes, header):
        try:
            entry = header[name]
            shape = tuple(int(size) for size in entry["shape"])
            start, stop = (int(at) for at in entry["data_offsets"])
            dtype = str(entry["dtype"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{file} of {repository.title} has a damaged header") from error
        readable = tensors.is_readable(dtype)
        size = math.prod(shape) * tensors.size_of(dtype) if readable else stop - start
        if min(start, size, *shape) < 0 or stop - start != size:
            raise InputError(f"{name} in {file} of {repository.title} lies about its size")
        places.append(_Place(file, name, dtype, shape, begin + start, begin + stop))
    return sorted(places, key=lambda place: place.start)


def _side_by_side(places: Sequence[_Place]) -> Iterable[list[_Place]]:
    """Tensors that lie side by side in a file, together."""
    group: list[_Place] = []
    for place in places:
        follows = group and place.file == group[-1].file and place.start == group[-1].stop
        if group and not (follows and place.stop - group[0].start <= MOST_AT_ONCE):
            yield group
            group = []
        group.append(place)
    if group:
        yield group


IMPORTER = Importer(
    "hub",
    "a model on the Hugging Face hub, hf://OWNER/NAME, its revisions as steps",
    _recognises,
    _read,
    order=0,
    unopened=True,
)
