"""Every bundled reference of several runs, made again from its members' last weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from grokviz import cli
from grokviz.dataset import schema
from grokviz.dataset.cache import read, write
from grokviz.dataset.families.family_member import record_of
from grokviz.dataset.references import reference as bundled
from grokviz.dataset.references.reference import FAMILY
from grokviz.runs import RunWriter, open_run
from grokviz.runs.tensors import load
from grokviz.task import task

pytest.importorskip("torch", reason="initial weights are drawn with the [train] extra")

import torch
from reference_checks import check_sums, problem_of

from grokviz.training.loop import train
from grokviz.training.sweep import sweep

FAMILIES = [n for n in bundled.references() if (bundled.folder() / n / "family.nc").exists()]
LARGE = ("attention-rates", "fraction-sweep", "seeds", "slingshots")
UPDATES = 60
FROM_WEIGHTS = ("member_loss", "member_accuracy", "member_frequency_norm", "member_key_frequency")


def facts_of(place: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((place / FAMILY).read_text("utf-8"))
    return facts


def kept_members(place: Path) -> Iterator[tuple[int, dict[str, Any], dict[str, np.ndarray]]]:
    """Number, facts and last weights of each member whose weights are bundled.

    They are in the family's own folder, or in that of a reference that is the same run.
    """
    data, facts = read(place / "family.nc"), facts_of(place)
    for i, name in enumerate(data["member_name"].values.tolist()):
        last = int(data["member_last_epoch"][i])
        files = [place / "weights" / f"{name.replace('/', ':')}.safetensors"]
        same = single_references().get(facts["checksums"][name])
        files += [same / "weights" / f"{last}.safetensors"] if same else []
        for file in files:
            if file.exists():
                yield i, facts["members"][name], load(file)[0]
                break


@lru_cache(maxsize=1)
def single_references() -> dict[str, Path]:
    """References of one run by the run's checksum."""
    places = [bundled.folder() / name for name in bundled.references()]
    return {
        read(p / "core.nc").attrs["run_checksum"]: p for p in places if (p / "core.nc").exists()
    }


def check_numbers(place: Path, to: Path) -> int:
    """Losses, accuracies and frequencies are those of the weights; how many members were."""
    data, checked = read(place / "family.nc"), 0
    for i, facts, state in kept_members(place):
        with RunWriter.create(to / str(i), facts) as writer:
            writer.log(0, train_loss=1.0)
            writer.checkpoint(int(data["member_last_epoch"][i]), state)
            writer.close(finished=True)
        made, known = record_of(open_run(to / str(i)), "again", 100), schema.variables()
        for name in [*FROM_WEIGHTS, *own_rows(facts["task"])]:
            if name not in data:
                continue
            ours = np.atleast_1d(known[name].stored(made[name]))
            theirs = np.atleast_1d(data[name].values[i])
            if data[name].dims[1:] == ("point",):  # of its checkpoints the last
                theirs = theirs[theirs >= -1][-1:] if theirs.dtype.kind == "f" else (
                    theirs[theirs >= 0][-1:])  # fmt: skip
            theirs = theirs[: len(ours)]
            np.testing.assert_allclose(theirs, ours, rtol=1e-5, atol=1e-6, err_msg=f"{name} of {i}")
        checked += 1
    return checked


def own_rows(name: str) -> list[str]:
    """The variables of members that a task has for itself."""
    rows = task(name).load("member").rows
    return [row.name for row in rows if row.dims[0] == "member" and row.name not in FROM_WEIGHTS]


def check_losses(place: Path, *, every: bool = False) -> int:
    """First and last logged losses: of the weights that the seed draws, and of the last ones.

    The last ones of the members whose weights are bundled; the first of these, or of all.
    """
    data, checked = read(place / "family.nc"), 0
    kept = {i: state for i, _, state in kept_members(place)}
    facts = facts_of(place)["members"]
    for i, name in enumerate(data["member_name"].values.tolist()):
        if not (every or i in kept):
            continue
        made = problem_of(facts[name])
        checked += check_moment(data.isel(member=i), made, 0)
        if i in kept:
            for parameter, array in kept[i].items():
                made.state[parameter].copy_(torch.from_numpy(array))
            checked += check_moment(data.isel(member=i), made, -1)
    return checked


def check_moment(member: xr.Dataset, made: Any, at: int) -> int:
    """Both logged losses at the first or the last moment are those of the state as it is."""
    gradients = {name: torch.empty_like(made.state[name]) for name in made.trained}
    checked = 0
    for name, clock in (("train_loss", "member_epoch"), ("test_loss", "member_test_epoch")):
        known = member[clock].values >= 0
        if known.any():
            epoch = int(member[clock].values[known][at])
            logged = member[f"member_{name}"].values[known][at]
            found = made.train_metrics(epoch, gradients) | made.test_metrics(epoch)
            # another machine, or a GPU, rounds otherwise
            np.testing.assert_allclose(
                logged, found[name], rtol=2e-3, atol=2e-7,
                err_msg=f"{name} of {member['member_name'].item()} at {epoch}",
            )  # fmt: skip
            checked += 1
    return checked


