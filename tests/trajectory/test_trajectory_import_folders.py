"""Folders of checkpoints, one file a step: flat or nested, of one run or of several."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

import grokviz as gv
from grokviz.errors import InputError
from grokviz.importers.choice import read_file
from grokviz.importers.contract import RunContents
from grokviz.importers.reading import npz


def state(seed: int, rows: int = 3) -> dict[str, np.ndarray]:
    """Weights of a small foreign model."""
    rng = np.random.default_rng(seed)
    return {"fc.weight": rng.normal(size=(rows, 2)).astype("f4"), "fc.bias": np.zeros(rows, "f4")}


def save(path: Path, seed: int, **more: float) -> None:
    """A checkpoint as ``.npz`` or ``.safetensors``, by its suffix."""
    from safetensors.numpy import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npz":
        np.savez_compressed(path, **state(seed), **more)
    else:
        save_file(state(seed), path)


def members(folder: Path) -> dict[str, RunContents]:
    return {run.member: run for run in read_file(folder)[2]}


def said(run: RunContents) -> str:
    return "\n".join(str(belief) for belief in run.beliefs)


@pytest.mark.parametrize(
    "names",
    [
        ["step_0.npz", "step_3.npz", "step_1000.npz"],
        ["0/weights.safetensors", "3/weights.safetensors", "1000/weights.safetensors"],
        ["a/b/iter-0.npz", "a/b/iter-3.npz", "a/b/iter-1000.npz"],
        ["epoch_1/ckpt-0/m.npz", "epoch_1/ckpt-3/m.npz", "epoch_2/ckpt-1000/m.npz"],
    ],
)  # fmt: skip
def test_a_file_a_step_is_a_run_however_it_is_nested(names: list[str], tmp_path: Path) -> None:
    for seed, name in enumerate(names):
        save(tmp_path / "theirs" / name, seed)
    imported = gv.import_run(tmp_path / "theirs", tmp_path / "run")
    run = gv.open_run(imported.path)
    assert list(run.epochs) == [0, 3, 1000]
    assert any(belief.startswith("steps 0 to 1000") for belief in imported.beliefs)
    for seed, epoch in enumerate(run.epochs):
        weights = run.weights(epoch)
        np.testing.assert_array_equal(weights["fc.weight"], state(seed)["fc.weight"])


def test_each_folder_of_runs_has_steps_of_its_own(tmp_path: Path) -> None:
    for seed, steps in enumerate([(0, 10), (0, 10, 70), (5, 6)]):
        for step in steps:
            save(tmp_path / f"seed_{seed}" / f"step_{step}.npz", 100 * seed + step)
    runs = members(tmp_path)
    assert {name: run.checkpoints.epochs for name, run in runs.items()} == {  # type: ignore[attr-defined]
        "seed_0": [0, 10], "seed_1": [0, 10, 70], "seed_2": [5, 6],
    }  # fmt: skip
    weights = runs["seed_1"].checkpoints[2][1]
    np.testing.assert_array_equal(weights["fc.weight"], state(170)["fc.weight"])


def test_files_of_three_seeds_are_three_runs(tmp_path: Path) -> None:
    for seed in range(3):
        save(tmp_path / f"run_seed{seed}.safetensors", seed)
    imported = gv.import_run(tmp_path, tmp_path / "out")
    assert [path.name for path in imported.runs] == ["seed=0", "seed=1", "seed=2"]
    for seed, path in enumerate(imported.runs):
        weights = gv.open_run(path).weights(0)
        np.testing.assert_array_equal(weights["fc.weight"], state(seed)["fc.weight"])


def test_numbers_beside_arrays_are_its_epoch_and_losses(tmp_path: Path) -> None:
    for epoch, loss in ((4, 2.0), (9, 1.0)):
        save(tmp_path / f"{chr(97 + epoch)}.npz", epoch, epoch=epoch, train_loss=loss)
    [run] = members(tmp_path).values()
    assert [epoch for epoch, _ in run.checkpoints] == [4, 9]
    assert run.curves["train_loss"].epochs.tolist() == [4, 9]
    assert run.curves["train_loss"].values.tolist() == [2.0, 1.0]
    assert set(run.checkpoints[0][1]) == {"fc.weight", "fc.bias"}


def test_what_is_no_checkpoint_of_the_run_is_left_out(tmp_path: Path) -> None:
    for step in (1, 2):
        save(tmp_path / f"step_{step}.npz", step)
    save(tmp_path / "final.npz", 7)
    save(tmp_path / "best" / "model.npz", 8)
    for side in ("optimizer.pt", "rng_state_0.pth", "optimizer_step_1.pt"):
        (tmp_path / side).write_bytes(b"not looked at")
    [run] = members(tmp_path).values()
    assert [epoch for epoch, _ in run.checkpoints] == [1, 2]
    for name in ("final.npz", "best/model.npz"):
        assert f"left out {name}" in said(run)


def test_a_tensor_that_some_checkpoints_lack_is_left_out(tmp_path: Path) -> None:
    np.savez(tmp_path / "step_1.npz", **state(1), tied=np.ones(2))
    np.savez(tmp_path / "step_2.npz", **state(2))
    [run] = members(tmp_path).values()
    assert [set(weights) for _, weights in run.checkpoints] == [{"fc.weight", "fc.bias"}] * 2
    assert "left out tied: not all checkpoints have it" in said(run)


def test_names_that_tell_nothing_are_refused_in_one_sentence(tmp_path: Path) -> None:
    for name in ("p99zdpze5l.npz", "x8aab1c.npz"):
        save(tmp_path / name, 1)
    with pytest.raises(InputError, match=r"p99zdpze5l\.npz, x8aab1c\.npz.*step_100\.pth"):
        read_file(tmp_path)


def test_a_hostile_file_among_checkpoints_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "step_1.npz", 1)
    (tmp_path / "step_2.pth").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(InputError, match=r"step_2\.pth"):
        read_file(tmp_path)


def test_a_name_too_long_for_the_disk_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_file(tmp_path / ("a" * 5000))


def test_checkpoints_of_two_models_are_no_run(tmp_path: Path) -> None:
    save(tmp_path / "step_1.npz", 1)
    np.savez(tmp_path / "step_2.npz", other=np.ones(2))
    with pytest.raises(InputError, match="keep the checkpoints of one model"):
        read_file(tmp_path)


def npz_of(header: bytes, data: bytes) -> bytes:
    """An archive of one array with this header, whatever its data are."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        text = header.ljust(117) + b"\n"
        size = len(text).to_bytes(2, "little")
        archive.writestr("w.npy", b"\x93NUMPY\x01\x00" + size + text + data)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
        b"{'descr': 'nothing', 'fortran_order': False, 'shape': (1,)}",
        b"__import__('os').system('true')",
    ],
)
def test_a_numpy_archive_that_lies_is_refused(header: bytes, tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(npz_of(header, bytes(8)))
    with pytest.raises(InputError, match=r"bad\.npz cannot be read"):
        read_file(tmp_path / "bad.npz")
    honest = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}"
    (tmp_path / "good.npz").write_bytes(npz_of(honest, bytes(8)))
    [run] = read_file(tmp_path / "good.npz")[2]
    assert run.checkpoints[0][1]["w"].tolist() == [0.0]


def test_a_numpy_archive_that_unpacks_to_far_more_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npz, "ALWAYS", 10**5)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w.npy", bytes(1_500_000))
    with pytest.raises(InputError, match="1,500,000"):
        read_file(tmp_path / "bomb.npz")
