"""The page on extending: every file, script and command on it, run as it stands there."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from wheel_install import beside_the_libraries, build_wheel, clean, run

import grokviz as gv
from grokviz import plugins
from grokviz.errors import InputError
from grokviz.importers.choice import importers

PAGE = Path(__file__).resolve().parents[2] / "docs" / "extending.md"
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
WRITTEN = re.compile(r"(?:-o|--out) (\S+)")
SMALL = {"bits": 6, "counted": 2, "hidden": 32, "examples": 40, "checkpoint-every": 100}
PYPROJECT = "grokviz-parity/pyproject.toml"


class Block(NamedTuple):
    """A fenced block: its language, the file that it is of, its text."""

    language: str
    file: str
    text: str


def blocks() -> list[Block]:
    return [Block(*found) for found in BLOCK.findall(PAGE.read_text("utf-8"))]


def text_of(file: str) -> str:
    (text,) = (block.text for block in blocks() if block.file == file)
    return text


def write(block: Block, folder: Path) -> None:
    file = folder / block.file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(block.text, "utf-8")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a reader who has saved every file of the page."""
    monkeypatch.chdir(tmp_path)
    for block in blocks():
        if block.file:
            write(block, tmp_path)
    yield tmp_path
    plugins.forget()
    for name in [name for name in sys.modules if name.startswith("grokviz_parity")]:
        del sys.modules[name]


@pytest.mark.slow
@pytest.mark.train
@pytest.mark.usefixtures("files")
def test_the_task_trains_goes_on_is_measured_and_drawn(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for out, epochs in (("runs/parity", 100), ("runs/parity", 200), ("runs/whole", 200)):
        done = gv.train("sparse-parity", out, settings={**SMALL, "epochs": epochs}, device="cpu")
        assert (done.epoch, done.counts, done.interrupted) == (epochs, "step", False)
    part, whole = gv.open_run("runs/parity"), gv.open_run("runs/whole")
    assert part.metric("train_loss")[0].tolist() == list(range(201))
    for name in ("train_loss", "test_loss"):
        assert part.metric(name)[1].tolist() == whole.metric(name)[1].tolist()
    for name, tensor in part.weights(200).items():
        assert np.array_equal(tensor, whole.weights(200)[name])

    data = gv.analyze(part, ["bit_norm", "counted_share"])
    assert data["bit_norm"].dims == ("epoch", "bit")
    last = data["bit_norm"].isel(epoch=-1).values
    assert last[:2].min() > last[2:].max()
    share = (last[:2] ** 2).sum() / (last**2).sum()
    assert gv.measures("runs/parity")["counted_share"] == pytest.approx(share, rel=1e-6)
    written = gv.render("parity-bits", "runs/parity", ["parity.png", "parity.mp4"], quality="l",
                        duration=0.5, hold=0)  # fmt: skip
    assert [path.stat().st_size > 5000 for path in written] == [True, True]
    alt = gv.scene("parity-bits")().alt_text(data, 2)
    assert re.search(r"bits 0, 1, \d are", alt)

    runpy.run_path("largest_weight.py")
    largest = max(float(np.abs(tensor).max()) for tensor in part.weights(200).values())
    assert float(capsys.readouterr().out.split()[0]) >= largest
    with pytest.raises(InputError, match="31 of 30 bits"):
        gv.train("sparse-parity", "runs/wrong", settings={"counted": 31})


@pytest.mark.slow
@pytest.mark.train
@pytest.mark.usefixtures("files")
def test_the_measures_of_modular_addition_are_taken_of_it_alone(
    trained: Callable[..., Path],
) -> None:
    small = {"p": 13, "d-model": 16, "d-mlp": 32, "heads": 2, "epochs": 60, "checkpoint-every": 20}
    run = trained("modular-addition", small)
    data = gv.analyze(run, cache=False)
    assert "bit_norm" not in data  # a measure of parity is not one of addition
    values = data["embedding_singular_value"].isel(epoch=-1).values
    shares = values / values.sum()
    rank = float(data["embedding_effective_rank"][-1])
    assert rank == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), rel=1e-5)
    assert 1 < rank <= 13
    assert 0 < float(data["embedding_key_share"][-1]) <= 1
    (written,) = gv.render("embedding-rank", data, "rank.png", quality="l")
    assert written.stat().st_size > 5000