def check_files(place: Path) -> None:
    check_sums(place)
    for facts in facts_of(place)["members"].values():
        assert "imported" not in facts
        assert " /" not in (facts.get("command") or "")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] if n in LARGE else []) for n in FAMILIES]
)
def test_a_family_is_what_its_weights_and_seeds_give(name: str, tmp_path: Path) -> None:
    place = bundled.folder() / name
    check_files(place)
    # of several tasks, or of one that measures no members' weights, curves alone are bundled
    measured = np.isfinite(read(place / "family.nc")["member_loss"].values).any()
    if measured and facts_of(place)["task"]:
        assert check_numbers(place, tmp_path) > 0
        assert check_losses(place) > 0


@pytest.mark.parametrize("name", FAMILIES)
def test_a_film_of_it_can_stop_where_a_run_ends(name: str) -> None:
    data = bundled.reference(name)
    assert set(data["member_last_epoch"].values.tolist()) <= set(data["epoch"].values.tolist())


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_every_member_begins_as_its_seed_says(name: str) -> None:
    place = bundled.folder() / name
    assert check_losses(place, every=True) >= len(facts_of(place)["members"])


@pytest.mark.slow
def test_networks_between_clock_and_pizza_begin_again_as_bundled(tmp_path: Path) -> None:
    """Losses of the first updates of every eighth, trained anew, to one part in a hundred."""
    place = bundled.folder() / "attention-rates"
    data, facts = read(place / "family.nc"), facts_of(place)["members"]
    names = data["member_name"].values.tolist()
    for i in range(0, len(names), 8):
        one, to = facts[names[i]], tmp_path / str(i)
        train(one["recipe"], to, settings={**one["settings"], "epochs": 150}, device="cpu")
        epochs, losses = open_run(to).metric("train_loss")
        known = np.isin(data["member_epoch"].values[i], epochs)
        again = np.interp(data["member_epoch"].values[i][known], epochs, losses)
        assert known.sum() >= 20
        np.testing.assert_allclose(
            data["member_train_loss"].values[i][known], again, rtol=1e-2, err_msg=names[i]
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "group"),
    [
        *((name, group) for name in ("group-ladder", "group-ladder-accuracy")
          for group in ("C60", "D30", "A5")),
        ("group-seeds", "D10"), ("group-seeds", "S4"),
    ],
)  # fmt: skip
def test_groups_are_learnt_again_as_they_were_bundled(
    name: str, group: str, tmp_path: Path
) -> None:
    """Both curves of the first member of each group for 250 updates, to one part in a hundred.

    Rounding leads two machines apart, and exact and plain path of one to two parts in a thousand.
    """
    place = bundled.folder() / name
    data, facts = read(place / "family.nc"), facts_of(place)["members"]
    names = data["member_name"].values.tolist()
    first = next(one for one in names if facts[one]["settings"]["group"] == group)
    settings = {**facts[first]["settings"], "epochs": 250, "checkpoint-every": "250"}
    train(facts[first]["recipe"], tmp_path / "run", settings=settings, device="cpu")
    run, member = open_run(tmp_path / "run"), data.isel(member=names.index(first))
    for split, clock in (("train", "member_epoch"), ("test", "member_test_epoch")):
        epochs, losses = run.metric(f"{split}_loss")
        shown = member[clock].values
        mask = np.isin(shown, epochs)
        found = losses[np.searchsorted(epochs, shown[mask])]
        assert mask.sum() > 20
        np.testing.assert_allclose(
            member[f"member_{split}_loss"].values[mask], found, rtol=1e-2, err_msg=split
        )


