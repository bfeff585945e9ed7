"""Every bundled number, made again from the bundled weights."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from grokviz.dataset import schema, table
from grokviz.dataset.build.assemble import assemble
from grokviz.dataset.measured import measures
from grokviz.dataset.references import reference as bundled
from grokviz.runs import Run, RunWriter, open_run
from grokviz.runs.tensors import load
from grokviz.scene.registry import scenes
from grokviz.task import task
from grokviz.tasks.modular_addition import earlier

NAME = "modular-addition"
PLACE = bundled.folder() / NAME

WHOLE_RUN = {
    "logged_train_loss", "logged_test_loss", "phase_end",
    *(row.name for row in schema.variables().values() if "path_epoch" in row.dims),
}  # fmt: skip
"""Made from the losses, or the weights, of the whole run; the path has tests of its own."""

CLOCKS = ("epoch", "field_epoch")

LATER = ("arrays", "embeddings", "entries", "heads", "logs", "matrices", "spectra", "steps")
"""Measures of any run that came when its checkpoints were gone; modular-addition-59 has them."""

ELSEWHERE = "modular_addition.measures.answers"
"""Its measures are bundled with modular-addition-answers, a run with more checkpoints."""

FROM_WEIGHTS = ("directions", "last-layer", "own_answers")
"""Parts that were made when only the weights were left, and say theirs."""

# what is told by the whole curve was not bundled, nor what is dear, nor is it logged by this recipe
BUNDLED = [
    name
    for name, one in table.table(task(NAME)).measures.items()
    if not name.startswith(("event_", "spike_", "logged_unembedding", "logged_logit"))
    and one.module.rpartition("any.measures.")[2] not in LATER
    and not one.dear
    and not one.module.endswith(ELSEWHERE)
]


@pytest.fixture(scope="module")
def kept() -> xr.Dataset:
    return bundled.reference(NAME)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that has nothing but the bundled checkpoints."""
    path = tmp_path_factory.mktemp("reference") / "run"
    facts = {k: v for k, v in bundled.reference_facts(NAME).items() if k not in ("checksum",)}
    files = sorted((PLACE / "weights").glob("*.safetensors"), key=lambda file: int(file.stem))
    with RunWriter.create(path, facts) as writer:
        for file in files:
            writer.checkpoint(int(file.stem), load(file)[0])
        writer.close(finished=True)
    return open_run(path)


@pytest.fixture(scope="module")
def made(run) -> xr.Dataset:
    return assemble(run)


@pytest.mark.slow
def test_four_checkpoints_are_bundled(made, kept) -> None:
    assert made.sizes["epoch"] == 4
    assert made["epoch"].values[0] == kept["epoch"].values[0] == 0
    assert made["epoch"].values[-1] == kept["epoch"].values[-1] == 40000


def test_every_variable_of_the_bundled_parts_is_there(kept) -> None:
    assert set(kept.data_vars) == set(BUNDLED)


@pytest.mark.parametrize("name", [name for name in BUNDLED if name not in WHOLE_RUN])
def test_bundled_numbers_are_what_the_weights_give(name: str, made, kept) -> None:
    row = schema.variable(name)
    ours, theirs = made[name], kept[name]
    for clock in CLOCKS:
        if clock in row.dims:
            common = np.intersect1d(made[clock].values, kept[clock].values)
            assert common.size >= (4 if clock == "epoch" else 3)
            ours, theirs = ours.sel({clock: common}), theirs.sel({clock: common})
    assert ours.dims == theirs.dims == row.dims
    for dim in row.dims:
        np.testing.assert_array_equal(ours[dim].values, theirs[dim].values, err_msg=dim)
    if row.dtype == "str":
        assert ours.values.tolist() == theirs.values.tolist()
        return
    assert ours.dtype == theirs.dtype == row.dtype
    if ours.dtype.kind != "f":
        np.testing.assert_array_equal(theirs.values, ours.values)
        return
    # an entry near zero is a difference of entries as large as the variable's largest, and what
    # is rounded may be rounded the other way
    largest = np.nanmax(np.abs(ours.values))
    rtol = max(1e-5, 2.0 ** (1 - row.bits) if row.bits else 0)
    atol = max(1e-6 * largest, row.step)
    np.testing.assert_allclose(theirs.values, ours.values, rtol=rtol, atol=atol)


