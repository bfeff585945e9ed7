"""``grokviz doctor`` where something is missing: it must itself run without it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from grokviz.cli import checks

ROOT = Path(__file__).parents[2]

WITHOUT = """
import importlib.metadata
import sys

MODULES = {"pillow": "PIL"}
gone = set(sys.argv[1:])
modules = {MODULES.get(name, name) for name in gone}
known = importlib.metadata.version


class Nowhere:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in modules:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def version(name):
    if name in gone:
        raise importlib.metadata.PackageNotFoundError(name)
    return known(name)


sys.meta_path.insert(0, Nowhere())
importlib.metadata.version = version
from grokviz.cli import main

main(["doctor", "--json"])
"""


def core() -> set[str]:
    """The packages without which grokviz is not whole."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return {re.split("[^a-z0-9-]", one)[0] for one in project["dependencies"]}


def test_every_package_of_ours_is_looked_for() -> None:
    needed = {name for name, (_, extra) in checks.LIBRARIES.items() if not extra}
    assert needed == core()


def test_every_missing_package_is_a_line(tmp_path: Path) -> None:
    gone = core() - {"click"}  # without it there is no command line
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *gone], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")
    found = {row["name"]: row for row in json.loads(done.stdout)}
    assert gone <= {name for name, row in found.items() if not row["ok"]}
    assert found["click"]["ok"]
    assert all(found[name]["remedy"].startswith("pip install") for name in gone)


def test_nothing_is_called_missing_that_is_there(called) -> None:
    checked = json.loads(called("doctor", "--json").stdout)
    assert [row["purpose"] for row in checked if row["ok"] and "missing" in row["purpose"]] == []
