"""Every bundled reference of a single run, made again; and how one is made."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from reference_checks import (
    check_files,
    check_losses,
    check_numbers,
    check_start,
    has_weights,
    is_single,
    rebuilt,
    whole,
)

from grokviz import cli
from grokviz.dataset.build.assemble import assemble
from grokviz.dataset.cache import read, write
from grokviz.dataset.references import reference as bundled
from grokviz.dataset.references.bundling import Selection, bundle, thin
from grokviz.errors import InputError
from grokviz.runs import RunWriter, open_run

pytest.importorskip("torch", reason="initial weights are drawn with the [train] extra")

MAINLINE = "modular-addition"
SINGLE = [
    name for name in bundled.references() if name != MAINLINE and is_single(bundled.folder() / name)
]
BUDGET = 21.5e6
"""Of these the runs of the atlas take less than 2e6; see tests/docs/test_docs_atlas.py. Networks of
two layers take less than 2.6e6, clocks, pizzas and tori less than 1.3e6, those that compose
elements of groups less than 1.3e6, the race of optimisers less than 0.5e6."""


@pytest.mark.parametrize("name", SINGLE)
def test_what_info_says_of_its_checkpoints(name: str) -> None:
    info, place = bundled.reference_info(name), bundled.folder() / name
    assert (info["checkpoints"] > 0) == has_weights(place)
    assert info["epochs"] == info["facts"]["settings"]["epochs"]


@pytest.mark.parametrize("name", SINGLE)
def test_a_reference_is_what_its_weights_and_seeds_give(name: str, tmp_path: Path) -> None:
    place = bundled.folder() / name
    check_files(place)
    assert check_losses(place) >= (2 if has_weights(place) else 1)
    if has_weights(place):
        assert check_numbers(place, rebuilt(place, tmp_path / "run")) > 0
    else:
        assert check_start(place, tmp_path / "run", 16) >= 16


@pytest.mark.slow
def test_the_mainlines_directions_are_what_its_weights_give(tmp_path: Path) -> None:
    place = bundled.folder() / MAINLINE
    (name,) = kept = read(place / "directions.nc").data_vars
    made = assemble(rebuilt(place, tmp_path / "run"), [name])[name]
    np.testing.assert_allclose(kept[name], made, rtol=2**-6, atol=1e-6 * float(abs(made).max()))


@pytest.mark.slow
def test_the_learning_coefficients_are_what_the_weights_give(tmp_path: Path) -> None:
    place = bundled.folder() / "learning-coefficient"
    assert check_numbers(place, rebuilt(place, tmp_path / "run"), dear=True) == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SINGLE if name.startswith("two-layer")])
def test_a_network_of_two_layers_begins_again_as_it_was_bundled(name: str, tmp_path: Path) -> None:
    """Losses of the first updates, trained anew, to one part in a hundred."""
    assert check_start(bundled.folder() / name, tmp_path / "run", 200) >= 100


@pytest.mark.slow
@pytest.mark.parametrize("name", ["clock-59-0", "pizza-59-0", "torus-59-0"])
def test_a_clock_a_pizza_and_a_torus_begin_again_as_bundled(name: str, tmp_path: Path) -> None:
    """Losses of the first updates, trained anew, to one part in a hundred."""
    assert check_start(bundled.folder() / name, tmp_path / "run", 200) >= 100


@pytest.mark.parametrize(("name", "count"), [("pizza-59-0", 2), ("torus-59-0", 1)])
def test_hands_and_surfaces_are_what_the_weights_give(
    name: str, count: int, tmp_path: Path
) -> None:
    place = bundled.folder() / name
    assert check_numbers(place, rebuilt(place, tmp_path / "run"), dear=True) == count


GROUPS = [name for name in SINGLE if name.startswith("group-")]


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if "A5" in n else ()) for n in GROUPS]
)
def test_composing_elements_begins_again_as_it_was_bundled(name: str, tmp_path: Path) -> None:
    """The same of these; by 300 updates rounding can lead two machines farther apart."""
    assert check_start(bundled.folder() / name, tmp_path / "run", 200) >= 100


def test_neurons_on_cosets_are_what_the_weights_give(tmp_path: Path) -> None:
    place = bundled.folder() / "group-A5-0"
    assert check_numbers(place, rebuilt(place, tmp_path / "run"), dear=True) == 4


def test_the_weights_of_neurons_are_what_the_weights_give(tmp_path: Path) -> None:
    place = bundled.folder() / "two-layer-quadratic"
    assert check_numbers(place, rebuilt(place, tmp_path / "run"), dear=True) == 1


def test_the_references_are_within_their_budget() -> None:
    folder = bundled.folder()
    sizes = {p.name: sum(f.stat().st_size for f in p.rglob("*")) for p in folder.iterdir()}
    assert sizes.pop(MAINLINE) < 16e6
    assert sum(sizes.values()) < BUDGET, sizes


# --- making one --------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(trained: Callable[..., Path]) -> Path:
    """A few updates of digit addition."""
    settings = {
        "digits": 2, "d-model": 12, "d-mlp": 16, "heads": 2, "batch": 8, "examples": 16,
        "epochs": 60, "checkpoint-every": "20", "test-every": 5,
    }  # fmt: skip
    return trained("digit-addition", settings)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, run: Path) -> Path:
    """A reference of that run, made by the command."""
    folder = tmp_path_factory.mktemp("references")
    where = ["--out", str(folder / "made")]
    assert cli.run(["bundle", str(run), *where, "--weights", "40,last"]) == 0
    return folder / "made"


@pytest.mark.slow
def test_a_reference_that_was_just_made_stands_its_checks(made: Path, tmp_path: Path) -> None:
    check_files(made)
    assert sorted(f.name for f in (made / "weights").iterdir()) == [
        "40.safetensors", "60.safetensors",
    ]  # fmt: skip
    assert check_numbers(made, rebuilt(made, tmp_path / "run")) == 25
    # the total and three digits, of both splits, at three checkpoints
    assert check_losses(made) == 24


@pytest.mark.slow
def test_a_reference_of_curves_alone_stands_its_checks(run: Path, tmp_path: Path) -> None:
    whole_run = open_run(run)
    with RunWriter.create(tmp_path / "curves", dict(whole_run.facts)) as writer:
        for name in whole_run.metrics:
            for epoch, value in zip(*whole_run.metric(name), strict=True):
                writer.log(int(epoch), **{name: value})
        writer.close(finished=True)
    place = tmp_path / "made"
    bundle(open_run(tmp_path / "curves"), place)
    assert is_single(place)
    assert not has_weights(place)
    check_files(place)
    assert check_losses(place) == 8  # both splits, at the start alone
    # 21 training losses and 5 test losses, each a total and three digits
    assert check_start(place, tmp_path / "anew", 20) == 4 * 26
    data = read(place / "core.nc")
    data["token_train_loss"][7] *= 1.03
    write(data, place / "core.nc")
    with pytest.raises(AssertionError, match="train_loss_token_0 at 7"):
        check_start(place, tmp_path / "again", 20)


@pytest.mark.parametrize(
    "name",
    ["sum_squared_weights", "logged_train_loss", *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in ("held_out_loss", "held_out_digit_loss", "token_test_loss")
    )],
)  # fmt: skip
def test_a_changed_number_is_noticed(name: str, made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(made, copy)
    data = read(copy / "core.nc")
    data[name] = data[name] * np.float32(1.01)
    write(data, copy / "core.nc")
    run = rebuilt(copy, tmp_path / "run")
    with pytest.raises(AssertionError, match=r"Not equal|loss at"):
        check_losses(copy) if "logged" in name or "token" in name else check_numbers(copy, run)
    with pytest.raises(AssertionError, match=r"core\.nc"):
        check_files(copy)


def test_it_is_used_by_its_name(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import grokviz as gv

    monkeypatch.setattr(bundled, "folder", lambda: made.parent)
    bundled._reference.cache_clear()
    assert bundled.references() == ["made"]
    xr.testing.assert_identical(gv.load("made"), whole(made).assign_attrs(gv.load("made").attrs))
    found = gv.measures("made", 40)
    assert found["epoch"] == 40
    assert len(found["held_out_digit_loss"]) == 3
    info = bundled.reference_info("made", verify=True)
    assert (info["weights"], info["checkpoints"], info["problems"]) == ([40, 60], 4, [])
    bundled._reference.cache_clear()


@pytest.mark.parametrize("name", ["core.nc", "run.json"])
def test_a_changed_file_is_not_read(
    name: str, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "made"
    shutil.copytree(made, copy)
    flip(copy / name)
    monkeypatch.setattr(bundled, "folder", lambda: tmp_path)
    bundled._reference.cache_clear()
    read_it = bundled.reference if name == "core.nc" else bundled.reference_facts
    with pytest.raises(InputError, match=f"{name} has changed since it was bundled"):
        read_it("made")
    bundled._reference.cache_clear()


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


@pytest.mark.slow
def test_parts_are_added_and_never_rewritten(made: Path, run: Path, tmp_path: Path) -> None:
    copy, run = tmp_path / "copy", open_run(run)
    shutil.copytree(made, copy)
    with pytest.raises(InputError, match="is there already"):
        bundle(run, copy)
    bundle(run, copy, "path", Selection(["path_length"], epochs=[0, 20, 40]))
    check_files(copy)
    assert whole(copy)["path_length"].sizes == {"path_epoch": 3}
    flip(copy / "weights" / "40.safetensors")
    with pytest.raises(InputError, match=r"40\.safetensors has changed since it was bundled"):
        bundle(run, copy, "more", Selection(["held_out_loss"], epochs=[0]))
    few = Selection(variables=["held_out_loss"])
    bundle(run, tmp_path / "few", selection=few)
    few = whole(tmp_path / "few")
    assert list(few.data_vars) == ["held_out_loss"]
    with pytest.raises(InputError, match="no checkpoint of epoch 31"):
        bundle(run, tmp_path / "none", selection=Selection(weights=[31]))


def test_thinned_curves_keep_spikes_checkpoints_and_ends() -> None:
    rng = np.random.default_rng(0)
    epochs = np.arange(50_001)
    loss = np.exp(rng.normal(-10, 0.1, epochs.size))
    loss[[12_345, 40_000]] = 0.9, 1e-9
    other = rng.random(epochs.size)
    data = xr.Dataset(
        {
            "logged_train_loss": ("logged_epoch", loss),
            "logged_unembedding_norm": ("logged_epoch", other),
            "logged_test_loss": ("tested_epoch", loss[::100]),
        },
        coords={"logged_epoch": epochs, "tested_epoch": epochs[::100], "epoch": [0, 777, 50_000]},
    )
    found = thin(data, 2000)
    kept = found["logged_epoch"].values
    assert 1000 < kept.size <= 2003
    assert {0, 777, 12_345, 40_000, 50_000} <= set(kept.tolist())
    np.testing.assert_array_equal(found["logged_train_loss"], loss[kept])
    np.testing.assert_array_equal(found["logged_unembedding_norm"], other[kept])
    assert found.sizes["tested_epoch"] == 501
    assert "of 50,001 logged" in found["logged_epoch"].attrs["thinned"]
    assert "thinned" not in found["tested_epoch"].attrs


@pytest.mark.slow
def test_a_command_does_not_say_where_it_ran(tmp_path: Path) -> None:
    command = "grokviz train skip-trigram --out /home/user/runs/mine --device cpu"
    with RunWriter.create(tmp_path / "run", {"task": "mine", "command": command}) as writer:
        writer.checkpoint(0, {"weight": np.ones(3, np.float32)})
        writer.log(0, train_loss=1.0)
        writer.close(finished=True)
    bundle(open_run(tmp_path / "run"), tmp_path / "made")
    check_files(tmp_path / "made")
    said = whole(tmp_path / "made").attrs["command"]
    assert said == "grokviz train skip-trigram --out runs/mine --device cpu"
