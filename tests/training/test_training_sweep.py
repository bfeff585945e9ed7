"""Sweeps: what a grid's members are, how they are trained, stopped, refused and gone on with."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokviz.errors import InputError
from grokviz.runs import layout, open_run
from grokviz.runs.sweeps import read_sweep
from grokviz.strays import owner
from grokviz.task import recipe
from grokviz.training import loop
from grokviz.training.grid import grid_of, members_of, read_grid, word
from grokviz.training.sweep import SweepResult, plan, sweep

SMALL = {
    "p": 7, "d-model": 8, "d-mlp": 8, "heads": 2, "epochs": 20, "checkpoint-every": "10",
}  # fmt: skip
GRID = {"train-fraction": [0.3, 0.5], "seed": [0, 1]}
Sweep = Callable[..., SweepResult]
Read = Callable[[Path], dict[str, bytes]]


@pytest.fixture
def small(tmp_path: Path) -> Sweep:
    def run(folder: str = "sweep", grid: Any = GRID, **options: Any) -> SweepResult:
        given = {**SMALL, **options.pop("settings", {})}
        return sweep("modular-addition", grid, tmp_path / folder, settings=given, **options)

    return run


def alone(path: Path, **settings: Any) -> Path:
    """The same run trained by itself, in this process."""
    return loop.train("modular-addition", path, settings={**SMALL, **settings}).path


def differing(ours: dict[str, bytes], theirs: dict[str, bytes]) -> list[str]:
    """Files that are not the same in two runs."""
    return sorted(file for file in ours | theirs if ours.get(file) != theirs.get(file))


def names(swept: SweepResult) -> list[str]:
    return [result.member.name for result in swept.results]


@pytest.mark.slow
def test_members_are_ordinary_runs(small: Sweep, read: Read, tmp_path: Path) -> None:
    swept = small()
    assert names(swept) == [
        "train-fraction=0.3,seed=0", "train-fraction=0.3,seed=1",
        "train-fraction=0.5,seed=0", "train-fraction=0.5,seed=1",
    ]  # fmt: skip
    assert not swept.interrupted
    assert [result.state for result in swept.results] == ["finished"] * 4
    run = open_run(swept.results[3].path)
    assert run.finished
    by_itself = alone(tmp_path / "alone", **{"train-fraction": 0.5, "seed": 1})
    theirs, ours = read(run.path), read(by_itself)
    assert differing(ours, theirs) == ["run.json"]
    facts = {**json.loads(ours["run.json"]), **{"command": run.facts["command"]}}
    told = json.loads(theirs["run.json"])
    assert told.pop("checksum") != facts.pop("checksum")
    assert told == facts


@pytest.mark.slow
def test_the_command_of_a_member_trains_it_again(small: Sweep, tmp_path: Path) -> None:
    command = open_run(small(grid={"weight-decay": [0.123456789]}).results[0].path).facts["command"]
    _, _, name, _, out, *words = command.replace("--set ", "").split(" ")
    settings = dict(text.split("=") for text in words)
    assert Path(out) == tmp_path / "sweep" / "weight-decay=0.123456789"
    again = loop.train(name, out, settings=settings)
    assert again.epoch == 20


@pytest.mark.slow  # as tests/cli has a sweep that was stopped
def test_the_same_sweep_again_goes_on(small: Sweep, read: Read, tmp_path: Path) -> None:
    short = small(grid={"seed": [0, 1]}, settings={"epochs": 10})
    before = (tmp_path / "sweep" / "sweep.json").read_bytes()
    assert small(grid={"seed": [0, 1]}, settings={"epochs": 10}) == short
    assert (tmp_path / "sweep" / "sweep.json").read_bytes() == before
    longer = small(grid={"seed": [0, 1, 2]})
    assert [result.epoch for result in longer.results] == [20, 20, 20]
    for result in longer.results:
        straight = alone(tmp_path / result.member.name, seed=result.member.number)
        assert differing(read(result.path), read(straight)) == ["run.json"]
    content = read_sweep(tmp_path / "sweep")
    assert content is not None
    assert content["grid"] == {"seed": [0, 1, 2]}
    assert content["settings"]["epochs"] == 20
    assert content["recipe"] == "modular-addition"
    assert content["members"] == ["seed=0", "seed=1", "seed=2"]


@pytest.mark.slow
def test_fewer_epochs_than_a_member_has_are_refused_before_anything_is_written(
    small: Sweep, read: Read, tmp_path: Path
) -> None:
    small(grid={"seed": [0]})
    before = read(tmp_path / "sweep")
    with pytest.raises(InputError, match=r"seed=0 is already at epoch 20 of 20, and 10 are asked"):
        small(grid={"seed": [0, 1]}, settings={"epochs": 10})
    assert read(tmp_path / "sweep") == before


def test_one_member_alone(small: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert names(small(member=2)) == ["train-fraction=0.5,seed=0"]
    assert sorted(f.name for f in (tmp_path / "sweep").iterdir()) == [
        "sweep.json", "train-fraction=0.5,seed=0",
    ]  # fmt: skip
    # what is finished needs no process, and removes what a killed one left as it ended
    monkeypatch.setattr("grokviz.training.side_by_side.Pool", None)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    machine = owner().partition("-")[0]
    left = tmp_path / "tmp" / f"grokviz-sweep-{machine}-{2**31 - 1}-00000000-left"
    left.mkdir(parents=True)
    assert names(small(member="train-fraction=0.5,seed=0")) == ["train-fraction=0.5,seed=0"]
    assert not left.exists()
    with pytest.raises(InputError, match="no member 4: give a number from 0 to 3"):
        small(member=4)


@pytest.mark.slow
def test_a_failed_member_has_its_reason_and_the_rest_go_on(tmp_path: Path) -> None:
    told: list[str] = []
    swept = sweep(
        "modular-addition", {"p": [8, 7], "learning-rate": [1e9, 1e-3]}, tmp_path / "s",
        settings={k: v for k, v in SMALL.items() if k != "p"},
        jobs=2, ended=lambda result: told.append(result.state),
    )  # fmt: skip
    assert [result.state for result in swept.results] == ["failed", "failed", "failed", "finished"]
    assert sorted(told) == ["failed", "failed", "failed", "finished"]
    even, _, steep, _ = swept.results
    assert "an odd p of at least 3" in even.reason
    assert "give a lower" in steep.reason or "lower learning-rate" in steep.reason
    assert len(swept.failed) == 3
    assert not even.path.exists()


@pytest.mark.slow  # as tests/parallel has workers that die
def test_a_killed_process_is_a_failed_member(small: Sweep, tmp_path: Path) -> None:
    def kill(member: Any, at: Any) -> None:
        if member.number == 0:
            os.kill(writer_of(tmp_path / "sweep" / member.name), signal.SIGKILL)

    lengths = {"epochs": [100_000_000, 20], "seed": [0]}
    settings = {key: value for key, value in SMALL.items() if key != "epochs"}
    swept = sweep("modular-addition", lengths, tmp_path / "sweep", settings=settings, report=kill)
    killed, other = swept.results
    assert killed.state == "failed"
    assert "ended with signal 9" in killed.reason
    assert open_run(killed.path).facts["settings"]["seed"] == 0
    # the next one has a new process
    assert other.state == "finished"
    assert open_run(other.path).finished


def writer_of(run: Path) -> int:
    """The process that holds the lock of a run."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            files = [link.readlink() for link in (process / "fd").iterdir()]
        except OSError:
            continue
        if run / ".lock" in files:
            return int(process.name)
    raise AssertionError(f"nobody writes {run}")


