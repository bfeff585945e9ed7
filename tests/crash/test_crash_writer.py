"""Runs whose writer is killed at any moment open, verify, resume, and end with the same bytes."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("crash_program.py")
ENVIRONMENT = {
    **os.environ,
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONPATH": os.pathsep.join([str(PROGRAM.parents[2]), os.environ.get("PYTHONPATH", "")]),
}

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a POSIX system")


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), *map(str, arguments)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def to_end(*arguments: object) -> str:
    with start(*arguments) as process:
        output, _ = process.communicate(timeout=500)
    assert process.returncode == 0, output
    return output


def killed_after(path: Path, epochs: int, seconds: float) -> bool:
    """Kill the program some time after it reported an epoch; False if it ended before."""
    with start("train", path) as process:
        assert process.stdout is not None
        for _ in range(epochs):
            process.stdout.readline()
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=300)
        return process.returncode == -signal.SIGKILL


def kill_often(tmp_path: Path, kills: int, seed: int) -> None:
    sys.path.insert(0, str(PROGRAM.parent))
    try:
        from crash_program import check_sound, contents
    finally:
        sys.path.remove(str(PROGRAM.parent))
    to_end("train", tmp_path / "uninterrupted")
    expected = contents(tmp_path / "uninterrupted")
    rng, hit, runs = random.Random(seed), 0, 0
    while hit < kills:
        path, runs = tmp_path / f"killed{runs}", runs + 1
        while hit < kills and killed_after(path, rng.randint(1, 20), rng.uniform(0, 0.02)):
            hit += 1
            check_sound(path)
        to_end("train", path)
        check_sound(path)
        assert contents(path) == expected


def exhausted(mode: str, folder: Path) -> tuple[int, int]:
    report = to_end(mode, folder)
    found = re.search(r"(\d+) operations, (\d+) killed twice", report)
    assert found is not None, report
    return int(found[1]), int(found[2])


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["exhaust", "exhaust-journal"])
def test_killed_at_every_disk_operation(tmp_path: Path, mode: str) -> None:
    operations, twice = exhausted(mode, tmp_path)
    assert operations > 60
    assert twice > 30


@pytest.mark.slow
def test_killed_at_every_disk_operation_of_a_longer_run(tmp_path: Path) -> None:
    operations, twice = exhausted("exhaust-all", tmp_path)
    assert operations > 200
    assert twice > 100


def test_killed_at_random_moments(tmp_path: Path) -> None:
    kill_often(tmp_path, kills=3, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_killed_at_many_random_moments(tmp_path: Path, seed: int) -> None:
    kill_often(tmp_path, kills=30, seed=seed)