@pytest.mark.slow
@pytest.mark.parametrize(("name", "updates", "count"), [("race", UPDATES, 11), ("race-97", 12, 2)])
def test_a_race_begins_again_as_it_was_bundled(
    name: str, updates: int, count: int, tmp_path: Path
) -> None:
    """Of each optimiser and model the first run, trained anew: losses to one part in a hundred for
    most updates, and to three for the last, where rounding (Muon's is in bfloat16) shows more.
    """
    place, lanes = bundled.folder() / name, set()
    data = read(place / "family.nc")
    for i, member in enumerate(data["member_name"].values.tolist()):
        facts = facts_of(place)["members"][member]
        if facts["recipe"] in lanes:
            continue
        lanes.add(facts["recipe"])
        settings = {**facts["settings"], "epochs": updates, "checkpoint-every": str(updates)}
        train(facts["recipe"], tmp_path / str(i), settings=settings, device="cpu")
        epochs, losses = open_run(tmp_path / str(i)).metric("train_loss")
        shown = data["member_epoch"].values[i]
        mask = (shown >= 0) & (shown <= updates)
        found = losses[np.searchsorted(epochs, shown[mask])]
        assert mask.sum() > updates / 10
        told, early = data["member_train_loss"].values[i, mask], shown[mask] <= 2 * updates / 3
        np.testing.assert_allclose(told[early], found[early], rtol=1e-2, err_msg=member)
        np.testing.assert_allclose(told, found, rtol=3e-2, err_msg=member)
    assert len(lanes) == count


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("families")
    settings = {"p": 7, "d-model": 8, "d-mlp": 8, "heads": 2, "epochs": 25}
    grid = {"train-fraction": [0.5, 0.3]}
    assert not sweep("modular-addition", grid, folder / "s", settings=settings).failed
    words = ["bundle", str(folder / "s"), "--out", str(folder / "made")]
    assert cli.run([*words, "--weights", "train-fraction=0.3"]) == 0
    return folder / "made"


@pytest.mark.slow
def test_a_family_that_was_just_bundled_stands_its_checks(made: Path, tmp_path: Path) -> None:
    check_files(made)
    assert check_numbers(made, tmp_path) == 1
    assert check_losses(made) == 4
    assert check_losses(made, every=True) == 6
    assert list(facts_of(made)["members"]) == ["train-fraction=0.3", "train-fraction=0.5"]
    assert facts_of(made)["settings"]["p"] == 7


@pytest.mark.parametrize("name", ["member_loss", "member_frequency_norm", "member_train_loss"])
def test_a_changed_number_is_noticed(name: str, made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(made, copy)
    data = read(copy / "family.nc")
    data[name] = data[name] * 1.01
    write(data, copy / "family.nc")
    with pytest.raises(AssertionError, match="Not equal"):
        check_losses(copy) if name == "member_train_loss" else check_numbers(copy, tmp_path)
    with pytest.raises(AssertionError, match=r"family\.nc"):
        check_files(copy)


def test_it_is_used_by_its_name(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import grokviz as gv

    monkeypatch.setattr(bundled, "folder", lambda: made.parent)
    bundled._reference.cache_clear()
    assert bundled.references() == ["made"]
    data = gv.load("made", ["member_train_loss", "generalised_epoch"])
    xr.testing.assert_equal(data, read(made / "family.nc"))
    info = bundled.reference_info("made", verify=True)
    assert info["members"] == ["train-fraction=0.5", "train-fraction=0.3"]
    assert (info["weights"], info["problems"]) == (["train-fraction=0.3"], [])
    bundled._reference.cache_clear()


def out_of_two_curves(folder: Path) -> list[str]:
    """Two runs of which a family reads the curves alone; the first one's weights are damaged."""
    for name in ("a", "b"):
        with RunWriter.create(folder / name, {}) as writer:
            writer.log(0, train_loss=1.0)
            writer.checkpoint(2, {"w": np.ones(9)})
            writer.close(finished=True)
    file = folder / "a" / "checkpoints" / "2.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"X")
    return [str(folder / "a"), str(folder / "b")]


@pytest.mark.slow
def test_what_cannot_be_bundled_is_refused(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(out: Path, *words: str) -> str:
        assert cli.run(["bundle", *words, "--out", str(out)]) == 2
        return capsys.readouterr().err

    runs = str(made.parent / "s")
    damaged = out_of_two_curves(tmp_path / "curves")
    assert "2.safetensors is damaged" in said(tmp_path / "x", *damaged, "--weights", "0")
    assert not (tmp_path / "x").exists()
    assert "is there already" in said(made, runs)
    assert "no member 2" in said(tmp_path / "a", runs, "--weights", "2")
    assert "--variables applies to a single run" in said(
        tmp_path / "a", runs, "--variables", "loss"
    )
    facts = {"task": "modular-addition", "imported": {"kind": "sweep"}}
    with RunWriter.create(tmp_path / "published", facts) as writer:
        writer.log(0, train_loss=1.0)
        writer.close(finished=True)
    assert "is a published run" in said(tmp_path / "a", runs, str(tmp_path / "published"))
    with RunWriter.create(tmp_path / "bare", {"task": "modular-addition"}) as writer:
        writer.log(0, train_loss=1.0)
        writer.close(finished=True)
    bare = str(tmp_path / "bare")
    assert "bare has no checkpoints" in said(tmp_path / "a", runs, bare, "--weights", "2")
    one = (bare, "--epochs", "first")
    assert "first names no checkpoints of" in said(tmp_path / "a", *one)
    assert not (tmp_path / "a").exists()
