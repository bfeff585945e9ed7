"""What a killed process leaves is removed by the next success, and what a live one writes never."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from grokviz import files, strays
from grokviz.files import replacing

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a POSIX system")

WRITE = """
import os, sys, time
from pathlib import Path
from grokviz import files, strays
place, folder = Path(sys.argv[1]), sys.argv[2] == "folder"
real = os.rename
with files.replacing(place, folder=folder) as part, strays.temporary_folder("test") as other:
    (part / "a" if folder else part).write_text("half")
    (other / "b").write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""


def writer(place: Path, kind: str) -> subprocess.Popen[str]:
    """A process that has begun to write ``place``."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "TMPDIR": str(place.parent),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE, str(place), kind],
        env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def temporary(folder: Path) -> list[str]:
    return [f.name for f in folder.iterdir() if f.name.startswith((".", "grokviz-"))]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_only_what_the_dead_left_is_removed(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "film.mp4"
    dead, alive = writer(place, kind), writer(place, kind)
    try:
        dead.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)  # a zombie is no writer any more
        assert len(temporary(tmp_path)) == 4
        with replacing(tmp_path / "other") as part:
            part.write_text("whole")
        left = temporary(tmp_path)
        assert len(left) == 2
        assert all(f"-{alive.pid}-" in name for name in left)
    finally:
        for process in (dead, alive):
            process.kill()
            process.communicate()
    with strays.temporary_folder("test"):
        pass
    strays.remove_strays(tmp_path)
    assert temporary(tmp_path) == []


def test_other_machines_users_and_numbers_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, process, start = strays.owner().split("-")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    names = {
        f".a.{machine}-{ended.pid}-{start}.01234567.part.mp4": False,
        f".a.{machine}-{os.getppid()}-{start}.01234567.part": False,  # its number was given anew
        f"grokviz-slides-{machine}-{ended.pid}-{start}-x_1": False,
        f".a.{machine}-{process}-{start}.01234567.part": True,
        f".a.{'0' * 8}-{ended.pid}-{start}.01234567.part": True,
        ".a.01234567.part": True,  # of an earlier version, which named no owner
        f"a.{machine}-{ended.pid}-{start}.01234567.part": True,
    }
    for name in names:
        (tmp_path / name).write_text("x")
    with monkeypatch.context() as other:
        other.setattr(os, "geteuid", lambda: 12345)
        strays.remove_strays(tmp_path)
    assert len(list(tmp_path.iterdir())) == len(names)
    strays.remove_strays(tmp_path)
    assert {name: (tmp_path / name).exists() for name in names} == names


def sequence(place: Path, content: str) -> None:
    with replacing(place, folder=True) as part:
        (part / "00000.png").write_text(content)


@pytest.mark.parametrize("atomic", [True, False])
def test_a_folder_is_the_old_or_the_new_at_every_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, atomic: bool
) -> None:
    """Killed before each rename in turn; where names cannot be exchanged, after a next start."""
    if not atomic:
        monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    elif not exchanges(tmp_path):
        pytest.skip("this file system cannot exchange two names")
    place, found = tmp_path / "frames", set()
    for step in range(1, 20):
        strays.remove(place)
        sequence(place, "old")
        if not killed(place, step):
            break
        if not place.exists():
            assert not atomic
            with pytest.raises(KeyError), replacing(place, folder=True):
                raise KeyError
        found.add((place / "00000.png").read_text())
        assert found <= {"old", "new"}
        sequence(place, "whole")
        assert [f.name for f in tmp_path.iterdir()] == ["frames"]
    else:
        pytest.fail("it never came to its end")
    assert found == {"old", "new"}


def exchanges(folder: Path) -> bool:
    for name in ("one", "other"):
        (folder / name).mkdir()
    done = files._exchange(folder / "one", folder / "other")
    for name in ("one", "other"):
        (folder / name).rmdir()
    return done


def killed(place: Path, step: int) -> bool:
    """Write ``place`` in a process that dies at its ``step``-th change of a folder."""
    child = os.fork()
    if child == 0:
        try:
            count = 0

            def hook(event: str, arguments: tuple[object, ...]) -> None:
                nonlocal count
                if event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"):
                    count += 1
                    if count == step:
                        os.kill(os.getpid(), signal.SIGKILL)

            sys.addaudithook(hook)
            sequence(place, "new")
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_a_link_to_a_folder_is_replaced_and_its_target_stays(tmp_path: Path) -> None:
    sequence(tmp_path / "target", "old")
    (tmp_path / "frames").symlink_to("target")
    sequence(tmp_path / "frames", "new")
    assert not (tmp_path / "frames").is_symlink()
    assert (tmp_path / "target" / "00000.png").read_text() == "old"
    assert sorted(f.name for f in tmp_path.iterdir()) == ["frames", "target"]
