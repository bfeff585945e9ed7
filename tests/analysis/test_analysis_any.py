"""Measures of any run: every tensor's spectrum, entries and steps, against formulas written out."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from grokviz.dataset.build.assemble import assemble
from grokviz.runs import Run, RunWriter, open_run
from grokviz.tasks.any import norms, spectra, steps
from grokviz.tasks.any.measures import entries, logs, matrices
from grokviz.tasks.any.measures import spectra as spectral

EPOCHS = (0, 10, 20, 30, 40)
NAMES = ("conv.weight", "dense.weight", "dense.bias", "scale", "unmoved")
MEASURES = (
    "tensor_norm", "entry_quantile", "entry_kurtosis", "dead_row_share", "singular_value",
    "stable_rank", "effective_rank", "spectral_entropy", "spectral_gini", "step_size",
    "step_cosine", "step_whole_cosine", "start_distance", "end_distance", "moved_epoch",
    "component_share", "whole_component_share", "whole_plane",
)  # fmt: skip


def states() -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    shapes = {"conv.weight": (4, 3, 2, 2), "dense.weight": (7, 5), "dense.bias": (7,), "scale": ()}
    walk = {name: rng.normal(size=(len(EPOCHS), *shape)) for name, shape in shapes.items()}
    walk = {name: np.cumsum(array, axis=0).astype(np.float32) for name, array in walk.items()}
    walk["dense.weight"][:, 2] = 1e-4
    walk["unmoved"] = np.ones((len(EPOCHS), 3, 3), np.float32)
    walk["attn.mask"] = np.ones((len(EPOCHS), 9, 9), np.float32)
    return [{name: array[i] for name, array in walk.items()} for i in range(len(EPOCHS))]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return written(tmp_path_factory.mktemp("any") / "run", dict(zip(EPOCHS, states(), strict=True)))


@pytest.fixture(scope="module")
def data(run: Run) -> xr.Dataset:
    return assemble(run, MEASURES, workers=0)


def written(path: Path, checkpoints: dict[int, dict[str, np.ndarray]]) -> Run:
    with RunWriter.create(path, {}) as writer:
        for epoch, state in checkpoints.items():
            writer.checkpoint(epoch, state)
        writer.close(finished=True)
    return open_run(path)


def path_of(name: str) -> np.ndarray:
    """A tensor at all checkpoints, end to end."""
    return np.stack([np.ravel(state[name]).astype(float) for state in states()])


def cosine(one: np.ndarray, two: np.ndarray) -> float:
    return float(one @ two / np.linalg.norm(one) / np.linalg.norm(two))


def test_every_weight_is_measured_and_no_mask(data: xr.Dataset) -> None:
    assert sorted(data["parameter"].values) == sorted(NAMES)
    assert data["epoch"].values.tolist() == data["step_epoch"].values.tolist() == list(EPOCHS)
    for name in MEASURES:
        assert data[name].attrs["source"], name


# --- a tensor at a checkpoint --------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "matrix"),
    [((7, 5), (7, 5)), ((4, 3, 2, 2), (4, 12)), ((4, 32, 128), (128, 128)),
     ((3, 64, 16), (192, 16)), ((7,), None), ((), None), ((1, 9), None)],
)  # fmt: skip
def test_a_tensor_is_the_matrix_whose_shorter_side_is_longest(
    shape: tuple[int, ...], matrix: tuple[int, int] | None
) -> None:
    tensor = np.arange(np.prod(shape, dtype=int), dtype=float).reshape(shape)
    found = spectra.unfolding(tensor)
    assert (None if found is None else found.shape) == matrix
    if found is not None:
        assert np.ravel(found).tolist() == np.ravel(tensor).tolist()


@pytest.mark.parametrize("shape", [(7, 5), (5, 7), (6, 6)])
def test_singular_values_are_those_of_a_decomposition(
    shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    wanted = np.linalg.svd(matrix.astype(float), compute_uv=False)
    np.testing.assert_allclose(spectra.singular_values(matrix), wanted, rtol=1e-9)
    # a few rows at a time
    monkeypatch.setattr(spectra, "ENTRIES_AT_ONCE", 11)
    np.testing.assert_allclose(spectra.singular_values(matrix), wanted, rtol=1e-9)


def test_a_direction_that_is_not_there_has_no_value() -> None:
    one = np.outer([1.0, 2, 3], [4.0, 5])
    values = spectra.singular_values(one)
    assert values[0] == pytest.approx(np.sqrt(14 * 41))
    assert values[1] == 0
    assert spectra.stable_rank(values) == spectra.effective_rank(values) == 1
    assert spectra.spectral_entropy(values) == 0
    assert np.isnan(spectra.singular_values(one * np.nan)).all()


@pytest.mark.parametrize("i", range(len(EPOCHS)))
def test_the_spectrum_of_a_tensor(i: int, data: xr.Dataset) -> None:
    tensor = states()[i]["conv.weight"].astype(float)
    now = data.isel(epoch=i, field_epoch=i).sel(parameter="conv.weight")
    s = np.linalg.svd(tensor.reshape(4, 12), compute_uv=False)
    np.testing.assert_allclose(now["singular_value"][:4], s, rtol=2**-12)
    assert np.isnan(now["singular_value"][4:]).all()
    assert float(now["tensor_norm"]) == pytest.approx(np.sqrt((tensor**2).sum()), rel=1e-6)
    assert float(now["stable_rank"]) == pytest.approx((s**2).sum() / s.max() ** 2, rel=1e-6)
    p = s / s.sum()
    assert float(now["effective_rank"]) == pytest.approx(np.prod(p**-p), rel=1e-6)
    q = s**2 / (s**2).sum()
    assert float(now["spectral_entropy"]) == pytest.approx(-(q * np.log(q)).sum() / np.log(4))
    apart = np.abs(s[:, None] - s).sum() / (2 * len(s) ** 2 * s.mean())
    assert float(now["spectral_gini"]) == pytest.approx(apart, rel=1e-6)


def test_a_vector_has_no_spectrum_and_no_rows(data: xr.Dataset) -> None:
    for name in ("singular_value", "stable_rank", "effective_rank", "spectral_gini"):
        assert np.isnan(data[name].sel(parameter=["dense.bias", "scale"])).all()
        assert np.isfinite(data[name].sel(parameter="dense.weight").isel(field_epoch=-1)).any()
    assert np.isnan(data["dead_row_share"].sel(parameter="dense.bias")).all()


@pytest.mark.parametrize("i", range(len(EPOCHS)))
def test_the_entries_of_a_tensor(i: int, data: xr.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    tensor = states()[i]["dense.weight"].astype(float)
    now = data.isel(field_epoch=i).sel(parameter="dense.weight")
    ordered = np.sort(tensor.ravel())
    at = np.array(entries.LEVELS) * (len(ordered) - 1)
    below = np.minimum(at.astype(int), len(ordered) - 2)
    wanted = ordered[below] + (at - below) * (ordered[below + 1] - ordered[below])
    np.testing.assert_allclose(now["entry_quantile"], wanted, rtol=2**-11, atol=1e-6)
    centred = tensor - tensor.mean()
    kurtosis = (centred**4).mean() / (centred**2).mean() ** 2 - 3
    assert float(now["entry_kurtosis"]) == pytest.approx(kurtosis, rel=1e-5)
    assert float(now["dead_row_share"]) == pytest.approx(1 / 7)
    monkeypatch.setattr(spectra, "ENTRIES_AT_ONCE", 11)
    assert spectra.moments(tensor).kurtosis == pytest.approx(kurtosis)
    assert spectra.moments(tensor).variance == pytest.approx((centred**2).mean())
    np.testing.assert_allclose(spectra.row_norms(tensor), np.sqrt((tensor**2).sum(axis=1)))


def test_equal_entries_have_no_kurtosis_and_zeros_are_dead(data: xr.Dataset) -> None:
    assert np.isnan(data["entry_kurtosis"].sel(parameter="unmoved")).all()
    assert spectra.dead_share(np.zeros(3)) == 1
    assert spectra.dead_share(np.array([1.0, 1.0, 0.005, 0.02])) == 0.25
    assert np.isnan(spectra.dead_share(np.array([1.0, np.nan])))


def test_a_share_of_the_singular_values_is_kept_and_all_of_them_count(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spectral, "MOST", 2)
    few = assemble(run, ["singular_value", "effective_rank"], workers=0)
    assert few["singular_number"].values.tolist() == [1, 2]
    s = np.linalg.svd(states()[-1]["dense.weight"].astype(float), compute_uv=False)
    shares = s / s.sum()
    now = few.isel(field_epoch=-1).sel(parameter="dense.weight")
    assert float(now["effective_rank"]) == pytest.approx(np.prod(shares**-shares), rel=1e-5)


@pytest.mark.parametrize(("numbers", "side"), [(1 << 22, 12), (0, 4)])
def test_the_entries_of_a_matrix_are_watched_or_evenly_spread_ones(
    numbers: int, side: int, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matrices, "NUMBERS", numbers)
    monkeypatch.setattr(matrices, "FEWEST", 4)
    monkeypatch.setattr(matrices, "MOMENTS", 3)
    watched = assemble(run, ["matrix_entry", "matrix_size"], workers=0)
    assert watched["watched_epoch"].values.tolist() == [0, 20, 40]
    assert watched["matrix_row"].size == watched["matrix_column"].size == side
    places = {4: [0, 1, 2, 3], 5: [0, 1, 3, 4], 7: [0, 2, 4, 6], 12: [0, 4, 7, 11]}
    for name, shape in (("conv.weight", (4, 12)), ("dense.weight", (7, 5))):
        rows, columns = (places[n] if side == 4 else [*range(n)] for n in shape)
        now = watched.sel(watched_matrix=name)
        assert now["matrix_size"].values.tolist() == [*shape]
        for i, epoch in enumerate((0, 20, 40)):
            whole = states()[EPOCHS.index(epoch)][name].reshape(shape)
            entry = now["matrix_entry"][i, : len(rows), : len(columns)]
            np.testing.assert_allclose(entry, whole[np.ix_(rows, columns)], rtol=2**-5)
        assert np.isnan(now["matrix_entry"][:, len(rows) :]).all()
        assert np.isnan(now["matrix_entry"][:, :, len(columns) :]).all()


# --- a tensor from checkpoint to checkpoint ------------------------------------------


@pytest.mark.parametrize("name", ["conv.weight", "dense.bias", "scale"])
def test_the_steps_of_a_tensor(name: str, data: xr.Dataset) -> None:
    at = path_of(name)
    change, whole = np.diff(at, axis=0), at[-1] - at[0]
    now = data.sel(parameter=name)
    size = np.linalg.norm(change, axis=1)
    np.testing.assert_allclose(now["step_size"][1:], size, rtol=1e-5)
    turns = [cosine(one, two) for one, two in pairwise(change)]
    np.testing.assert_allclose(now["step_cosine"][2:], turns, rtol=1e-4, atol=1e-6)
    along = [cosine(one, whole) for one in change]
    np.testing.assert_allclose(now["step_whole_cosine"][1:], along, rtol=1e-4, atol=1e-6)
    for first, there in (("start_distance", at[0]), ("end_distance", at[-1])):
        wanted = np.linalg.norm(at - there, axis=1)
        np.testing.assert_allclose(now[first], wanted, rtol=1e-5, atol=1e-6)
    assert np.isnan(now["step_size"][0])
    assert np.isnan(now["step_cosine"][:2]).all()
    half = np.interp(size.sum() / 2, [0, *np.cumsum(size)], EPOCHS)
    assert float(now["moved_epoch"].sel(moved_share=0.5)) == pytest.approx(half, rel=1e-5)


def test_the_shares_of_a_path_are_its_principal_components(data: xr.Dataset) -> None:
    for name in ("conv.weight", "dense.weight", ""):
        names = [name] if name else [*NAMES]
        at = np.concatenate([path_of(one) for one in names], axis=1)
        s = np.linalg.svd(at - at.mean(axis=0), compute_uv=False)[: len(EPOCHS) - 1]
        shares = data["component_share"].sel(parameter=name) if name else data[
            "whole_component_share"
        ]  # fmt: skip
        np.testing.assert_allclose(shares[: len(s)], s**2 / (s**2).sum(), rtol=1e-4, atol=1e-6)
        assert not shares[len(s) :].any()
    u, s, _ = np.linalg.svd(at - at.mean(axis=0), full_matrices=False)
    plane = (u * s)[:, :2] - (u * s)[0, :2]
    np.testing.assert_allclose(np.abs(data["whole_plane"]), np.abs(plane), rtol=1e-4, atol=1e-5)


def test_what_does_not_move_has_no_direction(data: xr.Dataset) -> None:
    still = data.sel(parameter="unmoved")
    assert not still["step_size"][1:].any()
    assert not still["start_distance"].any()
    for name in ("step_cosine", "step_whole_cosine", "moved_epoch", "component_share"):
        assert np.isnan(still[name]).all(), name


def test_a_run_of_one_checkpoint_takes_no_step(tmp_path: Path) -> None:
    one = assemble(written(tmp_path / "one", {5: states()[0]}), MEASURES, workers=0)
    assert one["step_epoch"].values.tolist() == [5]
    assert np.isnan(one["step_size"]).all()
    assert not one["start_distance"].any()
    assert np.isnan(one["whole_component_share"]).all()
    assert one["whole_plane"].values.tolist() == [[0, 0]]


@pytest.mark.parametrize("alive", [1, 2])
def test_all_is_measured_of_a_run_that_diverged_early(alive: int, tmp_path: Path) -> None:
    checkpoints = {
        epoch: {name: array if i < alive else array * np.nan for name, array in state.items()}
        for i, (epoch, state) in enumerate(zip(EPOCHS, states(), strict=True))
    }
    data = assemble(written(tmp_path / "diverged", checkpoints), workers=0)
    assert data["path_epoch"].values.tolist() == list(EPOCHS[:alive])
    names = [name for name in NAMES if name in checkpoints[0]]
    size = [np.linalg.norm(np.diff(path_of(name)[:alive], axis=0), axis=1) for name in names]
    whole = np.sqrt(np.square(size).sum(axis=0))
    np.testing.assert_allclose(data["path_length"], [0, *whole], rtol=1e-5)
    assert np.isnan(data["path_cosine"]).all()
    assert data["tensor_norm"].sizes["epoch"] == alive


def test_a_step_is_as_long_between_a_few_of_many_checkpoints() -> None:
    size = np.array([np.nan, 0.0, 2.0, 0.0, 2.0, 0.0])
    found = steps.moved_epochs(size, np.arange(6), (0.25, 0.5, 1.0))
    np.testing.assert_allclose(found, [1.5, 2.0, 4.0])


# --- large models --------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 40, 300, 1 << 28])
def test_products_are_the_same_however_little_is_read_at_a_time(
    most: int, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "BYTES", 8 * len(EPOCHS) * most)
    found = dict(steps.products_of(run, NAMES, np.array(EPOCHS)))
    assert {*found} == {*NAMES}
    for name, products in found.items():
        change = np.diff(path_of(name), axis=0)
        np.testing.assert_allclose(products, change @ change.T, rtol=1e-6, atol=1e-9)


def test_memory_is_that_of_a_part_of_the_largest_tensor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    large = {e: {"W": rng.normal(size=(1000, 100)).astype(np.float32)} for e in range(8)}
    run, size = written(tmp_path / "large", large), 8 * 4 * 100_000
    dict(steps.products_of(run, ["W"], run.epochs))  # imports, and checksums, once
    monkeypatch.setattr(steps, "BYTES", size // 20)
    tracemalloc.start()
    try:
        dict(steps.products_of(run, ["W"], run.epochs))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < size / 3


def test_rows_of_a_parameter_are_those_of_the_whole(run: Run) -> None:
    whole = run.parameter("dense.weight", [10, 30])
    np.testing.assert_array_equal(
        run.parameter("dense.weight", [10, 30], rows=slice(2, 5)), whole[:, 2:5]
    )


# --- what was logged -----------------------------------------------------------------


def test_every_metric_is_there_as_it_was_logged(tmp_path: Path) -> None:
    with RunWriter.create(tmp_path / "logged", {}) as writer:
        for step in range(6):
            writer.log(step, train_loss=1 / (1 + step))
        writer.log(2, speed=float("nan"))
        writer.log(4, speed=7.0)
        writer.log(9, speed=8.0)
        writer.close(finished=True)
    logged = assemble(open_run(tmp_path / "logged"), ["logged_metric"])
    assert logged["metric_epoch"].values.tolist() == [0, 1, 2, 3, 4, 5, 9]
    speed = logged["logged_metric"].sel(logged_name="speed").values
    np.testing.assert_array_equal(speed, [np.nan] * 4 + [7, np.nan, 8])
    loss = logged["logged_metric"].sel(logged_name="train_loss").values
    np.testing.assert_array_equal(loss, [*(1 / (1 + np.arange(6))), np.nan])


def test_a_long_log_keeps_its_highest_and_its_last_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "POINTS", 120)
    values = np.random.default_rng(0).random(3000)
    values[1234] = 9.0
    with RunWriter.create(tmp_path / "long", {}) as writer:
        for step, value in enumerate(values):
            writer.log(step, a=value, b=-value)
        writer.close(finished=True)
    logged = assemble(open_run(tmp_path / "long"), ["logged_metric"])
    kept = logged["metric_epoch"].values
    assert 20 < kept.size <= 121
    assert {0, 1234, 2999} <= {*kept.tolist()}
    np.testing.assert_array_equal(logged["logged_metric"].values[:, 0], values[kept])
    np.testing.assert_array_equal(logged["logged_metric"].values[:, 1], -values[kept])


def test_norms_are_the_same_however_little_is_in_float64_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(norms, "ENTRIES_AT_ONCE", 5)
    found = norms.sums_of_squares(states()[1])
    for name in NAMES:
        assert found[name] == pytest.approx((states()[1][name].astype(float) ** 2).sum())
    assert norms.sums_of_squares({"none": np.zeros((0, 3))}) == {"none": 0}


def test_one_checkpoint_is_held_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spectra, "ENTRIES_AT_ONCE", 1000)
    rng = np.random.default_rng(0)
    size = 4 * 500 * 400
    large = {e: {"W": rng.normal(size=(500, 400)).astype(np.float32)} for e in range(6)}
    run = written(tmp_path / "large", large)
    assemble(run, ["tensor_norm"], epochs=[0], workers=0)  # imports, and checksums, once
    tracemalloc.start()
    try:
        assemble(run, ["dead_row_share"], workers=0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.6 * size
