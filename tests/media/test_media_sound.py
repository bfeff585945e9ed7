"""A film's sound: its tones, its length, its loudness, and what is in the file."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from grokviz.errors import InputError
from grokviz.media import FORMATS, Provenance, write_film
from grokviz.media.film.encode import Footage
from grokviz.media.film.sound import BLOCK, PEAK, RATE, Track
from grokviz.scene.sound import standing_out

MADE = Provenance(title="Tones", alt="A square; it has sound.")
SOUNDING = [name for name, kind in FORMATS.items() if kind.sound]
HERTZ = np.array([220.0, 880.0, 1760.0])


def track(frames: int = 30, fps: int = 10) -> Track:
    """Three tones as loud as one another, of which the last alone is left at the end."""
    amplitude = np.ones((frames, 3))
    amplitude[frames // 2 :, :2] = 0
    return Track(HERTZ, amplitude, Fraction(fps))


def whole(sound: Track) -> Any:
    """Its samples, 1 at full scale."""
    return np.concatenate(list(sound.blocks())) / 32_767


def strength(samples: Any, hertz: float) -> float:
    """Amplitude of one tone in samples of whole tenths of a second."""
    seconds = np.arange(len(samples)) / RATE
    return float(2 * abs(np.mean(samples * np.exp(-2j * np.pi * hertz * seconds))))


def heard(path: Path) -> Any:
    """What a player plays: samples of the one stream of sound, 1 at full scale."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    return np.concatenate(frames)


def test_a_track_is_as_long_as_the_film_and_loud_as_it_says() -> None:
    samples = whole(track())
    assert len(samples) == 3 * RATE
    assert np.abs(samples).max() == pytest.approx(PEAK, abs=1e-4)
    first, last = samples[4_800:57_600], samples[-57_600:-4_800]
    strengths = [strength(first, hertz) for hertz in HERTZ]
    assert max(strengths) < 1.01 * min(strengths)
    assert strength(last, HERTZ[2]) == pytest.approx(strengths[2], rel=0.01)
    assert max(strength(last, hertz) for hertz in HERTZ[:2]) < 1e-3


def test_nothing_clicks() -> None:
    samples = whole(track())
    assert abs(samples[0]) < 1e-3
    assert abs(samples[-1]) < 1e-3
    # the steepest that three tones can be, also where two of them go and where blocks meet
    steepest = 2 * np.pi * HERTZ.sum() / RATE * np.abs(samples).max()
    assert len(samples) > BLOCK
    assert np.abs(np.diff(samples)).max() < steepest
    jumps = np.abs(np.diff(samples, n=2)).max()
    assert jumps < (2 * np.pi * HERTZ / RATE).max() ** 2 * 3 * PEAK


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_what_is_no_number_is_silent(value: float) -> None:
    amplitude = np.full((5, 3), value)
    samples = whole(Track(HERTZ, amplitude, Fraction(10)))
    assert len(samples) == RATE // 2
    assert not samples.any()
    amplitude[:, 0] = 3.0
    samples = whole(Track(HERTZ, amplitude, Fraction(10)))
    assert np.abs(samples).max() == pytest.approx(PEAK, abs=1e-4)


def test_the_unit_of_loudness_does_not_matter() -> None:
    one = track()
    other = Track(one.hertz, 1e-9 * one.amplitude, one.fps)
    assert np.abs(whole(one) - whole(other)).max() < 1e-4


def pictures(count: int) -> Iterator[Any]:
    for i in range(count):
        frame = np.full((48, 64, 4), 255, np.uint8)
        frame[8:24, i : i + 16, :3] = 0
        yield frame


@pytest.mark.parametrize("name", SOUNDING)
def test_a_file_holds_the_sound_as_long_as_the_film(name: str, tmp_path: Path) -> None:
    kind = FORMATS[name]
    path = tmp_path / f"film{kind.suffixes[0]}"
    for _ in range(2):
        before = path.read_bytes() if path.exists() else b""
        footage = Footage(lambda: pictures(30), next(pictures(1)), track())
        write_film(path, footage, fps=10, provenance=MADE, fmt=name)
    assert path.read_bytes() == before
    with av.open(str(path)) as container:
        (sound,) = container.streams.audio
        assert sound.codec_context.name == {"aac": "aac", "libopus": "opus"}[kind.sound]
        assert len(list(container.decode(video=0))) == 30
        assert container.duration / 1e6 == pytest.approx(3, abs=0.03)
    samples = heard(path)
    assert len(samples) / RATE == pytest.approx(3, abs=0.03)
    assert 0.6 < np.abs(samples).max() < 0.8
    first, last = samples[9_600:57_600], samples[-57_600:-9_600]
    assert strength(first, HERTZ[0]) == pytest.approx(strength(first, HERTZ[2]), rel=0.1)
    assert strength(last, HERTZ[0]) < 0.02 * strength(last, HERTZ[2])


def test_a_smaller_film_keeps_its_sound(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    footage = Footage(lambda: pictures(30), sound=track())
    free = write_film(path, footage, fps=10, provenance=MADE)
    fit = write_film(path, footage, fps=10, provenance=MADE, max_size=free.size - 1)
    assert fit.concession
    assert len(heard(path)) / RATE == pytest.approx(3, abs=0.03)


@pytest.mark.parametrize("name", ["film.gif", "film.webp", "frames/"])
def test_a_format_without_sound_refuses_it(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no sound; choose \.mp4"):
        write_film(
            f"{tmp_path}/{name}",
            Footage(lambda: pictures(3), sound=track()),
            fps=10,
            provenance=MADE,
        )
    assert not list(tmp_path.iterdir())


def test_a_film_has_no_sound_unless_it_is_given(tmp_path: Path) -> None:
    write_film(tmp_path / "a.mp4", lambda: pictures(3), fps=10, provenance=MADE)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert not container.streams.audio


def test_a_tone_of_noise_is_a_band_as_loud_as_the_tone() -> None:
    amplitude, hertz = np.ones((40, 1)), np.array([1000.0])
    pure, rough = (
        whole(Track(hertz, amplitude, Fraction(10), np.full_like(amplitude, share)))
        for share in (0.0, 1.0)
    )
    np.testing.assert_array_equal(pure, whole(Track(hertz, amplitude, Fraction(10))))
    power = [np.square(np.abs(np.fft.rfft(one.astype(float)))) for one in (pure, rough)]
    at = np.fft.rfftfreq(len(pure), 1 / RATE)
    narrow, band = np.abs(at - 1000) < 5, np.abs(at - 1000) < 600
    assert power[0][narrow].sum() > 0.99 * power[0].sum()
    assert power[1][narrow].sum() < 0.1 * power[1].sum()
    assert power[1][band].sum() > 0.8 * power[1].sum()


def test_what_stands_out_is_a_tone_and_the_rest_is_noise() -> None:
    values = np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 10.0], [0.0, 0.0, 0.0], [np.nan, 1.0, 4.0]])
    wanted = [[1, 1, 1], [1, 1, 0.1], [1, 1, 1], [1, 1, 0.25]]
    np.testing.assert_allclose(standing_out(values), wanted)
