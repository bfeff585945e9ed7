"""Encoding of films from frames, in any format, with atomic writes.

**The contract for frames.** ``frames`` is a callable without arguments that returns
the frames from the start, each a ``(height, width, 4)`` array of 8-bit RGBA with straight
alpha that is not changed afterwards. It is called once for each pass: one for most formats,
two for a GIF (its palette is computed from all frames first), and again for every attempt
to fit ``max_size``. Yielding the *same array object* several times in a row holds a
picture at almost no cost.

A film with a poster or with sound is given as :class:`Footage`: the frames, and these to them.

**Adding a format.** Add a row in :mod:`grokviz.media.formats`, and in a new module the
:class:`Writer` that it names.
"""

from __future__ import annotations

import contextlib
import queue
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from jaxtyping import UInt8

from grokviz.errors import GrokvizError, InputError, WorkError
from grokviz.files import replacing
from grokviz.media.film.cover import Cover
from grokviz.media.film.sound import Track
from grokviz.media.formats import (
    FORMATS,
    Format,
    check_sound,
    format_of,
    transparent_film_suffixes,
    writer_of,
)
from grokviz.media.provenance import Provenance

Frame = UInt8[np.ndarray, "height width 4"]
Frames = Callable[[], Iterable[Frame]]
T = TypeVar("T")

# frames that may be queued for the encoder: 8 of 1080p take 66 MB
_QUEUE_SIZE = 8


@dataclass(frozen=True)
class Footage:
    """Frames, the one that stands for the film before it starts, and the sound to them."""

    frames: Frames
    poster: Frame | None = None
    sound: Track | None = None


@dataclass(frozen=True)
class Step:
    """One attempt to fit a size: encoder options and reductions, described by ``concession``."""

    concession: str
    options: dict[str, str] = field(default_factory=dict)
    every: int = 1
    colours: int = 256
    scale: Fraction = Fraction(1)


HALF, THIRD = Fraction(1, 2), Fraction(1, 3)


def quality_steps(qualities: Sequence[int], last: int) -> list[Step]:
    """Attempts at lower and lower qualities of the encoder, then at 50 and ``last`` with fewer
    and smaller pictures.
    """
    half, lowest = {"quality": "50"}, {"quality": str(last)}
    return [
        *(Step(f"at quality {q}", {"quality": str(q)}) for q in qualities),
        Step("at quality 50 and half the rate", half, every=2),
        Step("at quality 50, half the rate and half the size", half, every=2, scale=HALF),
        Step(
            f"at quality {last}, a quarter of the rate and a third of the size",
            lowest,
            every=4,
            scale=THIRD,
        ),
    ]


@dataclass(frozen=True)
class Film:
    """The parameters of one encoding; ``codec`` and ``sound_codec`` are those of the format.

    ``cover`` is for formats that can hold one.
    """

    codec: str
    fps: Fraction
    provenance: Provenance
    transparent: bool
    step: Step
    limit: int | None = None
    cover: Cover | None = None
    sound: Track | None = None
    sound_codec: str = ""


class Writer(Protocol):
    """The writer of a film format; ``steps`` are attempts to fit a size, the best first."""

    steps: Sequence[Step]

    def rate(self, fps: Fraction) -> Fraction:
        """The highest rate not above ``fps`` that the format represents exactly."""

    def write(self, part: Path, frames: Frames, film: Film) -> int:
        """Write the film to ``part`` and return the number of frames.

        Raises :class:`TooBig` as soon as the file grows beyond ``film.limit``.
        """


@dataclass(frozen=True)
class EncodedFilm:
    """An encoded film; ``concession`` describes the reduction to fit a size, if any."""

    path: Path
    size: int
    frames: int
    fps: Fraction
    concession: str


class TooBig(Exception):
    """The file exceeds its limit, so the next step is tried."""


def film_rate(fmt: Format, fps: float | Fraction) -> Fraction:
    """The frame rate of a film of ``fps`` in this format: 100/n for a GIF, else the same.

    A film drawn at this rate loses no frames.
    """
    if not 0.01 <= fps <= 240:  # a NaN is neither
        raise InputError(f"{fps} frames a second: give a number from 1 to 240")
    exact = Fraction(fps).limit_denominator(1001)
    return _writer(fmt).rate(exact)


def write_film(
    path: str | Path,
    frames: Frames | Footage,
    *,
    fps: float | Fraction,
    provenance: Provenance,
    transparent: bool = False,
    max_size: int | None = None,
    fmt: str | None = None,
) -> EncodedFilm:
    """Encode ``frames`` (see the module's contract) to ``path``.

    An MP4 of :class:`Footage` holds the poster as its cover, unless it has a size to fit.

    ``max_size`` is in bytes: quality, then rate, colours and size are lowered in the
    writer's steps until the film fits.

    Raises :class:`InputError` for an unknown suffix, a transparent MP4 or GIF, a GIF with
    sound, and a size that cannot be reached; :class:`WorkError` when encoding fails. An old file at
    ``path`` stays unless the new one is complete.
    """
    kind = format_of(path, fmt)
    footage = frames if isinstance(frames, Footage) else Footage(frames)
    if not kind.film:
        raise InputError(
            f"{path} is for one picture; give a film format such as .mp4, .webm or .gif"
        )
    if transparent and not kind.alpha:
        alternatives = ", ".join(transparent_film_suffixes())
        raise InputError(f"{path}: {kind.name} cannot be transparent; choose one of {alternatives}")
    if footage.sound is not None:
        check_sound(kind, path)
    if max_size is not None and kind.folder:
        raise InputError(f"{path}: a folder of frames has no size to fit; choose a film format")
    rate = film_rate(kind, fps)
    requested_rate = Fraction(fps).limit_denominator(1001)
    if kind.folder:
        check_holds_only_frames(Path(path))
    source = replace(footage, frames=_check_frames(footage.frames))
    with replacing(path, folder=kind.folder) as part:
        poster = None if max_size is not None else footage.poster
        cover = None if poster is None else Cover.of(poster)
        job = EncodingJob(
            Path(path), kind, requested_rate, rate, provenance, transparent, max_size, cover
        )
        return _encode_to_fit(job, part, source)


