"""The dataset against one checkpoint's measures, and its processes against one another."""

from __future__ import annotations

import logging
import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from analysis_runs import KEYS, P, weights_at, write_run
from measured_state import TABLE, Measured

from grokviz import parallel
from grokviz.dataset import schema, table
from grokviz.dataset.build import workers
from grokviz.dataset.build.assemble import assemble
from grokviz.dataset.variables import Variable
from grokviz.errors import InputError
from grokviz.runs import RunWriter, open_run
from grokviz.tasks.any.measures import path as path_module
from grokviz.tasks.any.measures.path import path_epochs
from grokviz.tasks.any.norms import sums_of_squares, weight_names
from grokviz.tasks.any.path import path, step_products
from grokviz.tasks.modular_addition.data import ModularAddition
from grokviz.tasks.modular_addition.formulas.ablation import ablation_table
from grokviz.tasks.modular_addition.weights import ModularAdditionWeights

ALONG = [
    name
    for name, one in TABLE.measures.items()
    if one.on in ("epoch", "field_epoch") and not one.dear
]


@pytest.fixture(scope="module")
def data(small_run) -> xr.Dataset:
    return assemble(small_run, workers=0)


@pytest.fixture(scope="module")
def single(small_run) -> list[Measured]:
    """Each checkpoint measured by itself, with the last one's key frequencies and clusters."""
    train = ModularAddition(p=P, train_fraction=0.4, split_seed=0).is_train
    last = Measured(small_run.weights(50), train)
    share, frequency = last.all_neuron_variance_explained, last.all_neuron_frequency
    cluster = np.where(share >= 0.85, frequency, -1)
    assert last.key_frequencies.tolist() == KEYS
    measured = []
    for epoch in small_run.epochs:
        one = Measured(small_run.weights(int(epoch)), train, last.key_frequencies, cluster)
        one.view.__dict__.update({n: getattr(last.view, n) for n in ("embedded", "selected")})
        measured.append(one)
    return measured


@pytest.mark.slow
def test_every_variable_has_its_row_and_says_what_it_is(data, small_run) -> None:
    able = table.available(small_run)
    assert set(data.data_vars) == {*table.unasked(small_run)}
    own = table.table_of(small_run)
    lacking = {own.measures[name].lacking(small_run) for name in own.measures.keys() - {*able}}
    assert lacking == {
        "unembedding_norm logged in training",
        "published counterpart, which has p=113",
        "array recorded in training (run.step(..., arrays=...))",
    }
    known, meanings = schema.variables(), schema.dimensions()
    for name, array in data.data_vars.items():
        row = known[name]
        assert array.dims == row.dims, name
        if row.dtype != "str":
            assert array.dtype == row.dtype, name
        for key in ("long_name", "units", "definition", "source"):
            assert key in array.attrs, (name, key)
            assert array.attrs[key] or key == "units", (name, key)
        assert set(array.attrs) <= {"long_name", "units", "definition", "source", "precision"}
    for name, coord in data.coords.items():
        assert coord.attrs["long_name"] == meanings[name]
    used = {dim for row in known.values() for dim in row.dims}
    assert used == set(meanings)


@pytest.mark.parametrize("name", sorted(ALONG))
def test_the_dataset_holds_each_checkpoints_measures(name, data, single) -> None:
    row, wanted = schema.variable(name), np.stack([getattr(m, name) for m in single])
    atol = row.step / 2 or 1e-7 * np.nanmax(np.abs(wanted))
    rtol = 2.0**-row.bits if row.bits else 1e-6 if row.dtype == "float32" else 1e-12
    np.testing.assert_allclose(data[name].values, wanted, rtol=rtol, atol=atol)


def test_what_is_derived_from_the_measures(data, single) -> None:
    for i, m in enumerate(single):
        active = np.count_nonzero(m.view.last.forward.post, axis=0)
        np.testing.assert_array_equal(data["active_pairs"][i], active)
    last = data["neurons_per_frequency"].isel(epoch=-1).sel(frequency=KEYS)
    assert data["key_neurons"].values.tolist() == last.values.tolist()
    assert min(data["key_neurons"].values) >= 5
    for i, m in enumerate(single):
        counts = data["neurons_per_frequency"].isel(epoch=i)
        for k in counts["frequency"].values:
            clean = m.all_neuron_frequency == k
            clean &= m.all_neuron_variance_explained >= 0.85
            assert counts.sel(frequency=k) == clean.sum()


