"""Random changes of good files: each is read, or refused in one sentence, and runs nothing."""

from __future__ import annotations

import gc
import hashlib
import io
import json
import logging
import pickle
import random
import shutil
import struct
import warnings
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from grokviz import cli
from grokviz.errors import GrokvizError
from tests.torture.common import TRAIN, Torture, Workshop, in_child, require

BATCH = 1000
"""Mutants of one process, in which a crash is seen."""

ANALYSED = 20
"""Of so many mutants of an index one is not only read, but measured."""

CANARY = "it-ran"
KINDS = ("pickles", "run.json resealed", "index.json resealed", "NetCDF", "safetensors")
Mutate = Callable[[random.Random], bytes]


def run(torture: Torture, workshop: Workshop) -> None:
    place = torture.place()
    workshop.copy_to(place)
    work = place / "work"
    run = work / "small"
    trained = [*TRAIN[:-4], "--epochs", "2", "--checkpoint-every", "2", "--out", str(run), "-q"]
    require(cli.run(trained) == 0, "cannot train a run of two checkpoints")
    for kind, (make, read) in {
        "safetensors": (_safetensors(work), _import),
        "pickles": (_pickles(work), _import),
        "index.json resealed": (_document(run / "index.json", None), _open_run(run / "index.json")),
        "run.json resealed": (_document(run / "run.json", 2), _open_run(run / "run.json")),
        "NetCDF": (_netcdf(work), _netcdf_read),
    }.items():
        if torture.only not in ("", kind):
            continue
        tally, total, first = torture.tally(f"mutants: {kind}"), torture.count(40, 20_000), 0
        if total > BATCH:
            with suppress(GrokvizError):  # so that its processes have all imported
                read(work, make(torture.random))
        while len(tally.points) < total and first < 3 * total:  # some come twice
            last = first + min(BATCH, total - len(tally.points))
            _batch(torture, place, kind, (make, read), range(first, last))
            first = last
    shutil.rmtree(place)


def _batch(
    torture: Torture,
    place: Path,
    kind: str,
    functions: tuple[Mutate, Callable[[Path, bytes], None]],
    numbers: range,
) -> None:
    make, read = functions
    tally = torture.tally(f"mutants: {kind}")

    def work() -> int:
        logging.disable()
        warnings.simplefilter("ignore")
        for number in numbers:
            mutant = make(random.Random(f"{torture.seed} {kind} {number}"))
            digest = hashlib.sha256(mutant).hexdigest()[:16]
            print(number, digest, end=" ", flush=True)
            try:
                read(place / "work", mutant)
                outcome = "read"
            except GrokvizError as error:
                require("\n" not in str(error), f"more than one line: {error}")
                outcome = "refused"
            print(outcome)
        gc.collect()
        return 0

    result = in_child(place, work, limit=600)
    lines = [line.split() for line in result.out.splitlines()]
    for line in lines:
        if len(line) == 3:
            tally.add(line[1], line[2])
    with torture.trial(f"mutants of {kind}", f"number {lines[-1][0] if lines else numbers[0]}"):
        require(result.status == 0, f"status {result.status}: {result.err[-1500:]}")
        require(not (place / "work" / CANARY).exists(), "a file that was read has run something")


def scramble(data: bytes, chance: random.Random) -> bytes:
    """The bytes with a few flipped, cut, doubled, moved or replaced."""
    out = bytearray(data)
    for _ in range(chance.choice([1, 1, 1, 2, 4, 8])):
        at = chance.randrange(len(out) or 1)
        match chance.randrange(6):
            case 0 | 1:
                out[at : at + 1] = bytes([chance.randrange(256)])
            case 2:
                del out[at : at + chance.choice([1, 2, 8, 64])]
            case 3:
                out[at:at] = out[at : at + chance.choice([1, 4, 16, 200])]
            case 4:
                out[at : at + 8] = struct.pack("<Q", chance.choice([0, 1, 2**31, 2**62, 2**64 - 1]))
            case 5:
                del out[at if chance.random() < 0.2 else len(out) :]
        if not out:
            out += b"\0"
    return bytes(out)


def _safetensors(work: Path) -> Mutate:
    good = (work / "run" / "checkpoints" / "2.safetensors").read_bytes()
    size = int.from_bytes(good[:8], "little")
    header, data = good[8 : 8 + size], good[8 + size :]

    def make(chance: random.Random) -> bytes:
        if chance.random() < 0.3:
            return scramble(good, chance)
        if chance.random() < 0.5:  # a header that is JSON still
            text = json.dumps(_changed(json.loads(header), chance)).encode()
        else:
            text = scramble(header, chance)
        return struct.pack("<Q", len(text)) + text + data

    return make


