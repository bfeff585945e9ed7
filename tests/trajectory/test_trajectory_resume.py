from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from trajectory_runs import contents, weights_at

from grokviz.errors import InputError, WorkError
from grokviz.runs import RunWriter, open_run, verify_run, writer


def unfinished(path: Path, *, state: bool = True) -> None:
    run = RunWriter.create(path, {"p": 5})
    for epoch in range(8):
        if epoch % 2 == 0:
            run.checkpoint(epoch, weights_at(epoch))
        if epoch == 4 and state:
            run.save_state(epoch, {"moment": np.arange(3.0)}, {"note": "x"})
        run.log(epoch, loss=float(epoch))
        if epoch == 7:
            run.log(epoch, late=1.0)
    run.close()


def test_resume_drops_what_comes_after_the_state(tmp_path: Path) -> None:
    path = tmp_path / "run"
    unfinished(path)
    with RunWriter.resume(path) as run:
        assert run.resume_state is not None
        arrays, metadata = run.resume_state
        np.testing.assert_array_equal(arrays["moment"], np.arange(3.0))
        assert metadata == {"epoch": 4, "note": "x"}
        assert run.facts == {"p": 5}
        assert run.epochs == [0, 2, 4]
    assert (path / "metrics" / "loss.f64").stat().st_size == 4 * 16
    assert not (path / "metrics" / "late.f64").exists()
    assert not (path / "checkpoints" / "6.safetensors").exists()
    read = open_run(path)
    assert read.metric("loss")[0].tolist() == [0, 1, 2, 3]
    assert read.metrics == ["loss"]
    assert read.verify() == []


def test_resume_without_a_state_begins_again(tmp_path: Path) -> None:
    path = tmp_path / "run"
    unfinished(path, state=False)
    before = (path / "run.json").read_bytes()
    with RunWriter.resume(path) as run:
        assert run.resume_state is None
        assert run.epochs == []
    assert set(contents(path)) == {"run.json", "index.json"}
    assert (path / "run.json").read_bytes() == before
    assert verify_run(path) == []


def test_the_checkpoint_resumed_at_may_be_written_again_but_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "run"
    unfinished(path)
    with RunWriter.resume(path) as run:
        run.checkpoint(4, weights_at(4))
        with pytest.raises(InputError, match="epoch 4 cannot follow"):
            run.checkpoint(4, weights_at(5))
        with pytest.raises(InputError, match="epoch 3 cannot follow"):
            run.checkpoint(3, weights_at(3))
    np.testing.assert_array_equal(
        open_run(path).weights(4)["embed.W_E"], weights_at(4)["embed.W_E"]
    )


def test_finished_run_is_left_alone_until_written_to(make_run: Callable[..., Path]) -> None:
    path = make_run()
    before = contents(path)
    with RunWriter.resume(path) as run:
        assert run.finished
    assert contents(path) == before
    with RunWriter.resume(path) as run:
        run.log(6, train_loss=0.5)
        assert not run.finished
    read = open_run(path)
    assert read.metric("train_loss")[0].tolist() == list(range(7))
    assert read.epochs.tolist() == [0, 3, 6]
    assert not read.finished


