"""Drawn films kept losslessly: drawn once, encoded for every format, never stale.

A kept film is a folder ``<cache>/films/<key>`` with its frames without loss (QuickTime
animation, which also keeps transparency) and ``film.json``: for how long each frame is shown,
where the sections begin, the captions, and the checksums of both files, so that damage is noticed
and the film is drawn anew. The key is a hash of everything that decides what is drawn, so there is
nothing to invalidate; what has not been used for long is removed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.errors import InputError, WorkError, nearest
from grokviz.files import cache_home, replacing
from grokviz.media.film.captions import Caption
from grokviz.media.pixels import convert_pixels, open_film
from grokviz.strays import remove_strays

if TYPE_CHECKING:
    import xarray as xr

    from grokviz.media.film.encode import Frame

FRAMES, FACTS = "frames.mov", "film.json"
DATA = ("dataset.references", "dataset.cache", "dataset.build", "runs", "training",
        "scene.registry")  # fmt: skip
"""Modules that bring data and scenes here: what they bring is in a film's key itself."""

MOST_BYTES, MOST_DAYS = 4_000_000_000, 30
log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Where films are kept: ``GROKVIZ_CACHE``, or ``grokviz`` in the user's cache folder."""
    return cache_home() / "films"


def key_of(facts: Any) -> str:
    """A name for a folder from plain data."""
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def data_hash(data: xr.Dataset, names: Sequence[str]) -> str:
    """Hash of these variables with their coordinates, and of what the dataset says of itself."""
    digest = hashlib.sha256(json.dumps(dict(data.attrs), sort_keys=True, default=str).encode())
    some = data[sorted(names)]
    for name in sorted(map(str, some.variables)):
        values = np.ascontiguousarray(some[name].values)
        digest.update(f"{name} {some[name].dims} {values.dtype} {values.shape}".encode())
        # texts by their characters: object arrays have only addresses
        digest.update(repr(values.tolist()).encode() if values.dtype == object else values.data)
    return digest.hexdigest()


def also_hash(film: Any) -> dict[str, str]:
    """Hashes of what a film shows of other references, by their names."""
    from grokviz.dataset.references.reference import load

    also = getattr(film, "also", {})
    return {name: data_hash(load(name, needs), needs) for name, needs in also.items()}


@dataclass(frozen=True)
class FilmFrames:
    """A film's distinct frames on disk; ``repeats`` says for how many frames each is shown.

    ``moments`` are the epochs that it shows, each with the first frame at which it does, and None
    from where on no epoch is on screen.
    """

    folder: Path
    fps: Fraction
    repeats: tuple[int, ...]
    sections: tuple[tuple[str, int], ...]
    captions: tuple[Caption, ...]
    moments: tuple[tuple[int, float | None], ...] = ()

    @classmethod
    def read(cls, folder: Path) -> FilmFrames | None:
        """The film of a folder; None where there is none, or not a whole one."""
        facts = kept_facts(folder, FRAMES)
        if facts is None:
            return None
        note_use(folder)
        return cls(
            folder,
            Fraction(facts["fps"]),
            tuple(facts["repeats"]),
            tuple((name, start) for name, start in facts["sections"]),
            tuple(Caption(**row) for row in facts["captions"]),
            tuple((start, epoch) for start, epoch in facts.get("moments", ())),
        )

    def facts(self) -> dict[str, Any]:
        """What :meth:`read` reads."""
        return {
            "fps": str(self.fps),
            "repeats": self.repeats,
            "sections": self.sections,
            "captions": [asdict(row) for row in self.captions],
            "moments": self.moments,
        }

    def __len__(self) -> int:
        return sum(self.repeats)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return float(len(self) / self.fps)

    def span(self, section: str | None = None) -> tuple[int, int]:
        """First frame of a section and the one after its last; of all of it for None.

        ``"one+two"`` are two sections that follow one another.
        """
        if section is None:
            return 0, len(self)
        names, wanted = [name for name, _ in self.sections], section.split("+")
        for name in wanted:
            if name not in names:
                raise InputError(f"there is no section {name}: {nearest(name, names)}")
        at = names.index(wanted[0])
        if names[at : at + len(wanted)] != wanted:
            raise InputError(f"the sections {section} do not follow one another")
        ends = [*(start for _, start in self.sections[1:]), len(self)]
        return self.sections[at][1], ends[at + len(wanted) - 1]

    def captions_of(self, section: str | None = None) -> tuple[Caption, ...]:
        """The captions of a section, by frames from its start."""
        start, stop = self.span(section)
        return tuple(
            Caption(max(row.start, start) - start, min(row.stop, stop) - start, row.text)
            for row in self.captions
            if row.start < stop and row.stop > start
        )

    def at_epoch(self, epoch: float) -> int | None:
        """The last frame that shows the epoch nearest to this one; None of a film without any."""
        ends = [*(start for start, _ in self.moments[1:]), len(self)]
        shown = [
            (abs(value - epoch), -stop)
            for (start, value), stop in zip(self.moments, ends, strict=True)
            if value is not None and start < stop
        ]
        return -min(shown)[1] - 1 if shown else None

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """Frames from ``start`` to before ``stop``; a held one is the same array each time."""
        stop = len(self) if stop is None else stop
        at = 0
        with open_film(self.folder / FRAMES) as film:
            for index, count in enumerate(self.repeats):
                first, last = max(at, start), min(at + count, stop)
                if first < last:
                    frame: Frame = film[index]
                    for _ in range(first, last):
                        yield frame
                at += count
                if at >= stop:
                    return

    def frame(self, index: int) -> Frame:
        """One frame."""
        return next(self.frames(index, index + 1))