@pytest.mark.slow  # tests/cli stops a sweep, too
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_and_loses_nothing(
    small: Sweep, read: Read, number: signal.Signals, tmp_path: Path
) -> None:
    before = signal.getsignal(number)
    endless = {"epochs": 100_000_000}
    seen: set[str] = set()
    sent: list[int] = []

    def report(member: Any, at: Any) -> None:
        seen.add(member.name)
        # once: a second one would not wait for where the members come to stand
        if len(seen) == 2 and at.epoch > 40 and not sent:
            sent.append(at.epoch)
            os.kill(os.getpid(), number)

    grid = {"seed": [0, 1, 2]}
    swept = small(grid=grid, settings=endless, jobs=2, report=report)
    assert swept.interrupted
    assert [result.state for result in swept.results] == ["stopped", "stopped", "waiting"]
    assert signal.getsignal(number) == before
    stopped = swept.results[0]
    assert stopped.epoch is not None
    last = stopped.epoch + 5
    small(grid=grid, settings={"epochs": last}, member=0)
    straight = alone(tmp_path / "straight", seed=0, epochs=last)
    assert differing(read(stopped.path), read(straight)) == ["run.json"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"grid": {"p": [7, 7]}}, "p=7 twice"),
    ({"grid": {"train-fraction": [0.3, "0.30"]}}, "train-fraction=0.3 twice"),
    ({"grid": {"p": []}}, "p has no values"),
    ({"grid": {"p": "7"}}, "p has no values"),
    ({"grid": {}}, "needs a key that differs"),
    ({"grid": {"train-fracton": [0.3]}}, "did you mean train-fraction?"),
    ({"grid": {"train-fraction": [1.5]}}, "below 1"),
    ({"grid": {"seed": [1]}, "seeds": 2}, "has seeds already"),
    ({"grid": {}, "seeds": 0}, "--seeds 0 is not possible"),
    ({"grid": {"d-model": [8]}, "settings": {"d-model": 8}}, "in the grid and set for all"),
    ({"grid": {"seed": range(101), "split-seed": range(100)}}, "10100 members"),
    ({"grid": {"seed": [1]}, "jobs": 0}, "-j 0 is not possible"),
    ({"grid": {"seed": [1]}, "member": "x"}, "no member x"),
]


