"""Films: frames in, one file out, in any format, whole or not at all.

**The contract for frames.** ``frames`` is a callable without arguments that returns
the frames anew, each a ``(height, width, 4)`` array of 8-bit RGBA with straight alpha
that is not changed afterwards. It is called once for each pass: one for most formats,
two for a GIF (its palette is made from all frames first), and again for every attempt
to fit ``max_size``. Giving the *same array object* several times in a row holds a
picture at next to no cost.

**Adding a format.** A row in :mod:`grokviz.media.formats`, and in one new file the
:class:`Writer` that it names; nothing else has to know it.
"""

from __future__ import annotations

import contextlib
import queue
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from jaxtyping import UInt8

from grokviz.errors import GrokvizError, InputError, WorkError
from grokviz.files import replacing
from grokviz.media.formats import (
    FORMATS,
    Format,
    able_to_be_transparent,
    format_of,
    writer_of,
)
from grokviz.media.provenance import Provenance

Frame = UInt8[np.ndarray, "height width 4"]
Frames = Callable[[], Iterable[Frame]]
T = TypeVar("T")

# so many frames wait for the encoder: 8 of 1080p are 66 MB
_WAITING = 8


@dataclass(frozen=True)
class Step:
    """One attempt: encoder options, and how much of the film is given up for size."""

    concession: str
    options: dict[str, str] = field(default_factory=dict)
    every: int = 1
    colours: int = 256
    scale: Fraction = Fraction(1)


@dataclass(frozen=True)
class Film:
    """What a writer needs beside the frames; ``codec`` is the row's."""

    codec: str
    fps: Fraction
    provenance: Provenance
    transparent: bool
    step: Step
    limit: int | None = None


class Writer(Protocol):
    """What a film format needs: its steps, best first, its rates, and :meth:`write`."""

    steps: Sequence[Step]

    def rate(self, fps: Fraction) -> Fraction:
        """The nearest rate the format can keep exactly, not above ``fps``."""

    def write(self, part: Path, frames: Frames, film: Film) -> int:
        """Write the film to ``part`` and return the number of frames.

        Raises :class:`TooBig` as soon as the file grows beyond ``film.limit``.
        """


@dataclass(frozen=True)
class Written:
    """A finished film; ``concession`` is what was given up to fit a size, if anything."""

    path: Path
    size: int
    frames: int
    fps: Fraction
    concession: str


class TooBig(Exception):
    """The file has grown beyond its limit; the next step is tried."""


def film_rate(fmt: Format, fps: float | Fraction) -> Fraction:
    """The frame rate a film of ``fps`` gets in this format: 100/n for a GIF, else the same.

    Time a film for this rate and no frame has to be left out.
    """
    if not 0.01 <= fps <= 240:  # a NaN is neither
        raise InputError(f"{fps} frames a second: give a number from 1 to 240")
    asked = Fraction(fps).limit_denominator(1001)
    return _writer(fmt).rate(asked)


def write_film(
    path: str | Path,
    frames: Frames,
    *,
    fps: float | Fraction,
    provenance: Provenance,
    transparent: bool = False,
    max_size: int | None = None,
    fmt: str | None = None,
) -> Written:
    """Encode ``frames`` (see the module's contract) to ``path``.

    ``max_size`` is in bytes: quality, then rate, colours and size are lowered in the
    writer's steps until the film fits.

    Raises :class:`InputError` for an unknown suffix, a transparent MP4 or GIF, and a
    size that cannot be reached; :class:`WorkError` when encoding fails. An old file at
    ``path`` stays unless the new one is whole.
    """
    kind = format_of(path, fmt)
    if not kind.film:
        raise InputError(f"{path} is for one picture: name a film such as .mp4, .webm or .gif")
    if transparent and not kind.alpha:
        others = ", ".join(able_to_be_transparent())
        raise InputError(f"{path}: {kind.name} cannot be transparent; choose one of {others}")
    if max_size is not None and kind.folder:
        raise InputError(f"{path}: a folder of frames has no size to fit; choose a film format")
    rate = film_rate(kind, fps)
    asked = Fraction(fps).limit_denominator(1001)
    if kind.folder:
        only_frames(Path(path))
    source = _watched(frames)
    with replacing(path, folder=kind.folder) as part:
        job = EncodingJob(Path(path), kind, asked, rate, provenance, transparent, max_size)
        return _encode_to_fit(job, part, source)


def only_frames(folder: Path) -> None:
    """Raise :class:`InputError` for a folder with anything but frames: it would be replaced."""
    if folder.is_dir():
        for file in folder.iterdir():
            if not re.fullmatch(r"\d{5,}\.png", file.name):
                raise InputError(
                    f"{folder} holds {file.name}, and a folder of frames replaces all that is in "
                    "it; name a new folder"
                )


@dataclass(frozen=True)
class EncodingJob:
    """A film to be encoded: its final path, and frames that come at the rate ``asked``.

    ``rate`` is what the format makes of that rate; ``max_size`` is in bytes.
    """

    path: Path
    kind: Format
    asked: Fraction
    rate: Fraction
    provenance: Provenance
    transparent: bool
    max_size: int | None