@pytest.mark.parametrize("epoch", ["last", 1400])
def test_measures_are_read_as_they_are_computed(epoch, run, kept) -> None:
    ours, theirs = measures(run, epoch), measures(kept, epoch)
    # the rebuilt run has no losses of the others, which are read off the bundled curve
    logged = {"train_loss", "test_loss", "smallest_train_loss", "smallest_test_loss"}
    assert theirs.keys() - ours.keys() == logged | {"largest_test_loss"}
    for name, wanted in ours.items():
        found = theirs[name]
        if isinstance(wanted, dict):
            assert found.keys() == wanted.keys(), name
            wanted, found = list(wanted.values()), list(found.values())
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7, err_msg=name)


def test_the_path_leads_where_the_weights_are(made, kept) -> None:
    common = np.intersect1d(made["path_epoch"].values, kept["path_epoch"].values)
    assert common.size == 4
    ours, theirs = (data["path_displacement"].sel(path_epoch=common) for data in (made, kept))
    np.testing.assert_allclose(theirs, ours, rtol=1e-5)
    # a polygon through four of the corners is no longer than one through all of them
    assert (kept["path_length"].sel(path_epoch=common) >= 0.999999 * made["path_length"]).all()
    steps = np.diff(kept["path_length"])
    turned = np.diff(kept["path_displacement"])
    assert (np.abs(turned) <= steps * (1 + 1e-5) + 1e-5).all()
    span = np.linalg.norm(kept["path_plane"], axis=1)
    assert (span <= kept["path_displacement"] * (1 + 1e-5) + 1e-5).all()
    # the walk takes the same steps, and gets less far
    assert float(kept["walk_displacement"][-1]) < float(kept["path_displacement"][-1])
    assert float(np.abs(kept["walk_cosine"][1:-1]).max()) < 0.02


def test_the_files_are_as_they_were_bundled() -> None:
    lines = (PLACE / bundled.SUMS).read_text("utf-8").splitlines()
    sums = dict(reversed(line.split("  ")) for line in lines)
    files = {p.relative_to(PLACE).as_posix(): p for p in PLACE.rglob("*") if p.is_file()}
    files.pop(bundled.SUMS)
    assert sums.keys() == files.keys()
    for name, file in files.items():
        assert hashlib.sha256(file.read_bytes()).hexdigest() == sums[name], name


def test_it_is_one_run_and_within_its_budget(kept) -> None:
    parts = {file.stem: bundled.read(file) for file in sorted(PLACE.glob("*.nc"))}
    checksums = {name: part.attrs["run_checksum"] for name, part in parts.items()}
    assert len({checksums.pop(name) for name in FROM_WEIGHTS}) == 1
    assert len({*checksums.values()}) == 1
    assert json.loads((PLACE / "run.json").read_text("utf-8"))["recipe"] == NAME
    assert sum(file.stat().st_size for file in Path(PLACE).rglob("*")) < 16e6


@pytest.mark.parametrize("name", ["core", "embedding", "path", "all_neuron_frequency"])
def test_what_is_asked_for_is_read_from_the_parts_that_hold_it(name: str) -> None:
    full = bundled.reference()
    part = bundled.folder() / NAME / f"{name}.nc"
    names = [name]
    if part.is_file():
        with xr.open_dataset(part, engine="h5netcdf") as data:
            names = list(map(str, data.data_vars))
    read = bundled.load(NAME, names)
    assert read.attrs == full.attrs
    for each in names:
        assert read[each].identical(full[each])
    assert len(read.data_vars) < len(full.data_vars)


@pytest.mark.slow
def test_every_scene_reads_what_the_whole_reference_says() -> None:
    for scene in scenes(user=False).values():
        if scene.engine == "matplotlib":
            full, needs = bundled.reference(scene.reference), scene().variables()
            read = bundled.load(scene.reference, needs)
            shared = {*task(full.attrs["task"]).shared} if full.attrs.get("task") else set()
            assert shared & full.coords.keys() <= read.coords.keys() <= full.coords.keys()
            for name in needs:
                # parts may describe a coordinate in other words
                assert read[name].equals(full[name]), (scene.name, name)
                assert read[name].attrs == full[name].attrs, (scene.name, name)


def test_the_rules_of_earlier_versions_find_what_they_read() -> None:
    assert {*task(NAME).ruled} == {*earlier.FREQUENCY_VARIABLES, "active_pairs"}
