"""A place that cannot be written is refused before any work, by every command that writes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from grokviz.runs import RunWriter

Ran = subprocess.CompletedProcess[str]

LONG = "x" * 300
WRITERS = {
    "render": ["render", "embedding-waves", "-o", "{}.png"],
    "figures": ["figures", "--out", "{}"],
    "explore": ["explore", "modular-addition", "-o", "{}.html"],
    "slides": ["slides", "clock", "-o", "{}.html"],
    "films of slides": ["slides", "clock", "--films", "{}", "-o", "talk.html"],
    "data": ["data", "embedding-waves", "-o", "{}.csv"],
    "bundle": ["bundle", "run", "--out", "{}"],
    "import": ["import", "file.pth", "--out", "{}"],
}


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail at the work for which the place should have been looked at before."""
    from grokviz.dataset import tables
    from grokviz.dataset.references import bundling
    from grokviz.importers import choice
    from grokviz.render import figures, render
    from grokviz.slides import films

    def worked(*_: object, **__: object) -> None:
        pytest.fail("it worked before it looked at the place")

    monkeypatch.setattr(render, "perform", worked)
    monkeypatch.setattr(figures, "_perform", worked)
    monkeypatch.setattr(films, "_draw", worked)
    monkeypatch.setattr(tables, "write_data", worked)
    monkeypatch.setattr(bundling, "analyze", worked)
    monkeypatch.setattr(choice, "open_source", worked)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.usefixtures("no_work")
def test_no_work_for_a_place_that_cannot_be(
    name: str, called: Callable[..., Ran], tmp_path: Path
) -> None:
    with RunWriter.create(tmp_path / "run", {}) as writer:
        writer.checkpoint(0, {"w": np.zeros(2)})
        writer.close(finished=True)
    words = WRITERS[name]
    for place in (LONG, f"{LONG}/a", "/dev/null/a", *(["/dev/null"] if "{}" in words else [])):
        done = called(*(word.format(place) for word in words))
        assert done.returncode == 2, place
        assert done.stderr.count("\n") == 1
        # no option is named that this command does not have
        assert " -o" not in done.stderr or "-o" in words
    assert [file.name for file in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize(
    "words",
    [
        ["info"], ["measures"], ["import"], ["explore"], ["train"], ["recipes"], ["scenes"],
        ["render", "embedding-waves", "--run"], ["render"], ["data", "embedding-waves", "--run"],
        ["render", "embedding-waves", "--style"],
        ["render", "embedding-waves", "-o", "a.pdf", "--venue"],
        ["slides", "clock", "--run"], ["figures", "--run"], ["slides"], ["bundle", "--out", "b"],
        ["import", "--importer"], ["train", "modular-addition", "--out"],
        ["sweep", "modular-addition", "--seeds", "1", "--out"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_name_that_no_disk_can_hold_is_one_sentence(
    words: list[str], called: Callable[..., Ran]
) -> None:
    if words[0] in ("train", "sweep"):
        pytest.importorskip("torch", reason="training needs the [train] extra")
    done = called(*words, LONG)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_a_grid_without_end_is_refused_at_once(called: Callable[..., Ran]) -> None:
    for seeds in ("10001", "1000000", "9" * 400):
        done = called("sweep", "modular-addition", "--dry-run", "--seeds", seeds)
        assert done.returncode == 2
        assert "10000 at most" in done.stderr