def check_holds_only_frames(folder: Path) -> None:
    """Raise InputError unless the folder holds only frames, since it would be replaced."""
    if folder.is_dir():
        for file in folder.iterdir():
            if not re.fullmatch(r"\d{5,}\.png", file.name):
                raise InputError(
                    f"{folder} holds {file.name}, and a folder of frames would replace its "
                    "contents; give a new folder"
                )


@dataclass(frozen=True)
class EncodingJob:
    """A film to encode: its final path, and the rate of its frames, ``requested_rate``.

    ``rate`` is the rate in the file, which the format determines; ``max_size`` is in bytes.
    """

    path: Path
    kind: Format
    requested_rate: Fraction
    rate: Fraction
    provenance: Provenance
    transparent: bool
    max_size: int | None
    cover: Cover | None = None


def _encode_to_fit(job: EncodingJob, part: Path, footage: Footage) -> EncodedFilm:
    """Encode into ``part`` with the first step that fits."""
    path, max_size = job.path, job.max_size
    writer = _writer(job.kind)
    steps = writer.steps if max_size is not None else writer.steps[:1]
    smallest = 0
    for i, step in enumerate(steps):
        # the last step runs to its end, so that the error can state its size
        limit = max_size if i + 1 < len(steps) else None
        slower = writer.rate(job.rate / step.every)
        film = Film(
            job.kind.codec, slower, job.provenance, job.transparent, step, limit, job.cover,
            footage.sound, job.kind.sound,
        )  # fmt: skip
        source = _resample(footage.frames, job.requested_rate, slower, step.scale)
        try:
            count = _encode(writer, part, source, film, path)
        except TooBig:
            continue
        smallest = part.stat().st_size if part.is_file() else 0
        if max_size is None or smallest <= max_size:
            return EncodedFilm(path, smallest, count, slower, step.concession if i else "")
    raise InputError(
        f"{path} cannot be made smaller than {max_size} bytes: {steps[-1].concession} it still has "
        f"{smallest}; allow a larger size, or give fewer seconds or a lower quality"
    )


def _encode(writer: Writer, part: Path, frames: Frames, film: Film, path: Path) -> int:
    """Run the writer; errors of the encoder become ``WorkError`` or ``OSError``."""
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


def _check_frames(frames: Frames) -> Frames:
    """Wrap frames with a check of the shape and type of each."""

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
            raise InputError("the film has no frames; give a longer duration")

    return passes


def _resample(frames: Frames, source_rate: Fraction, rate: Fraction, scale: Fraction) -> Frames:
    """Frames at another rate and size; frames are dropped or repeated, never blended."""

    def passes() -> Iterator[Frame]:
        timed: Iterable[Frame] = (
            frames() if rate == source_rate else _at_rate(frames(), rate / source_rate)
        )
        return iter(timed) if scale == 1 else _resize(timed, scale)

    return passes


def _at_rate(frames: Iterable[Frame], ratio: Fraction) -> Iterator[Frame]:
    """Frame ``floor(j / ratio)`` for j = 0, 1, ...; the last frame is always shown."""
    count, last, is_last_shown = 0, None, True
    for i, frame in enumerate(frames):
        last, is_last_shown = frame, False
        while count < (i + 1) * ratio:
            count += 1
            is_last_shown = True
            yield frame
    if not is_last_shown and last is not None:
        yield last


def _resize(frames: Iterable[Frame], scale: Fraction) -> Iterator[Frame]:
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
    """Run ``consume(frames)`` in a thread, while this one produces the frames.

    A few frames are queued between the two. An error on either side ends both and is raised
    here.
    """
    frame_queue: queue.Queue[Frame | None] = queue.Queue(_QUEUE_SIZE)
    stopped, cancelled = threading.Event(), threading.Event()
    result: list[T] = []
    failure: list[BaseException] = []

    def received() -> Iterator[Frame]:
        while (frame := frame_queue.get()) is not None:
            yield frame
        if cancelled.is_set():
            raise _CancelledError

    def work() -> None:
        try:
            result.append(consume(received()))
        except BaseException as error:  # raised again in the caller's thread
            failure.append(error)
        finally:
            stopped.set()

    worker = threading.Thread(target=work, name="grokviz-encoder", daemon=True)
    worker.start()
    try:
        for frame in frames:
            if not _put(frame_queue, frame, stopped):
                break
    except BaseException:
        cancelled.set()
        raise
    finally:
        _put(frame_queue, None, stopped)
        worker.join()
    if failure:
        raise failure[0]
    return result[0]


class _CancelledError(Exception):
    """The source of the frames failed, so the encoder must end without a file."""


def _put(frame_queue: queue.Queue[Any], item: Any, stopped: threading.Event) -> bool:
    """Queue an item; returns False if the encoder has stopped."""
    while not stopped.is_set():
        with contextlib.suppress(queue.Full):
            frame_queue.put(item, timeout=0.1)
            return True
    return False
