"""The cache's key holds every file that can change a dataset, and no file that cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from grokviz import sources
from grokviz.dataset import cache

PACKAGE = Path(cache.__file__).parents[1]


def covered(task: str) -> set[str]:
    files = sources.closure(cache.source_files([task]))
    return {path.relative_to(PACKAGE).as_posix() for path in files}


@pytest.mark.parametrize(
    ("task", "own"),
    [
        ("modular-addition", "modular_addition"),
        ("skip-trigram", "skip_trigram"),
        ("digit-addition", "digit_addition"),
        ("repeated-subsequence", "repeated_subsequence"),
    ],
)
def test_the_key_covers_the_task_and_the_reading_of_runs(task: str, own: str) -> None:
    shared = {"runs/tensors.py", "runs/metrics.py", "dataset/workers.py", "tasks/any/__init__.py"}
    if own != "modular_addition":
        shared.add("tasks/_sequences/model.py")
    files = covered(task)
    assert {*shared, f"tasks/{own}/data.py", f"tasks/{own}/parts.py"} <= files
    others = {"modular_addition", "skip_trigram", "digit_addition", "repeated_subsequence"} - {own}
    assert not {name.split("/")[1] for name in files if name.startswith("tasks/")} & others


def test_the_key_leaves_out_what_draws_and_trains() -> None:
    folders = {name.split("/")[0] for name in covered("modular-addition")}
    assert not folders & {"scene", "render", "media", "cli"}


def test_a_changed_import_of_an_import_changes_the_key(tmp_path: Path) -> None:
    # the key follows what is written in the files, however deep
    top = tmp_path / "top.py"
    top.write_text("def late():\n    from grokviz.runs import (\n        open_run,\n    )\n")
    found = {path.name for path in sources.closure([top])}
    assert {"top.py", "__init__.py", "reader.py", "layout.py", "errors.py"} <= found