@pytest.mark.parametrize(("options", "said"), WRONG, ids=lambda value: str(value)[:40])
def test_wrong_grids_are_one_sentence(tmp_path: Path, options: Any, said: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        sweep("modular-addition", options.pop("grid"), tmp_path / "s", **options)
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (["p"], "has no values"),
        (["p="], "has no values"),
        (["=3"], "has no values"),
        (["p=7,,9"], "has an empty value"),
        (["p=7,"], "has an empty value"),
        (["p=7", "p=9"], "gives p twice"),
    ],
)
def test_wrong_words_of_a_grid(text: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_grid(text)


def test_values_with_commas_are_parted_by_semicolons() -> None:
    grid = read_grid(["betas=0.9,0.98;0.9,0.999", " seed = 1, 2 "])
    assert grid == {"betas": ["0.9,0.98", "0.9,0.999"], "seed": ["1", "2"]}
    chosen = recipe("modular-addition")
    found = members_of(chosen, grid_of(chosen, grid, None, {}), {})
    assert found[3].name == "betas=0.9,0.999,seed=2"
    assert found[3].settings["betas"] == [0.9, 0.999]


@given(st.floats(1e-12, 1e12))
def test_a_name_is_the_value(value: float) -> None:
    assert float(word(value)) == value


def test_another_sweep_in_the_folder_is_refused(
    small: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grokviz.training.sweep.train_all", lambda *_, **__: ([], False))
    small()
    small(grid={**GRID, "seed": [0, 1, 2]})
    others: list[tuple[dict[str, Any], str]] = [
        ({"grid": {"seed": [0, 1, 2]}}, r"over train-fraction=0.3,0.5 seed=0,1,2; give these"),
        ({"grid": {**GRID, "seed": [0, 2]}}, "give these values"),
        ({"grid": {"seed": [0, 1, 2], "train-fraction": [0.3, 0.5]}}, "give these values"),
        ({"grid": {**GRID, "split-seed": [0]}}, "give these values"),
        ({"grid": {**GRID, "seed": [0, 1, 2]}, "settings": {"p": 9}}, "begun with p=7, not 9"),
    ]
    content = (tmp_path / "sweep" / "sweep.json").read_bytes()
    for options, said in others:
        with pytest.raises(InputError, match=said):
            small(**options)
    assert (tmp_path / "sweep" / "sweep.json").read_bytes() == content


def test_other_folders_are_refused(small: Sweep, tmp_path: Path) -> None:
    loop.train("modular-addition", tmp_path / "run", settings=SMALL)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for folder, said in (("run", "holds a run"), ("mine", "notes.txt"), ("file", "is a file")):
        with pytest.raises(InputError, match=said):
            small(folder)
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "sweep.json").write_text("{}")
    # what is damaged is said, not overwritten
    with pytest.raises(InputError, match=r"sweep.json is damaged"):
        small("s")
    (tmp_path / "s" / "sweep.json").write_bytes(layout.encode_document({"format": 1}, indent=2))
    with pytest.raises(InputError, match=r"sweep.json is damaged: it names no members"):
        read_sweep(tmp_path / "s")
    # how a later format is sealed is not known yet
    (tmp_path / "s" / "sweep.json").write_text('{"format": 9}')
    with pytest.raises(InputError, match="pip install --upgrade grokviz"):
        read_sweep(tmp_path / "s")


def test_a_plan_writes_nothing_and_needs_no_large_library(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "from grokviz.training.sweep import plan; import sys; "
        f"plan('modular-addition', {{'seed': [1, 2]}}, {str(tmp_path / 's')!r}); "
        "assert not {'torch', 'loky', 'distributed'} & set(sys.modules)"
    )
    root = str(Path(__file__).parents[2])
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": root})
    assert list(tmp_path.iterdir()) == []
    made = plan("modular-addition", {"seed": [1, 2]}, tmp_path / "s", settings=SMALL)
    assert made.settings["p"] == 7
    assert "seed" not in made.settings
    assert made.members[1].settings["seed"] == 2


def test_a_grid_beyond_all_bounds_is_refused_before_its_values_are_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="this grid has 1000000000 members; give fewer values"):
        sweep("modular-addition", out=tmp_path / "sweep", seeds=10**9)
    assert not (tmp_path / "sweep").exists()
