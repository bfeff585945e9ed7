"""``--sound``: which films have one, what is heard in them, and what is said of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import grokviz as gv
from grokviz.cli import run
from grokviz.errors import InputError
from grokviz.media import read_provenance
from grokviz.media.film.sound import RATE
from grokviz.render.listing import scene_entry
from grokviz.render.render import render
from grokviz.scene import frequencies
from grokviz.scene.registry import scene
from grokviz.scene.sound import HIGHEST, LOWEST, SEMITONE, scale

QUICK: dict[str, Any] = {
    "options": {"losses": False}, "quality": "l", "duration": 2.0, "fps": 6.0, "hold": 0.5,
}  # fmt: skip


def spectrum(path: Path, start: float, stop: float, hertz: Any) -> Any:
    """Amplitude of each of ``hertz`` in the sound from one second to another."""
    with av.open(str(path)) as container:
        samples = np.concatenate([f.to_ndarray().reshape(-1) for f in container.decode(audio=0)])
    part = samples[round(start * RATE) : round(stop * RATE)]
    window, seconds = np.hanning(len(part)), np.arange(len(part)) / RATE
    waves = np.exp(-2j * np.pi * np.outer(hertz, seconds))
    return 4 * np.abs((waves * (part * window)).mean(axis=1))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of the main run, with sound."""
    path = tmp_path_factory.mktemp("sound") / "a.mp4"
    render("embedding-waves", None, path, sound=True, **QUICK)
    return path


@pytest.mark.slow
def test_many_waves_become_the_key_frequencies(film: Path) -> None:
    data = gv.load("modular-addition")
    hertz = scale(data.sizes["frequency"])
    keys = np.isin(data["frequency"].values, frequencies.key_frequencies(data))
    # neighbours above 400 hertz are apart in half a second
    apart = hertz > 400
    first, last = (spectrum(film, *when, hertz) for when in ((0.1, 0.6), (1.4, 1.9)))
    others = apart & ~keys
    assert np.median(first[keys & apart]) < 6 * np.median(first[others])
    assert first[apart].max() < 8 * np.median(first[apart])
    assert np.median(last[keys & apart]) > 20 * np.median(last[others])
    assert last[keys & apart].min() > 2 * np.median(last[others])


def test_the_alt_text_says_what_is_heard(film: Path, here: Path) -> None:
    (silent,) = render("embedding-waves", None, "a.mp4", **QUICK | {"duration": 0.2})
    with_sound, without = read_provenance(film), read_provenance(silent)
    assert with_sound.alt.startswith(without.alt.split(" at epoch")[0])
    assert with_sound.alt.endswith(
        " It has sound: a tone for each of the 56 frequencies, the higher the frequency the "
        "higher, from 110 to 2,637 hertz, each as loud as its norm in the embedding: a hiss while "
        "it is as large as most, and a clear tone where it stands out."
    )
    assert "sound" not in without.alt


@pytest.mark.slow
def test_the_same_bytes_at_any_number_of_workers(here: Path) -> None:
    names = ["a.mp4", "b.mp4"]
    for jobs in (1, 2):
        Path(str(jobs)).mkdir()
        render(
            "embedding-waves", None, [f"{jobs}/{name}" for name in names], sound=True, jobs=jobs,
            **QUICK | {"duration": 0.5},
        )  # fmt: skip
    for name in names:
        assert Path("1", name).read_bytes() == Path("2", name).read_bytes()


@pytest.mark.parametrize("count", [1, 2, 6, 29, 56, 61, 256])
def test_tones_rise_within_what_is_heard(count: int) -> None:
    hertz = scale(count)
    assert hertz[0] == LOWEST
    assert (np.diff(hertz) > 0).all()
    assert hertz[-1] <= HIGHEST * (1 + 1e-9)
    if count in (29, 56):
        np.testing.assert_allclose(hertz[1:] / hertz[:-1], SEMITONE)


def test_a_sound_is_of_the_data_that_is_shown() -> None:
    data = gv.load("modular-addition")
    sound = scene("embedding-waves")().sound(data)
    assert sound is not None
    np.testing.assert_array_equal(sound.amplitude, data["embedding_frequency_norm"])
    assert len(sound.hertz) == data.sizes["frequency"]


@pytest.mark.parametrize(
    ("name", "file", "said"),
    [
        ("embedding-waves", "a.gif", "gif has no sound; choose .mp4, .webm, .mov or .rle.mov"),
        ("embedding-waves", "frames/", "png-sequence has no sound"),
        ("embedding-waves", "a.png", "--sound is for films"),
        ("embedding-waves", "a.html", "--sound is for films"),
        ("grokking-curve", "a.mp4", "grokking-curve has no sound of its own"),
        ("clock", "a.mp4", "clock has no sound of its own"),
    ],
)
def test_what_has_no_sound_refuses_it(here: Path, name: str, file: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        render(name, None, file, sound=True)
    assert said in str(caught.value)
    assert not list(here.iterdir())


def test_the_command_line_has_it_and_lists_say_so(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["render", "embedding-waves", "--sound", "-o", "a.webm", "--dry-run"]) == 0
    assert "a.webm" in capsys.readouterr().out
    assert scene_entry("embedding-waves")["sound"] is True
    assert scene_entry("grokking-curve")["sound"] is scene_entry("clock")["sound"] is False