def test_a_finished_run_without_a_state_begins_again_once_written_to(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with RunWriter.create(path, {}) as run:
        for epoch in range(3):
            run.checkpoint(epoch, weights_at(epoch))
            run.log(epoch, loss=1.0)
        run.close(finished=True)
    before = contents(path)
    with RunWriter.resume(path) as run:
        assert run.epochs == [0, 1, 2]
    assert contents(path) == before
    with RunWriter.resume(path) as run:
        run.log(0, loss=0.5)
        assert (run.finished, run.epochs) == (False, [])
        run.checkpoint(0, {"other": np.ones(2)})
    read = open_run(path)
    assert read.metric("loss")[1].tolist() == [0.5]
    assert read.epochs.tolist() == [0]
    assert read.verify() == []


def test_wrong_use_leaves_a_finished_run_finished(make_run: Callable[..., Path]) -> None:
    path = make_run()
    before = contents(path)
    calls: list[tuple[str, Callable[[RunWriter], None]]] = [
        ("not one number", lambda run: run.log(6, train_loss="x")),  # type: ignore[arg-type]
        ("logged past epoch 3", lambda run: run.log(3, train_loss=1.0)),
        ("whole number", lambda run: run.log(-1, train_loss=1.0)),
        ("is now absent", lambda run: run.checkpoint(9, {"other": np.ones(2)})),
        ("cannot follow", lambda run: run.checkpoint(3, weights_at(4))),
        ("metadata rng", lambda run: run.save_state(9, {}, {"rng": object()})),
        ("the fact x", lambda run: run.update_facts(x=object())),
    ]
    for words, call in calls:
        with RunWriter.resume(path) as run:
            with pytest.raises(InputError, match=words):
                call(run)
            assert run.finished, words
        assert contents(path) == before, words


def test_metrics_of_one_call_are_logged_together_or_not_at_all(tmp_path: Path) -> None:
    with RunWriter.create(tmp_path / "run", {}) as run:
        run.log(5, b=1.0)
        for metrics in ({"a": 1.0, "b": 1.0}, {"a": 1.0, "B": 1.0}, {"a": 1.0, "A": 1.0}):
            with pytest.raises(InputError):
                run.log(5, **metrics)
        run.log(6, A=2.0, b=2.0)
    read = open_run(tmp_path / "run")
    assert {name: read.metric(name)[0].tolist() for name in read.metrics} == {"A": [6], "b": [5, 6]}


def test_second_writer_is_refused_and_a_dead_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "run"
    unfinished(path)
    run = RunWriter.resume(path)
    with pytest.raises(InputError, match="is being written by another process"):
        RunWriter.resume(path)
    run.close()
    run.close()
    code = (
        "import os, sys; from grokviz.runs import RunWriter; "
        "RunWriter.resume(sys.argv[1]); os.kill(os.getpid(), 9)"
    )
    root = str(Path(writer.__file__).parents[2])
    child = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        env={**os.environ, "PYTHONPATH": root},
        check=False,
    )
    assert child.returncode == -9
    RunWriter.resume(path).close()


def test_a_lock_that_fails_is_a_sentence_and_one_that_cannot_be_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    path = tmp_path / "run"
    unfinished(path)

    def failing(number: int) -> Callable[..., None]:
        def flock(handle: int, how: int) -> None:
            raise OSError(number, os.strerror(number))

        return flock

    for number in (errno.ENOTSUP, errno.ENOSYS, errno.ENOLCK):
        monkeypatch.setattr(fcntl, "flock", failing(number))
        RunWriter.resume(path).close()
    for number in (errno.EIO, errno.EBADF):
        monkeypatch.setattr(fcntl, "flock", failing(number))
        with pytest.raises(WorkError, match=r"cannot write .*\.lock: "):
            RunWriter.resume(path)


def test_readers_see_a_run_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "run"
    run = RunWriter.create(path, {})
    for epoch in range(3):
        run.checkpoint(epoch, weights_at(epoch))
        run.log(epoch, loss=1.0)
        assert open_run(path).epochs.tolist() == list(range(epoch + 1))
        assert verify_run(path) == []
    run.close()


def test_metrics_reach_the_disk_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(writer.time, "monotonic", lambda: now[0])
    path = tmp_path / "run"
    run = RunWriter.create(path, {})
    run.log(0, loss=1.0)
    assert open_run(path).metrics == []
    now[0] = writer.FLUSH_SECONDS + 0.1
    run.log(1, loss=1.0)
    assert open_run(path).metric("loss")[0].tolist() == [0, 1]
    run.close()


