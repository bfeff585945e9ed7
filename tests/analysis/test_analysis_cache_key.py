"""The cache's key holds every file that can change a dataset, and no file that cannot."""

from __future__ import annotations

from pathlib import Path

from grokviz import sources
from grokviz.dataset import cache

PACKAGE = Path(cache.__file__).parents[1]


def covered() -> set[str]:
    roots = [
        PACKAGE / "dataset" / "assemble.py",
        PACKAGE / "dataset" / "families" / "family.py",
    ]
    return {path.relative_to(PACKAGE).as_posix() for path in sources.closure(roots)}


def test_the_key_covers_tasks_and_the_reading_of_runs() -> None:
    assert {
        "tasks/modular_addition/data.py",
        "tasks/skip_trigram/data.py",
        "runs/tensors.py",
        "runs/metrics.py",
        "tasks/_sequences/model.py",
        "dataset/workers.py",
    } <= covered()


def test_the_key_leaves_out_what_draws_and_trains() -> None:
    assert not {name.split("/")[0] for name in covered()} & {"scene", "render", "media", "cli"}


def test_a_changed_import_of_an_import_changes_the_key(tmp_path: Path) -> None:
    # the key follows what is written in the files, however deep
    top = tmp_path / "top.py"
    top.write_text("def late():\n    from grokviz.tasks import (\n        Batch,\n    )\n")
    found = {path.name for path in sources.closure([top])}
    assert {"top.py", "__init__.py", "modular_addition.py", "batch.py", "errors.py"} <= found