def test_the_importer_reads_its_folder(files: Path) -> None:
    made = gv.import_run("lightning_logs/version_0", "runs/theirs", importer="lightning_csv.py")
    assert [belief.split(":")[0] for belief in made.beliefs] == ["test_loss val_loss"]
    run = gv.open_run("runs/theirs")
    curves = {name: [v.tolist() for v in run.metric(name)] for name in ("train_loss", "test_loss")}
    assert curves["train_loss"] == [[0, 50, 99], [4.7, 2.5, 1.2]]
    assert curves["test_loss"] == [[0, 99], [4.8, 3.1]]
    table = files / "lightning_logs" / "version_0" / "metrics.csv"
    table.write_text("epoch,step\n0,0\n", "utf-8")
    with pytest.raises(InputError, match="no column train_loss"):
        gv.import_run(table.parent, "runs/again", importer="lightning_csv.py")


@pytest.mark.train
def test_the_plug_in_offers_what_the_files_did(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pip lays it out; that pip takes it is tested with the wheel."""
    site = files / "site"
    package = site / "grokviz_parity"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    for name in ("scenes/parity.py", "scenes/embedding_rank.py", "lightning_csv.py"):
        (files / name).rename(package / Path(name).name)
    about = site / "grokviz_parity-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: grokviz-parity\nVersion: 1.0\n")
    groups = tomllib.loads(text_of(PYPROJECT))["project"]["entry-points"]
    lines = [f"[{g}]\n" + "".join(f"{k} = {v}\n" for k, v in e.items()) for g, e in groups.items()]
    (about / "entry_points.txt").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(str(site))
    plugins.forget()

    assert gv.recipe("sparse-parity").read().bits == 30
    assert {"parity-bits", "embedding-rank"} <= set(gv.list_scenes())
    assert "lightning-csv" in {one.name for one in importers()}
    gv.train("sparse-parity", "runs/parity", settings={**SMALL, "epochs": 20}, device="cpu")
    assert {"bit_norm", "counted_share"} <= set(gv.analyze("runs/parity"))
    made = gv.import_run("lightning_logs/version_0", "runs/theirs")
    assert gv.open_run(made.path).metric("test_loss")[0].tolist() == [0, 99]


@pytest.mark.slow
@pytest.mark.train
@pytest.mark.timeout(3600)  # five trainings to their end: minutes of one idle core
def test_the_page_can_be_followed_from_an_empty_folder_with_the_wheel(tmp_path: Path) -> None:
    bin_folder = beside_the_libraries(build_wheel(tmp_path), tmp_path / "env")
    here = tmp_path / "empty"
    here.mkdir()
    env = clean(
        PATH=f"{bin_folder}:{clean()['PATH']}", XDG_CACHE_HOME=str(tmp_path / "cache"),
        PYTHONPYCACHEPREFIX=str(tmp_path / "bytecode"),
        PIP_NO_DEPS="1", PIP_NO_INDEX="1", PIP_NO_BUILD_ISOLATION="0",  # which means: none
    )  # fmt: skip
    said = ""
    for block in blocks():
        if block.file:
            write(block, here)
            continue
        assert block.language == "sh", block.text
        said += run("bash", "-euo", "pipefail", "-c", block.text, cwd=here, env=env).stdout
        for line in block.text.splitlines():
            for name in WRITTEN.findall(" ".join(shlex.split(line, comments=True))):
                assert (here / name).exists(), line
    assert re.search(r"counted share +0\.\d", said)
    assert re.search(r"embedding effective rank +\d", said)
    assert gv.open_run(here / "runs/parity").facts["task"] == "sparse-parity"
    for imported in ("theirs", "imported"):
        assert len(gv.open_run(here / "runs" / imported).metric("train_loss")[0]) == 3
