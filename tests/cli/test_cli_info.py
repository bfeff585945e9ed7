"""``grokviz info``: what a run holds, and which file is not as it was written."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from grokviz import cli
from grokviz.dataset.references import reference as bundled
from grokviz.runs import RunWriter, layout


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run of three checkpoints at ``./run``."""
    monkeypatch.chdir(tmp_path)
    facts = {"recipe": "modular-addition", "task": "modular-addition", "p": 5}
    with RunWriter.create(tmp_path / "run", facts) as writer:
        for epoch in range(5):
            if epoch % 2 == 0:
                writer.checkpoint(epoch, {"embed.W_E": np.full((4, 6), epoch, np.float32)})
            writer.log(epoch, train_loss=1 / (epoch + 1))
        writer.close(finished=True)
    return tmp_path / "run"


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = cli.run(["info", *arguments])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return status, out, err


def test_a_sound_run(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = asked(capsys, "run", "--verify")
    assert (status, err) == (0, "")
    assert "every file is as it was written" in out
    assert re.search(r"^checkpoints +3$", out, re.M)
    assert asked(capsys, "run", "--verify", "--quiet") == (0, "", "")
    status, out, err = asked(capsys, "run", "--json", "--verify")
    facts = json.loads(out)
    assert {"epochs", "checkpoints", "recipe", "checksum", "problems"} <= set(facts)
    assert (facts["epochs"], facts["checkpoints"], facts["problems"]) == (4, 3, [])


def test_what_is_not_known_is_not_printed(tmp_path: Path, capsys) -> None:
    for name, precision in (("a", {"loss": None, "weights": "float32"}), ("b", {"loss": None})):
        with RunWriter.create(tmp_path / name, {"precision": precision}) as writer:
            writer.log(0, train_loss=1.0)
            writer.close(finished=True)
    assert re.search(r"^precision +weights=float32$", asked(capsys, f"{tmp_path / 'a'}")[1], re.M)
    out = asked(capsys, f"{tmp_path / 'b'}")[1]
    assert "precision" not in out
    assert "None" not in out


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-3] ^= 0x10
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


FILES = [
    "run.json", "index.json", "checkpoints/0.safetensors", "checkpoints/4.safetensors",
    "metrics/train_loss.f64",
]  # fmt: skip


@pytest.mark.parametrize("damage", [flip, cut, Path.unlink], ids=["flipped", "cut", "missing"])
@pytest.mark.parametrize("name", FILES)
def test_the_damaged_file_is_named(
    run: Path, capsys: pytest.CaptureFixture[str], name: str, damage: Callable[[Path], None]
) -> None:
    file = run / name
    if not file.exists():
        (file,) = run.glob(f"{Path(name).parent}/{Path(name).stem}*")
    damage(file)
    wanted = file.relative_to(run).as_posix()
    status, out, err = asked(capsys, "run", "--verify")
    assert status == 1
    assert f"run: {wanted}: " in err
    assert err.count("\n") == 1, err
    assert "as it was written" not in out
    status, out, err = asked(capsys, "run", "--verify", "--json")
    assert status == 1
    (problem,) = json.loads(out)["problems"]
    assert problem.startswith(f"{wanted}: ")


def test_a_newer_run_is_not_called_damaged(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as later:
        later.setattr(layout, "FORMAT", layout.ARRAYS_FORMAT + 1)
        (run / "run.json").write_bytes(layout.encode_facts({}))
    (run / "index.json").write_bytes(layout.encode_document({"unheard-of": []}, indent=None))
    for more in ((), ("--verify",)):
        status, out, err = asked(capsys, "run", *more)
        assert (status, out) == (2, "")
        assert "pip install --upgrade grokviz" in err
        assert "damaged" not in err


def test_no_run_there(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run.parent / "empty").mkdir()
    (run.parent / "file").write_text("x")
    for name in ("missing", "empty", "file", "modular-adition"):
        for more in ((), ("--verify",)):
            status, out, err = asked(capsys, name, *more)
            assert (status, out) == (2, "")
            assert err.startswith("grokviz: ")
            assert name in err
            assert err.count("\n") == 1


def test_a_bundled_reference(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = asked(capsys, "modular-addition", "--verify")
    assert (status, err) == (0, "")
    assert re.search(r"^epochs +40000$", out, re.M)
    status, out, err = asked(capsys, "modular-addition", "--json")
    facts = json.loads(out)
    assert facts["recipe"] == "modular-addition"
    assert (facts["epochs"], facts["problems"]) == (40000, [])
    assert facts["weights"] == [0, 1400, 5400, 40000]


def test_a_damaged_reference(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = run.parent / "references"
    shutil.copytree(bundled.folder(), copy)
    monkeypatch.setattr(bundled, "folder", lambda: copy)
    bundled._reference.cache_clear()
    flip(copy / "modular-addition" / "weights" / "1400.safetensors")
    (copy / "modular-addition" / "weights" / "0.safetensors").unlink()
    status, _, err = asked(capsys, "modular-addition", "--verify")
    bundled._reference.cache_clear()
    assert status == 1
    assert "weights/1400.safetensors has changed since it was bundled; reinstall grokviz" in err
    assert "weights/0.safetensors is missing" in err
    assert err.count("\n") == 2


def test_a_sweep_has_a_line_for_each_of_its_runs(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run.parent / "fractions"
    for fraction in ("0.3", "0.5"):
        shutil.copytree(run, folder / f"train-fraction={fraction}")
    status, out, _ = asked(capsys, str(folder))
    assert status == 0
    assert re.findall(r"train-fraction=(\S+) +epochs 4, checkpoints 3", out) == ["0.3", "0.5"]
    damaged = folder / "train-fraction=0.5" / "checkpoints" / "2.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    status, out, err = asked(capsys, str(folder), "--verify", "--json")
    assert status == 1
    assert json.loads(out)["epochs"] == {"train-fraction=0.3": 4, "train-fraction=0.5": 4}
    assert "train-fraction=0.5: " in err
    assert "train-fraction=0.3: " not in err
