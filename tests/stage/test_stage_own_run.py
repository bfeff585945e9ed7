"""A run of an ordinary torch loop, recorded with ``gv.record``: what leads on from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import grokviz as gv
from grokviz import cli
from grokviz.dataset.references.reference import load
from grokviz.pages.content import run_facts
from grokviz.pages.own import own_panels
from grokviz.pages.panels import available
from grokviz.render import figures
from grokviz.render.listing import summary
from grokviz.runs import reader
from grokviz.scene.registry import scene
from grokviz.slides import plan
from grokviz.slides.story import ANY_RUN

torch = pytest.importorskip("torch", reason="the loop is one of torch")

NESTED = {"name": "adamw", "betas": [0.9, 0.999], "schedule": {"warm-up": 10}}


def loop(place: Path) -> None:
    """Three bits' parity among eight, learned in 120 epochs; losses that grok are added to it."""
    torch.manual_seed(0)
    bits = ((torch.arange(256)[:, None] >> torch.arange(8)) & 1).float() * 2 - 1
    label = (bits[:, :3].prod(1) > 0).long()
    order = torch.randperm(256)
    train, test = order[:128], order[128:]
    model = torch.nn.Sequential(
        torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2)
    )  # fmt: skip
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-2)
    with gv.record(place / "run", optimiser=NESTED, data=["bits", 8], note=None, seed=0) as run:
        for epoch in range(121):
            logits = model(bits)
            loss = torch.nn.functional.cross_entropy(logits[train], label[train])
            right = (logits.argmax(1) == label).float()
            weight = model[0].weight.detach()
            run.step(
                epoch,
                model if epoch % 10 == 0 else None,
                arrays={"importance": weight.abs().mean(0), "gram": weight @ weight.T}
                if epoch % 20 == 0
                else None,
                train_loss=loss.detach(),
                test_loss=torch.nn.functional.cross_entropy(logits[test], label[test]).detach(),
                train_accuracy=right[train].mean(),
                test_accuracy=right[test].mean(),
                learning_rate=3e-2,
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()


@pytest.fixture(scope="module")
def run(shared: Callable[..., Path]) -> Path:
    return shared("own-run", loop) / "run"


def test_weight_norms_names_the_tensors_of_any_run(run: Path) -> None:
    data, drawn = gv.load(run, scene("weight-norms").needs), scene("weight-norms")()
    parts = drawn._parts(data)
    assert {"0.weight", "2.weight"} <= parts.keys() <= {"0.weight", "0.bias", "2.weight", "2.bias"}
    squares = data["sum_squared_weights"].sel(parameter="0.weight")
    np.testing.assert_allclose(parts["0.weight"], squares)
    total = data["sum_squared_weights"].sum("parameter").values
    assert drawn.claim(data).sentence == (
        f"Squared weights go from {total[0]:.3g} to {total[-1]:.3g} by epoch 120"
    )


def test_recorded_accuracy_is_accuracy_drawn(run: Path, tmp_path: Path) -> None:
    with_accuracy = scene("grokking-curve").with_options({"accuracy": True})
    data = gv.load(run, with_accuracy.variables())
    opened = gv.open_run(run)
    for split in ("train", "test"):
        epochs, values = opened.metric(f"{split}_accuracy")
        found = data["accuracy"].sel(split=split)
        np.testing.assert_array_equal(found, values[np.isin(epochs, data["epoch"].values)])
    (path,) = gv.render(with_accuracy, run, tmp_path / "a.png")
    assert path.exists()
    panels = scene("metrics")()._panels(gv.load(run, scene("metrics").needs))
    assert ["test_accuracy", "train_accuracy"] in [sorted(names) for names in panels]


def test_a_split_that_was_not_logged_has_no_accuracy(tmp_path: Path) -> None:
    with gv.record(tmp_path / "run") as recorder:
        for epoch in range(0, 30, 10):
            recorder.step(epoch, {"w": np.ones(2)}, train_loss=1.0)
            recorder.step(epoch + 5, test_accuracy=epoch / 100)
    data = gv.analyze(tmp_path / "run", ["accuracy"])
    assert np.isnan(data["accuracy"].sel(split="train")).all()
    np.testing.assert_array_equal(data["accuracy"].sel(split="test"), [np.nan, 0.0, 0.1])


def test_metrics_says_what_moves_first_of_a_recorded_run(tmp_path: Path) -> None:
    epochs = np.arange(0, 3001, 10)
    with gv.record(tmp_path / "grokked") as recorder:
        for epoch in epochs.tolist():
            falls = [4.7 / (1 + (epoch / at) ** 8) + 1e-6 for at in (150, 1500)]
            recorder.step(epoch, train_loss=falls[0], test_loss=falls[1])
    own = scene("metrics")().claim(gv.load(tmp_path / "grokked", scene("metrics").needs))
    assert own.sentence == "The training loss falls first, the test loss 1,400 epochs later"


def test_the_explorer_has_its_arrays_its_metrics_and_its_facts(run: Path, tmp_path: Path) -> None:
    data = load(run)
    panels, drawn = own_panels(data, available(data))
    named = {panel.title: panel for panel in panels}
    assert {"Importance", "Gram", "Logged metric"} <= named.keys()
    assert named["Gram"].view == "matrix"
    assert named["Importance"].view == "curves"
    gram = drawn[named["Gram"].variables(drawn)[0]]
    np.testing.assert_allclose(gram[-1], gv.open_run(run).arrays(120)["gram"], rtol=1e-6)
    settings = run_facts(data)["settings"]
    assert settings == {
        "optimiser.name": "adamw", "optimiser.betas": [0.9, 0.999],
        "optimiser.schedule.warm-up": 10, "data": ["bits", 8], "note": "none", "seed": 0,
    }  # fmt: skip
    page = gv.explore(run, tmp_path / "a.html").read_text("utf-8")
    assert '"optimiser.schedule.warm-up":10' in page


def test_render_without_a_scene_lists_what_a_run_has_the_data_for(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["render", "--run", str(run), "-q"]) == 0
    rows = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert {"arrays", "metrics", "path", "tensors", "weight-norms"} <= rows.keys()
    assert not {"heads", "seeds", "embedding-waves"} & rows.keys()
    assert rows["steps"] == summary(scene("steps"))
    assert cli.run(["render"]) == 2
    assert "give one --run to see what it has the data for" in capsys.readouterr().err
    assert cli.run(["render", "--run", "modular-addition-59"]) == 0
    rows = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert {"tensors", "heads"} <= rows.keys()
    assert "arrays" not in rows


def test_a_run_is_opened_once_to_know_what_it_lacks(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, opened = reader.read_documents, []

    def noting(path: Path) -> Any:
        opened.append(path)
        return plain(path)

    monkeypatch.setattr(reader, "read_documents", noting)
    assert figures.drawable(run)
    assert len(opened) == 1


def test_slides_of_a_run_of_ones_own_tell_of_it(run: Path) -> None:
    skipped: list[str] = []
    _, sources = plan(
        [], "a.html", run=str(run), user=False, skipped=lambda name, _: skipped.append(name)
    )
    assert [source.name for source in sources] == [n for n in ANY_RUN if n not in skipped]
    # it has no attention
    assert skipped == ["heads"]
    lines = {source.name: source.line() for source in sources}
    assert lines["steps"] == f"steps: {summary(scene('steps'))} (film, from {run})"


@pytest.mark.slow
def test_figures_names_what_is_of_other_tasks_in_one_line(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = {name: scene(name) for name in ("metrics", "heads", "clock", "embedding-waves", "seeds")}
    monkeypatch.setattr(figures, "scenes", lambda: ours)
    words = ["figures", "--run", str(run), "--out", str(tmp_path / "out"), "--no-films", "-j", "1"]
    assert cli.run(words) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("skipped")]
    assert lines[0].startswith("skipped heads: ")
    assert lines[1] == (
        "skipped 2 scenes of other tasks, or of several runs: embedding-waves, seeds"
    )
    assert len(lines) == 2
    assert (tmp_path / "out" / "metrics.pdf").exists()
