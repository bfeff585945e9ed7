"""The examples of the docs, run as they stand there."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import numpy as np
import pytest

import grokviz as gv
from grokviz.errors import InputError

DOCS = Path(__file__).resolve().parents[2] / "docs"


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.train
def test_a_recorded_loop_of_ten_lines_is_rendered(tmp_path):
    (tmp_path / "example.py").write_text(blocks("recording.md")[0], "utf-8")
    runpy.run_path("example.py")
    run = gv.open_run("runs/own-loop")
    epochs, losses = run.metric("train_loss")
    assert epochs.tolist() == list(range(301))
    assert losses[-1] < losses[0] / 10
    assert run.epochs.tolist() == list(range(0, 301, 50))
    assert run.verify() == []
    import imageio.v3 as iio

    picture = iio.imread("own-loop.png")
    assert picture.shape[:2] == (1080, 1920)
    assert len(np.unique(picture[..., :3].reshape(-1, 3), axis=0)) > 20


def test_the_example_scene_is_found_and_drawn(tmp_path):
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "sparsity.py").write_text(blocks("scenes.md")[0], "utf-8")
    assert "sparsity" in gv.list_scenes()
    written = gv.render("sparsity", out=["sparsity.pdf", "sparsity.mp4"], quality="l", duration=1,
                        hold=0, options={"shade": "off"})  # fmt: skip
    assert [path.stat().st_size > 5000 for path in written] == [True, True]
    assert "sparsity" not in gv.list_scenes(user=False)


@pytest.mark.train
def test_the_example_task_trains_goes_on_and_is_drawn(tmp_path):
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "parity.py").write_text(blocks("tasks.md")[0], "utf-8")
    small = {"hidden": 8, "examples": 40, "checkpoint-every": 20}
    for out, epochs in (("runs/part", 30), ("runs/part", 60), ("runs/whole", 60)):
        outcome = gv.train("sparse-parity", out, settings={**small, "epochs": epochs}, device="cpu")
        assert (outcome.epoch, outcome.counts, outcome.interrupted) == (epochs, "step", False)
    part, whole = gv.open_run("runs/part"), gv.open_run("runs/whole")
    assert part.facts["task"] == "sparse-parity"
    assert part.metric("train_loss")[0].tolist() == list(range(61))
    for name in ("train_loss", "test_loss"):
        assert part.metric(name)[1].tolist() == whole.metric(name)[1].tolist()
    for name, tensor in part.weights(60).items():
        assert np.array_equal(tensor, whole.weights(60)[name])
    (written,) = gv.render("grokking-curve", "runs/part", "parity.png")
    assert written.stat().st_size > 5000
    with pytest.raises(InputError, match="31 of 30 bits"):
        gv.train("sparse-parity", "runs/wrong", settings={"counted": 31})


@pytest.mark.train
def test_the_example_measure_tells_the_bits_that_count(tmp_path):
    task, part = blocks("tasks.md")[:2]
    code = f"{task}\n{part}"
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "parity.py").write_text(code, "utf-8")
    settings = {"bits": 6, "counted": 2, "hidden": 32, "epochs": 300, "checkpoint-every": 100}
    gv.train("sparse-parity", "runs/parity", settings=settings, device="cpu")
    norms = gv.analyze(gv.open_run("runs/parity"))["bit_norm"]
    assert norms.dims == ("epoch", "bit")
    last = norms.isel(epoch=-1).values
    assert last[:2].min() > last[2:].max()


def test_the_example_importer_reads_its_folder(tmp_path):
    (tmp_path / "lightning_csv.py").write_text(blocks("importing.md")[0], "utf-8")
    log = tmp_path / "version_0"
    log.mkdir()
    rows = ["epoch,step,train_loss,val_loss", "0,0,4.7,", "0,0,,4.8", "0,50,2.5,", "1,99,1.2,"]
    (log / "metrics.csv").write_text("\n".join([*rows, "1,99,,3.1", ""]), "utf-8")
    made = gv.import_run(log, "runs/theirs", importer="lightning_csv.py")
    assert [belief.split(":")[0] for belief in made.beliefs] == ["test_loss val_loss"]
    run = gv.open_run("runs/theirs")
    curves = {name: [v.tolist() for v in run.metric(name)] for name in ("train_loss", "test_loss")}
    assert curves["train_loss"] == [[0, 50, 99], [4.7, 2.5, 1.2]]
    assert curves["test_loss"] == [[0, 99], [4.8, 3.1]]
    (log / "metrics.csv").write_text("epoch,step\n0,0\n", "utf-8")
    with pytest.raises(InputError, match="no column train_loss"):
        gv.import_run(log, "runs/again", importer="lightning_csv.py")