def _encode_to_fit(job: EncodingJob, part: Path, frames: Frames) -> Written:
    """Encode into ``part`` with the first step that fits."""
    path, max_size = job.path, job.max_size
    writer = _writer(job.kind)
    steps = writer.steps if max_size is not None else writer.steps[:1]
    smallest = 0
    for i, step in enumerate(steps):
        # the last step runs to its end, to say how small it gets
        limit = max_size if i + 1 < len(steps) else None
        slower = writer.rate(job.rate / step.every)
        film = Film(job.kind.codec, slower, job.provenance, job.transparent, step, limit)
        source = _prepared(frames, job.asked, slower, step.scale)
        try:
            count = _encode(writer, part, source, film, path)
        except TooBig:
            continue
        smallest = part.stat().st_size if part.is_file() else 0
        if max_size is None or smallest <= max_size:
            return Written(path, smallest, count, slower, step.concession if i else "")
    raise InputError(
        f"{path} cannot be made smaller than {max_size} bytes: {steps[-1].concession} it still has "
        f"{smallest}; allow a larger size, or ask for fewer seconds or a lower quality"
    )


def _encode(writer: Writer, part: Path, frames: Frames, film: Film, path: Path) -> int:
    """Run the writer; the encoder's errors become ours."""
    import av.error

    try:
        return writer.write(part, frames, film)
    except (GrokvizError, TooBig):
        raise
    except av.error.FFmpegError as error:
        if isinstance(error, OSError):
            raise
        if error.errno is not None and 0 < error.errno < 200:
            raise OSError(error.errno, error.strerror) from error
        raise WorkError(f"cannot encode {path}: {error.strerror}") from error


def _writer(kind: Format) -> Writer:
    if not kind.film:
        films = ", ".join(other.name for other in FORMATS.values() if other.film)
        raise InputError(f"{kind.name} is not a film format; choose one of {films}")
    writer: Writer = writer_of(kind)
    return writer


def _watched(frames: Frames) -> Frames:
    """The same frames, each checked for its shape and type."""

    def passes() -> Iterator[Frame]:
        shape: tuple[int, ...] | None = None
        for frame in frames():
            shape = shape or frame.shape
            if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 4:
                raise WorkError(f"a frame is {frame.dtype} of shape {frame.shape}, not 8-bit RGBA")
            if frame.shape != shape:
                raise WorkError(f"a frame of shape {frame.shape} follows one of {shape}")
            yield frame
        if shape is None:
            raise InputError("the film has no frames: ask for a longer duration")

    return passes


def _prepared(frames: Frames, have: Fraction, want: Fraction, scale: Fraction) -> Frames:
    """Frames at another rate and size. Only whole frames are left out; none is blended."""

    def passes() -> Iterator[Frame]:
        at_rate: Iterable[Frame] = frames() if want == have else _picked(frames(), want / have)
        return iter(at_rate) if scale == 1 else _scaled(at_rate, scale)

    return passes


def _picked(frames: Iterable[Frame], ratio: Fraction) -> Iterator[Frame]:
    """Frame ``floor(j / ratio)`` for j = 0, 1, ...; the last frame is always shown."""
    shown, last, given = 0, None, True
    for i, frame in enumerate(frames):
        last, given = frame, False
        while shown < (i + 1) * ratio:
            shown += 1
            given = True
            yield frame
    if not given and last is not None:
        yield last


def _scaled(frames: Iterable[Frame], scale: Fraction) -> Iterator[Frame]:
    from PIL import Image

    before: Frame | None = None
    small: Frame | None = None
    for frame in frames:
        if frame is not before or small is None:
            height, width = (max(2, round(n * scale)) for n in frame.shape[:2])
            picture = Image.fromarray(frame).resize((width, height), Image.Resampling.LANCZOS)
            before, small = frame, np.array(picture)
        yield small


def in_thread(frames: Iterable[Frame], consume: Callable[[Iterator[Frame]], T]) -> T:
    """``consume(frames)`` in a thread of its own, while this one makes the frames.

    A few frames wait between the two. An error on either side ends both and is raised
    here.
    """
    waiting: queue.Queue[Frame | None] = queue.Queue(_WAITING)
    stopped, cancelled = threading.Event(), threading.Event()
    result: list[T] = []
    failure: list[BaseException] = []

    def arriving() -> Iterator[Frame]:
        while (frame := waiting.get()) is not None:
            yield frame
        if cancelled.is_set():
            raise _CancelledError

    def work() -> None:
        try:
            result.append(consume(arriving()))
        except BaseException as error:  # carried over to the caller's thread
            failure.append(error)
        finally:
            stopped.set()

    worker = threading.Thread(target=work, name="grokviz-encoder", daemon=True)
    worker.start()
    try:
        for frame in frames:
            if not _put(waiting, frame, stopped):
                break
    except BaseException:
        cancelled.set()
        raise
    finally:
        _put(waiting, None, stopped)
        worker.join()
    if failure:
        raise failure[0]
    return result[0]


class _CancelledError(Exception):
    """The source of the frames failed; the encoder has to end without a file."""


def _put(waiting: queue.Queue[Any], item: Any, stopped: threading.Event) -> bool:
    """Whether the item found a place before the encoder stopped."""
    while not stopped.is_set():
        with contextlib.suppress(queue.Full):
            waiting.put(item, timeout=0.1)
            return True
    return False