class _Hostile:
    def __reduce__(self) -> Any:
        return eval, (f"open({CANARY!r}, 'w').close()",)


def _pickles(work: Path) -> Mutate:
    good = (work / "state.pth").read_bytes()
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    name = next(name for name in parts if name.endswith("data.pkl"))
    evil = [pickle.dumps(_Hostile(), protocol)[:-1] for protocol in range(6)]

    def make(chance: random.Random) -> bytes:
        if chance.random() < 0.2:
            return scramble(good, chance)
        content = parts[name]
        if chance.random() < 0.5:
            at = chance.randrange(2, len(content))
            content = content[:at] + chance.choice(evil) + content[at:]
        if chance.random() < 0.7:
            content = scramble(content, chance)
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w") as archive:
            for part, data in parts.items():
                archive.writestr(part, content if part == name else data)
        return memory.getvalue()

    return make


VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1.5, 2**31, 2**53, 2**63, 10**400, float("inf"), float("nan"), "", "x" * 300,
    "../../x", "a\0b", "\ud800", [], {}, [[]], {"": {}}, "0" * 64, "\x1b[2J", -(2**62), 1e308,
)  # fmt: skip


def _value(old: Any, chance: random.Random) -> Any:
    """A value in the place of another: a known one, a number of any size, or a changed text."""
    match chance.randrange(4):
        case 0:
            return chance.choice(VALUES)
        case 1:
            return chance.randrange(2 ** chance.randrange(1, 70)) * chance.choice([1, -1])
        case 2:
            return chance.uniform(-1, 1) * 10.0 ** chance.randrange(-300, 300)
    if isinstance(old, int):
        return old ^ 1 << chance.randrange(20)
    return scramble(str(old).encode("utf-8", "replace"), chance).decode("latin-1")


def _changed(value: Any, chance: random.Random, *, whole: bool = False) -> Any:
    """A JSON value with one of its parts replaced, removed or doubled, unless it is the whole."""
    inner = isinstance(value, (dict, list)) and len(value) > 0
    if not inner or (chance.random() < 0.25 and not whole):
        return _value(value, chance)
    if isinstance(value, dict):
        key = chance.choice(list(value))
        match chance.randrange(8):
            case 0:
                return {k: v for k, v in value.items() if k != key}
            case 1:
                return {**value, str(chance.choice(VALUES))[:300]: value[key]}
            case _:
                return {**value, key: _changed(value[key], chance)}
    at = chance.randrange(len(value))
    match chance.randrange(6):
        case 0:
            return value[:at] + value[at + 1 :]
        case 1:
            return [*value, value[at]]
        case _:
            return [*value[:at], _changed(value[at], chance), *value[at + 1 :]]


def _document(file: Path, indent: int | None) -> Mutate:
    from grokviz.runs import layout

    content = layout.decode_document(file.read_bytes(), indent)

    def make(chance: random.Random) -> bytes:
        changed = content
        for _ in range(chance.choice([1, 1, 2, 3])):
            changed = _changed(changed, chance, whole=True) or content
        return layout.encode_document(changed, indent)

    return make


def _netcdf(work: Path) -> Mutate:
    import xarray as xr

    from grokviz.dataset import cache

    values = xr.Dataset({"x": ("epoch", np.arange(3.0))}, coords={"epoch": np.arange(3)})
    good = cache.encode(values)
    return lambda chance: scramble(good, chance)


def _replace(file: Path, data: bytes) -> None:
    """Write a file anew: to cut an old one makes ext4 wait for the disk."""
    file.unlink(missing_ok=True)
    file.write_bytes(data)


def _import(work: Path, data: bytes) -> None:
    from grokviz.importers.choice import read_file

    file = work / "mutant.pth"
    _replace(file, data)
    _, _, runs = read_file(file)
    for content in runs:
        for _ in content.checkpoints:
            pass


def _open_run(file: Path) -> Callable[[Path, bytes], None]:
    good = file.read_bytes()

    def read(work: Path, data: bytes) -> None:
        from grokviz.dataset.measured import with_headings
        from grokviz.runs import info, open_run, verify_run

        _replace(file, data)
        try:
            verify_run(file.parent)
            run = open_run(file.parent)
            info(run)
            for _ in run.iter_weights():
                pass
            for metric in run.metrics:
                run.metric(metric)
            # what facts mean to a task is not tried
            if file.name == "index.json" and hashlib.sha256(data).digest()[0] % ANALYSED == 0:
                with_headings(str(file.parent), "last")
        finally:
            _replace(file, good)

    return read


def _netcdf_read(work: Path, data: bytes) -> None:
    from grokviz.dataset.references.reference import load

    file = work / "mutant.nc"
    _replace(file, data)
    load(str(file))