class FrameWriter:
    """Writes a film's frames as they are drawn; :meth:`done` makes it a kept film."""

    def __init__(self, part: Path, width: int, height: int, fps: Fraction) -> None:
        import av

        self.folder, self.fps = part, fps
        self.repeats: list[int] = []
        self._last: np.ndarray | None = None
        options = {"fflags": "+bitexact"}
        self._container: Any = av.open(str(part / FRAMES), "w", format="mov", options=options)
        self._stream: Any = self._container.add_stream("qtrle", rate=fps)
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = "argb"

    def add(self, frame: Frame, repeat: int = 1) -> None:
        """A frame, shown ``repeat`` times; the same picture as before is kept once."""
        if repeat < 1:
            return
        if self._last is not None and np.array_equal(frame, self._last):
            self.repeats[-1] += repeat
            return
        import av

        video_frame = convert_pixels(av.VideoFrame.from_ndarray(frame, format="rgba"), "argb")
        video_frame.pts, video_frame.time_base = len(self.repeats), 1 / self.fps
        for packet in self._stream.encode(video_frame):
            self._container.mux(packet)
        self._last = frame
        self.repeats.append(repeat)

    def close(self) -> None:
        """Release the file, whether whole or not."""
        if self._container is not None:
            container, self._container = self._container, None
            container.close()

    def done(
        self,
        sections: list[tuple[str, int]],
        captions: list[Caption],
        moments: Sequence[tuple[int, float | None]] = (),
    ) -> None:
        """Write the last frames, the sections, the captions and the epochs that are shown."""
        if not self.repeats:
            raise WorkError("the film has no frames: its scene plays nothing")
        for packet in self._stream.encode(None):
            self._container.mux(packet)
        self.close()
        repeats, starts, texts = tuple(self.repeats), tuple(sections), tuple(captions)
        film = FilmFrames(self.folder, self.fps, repeats, starts, texts, tuple(moments))
        keep_facts(self.folder, FRAMES, film.facts())


def keep_facts(folder: Path, media: str, facts: dict[str, Any]) -> None:
    """Write what is said of the file ``media`` of a kept folder, with the checksums of both."""
    content = facts | {"sha256": _sha256(folder / media)}
    (folder / FACTS).write_text(json.dumps(content | {"seal": key_of(content)}), "utf-8")


def kept_facts(folder: Path, media: str) -> dict[str, Any] | None:
    """What :func:`keep_facts` wrote; None where it is not there, or not as it was written."""
    try:
        content: dict[str, Any] = json.loads((folder / FACTS).read_bytes())
        seal = content.pop("seal", "") if isinstance(content, dict) else ""
        if key_of(content) != seal:
            raise ValueError(f"{FACTS} does not match its checksum")
        if _sha256(folder / media) != content["sha256"]:
            raise ValueError(f"{media} does not match its checksum")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        log.warning("%s cannot be read and is drawn again: %s", folder, error)
        return None
    return content


def _sha256(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def put(folder: Path, make: Any) -> FilmFrames:
    """The film of ``folder``; ``make(part)`` draws it where it is not there."""
    film = FilmFrames.read(folder)
    if film is None:
        with replacing(folder, folder=True) as part:
            make(part)
        film = FilmFrames.read(folder)
        tidy(folder.parent, folder)
    if film is None:
        raise WorkError(f"{folder} was written and cannot be read; remove it and run again")
    return film


def note_use(folder: Path) -> None:
    """Say of a kept film that it was used, and remove what killed processes left beside it."""
    os.utime(folder / FACTS)  # the oldest unused are removed first
    remove_strays(folder.parent)


def tidy(cache: Path, but: Path) -> None:
    """Remove what has not been used for :data:`MOST_DAYS` or is beyond :data:`MOST_BYTES`."""
    rows = []
    for folder in cache.iterdir():
        facts = folder / FACTS
        if folder != but and facts.is_file():
            size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
            rows.append((facts.stat().st_mtime, size, folder))
    total, now = 0, time.time()
    for used, size, folder in sorted(rows, reverse=True):
        total += size
        if total > MOST_BYTES or now - used > MOST_DAYS * 86400:
            shutil.rmtree(folder, ignore_errors=True)
