"""Arrays that training recorded, as variables of the dataset; and the reference that has some."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from reference_checks import check_files

import grokviz as gv
from grokviz.dataset.references import reference as bundled
from grokviz.errors import InputError
from grokviz.runs.reader import Run
from grokviz.runs.tensors import load
from grokviz.tasks.any.measures import arrays
from grokviz.tasks.any.measures.arrays import fitting

NAMES = ("array_entry", "array_shape", "array_kept_shape")


def entries(data, name: str) -> np.ndarray:
    """The entries of an array at all moments, in the shape that the dataset says."""
    place = data["recorded_array"].values.tolist().index(name)
    shape = [n for n in data["array_kept_shape"].values[place].tolist() if n >= 0]
    flat = data["array_entry"].values[:, place]
    assert np.isnan(flat[:, math.prod(shape) :]).all()
    return flat[:, : math.prod(shape)].reshape(-1, *shape)


def test_every_entry_of_small_arrays_is_there(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    shapes = {"pattern": (2, 3, 4), "norms": (5,), "one": (), "counts": (2, 2)}
    given = {n: rng.normal(size=(3, *shape)) for n, shape in shapes.items()}
    given["counts"] = (10 * given["counts"]).astype(np.int64)
    with gv.record(tmp_path / "run") as run:
        for step, epoch in enumerate((0, 10, 40)):
            run.step(epoch, loss=1.0, arrays={n: values[step] for n, values in given.items()})
    data = gv.analyze(tmp_path / "run", NAMES)
    assert data["array_epoch"].values.tolist() == [0, 10, 40]
    assert data["recorded_array"].values.tolist() == sorted(shapes)
    for name, values in given.items():
        np.testing.assert_array_equal(entries(data, name), values.astype(np.float32))
        place = sorted(shapes).index(name)
        shape = [n for n in data["array_shape"].values[place].tolist() if n >= 0]
        assert tuple(shape) == shapes[name]


def test_of_large_arrays_and_of_many_moments_some_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "ENTRIES", 60)
    monkeypatch.setattr(arrays, "FEWEST", 60)
    monkeypatch.setattr(arrays, "MOMENTS", 5)
    large = np.arange(3 * 20 * 30).reshape(3, 20, 30)
    with gv.record(tmp_path / "run") as run:
        for epoch in range(9):
            run.step(epoch, arrays={"large": large + epoch, "small": np.ones(3)})
    data = gv.analyze(tmp_path / "run", NAMES)
    assert data["array_epoch"].values.tolist() == [0, 2, 4, 6, 8]
    found = entries(data, "large")
    assert found.shape == (5, 3, 4, 4)
    rows, columns = [0, 6, 13, 19], [0, 10, 19, 29]
    np.testing.assert_array_equal(found[1], large[:, rows][:, :, columns] + 2)
    assert data["array_shape"].values[0].tolist() == [3, 20, 30, -1, -1]
    assert entries(data, "small").shape == (5, 3)


def test_an_array_that_is_not_there_or_of_another_shape_is_no_number(tmp_path: Path) -> None:
    with gv.record(tmp_path / "run") as run:
        run.step(0, arrays={"grows": np.ones(2), "first": np.ones(2)})
        run.step(1, arrays={"grows": np.ones(3), "empty": np.ones((0, 2))})
        run.step(2, arrays={"grows": np.full(3, 2.0), "deep": np.ones((1,) * 7)})
    data = gv.analyze(tmp_path / "run", NAMES)
    assert data["recorded_array"].values.tolist() == ["first", "grows"]
    assert np.isfinite(entries(data, "first")).all(axis=1).tolist() == [True, False, False]
    assert np.isnan(entries(data, "grows")[0]).all()
    np.testing.assert_array_equal(entries(data, "grows")[1:], [[1, 1, 1], [2, 2, 2]])


def test_they_are_read_where_they_are_asked_for_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gv.record(tmp_path / "run") as run:
        run.step(0, arrays={"a": np.ones(2)}, train_loss=1.0)
    plain, read = Run.arrays, []

    def noting(self: Run, epoch: int, *names: object) -> dict[str, np.ndarray]:
        read.append(epoch)
        return plain(self, epoch, *names)

    monkeypatch.setattr(Run, "arrays", noting)
    gv.analyze(tmp_path / "run", ["logged_train_loss"])
    assert read == []
    gv.analyze(tmp_path / "run", NAMES)
    assert read == [0]


def test_a_run_without_any_says_how_to_record_some(tmp_path: Path) -> None:
    with gv.record(tmp_path / "run") as run:
        run.step(0, {"w": np.ones((2, 2))})
    with pytest.raises(InputError, match=r"no array recorded in training \(run\.step"):
        gv.render("arrays", tmp_path / "run", tmp_path / "a.png")


@pytest.mark.parametrize(
    ("shape", "most", "expected"),
    [
        ((), 10, ()),
        ((5, 2), 10, (5, 2)),
        ((100,), 10, (10,)),
        ((100, 3), 30, (10, 3)),
        ((64, 64), 256, (16, 16)),
        ((4, 64, 64), 400, (4, 10, 10)),
        ((9, 9, 9), 1, (1, 1, 1)),
    ],
)
def test_the_longest_dimensions_are_cut_first(
    shape: tuple[int, ...], most: int, expected: tuple[int, ...]
) -> None:
    assert fitting(shape, most) == expected


# --- the reference that was recorded from a loop ---------------------------------------


@pytest.mark.slow
def test_the_reference_is_what_its_weights_and_its_loop_give(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the loop is one of torch")
    import recorded_features
    import torch

    place, data = bundled.folder() / "recorded-features", bundled.reference("recorded-features")
    check_files(place)
    assert sum(file.stat().st_size for file in place.rglob("*") if file.is_file()) < 100_000
    files = sorted(place.glob("weights/*.safetensors"))
    assert len(files) == 7
    for file in files:
        weight = torch.from_numpy(load(file)[0]["features"])
        at = data["array_epoch"].values.tolist().index(int(file.stem))
        for name, expected in recorded_features.arrays_of(weight).items():
            np.testing.assert_allclose(entries(data, name)[at], expected.numpy(), atol=1e-6)
    recorded_features.loop(tmp_path / "run", steps=12)
    epochs, losses = gv.open_run(tmp_path / "run").metric("train_loss")
    logged = data["logged_train_loss"].sel(logged_epoch=epochs).values
    np.testing.assert_allclose(logged, losses, rtol=2e-3)