def test_only_a_new_or_empty_folder_becomes_a_run(make_run: Callable[..., Path]) -> None:
    path = make_run()
    with pytest.raises(InputError, match="already holds a run"):
        RunWriter.create(path, {})
    foreign = path.parent / "foreign"
    foreign.mkdir()
    for name in ("thesis.txt", "index.json"):
        (foreign / name).write_text("{}")
        with pytest.raises(InputError, match=rf"not a run \({name}\)"):
            RunWriter.create(foreign, {})
        with pytest.raises(InputError, match="there is no run there"):
            RunWriter.resume(foreign)
        assert [p.name for p in foreign.iterdir()] == [name]
        (foreign / name).unlink()
    RunWriter.create(foreign, {}).close()
    file = path.parent / "file"
    file.write_text("x")
    with pytest.raises(InputError, match="is a file"):
        RunWriter.create(file, {})


def test_damaged_state_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "run"
    unfinished(path)
    file = path / "resume.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    before = contents(path)
    with pytest.raises(InputError, match=r"resume.safetensors is damaged"):
        RunWriter.resume(path)
    file.unlink()
    with pytest.raises(InputError, match=r"resume.safetensors is missing"):
        RunWriter.resume(path)
    file.write_bytes(data)
    assert contents(path) == before


def test_wrong_use_is_a_sentence(tmp_path: Path) -> None:
    run = RunWriter.create(tmp_path / "run", {})
    run.checkpoint(2, weights_at(2))
    run.log(2, loss=1.0)
    with pytest.raises(InputError, match=r"embed.W_E was F32 \(4, 6\) and is now absent"):
        run.checkpoint(3, {"unembed.W_U": np.ones((4, 5))})
    with pytest.raises(InputError, match=r"is now F32 \(4, 7\)"):
        run.checkpoint(3, {**weights_at(3), "embed.W_E": np.ones((4, 7), np.float32)})
    with pytest.raises(InputError, match="already logged at epoch 2"):
        run.log(2, loss=1.0)
    with pytest.raises(InputError, match="logged past epoch 1"):
        run.log(1, loss=1.0)
    for epoch in (-1, 1.5, "3", None, True):
        with pytest.raises(InputError, match="whole number"):
            run.log(epoch, loss=1.0)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="metadata rng"):
        run.save_state(2, {}, {"rng": object()})
    run.close()
    with pytest.raises(InputError, match="was closed"):
        run.log(5, loss=1.0)


def test_every_file_is_synced_before_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut may lose what was not synced: nothing the index names may be among it."""
    path, synced = tmp_path / "run", set[int]()
    real = {name: getattr(os, name) for name in ("fsync", "write", "replace")}

    def fsync(handle: int) -> None:
        synced.add(os.fstat(handle).st_ino)
        real["fsync"](handle)

    def write(handle: int, data: bytes) -> int:
        synced.discard(os.fstat(handle).st_ino)
        return int(real["write"](handle, data))

    def replace(source: Path, target: Path) -> None:
        assert Path(source).stat().st_ino in synced, target
        if Path(target).name == "index.json":
            named = [path / "metrics", path / "checkpoints", *(path / "metrics").iterdir()]
            for file in named if (path / "run.json").exists() else []:
                assert not any_inside(file) or file.stat().st_ino in synced, file
        synced.discard(Path(target).parent.stat().st_ino)
        real["replace"](source, target)

    def any_inside(file: Path) -> bool:
        return not file.is_dir() or any(file.iterdir())

    for name, patched in (("fsync", fsync), ("write", write), ("replace", replace)):
        monkeypatch.setattr(os, name, patched)
    run = RunWriter.create(path, {})
    for epoch in range(3):
        run.log(epoch, loss=1.0)
        run.checkpoint(epoch, weights_at(epoch))
        assert (path / "metrics" / "loss.f64").stat().st_ino in synced
        run.save_state(epoch, {"x": np.ones(2)})
        assert path.stat().st_ino in synced
    run.close()
    assert path.stat().st_ino in synced