def test_logits_by_distance_and_their_spectrum(data, small_run) -> None:
    from grokviz.tasks.modular_addition.forward import forward

    for i in (0, 5):
        f = forward(ModularAdditionWeights.of(small_run.weights(10 * i)))
        cube = f.logits.reshape(P, P, P)
        a, b, c = np.indices(cube.shape)
        by_distance = [cube[(a + b - c) % P == d] for d in range(P)]
        now = data.isel(epoch=i, field_epoch=i)
        means = np.array([values.mean() for values in by_distance]) - cube.mean()
        spreads = [values.std() for values in by_distance]
        np.testing.assert_allclose(now["logit_wave"], means, rtol=2**-11, atol=1e-12)
        np.testing.assert_allclose(now["logit_wave_spread"], spreads, rtol=2**-11)
        squares = np.square(now["logit_spectrum"].values).sum()
        assert squares == pytest.approx(np.square(cube).sum(), rel=2e-2)


def test_the_last_checkpoints_tables(data, small_run) -> None:
    w = ModularAdditionWeights.of(small_run.weights(50))
    rows = ablation_table(w, np.array(KEYS))
    assert data["ablation"].values.tolist() == [row.name for row in rows]
    np.testing.assert_allclose(data["ablation_loss"], [row.loss for row in rows])
    assert data["ablation_what"].values.tolist() == [row.what for row in rows]
    assert data["key_frequency"].values.tolist() == KEYS
    assert "at least 5 neurons" in data["key_frequency"].attrs["rule"]
    key = data["neuron_logit_fourier"].sel(component=data["key_component"].values)
    now = data["neuron_logit_key"].isel(field_epoch=-1)
    np.testing.assert_allclose(now, key, atol=1 / 64, rtol=2**-8)
    for along, name, share in zip(
        data["key_direction_projection"].values, data["key_component"].values,
        data["key_direction_variance_explained"].values, strict=True,
    ):  # fmt: skip
        turn = 2j * np.pi * int(name.split()[1]) * np.add.outer(np.arange(P), np.arange(P)) / P
        explained = 2 * np.abs((along * np.exp(turn)).mean()) ** 2 / along.var()
        assert explained == pytest.approx(share, rel=2**-6), name


def test_a_run_without_clean_neurons_says_which_frequencies_it_takes(tmp_path) -> None:
    writer = RunWriter.create(tmp_path / "run", {"task": "modular-addition"})
    with writer:
        writer.checkpoint(0, weights_at(0))
        writer.close(finished=True)
    found = assemble(open_run(tmp_path / "run"))
    assert found["key_frequency"].values.tolist() == found["embedded_frequency"].values.tolist()
    assert found["key_frequency"].attrs["rule"].startswith("no frequency has")
    assert np.isnan(found["restricted_loss"].sel(split="train")).all()
    assert found["path_length"].values.tolist() == [0]


def test_the_path_is_that_of_all_weights(data, small_run) -> None:
    names = list(small_run.weights(0))
    route = path(step_products(small_run.parameter(name) for name in names))
    np.testing.assert_allclose(data["path_displacement"], route.displacement, rtol=1e-6)
    np.testing.assert_allclose(data["path_length"], route.travelled, rtol=1e-6)
    np.testing.assert_allclose(data["path_cosine"][1:-1], route.cosine, rtol=1e-6)
    # straight by construction, which a walk of the same steps is not
    np.testing.assert_allclose(route.cosine, 1, atol=1e-5)
    assert np.isnan(data["path_cosine"].values[[0, -1]]).all()
    assert data["walk_displacement"][-1] < 0.7 * data["path_displacement"][-1]
    assert "Illustration" in data["walk_displacement"].attrs["definition"]


def test_turns_are_measured_at_even_distances() -> None:
    mixed = np.unique(np.concatenate([np.arange(0, 4001, 100), np.arange(1000, 2001, 25)]))
    assert path_epochs(mixed, 500).tolist() == list(range(0, 4001, 100))
    assert path_epochs(mixed, 21).tolist() == list(range(0, 4001, 200))
    # two points have no turn
    assert path_epochs(np.array([0, 50, 60]), 500).tolist() == [0, 50, 60]
    doubling = np.array([0, 1, 2, 4, 8, 16, 32, 64, 128, 256])
    assert path_epochs(doubling, 500).tolist() == doubling.tolist()


@pytest.mark.parametrize(
    ("epochs", "ends", "stride"),
    [
        (np.arange(500), (0, 499), 1),
        (np.arange(501), (0, 500), 2),
        (np.arange(1000), (0, 999), 3),
        (np.arange(998), (1, 997), 2),  # 997 is a prime: the last rather than the first
        (np.arange(40_001), (0, 40_000), 100),
        # the last is off the grid: where the path ends is in the definition of its variables
        (np.append(np.arange(0, 40_000, 100), 39_999), (0, 39_900), 100),
        (np.append(np.arange(0, 99_901, 100), 99_950), (0, 99_900), 300),
    ],
)
def test_the_path_ends_at_the_last_checkpoint_of_its_spacing(epochs, ends, stride) -> None:
    found = path_epochs(epochs, 500)
    assert (found[0], found[-1]) == ends
    assert set(np.diff(found)) == {stride}
    assert 250 <= len(found) <= 500


