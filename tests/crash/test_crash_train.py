"""Training that is killed at random moments and run again ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grokviz.runs import open_run, verify_run

SMALL = ["p=13", "d-model=16", "d-mlp=32", "heads=2", "train-fraction=0.5"]
ENDLESS = 10_000_000


def command(out: Path, epochs: int, every: int, settings: list[str]) -> list[str]:
    given = [part for setting in settings for part in ("--set", setting)]
    return [
        sys.executable, "-m", "grokviz", "train", "modular-addition", "--out", out.name, *given,
        "--epochs", str(epochs), "--checkpoint-every", str(every), "--quiet",
    ]  # fmt: skip


def environment() -> dict[str, str]:
    # one thread: several of them wait for each other where tests run side by side
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}


def train(out: Path, epochs: int, every: int, settings: list[str]) -> None:
    made = command(out, epochs, every, settings)
    subprocess.run(made, cwd=out.parent, env=environment(), check=True)


def killed(out: Path, epochs: int, every: int, settings: list[str], after: float) -> bool:
    """Train, and kill it ``after`` seconds of work; False when it came to its end before."""
    before = (out / "run.json").exists() and (out / "index.json").stat().st_mtime_ns
    made = command(out, epochs, every, settings)
    child = subprocess.Popen(made, cwd=out.parent, env=environment())
    while child.poll() is None:  # importing torch is no work that could be spoiled
        begun = (out / "run.json").exists() and (out / "index.json").stat().st_mtime_ns
        if begun != before:
            break
        time.sleep(0.01)
    try:
        status = child.wait(after)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
        status = child.wait()
    assert status in (0, -signal.SIGKILL)
    return status != 0


def contents(path: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file() and file.name not in (".lock", "run.json")  # it holds the command
    }


def check_sound(path: Path) -> None:
    if (path / "run.json").exists():
        assert [str(problem) for problem in verify_run(path) if not problem.note] == []
        open_run(path)


@pytest.mark.slow
@pytest.mark.parametrize("kills", [1, 5])
def test_killed_in_the_middle_it_goes_on(kills: int, tmp_path: Path) -> None:
    rng = random.Random()
    out = tmp_path / "killed"
    for _ in range(kills):
        # without an end in sight, so that it is always the kill that ends it
        assert killed(out, ENDLESS, 20, SMALL, after=rng.uniform(0, 1))
        check_sound(out)
    kept = open_run(out).epochs if (out / "run.json").exists() else []
    reached = int(kept[-1]) if len(kept) else 0  # it may be killed before its first checkpoint
    epochs = reached + 45
    train(out, epochs, 20, SMALL)
    train(tmp_path / "through", epochs, 20, SMALL)
    found, expected = contents(out), contents(tmp_path / "through")
    assert found == expected
    assert f"checkpoints/{epochs}.safetensors" in expected
    assert open_run(out).facts["settings"] == open_run(tmp_path / "through").facts["settings"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_mainline_killed_until_it_is_done(tmp_path: Path) -> None:
    """The published model for 300 epochs."""
    rng = random.Random()
    train(tmp_path / "through", 300, 20, [])
    out, kills = tmp_path / "killed", 0
    while killed(out, 300, 20, [], after=rng.uniform(0.2, 4)):
        check_sound(out)
        kills += 1
        assert kills < 200, "it makes no headway"
    assert kills > 0, "it was never killed"
    assert contents(out) == contents(tmp_path / "through")
    assert open_run(out).finished
