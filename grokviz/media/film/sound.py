"""A film's sound: tones whose loudness follows the frames, mixed without a click.

A :class:`Track` says which tones, how loud and how much of noise each is at each frame, and at
which rate the frames follow one another. A tone of noise is a band around its pitch. It is as long
as the film, however the film is encoded, and the same in any number of processes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Int16

RATE = 48_000
"""Samples a second, which both AAC and Opus have."""

PEAK = 10 ** (-3 / 20)
"""The largest sample of a track, -3 dB of full scale: a codec overshoots by less than that."""

FADE = 0.02
"""Seconds in which a track begins and ends, so that neither clicks."""

BLOCK = RATE // 4
"""Samples that are mixed at a time."""

BIT_RATE = 128_000
"""Bits a second of an encoded track: a dense cluster of tones takes more than speech."""

KNOTS = 1_000
"""Random numbers a second of a tone's noise: its band goes some 500 hertz to either side."""

_FULL = 32_767


@dataclass(frozen=True)
class Track:
    """Tones of ``hertz``, as loud at each frame as ``amplitude`` says; ``fps`` frames a second.

    ``noise`` is the share of each tone's power, from 0 to 1, that is a band of noise; None for no
    noise. Between two frames loudness and noise go over evenly. The whole is scaled so that its
    largest sample is :data:`PEAK`; of amplitudes that are no numbers, or 0, it is silent.
    """

    hertz: Float[np.ndarray, " tone"]
    amplitude: Float[np.ndarray, "frame tone"]
    fps: Fraction
    noise: Float[np.ndarray, "frame tone"] | None = None

    @property
    def samples(self) -> int:
        """How many samples it has: as long as the film, to the nearest sample."""
        return round(len(self.amplitude) * RATE / self.fps)

    def blocks(self) -> Iterator[Int16[np.ndarray, " sample"]]:
        """Its samples from the start, :data:`BLOCK` at a time and what is left."""
        for start in range(0, self.samples, BLOCK):
            # 16 bits hide in which order a processor adds the tones
            yield np.rint(self._mixed(start) * (_FULL * self._scale)).astype(np.int16)

    @cached_property
    def _scale(self) -> float:
        """What brings the largest sample to the peak; 0 of silence."""
        starts = range(0, self.samples, BLOCK)
        largest = max((float(np.abs(self._mixed(start)).max()) for start in starts), default=0.0)
        return PEAK / largest if largest > 0 else 0.0

    @cached_property
    def _loudness(self) -> Float[np.ndarray, "frame tone"]:
        """The amplitudes, the loudest 1, and silence for what is no number."""
        values = np.where(np.isfinite(self.amplitude), np.abs(self.amplitude), 0.0)
        relative: np.ndarray = values / max(float(values.max(initial=0.0)), np.finfo(float).tiny)
        return relative

    @cached_property
    def _random(self) -> Float[np.ndarray, "knot tone"]:
        """Numbers of mean 0 and variance 1, the same everywhere: raw bits never change."""
        knots = math.ceil(self.samples / RATE * KNOTS) + 2
        rows = [np.random.PCG64(tone).random_raw(knots) for tone in range(len(self.hertz))]
        uniform = np.stack(rows, axis=1) / 2.0**64 - 0.5
        # between two knots there is less than at them
        numbers: np.ndarray = uniform * np.sqrt(12 * 1.5)
        return numbers

    def _rough(self, tone: int, seconds: np.ndarray) -> Float[np.ndarray, " sample"]:
        """A tone's noise: what its sine is to be multiplied by."""
        knot = seconds * KNOTS
        at = knot.astype(int)
        share, numbers = knot - at, self._random[:, tone]
        noise: np.ndarray = numbers[at] * (1 - share) + numbers[at + 1] * share
        return noise

    def _mixed(self, start: int) -> Float[np.ndarray, " sample"]:
        """The sum of the tones from one sample on, with its beginning and end faded."""
        at = np.arange(start, min(start + BLOCK, self.samples))
        seconds = at / RATE
        # a frame's loudness holds in its middle
        frame = np.clip(seconds * float(self.fps) - 0.5, 0, len(self.amplitude) - 1)
        before = frame.astype(int)
        after = np.minimum(before + 1, len(self.amplitude) - 1)
        share = frame - before
        out = np.zeros(len(at))
        for tone, hertz in enumerate(self.hertz):
            loud = self._loudness[:, tone]
            swell = loud[before] * (1 - share) + loud[after] * share
            if self.noise is not None:
                noisy = self.noise[before, tone] * (1 - share) + self.noise[after, tone] * share
                swell *= np.sqrt(1 - noisy) + np.sqrt(noisy) * self._rough(tone, seconds)
            out += swell * np.sin(2 * np.pi * (hertz * seconds + _phase(tone, len(self.hertz))))
        last = (self.samples - 1) / RATE
        mixed: np.ndarray = out * np.clip(np.minimum(seconds, last - seconds) / FADE, 0, 1)
        return mixed


def _phase(tone: int, tones: int) -> float:
    """Turns by which a tone is ahead: squares of its number, so that the tones never all meet.

    Source: M. R. Schroeder, IEEE Transactions on Information Theory 16 (1970) 85.
    """
    return tone * tone / (2 * max(tones, 1)) % 1


class Muxer:
    """The sound stream of an open container, encoded as far as the pictures have come."""

    def __init__(self, container: Any, codec: str, track: Track) -> None:
        self._container, self._track = container, track
        self._stream = container.add_stream(codec, rate=RATE, layout="mono", bit_rate=BIT_RATE)
        self._stream.codec_context.thread_count = 1
        self._blocks = track.blocks()
        self._done = 0

    def write_until(self, seconds: Fraction) -> int:
        """Encode the sound of so many seconds, and return the bytes that came out."""
        size = 0
        wanted = min(math.ceil(seconds * RATE), self._track.samples)
        while self._done < wanted:
            block = next(self._blocks)
            size += self._mux(self._frame(block))
            self._done += len(block)
        return size

    def close(self) -> int:
        """Encode what is left, and return the bytes that came out."""
        return self.write_until(Fraction(self._track.samples, RATE)) + self._mux(None)

    def _frame(self, block: Int16[np.ndarray, " sample"]) -> Any:
        import av

        frame = av.AudioFrame.from_ndarray(block[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._done, Fraction(1, RATE)
        return frame

    def _mux(self, frame: Any) -> int:
        size = 0
        for packet in self._stream.encode(frame):
            size += packet.size
            self._container.mux(packet)
        return size