def test_a_mask_takes_no_room_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts of a checkpoint are its weights, which say how many points a path has."""
    monkeypatch.setattr(path_module, "WEIGHTS", 10 * 50)
    state = {"W": np.zeros(10), "attn.mask": np.zeros((40, 40))}
    run = SimpleNamespace(last=SimpleNamespace(state=state), epochs=np.arange(50))
    assert path_module.path_epoch(run).tolist() == list(range(50))
    assert weight_names(state) == list(sums_of_squares(state)) == ["W"]


def test_rounding_is_as_the_row_says() -> None:
    row = {"dims": (), "long_name": "", "units": "", "definition": "", "source": ""}
    exact = np.array([0.0, 1.0, -0.3, 1e-9, 12345.678, np.nan])
    steps, bits = (Variable("x", **row, **how) for how in ({"step": 1 / 256}, {"bits": 8}))
    np.testing.assert_allclose(steps.stored(exact), exact, atol=1 / 512)
    np.testing.assert_allclose(bits.stored(exact), exact, rtol=2**-8)
    assert np.all(np.nan_to_num(steps.stored(exact) * 256) % 1 == 0)
    assert steps.attrs["precision"] == "rounded to a multiple of 1/256"


def test_processes_give_the_same_bits_in_the_same_order(data, small_run) -> None:
    seen: list[tuple[int, int]] = []
    ours = assemble(small_run, workers=2, report=lambda done, all: seen.append((done, all)))
    assert seen == [(i + 1, 6) for i in range(6)]
    xr.testing.assert_identical(ours, data)
    for name in data.data_vars:
        assert ours[name].values.tobytes() == data[name].values.tobytes() or name == "ablation_what"


def test_a_worker_that_dies_is_done_without(data, small_run, monkeypatch, caplog) -> None:
    submit = parallel.Pool.submit

    def mortal(pool: parallel.Pool, function: object, *args: object) -> object:
        return submit(pool, os.abort) if args[0] == 20 else submit(pool, function, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(parallel.Pool, "submit", mortal)
    with caplog.at_level(logging.WARNING):
        ours = assemble(small_run, workers=2)
    assert "epoch 20 is measured without it" in caplog.text
    xr.testing.assert_identical(ours, data)


def test_without_processes_it_is_done_here(data, small_run, monkeypatch, caplog) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with caplog.at_level(logging.INFO):
        xr.testing.assert_identical(assemble(small_run, workers=2), data)
    assert "no worker process could be started" in caplog.text


def test_an_error_in_a_worker_is_the_same_sentence(tmp_path) -> None:
    run = write_run(tmp_path / "run", checkpoints=3)
    broken = weights_at(1)
    broken["embed.W_E"] = broken["embed.W_E"] * np.nan
    with RunWriter.create(tmp_path / "other", {"task": "modular-addition"}) as writer:
        writer.checkpoint(0, broken)
        writer.checkpoint(1, weights_at(1))
        writer.close(finished=True)
    sentences = []
    for count in (0, 2):
        with pytest.raises(InputError) as caught:
            assemble(open_run(tmp_path / "other"), workers=count)
        sentences.append(str(caught.value))
    assert sentences[0] == sentences[1]
    assert assemble(open_run(run), workers=2).sizes["epoch"] == 3


@pytest.mark.slow
def test_processes_are_started_for_long_work_alone(data, small_run, monkeypatch) -> None:
    monkeypatch.setattr(parallel, "cores", lambda: 3)
    assert workers.processes_worth(2 * workers.WORTH) == 3
    assert workers.processes_worth(workers.WORTH / 2) == 0
    started: list[int] = []
    pool = parallel.Pool

    def counted(count: int, **more: object) -> parallel.Pool:
        started.append(count)
        return pool(count, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(parallel, "Pool", counted)
    assemble(small_run, workers=None)
    assert started == []
    # as if the first checkpoint had taken long
    monkeypatch.setattr(workers, "FIRST", 0)
    monkeypatch.setattr(workers, "WORTH", 0)
    xr.testing.assert_identical(assemble(small_run), data)
    assert started == [3]
    # a large model stays here
    monkeypatch.setattr(workers, "WAITING", 1000)
    xr.testing.assert_identical(assemble(small_run), data)
    assert started == [3]
    monkeypatch.setattr(parallel, "in_worker", lambda: True)
    assert workers.processes_worth(1000) == 0
