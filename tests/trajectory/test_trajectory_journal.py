"""The journal of a long run's index: it says what a whole index says, and no damage is read."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from trajectory_runs import contents, weights_at, write_small_run

from grokviz.errors import InputError, WorkError
from grokviz.runs import RunWriter, durable, journal, layout, open_run, verify_run
from grokviz.runs.journal import IndexWriter, read_index


@pytest.fixture
def killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run as a kill leaves it, whose index has a journal of several lines."""
    monkeypatch.setattr(journal, "WHOLE_BYTES", 200)
    return written_until_killed(tmp_path / "killed")


def written_until_killed(path: Path) -> Path:
    writer = RunWriter.create(path.with_name(f"{path.name}-live"), {"p": 5})
    writer.log(0, **{f"metric{i}": 1.0 for i in range(20)})  # so that lines are small beside it
    for epoch in range(0, 8, 2):
        writer.log(epoch, train_loss=1.0 / (epoch + 1))
        writer.checkpoint(epoch, weights_at(epoch))
    writer.save_state(6, {"moment": np.ones(3)})
    shutil.copytree(writer.path, path)
    writer.close()
    return path


def journal_of(path: Path) -> Path:
    (file,) = path.glob("index.*.jsonl")
    return file


def test_a_journal_says_what_a_whole_index_says(
    killed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    whole = written_until_killed(tmp_path / "whole")
    assert not list(whole.glob("index.*.jsonl"))
    assert journal_of(killed).read_bytes().count(b"\n") >= 4
    assert read_index(killed) == read_index(whole)
    assert open_run(killed).checksum == open_run(whole).checksum
    assert verify_run(killed) == []


def test_a_closed_run_has_no_journal(
    make_run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = contents(make_run())
    monkeypatch.setattr(journal, "WHOLE_BYTES", 200)
    assert contents(write_small_run(tmp_path / "journalled")) == expected


def test_a_killed_run_is_gone_on_with(killed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RunWriter.resume(killed) as writer:
        assert writer.epochs == [0, 2, 4, 6]
        writer.checkpoint(8, weights_at(8))
        assert verify_run(killed) == []
    assert open_run(killed).epochs.tolist() == [0, 2, 4, 6, 8]
    assert not list(killed.glob("index.*.jsonl"))
    assert verify_run(killed) == []


@pytest.mark.slow
def test_a_flipped_byte_is_named_and_refused(killed: Path) -> None:
    file = journal_of(killed)
    good = file.read_bytes()
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 1 << (at % 8)
        file.write_bytes(bad)
        with pytest.raises(InputError, match=rf"{file.name} is damaged"):
            open_run(killed)
        if at % 50 == 0 or at == len(good) - 1:
            assert [f.file for f in verify_run(killed) if not f.note] == [file.name]
    file.write_bytes(good)
    assert verify_run(killed) == []


def test_lines_lost_doubled_or_swapped_are_damage(killed: Path) -> None:
    file = journal_of(killed)
    first, second, third, *rest = file.read_bytes().splitlines(keepends=True)
    for lines in (
        [first, third, *rest],
        [first, second, second, third, *rest],
        [first, third, second, *rest],
        [second, third, *rest],
        [],
    ):
        file.write_bytes(b"".join(lines))
        with pytest.raises(InputError, match=rf"{file.name} is damaged"):
            open_run(killed)
    file.unlink()
    with pytest.raises(InputError, match=rf"{file.name} is damaged: it is missing"):
        open_run(killed)
    assert [f.file for f in verify_run(killed) if not f.note] == [file.name]


def test_a_line_cut_by_a_kill_is_the_state_before(killed: Path) -> None:
    file = journal_of(killed)
    good = file.read_bytes()
    *_, last = good.splitlines(keepends=True)
    for size in range(len(good) - len(last), len(good) - 1):
        file.write_bytes(good[:size])
        assert read_index(killed).resume == [None], size
    file.write_bytes(good[:-1])  # all but the line's end, of which nothing is lost
    assert read_index(killed).resume[-1] is not None
    with RunWriter.reopen(killed) as writer:
        writer.checkpoint(8, weights_at(8))
    assert verify_run(killed) == []


def test_a_change_of_files_that_no_run_has_is_damage(killed: Path) -> None:
    file = journal_of(killed)
    good = file.read_bytes()
    previous = layout.decode_document(good.splitlines(keepends=True)[0], None)["previous"]
    entry = {"epoch": 3, "bytes": 1, "sha256": "0"}
    for change in (
        {"checkpoints": [{**entry, "file": "/etc/passwd"}]},
        {"checkpoints": [{**entry, "file": "checkpoints/3.safetensors", "epoch": -3}]},
        {"checkpoints": 7},
        {"metrics": {"loss": {"file": "/etc/passwd", "records": 1, "sha256": ""}}},
        {"resume": [{**entry, "bytes": float("inf")}]},
        {"unheard-of": 1},
    ):
        head = layout.encode_document({"previous": previous}, None)
        line = journal._line(change, journal.hashlib.sha256(head).hexdigest())
        file.write_bytes(head + line)
        with pytest.raises(InputError, match=rf"{file.name} is damaged: its line 2"):
            open_run(killed)


def test_a_reader_that_meets_a_fold_looks_again(
    killed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_index(killed)
    read = Path.read_bytes

    def folding(file: Path) -> bytes:
        data = read(file)
        if file.name == layout.INDEX and list(killed.glob("index.*.jsonl")):
            monkeypatch.setattr(Path, "read_bytes", read)
            RunWriter.reopen(killed).close()
        return data

    monkeypatch.setattr(Path, "read_bytes", folding)
    assert read_index(killed).checkpoints == before.checkpoints
    assert not list(killed.glob("index.*.jsonl"))


def test_after_a_failed_line_the_index_is_written_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "WHOLE_BYTES", 200)
    writer = RunWriter.create(tmp_path / "run", {})
    writer.checkpoint(0, weights_at(0))

    def torn(file: Path, offset: int, data: bytes) -> None:
        if file.suffix == ".jsonl":
            with file.open("ab") as handle:
                handle.write(data)  # whole on the disk, and yet an error
            raise WorkError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(durable, "write_at", torn)
        with pytest.raises(WorkError):
            writer.checkpoint(1, weights_at(1))
    assert verify_run(tmp_path / "run") == []
    writer.checkpoint(2, weights_at(2))
    assert open_run(tmp_path / "run").epochs.tolist() == [0, 1, 2]
    assert verify_run(tmp_path / "run") == []
    writer.close()


@pytest.mark.slow
def test_what_a_checkpoint_writes_does_not_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = 0

    def count(path: Path, *rest: int | bytes) -> None:
        nonlocal written
        written += len(rest[-1])  # type: ignore[arg-type]
        if path.suffix == ".json":
            path.write_bytes(rest[-1])  # type: ignore[arg-type]

    for name in ("write_at", "replace_file"):
        monkeypatch.setattr(durable, name, count)
    monkeypatch.setattr(journal, "WHOLE_BYTES", 2**12)
    index, writer, each = layout.Index(), IndexWriter(tmp_path), []
    writer.replace(index)
    for epoch in range(6000):
        written = 0
        index.checkpoints[epoch] = layout.FileEntry(epoch, 1, "0" * 64)
        index.metrics["loss"] = layout.MetricEntry(epoch, "0" * 64)
        writer.write(index)
        each.append(written)
    assert np.mean(each[3000:]) < 2 * np.mean(each[200:600])
    assert np.median(each[3000:]) < 1.1 * np.median(each[200:600])
