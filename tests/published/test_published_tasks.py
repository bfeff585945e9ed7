"""The published models of the other tasks, imported and measured as a user does."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

import grokviz as gv

FOLDER = os.environ.get("GROKVIZ_PUBLISHED_RUNS")
pytestmark = [
    pytest.mark.train,
    pytest.mark.skipif(
        FOLDER is None, reason="GROKVIZ_PUBLISHED_RUNS does not name the published runs' folder"
    ),
]


PAGE = (Path(__file__).parents[2] / "docs" / "science.md").read_text("utf-8")


def stated(row: str) -> list[float]:
    """The numbers that the page has as measured here, in the row that begins so."""
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {row}")]
    return [float(number) for number in re.findall(r"(?<!\w)[\d.]*\d", line.split("|")[2])]


def imported(name: str, path: Path) -> gv.Run:
    pytest.importorskip("torch")
    assert FOLDER is not None
    return gv.open_run(gv.import_run(Path(FOLDER) / name, path / "run").path)


@pytest.mark.slow
def test_the_induction_heads_of_the_published_model_are_found(tmp_path: Path) -> None:
    run = imported("induction_head_infinite.pth", tmp_path)
    assert run.facts["counts"] == "step"
    settings = run.facts["settings"]
    assert {k: settings[k] for k in ("vocabulary", "length", "subsequence", "repeats")} == {
        "vocabulary": 128, "length": 85, "subsequence": 16, "repeats": 3,
    }  # fmt: skip
    assert (settings["examples"], settings["batch"], settings["data-seed"]) == (0, 128, 1)
    found = gv.measures(run.path)
    # the last twenty of its own fresh batches have a mean of .300, which counts 85/84 times as much
    loss, error = found["held_out_loss"], found["held_out_loss_error"]
    assert stated("`induction_head_infinite`") == [round(loss, 3), round(error, 3)]
    assert abs(loss * 85 / 84 - 0.300) < 2 * error
    assert found["held_out_accuracy"] > 0.92
    follows, before = (np.array(found[f"{k}_score"]) for k in ("induction", "previous_token"))
    assert (follows[0] < 0.02).all()
    assert stated("best induction scores") == np.sort(follows[1])[::-1].round(2).tolist()
    first, *others = np.sort(before[0])[::-1].round(2)
    assert stated("best previous-token score, layer 0") == [first, others[-1], others[0]]
    assert (before[1] < 0.05).all()
    # once the residual stream is carried once only, it is not the model that was trained
    once = gv.import_run(
        Path(FOLDER or "") / "induction_head_infinite.pth", tmp_path / "once",
        settings={"double-residual": "off"},
    )  # fmt: skip
    assert gv.measures(once.path)["held_out_loss"] > 1


@pytest.mark.slow
def test_the_published_addition_is_known_digit_by_digit(tmp_path: Path) -> None:
    run = imported("5_digit_addition_infinite.pth", tmp_path)
    assert run.facts["settings"]["digits"] == 5
    assert run.facts["settings"]["examples"] == 0
    found = gv.measures(run.path)
    both = round(found["held_out_loss"], 3), round(found["held_out_loss_error"], 3)
    assert stated("`5_digit_addition_infinite`") == [*both]
    assert len(found["held_out_digit_loss"]) == 6
    assert found["held_out_digit_loss"][0] < 0.01
    assert max(found["held_out_digit_loss"]) < 0.1
    assert "digit_drop" not in found


def test_the_digits_drop_where_they_were_published_to(tmp_path: Path) -> None:
    run = imported("5_digit_addition_infinite_per_token.pth", tmp_path)
    data = gv.analyze(run.path)
    assert data["digit_drop"].values.tolist() == [213, 1539, 2028, 1912, 1756, 1673]
    assert data["digit_drop"].values.tolist() == stated("`5_digit_addition_infinite_per_token`")
    assert data["token_train_loss"].shape == (3000, 6)
    assert data.attrs["counts"] == "step"
    mean = data["token_train_loss"].mean("digit")
    np.testing.assert_allclose(mean, data["logged_train_loss"], rtol=1e-5)


@pytest.mark.slow
def test_a_member_of_the_published_sweep_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    made = gv.import_run(Path(FOLDER or "") / "mod_addition_frac_train_sweep.pth", tmp_path / "all")
    member = tmp_path / "all" / "train-fraction=0.3"
    assert member in made.runs
    found = gv.measures(member)
    assert (found["memorised_epoch"], found["generalised_epoch"]) == (151, 7930)
    assert found["largest_test_loss"] == pytest.approx(26.6, abs=0.05)
    (path,) = gv.render("grokking-curve", member, tmp_path / "curve.png")
    assert path.stat().st_size > 10_000
    with pytest.raises(gv.InputError, match="it has no checkpoints"):
        gv.render("embedding-waves", member, tmp_path / "waves.png")
    assert not (tmp_path / "waves.png").exists()
