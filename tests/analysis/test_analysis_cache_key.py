"""The source of a measure is every file that can change its values, and no file that cannot."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import grokviz
from grokviz import sources
from grokviz.dataset import cache, table
from grokviz.dataset.build import source
from grokviz.dataset.contract import Measure
from grokviz.task import task

PACKAGE = Path(grokviz.__file__).parent
OWN = {
    "modular-addition": ("loss", "modular_addition"),
    "skip-trigram": ("key_attention", "skip_trigram"),
    "digit-addition": ("held_out_digit_loss", "digit_addition"),
    "repeated-subsequence": ("induction_score", "repeated_subsequence"),
}


def covered(name: str) -> set[str]:
    one = table.table(task(name)).measure(OWN[name][0])
    files = sources.closure([Path(str(sys.modules[one.module].__file__))])
    return {path.relative_to(PACKAGE).as_posix() for path in files}


@pytest.mark.parametrize("name", OWN)
def test_the_source_covers_the_task_and_the_reading_of_runs(name: str) -> None:
    own, files = OWN[name][1], covered(name)
    shared = {"runs/tensors.py", "dataset/contract.py", "dataset/checkpoint.py"}
    if own != "modular_addition":
        shared.add("tasks/_sequences/model.py")
    assert {*shared, f"tasks/{own}/data.py", f"tasks/{own}/checkpoint.py"} <= files
    others = {folder for _, folder in OWN.values()} - {own}
    assert not {file.split("/")[1] for file in files if file.startswith("tasks/")} & others


def test_the_source_leaves_out_what_draws_and_trains() -> None:
    folders = {name.split("/")[0] for name in covered("modular-addition")}
    assert not folders & {"scene", "render", "media", "cli"}
    families = {path.parent.name for path in sources.closure(cache.source_files(["skip-trigram"]))}
    assert {"families", "skip_trigram", "_sequences"} <= families
    assert not families & {"scene", "render", "media", "cli", "modular_addition"}


def test_a_changed_import_of_an_import_changes_the_source(tmp_path: Path) -> None:
    # what is written in the files counts, however deep
    top = tmp_path / "top.py"
    top.write_text("def late():\n    from grokviz.runs import (\n        open_run,\n    )\n")
    found = {path.name for path in sources.closure([top])}
    assert {"top.py", "__init__.py", "reader.py", "layout.py", "errors.py"} <= found


MEASURE = """
import numpy
from {from_} import factor
from grokviz.dataset.checkpoint import Checkpoint
from grokviz.dataset.contract import measure


@measure()
def scaled(at: Checkpoint) -> float:
    \"\"\"A number.\"\"\"
    return factor.FACTOR * at.state["w"].sum()
"""


@pytest.mark.parametrize("from_", ["somebodys.inner", ".inner", "."])
def test_a_plug_ins_own_modules_count(
    from_: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "somebodys"
    (package / "inner").mkdir(parents=True)
    for folder in (package, package / "inner"):
        (folder / "__init__.py").write_text("")
        (folder / "factor.py").write_text("FACTOR = 2\n")
    (package / "measures.py").write_text(MEASURE.format(from_=from_))
    monkeypatch.syspath_prepend(tmp_path)
    import importlib

    for name in [name for name in sys.modules if name.partition(".")[0] == "somebodys"]:
        del sys.modules[name]
    one: Measure = importlib.import_module("somebodys.measures").scaled
    before = source.source_of(one)
    used = package / "inner" if "inner" in from_ else package
    (used / "factor.py").write_text("FACTOR = 3\n")
    source._code_of.cache_clear()
    assert source.source_of(one) != before
    assert sources.libraries(package / "measures.py") == {"numpy"}


def test_what_was_typed_has_no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    text = MEASURE.format(from_="math").replace("import factor", "import pi as factor")
    typed: dict[str, object] = {"__name__": "__main__"}
    exec(text, typed)
    one = typed["scaled"]
    assert isinstance(one, Measure)
    assert source.source_of(one) is None


def test_a_changed_byte_of_a_kept_dataset_is_seen(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "family.nc"
    data = xr.Dataset({"x": ("epoch", np.arange(5.0))}, coords={"epoch": np.arange(5)})

    def unneeded() -> xr.Dataset:
        raise AssertionError("it was kept")

    assert cache.read_or_make(file, lambda: data).equals(data)
    assert cache.read_or_make(file, unneeded).equals(data)
    assert cache.read(file).equals(data)  # and it is a file that any reader of NetCDF opens
    good = file.read_bytes()
    for at in range(0, len(good), max(1, len(good) // 100)):
        bad = bytearray(good)
        bad[at] ^= 1
        file.write_bytes(bad)
        caplog.clear()
        assert cache.read_or_make(file, lambda: data).equals(data)
        assert "is made again: its checksum does not match" in caplog.text, at
