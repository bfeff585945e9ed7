"""The example of the page on many runs, run as it stands there."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

import grokviz as gv

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sweeps.md"


@pytest.mark.slow
@pytest.mark.train
def test_the_example_is_a_sweep_and_a_family(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "example.py").write_text(example, "utf-8")
    runpy.run_path("example.py")
    said = capsys.readouterr().out.splitlines()
    assert said[:4] == [
        f"train-fraction={f},seed={s} finished 200" for f in (0.4, 0.8) for s in (0, 1)
    ]
    assert gv.load("runs/fractions").sizes["member"] == 4


def test_every_option_is_on_the_page() -> None:
    from grokviz.cli.sweep import command

    page = PAGE.read_text("utf-8")
    names = [p.opts[0] for p in command.params if p.opts[0].startswith("-")]
    left = [name for name in names if name not in page]
    assert left == ["--quiet"]
