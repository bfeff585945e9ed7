"""The examples of the docs, run as they stand there."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import numpy as np
import pytest

import grokviz as gv

DOCS = Path(__file__).resolve().parents[2] / "docs"


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
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
    assert len(np.unique(picture[::5, ::5, :3].reshape(-1, 3), axis=0)) > 20


@pytest.mark.slow
def test_a_loop_in_jax_is_recorded_and_drawn(tmp_path):
    pytest.importorskip("jax", reason="it is no dependency")
    (example,) = [block for block in blocks("recording.md") if "import jax" in block]
    (tmp_path / "example.py").write_text(example, "utf-8")
    runpy.run_path("example.py")
    run = gv.open_run("runs/jax")
    assert run.shapes() == {"embed": (13, 24), "hidden": (48, 64), "out": (64, 13)}
    losses = run.metric("train_loss")[1]
    assert losses[-1] < losses[0] / 2
    assert (tmp_path / "jax.png").stat().st_size > 10_000


@pytest.mark.slow
def test_the_example_scene_is_found_and_drawn(tmp_path):
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "sparsity.py").write_text(blocks("scenes.md")[0], "utf-8")
    assert "sparsity" in gv.list_scenes()
    written = gv.render("sparsity", out=["sparsity.pdf", "sparsity.mp4"], quality="l", duration=1,
                        hold=0, options={"shade": "off"})  # fmt: skip
    assert [path.stat().st_size > 5000 for path in written] == [True, True]
    assert "sparsity" not in gv.list_scenes(user=False)
