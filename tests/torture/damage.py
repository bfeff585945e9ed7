"""Every file of a run, damaged in every way: named by verify, refused by reading, and mended."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from grokviz.errors import InputError
from grokviz.runs import RunWriter, open_run, verify_run
from grokviz.runs.snapshot import read_snapshot
from tests.torture.common import Torture, Workshop, require


def run(torture: Torture, workshop: Workshop) -> None:
    tally = torture.tally("damage of a run")
    place = torture.place()
    workshop.copy_to(place)
    path = place / "work" / "run"
    clean = results(path)
    files = [f for f in sorted(path.rglob("*")) if f.is_file() and f.name != ".lock"]
    for file in files:
        name = file.relative_to(path).as_posix()
        others = [other for other in files if other.suffix == file.suffix and other != file]
        data = file.read_bytes()
        for kind, damage in ways(torture, file, data, others):
            with torture.trial("damage", f"{name}, {kind}"):
                damage()
                # records after those that the index counts are named in a note, and not read
                beyond = kind in ("appended", "doubled") and name.startswith("metrics/")
                try:
                    outcome = _verified(path, name, beyond)
                    if not beyond:
                        read = resumed if name == "resume.safetensors" else results
                        require(refused(read, path), "reading uses it")
                finally:
                    _remove(file)
                    file.write_bytes(data)
                require(results(path) == clean, "restored, its results are others")
                tally.add((name, kind), outcome)
    shutil.rmtree(place)


def _verified(path: Path, name: str, beyond: bool) -> str:
    """Raise Loss unless verify names the file; what came of it, in words."""
    named = [p.file for p in verify_run(path) if beyond or not p.note]
    require(name in named, f"verify names {named or 'nothing'}")
    return "named and refused" if not beyond else "named in a note"


def ways(
    torture: Torture, file: Path, data: bytes, others: list[Path]
) -> Iterator[tuple[str, Callable[[], object]]]:
    """The ways to damage a file, each with the bytes of one class that it flips, or its name."""

    def write(content: bytes) -> Callable[[], object]:
        return lambda: file.write_bytes(content)

    for at in sorted(torture.random.sample(range(len(data)), min(len(data), _flips(torture)))):
        flipped = bytearray(data)
        flipped[at] ^= 1 << torture.random.randrange(8)
        yield f"byte {at} flipped", write(bytes(flipped))
    for part in ("0%", "50%", "99%"):
        yield f"cut to {part}", write(data[: len(data) * int(part[:-1]) // 100])
    yield "zeroed", write(bytes(len(data)))
    yield "doubled", write(data * 2)
    yield "appended", write(data + b"\0" * 16)
    if others and (other := torture.random.choice(others)).read_bytes() != data:
        yield f"swapped for {other.name}", write(other.read_bytes())

    def link(to: str) -> Callable[[], None]:
        def damage() -> None:
            file.unlink()
            file.symlink_to(to)

        return damage

    def folder() -> None:
        file.unlink()
        file.mkdir()

    yield "a link to nothing", link("nowhere")
    yield "a link to itself", link(file.name)
    yield "a link to a device", link("/dev/zero")
    yield "a link to a folder", link("/")
    if others:
        yield f"a link to {others[0].name}", link(str(others[0]))
    yield "a folder", folder
    yield "missing", file.unlink


def _flips(torture: Torture) -> int:
    return torture.count(4, 150)


def _remove(file: Path) -> None:
    if file.is_dir() and not file.is_symlink():
        file.rmdir()
    else:
        file.unlink(missing_ok=True)


def results(path: Path) -> list[tuple[object, ...]]:
    """Everything that a run's reading gives, as bytes."""
    run = open_run(path)
    weights = [
        (int(epoch), name, np.asarray(array).tobytes())
        for epoch, state in run.iter_weights()
        for name, array in sorted(state.items())
    ]
    curves = [(name, *(np.asarray(a).tobytes() for a in run.metric(name))) for name in run.metrics]
    return [*weights, *curves, (run.checksum,)]


def resumed(path: Path) -> None:
    """Go on with a run from its state, and read it for another machine."""
    require(refused(read_snapshot, path), "it is sent as it is")
    RunWriter.resume(path).close()


def refused(read: Callable[[Path], object], path: Path) -> bool:
    """Whether reading of a run in this way ends in one sentence."""
    try:
        read(path)
    except InputError as error:
        require("\n" not in str(error), "it is more than one line")
        return True
    return False
