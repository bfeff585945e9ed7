"""The same command gives the same bytes, wherever, whenever and by whomever it is called."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from hostile_settings import hostile

from grokviz import cli
from grokviz.cli.common import command_line
from grokviz.media import read_provenance

ROOT = Path(__file__).parents[2]
SETTINGS = {"p": 5, "d-model": 4, "d-mlp": 4, "heads": 1, "epochs": 8, "checkpoint-every": 2}
ONE = {
    "PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC", "umask": 0o022, "jobs": "1",
}  # fmt: skip
OTHER = {
    "PYTHONHASHSEED": "22", "LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0",
    "TZ": "Asia/Kathmandu", "umask": 0o077, "jobs": "2", "matplotlibrc": True,
}  # fmt: skip
"""All that may differ between two people, at once."""

SMALL = ["--quality", "l", "--duration", "0.2", "--hold", "0.1"]
CURVE = ["render", "grokking-curve", "--run", "run"]
PRODUCTS = {
    "films": [
        [*CURVE, *(word for kind in ("mp4", "webm", "gif", "webp") for word in ("-o", f"a.{kind}")),
         *SMALL, "-j"],
        [*CURVE, "-o", "frames", "--format", "png-sequence", *SMALL, "-j"],
    ],
    "numbers": [
        ["data", "grokking-curve", "--run", "run", "-o", "a.csv"],
        ["data", "grokking-curve", "--run", "run", "-o", "a.nc"],
        ["bundle", "run", "--out", "reference"],
    ],
    "pages": [
        ["explore", "run", "-o", "a.html"],
        ["slides", "grokking-curve", "--run", "run", "--quality", "l", "-o", "b.html", "-j"],
        ["slides", "grokking-curve", "--run", "run", "--quality", "l", "-o", "c.pptx", "-j"],
    ],
    "figures": [["figures", "--run", "run", "--no-films", "--out", "figures", "-j"]],
    "training": [
        ["train", "modular-addition", "--out", "out",
         *(word for key, value in SETTINGS.items() for word in ("--set", f"{key}={value}"))],
    ],
}  # fmt: skip


@pytest.fixture
def run(trained: Callable[..., Path]) -> Path:
    return trained("modular-addition", SETTINGS)


def written(run: Path, folder: Path, commands: list[list[str]], about: dict[str, object]) -> dict:
    """Checksums of what the commands write in a new folder with a copy of the run."""
    folder.mkdir(parents=True)
    shutil.copytree(run, folder / "run", ignore=shutil.ignore_patterns("cache", ".lock"))
    names = {"GROKVIZ_CACHE": str(folder.parent / f"cache-{folder.name}")}
    variables = {key: str(value) for key, value in about.items() if key.isupper()}
    if about.get("matplotlibrc"):
        rc = folder.parent / "matplotlibrc"
        rc.write_text("".join(f"{key}: {value}\n" for key, value in hostile().items()))
        variables["MATPLOTLIBRC"] = str(rc)
    for words in commands:
        last = [str(about["jobs"])] if words[-1] == "-j" else []
        done = subprocess.run(
            [sys.executable, "-m", "grokviz", *words, *last], cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **names, **variables},
            capture_output=True, text=True, errors="replace", check=False, timeout=300,
            umask=int(str(about["umask"])),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    files = [f for f in sorted(folder.rglob("*")) if f.is_file()]
    return {
        str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest()
        for f in files
        # a run's facts have the time; what is read of the cache is in the products
        if f.relative_to(folder).parts[0] != "run"
        and f.name not in (".lock", *(["run.json"] if (f.parent / "index.json").exists() else []))
    }


def check_same(run: Path, tmp_path: Path, commands: list[list[str]]) -> dict[str, str]:
    one = written(run, tmp_path / "one", commands, ONE)
    other = written(run, tmp_path / "and" / "deeper in é" / "another", commands, OTHER)
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []
    return one


@pytest.mark.slow
def test_a_still_and_a_page(run: Path, tmp_path: Path) -> None:
    outputs = [word for kind in ("png", "svg", "pdf") for word in ("-o", f"a.{kind}")]
    files = check_same(run, tmp_path, [[*CURVE, *outputs, "-j"]])
    assert files.keys() == {"a.png", "a.svg", "a.pdf"}
    command = read_provenance(tmp_path / "one" / "a.png").command
    assert command == f"grokviz {' '.join([*CURVE, *outputs])}"


@pytest.mark.slow
@pytest.mark.parametrize("product", PRODUCTS)
def test_every_product(product: str, run: Path, tmp_path: Path) -> None:
    assert check_same(run, tmp_path, PRODUCTS[product])


@pytest.mark.parametrize(
    ("words", "recorded"),
    [
        ("-j 2", ""), ("-j2", ""), ("--jobs 2", ""), ("--jobs=2", ""), ("-qj2", "-q"),
        ("-qj 2 --theme dark", "-q --theme dark"), ("-q -j 2 --dry-run", "-q --dry-run"),
        ("--title -j --theme dark", "--title -j --theme dark"),
        ("--title --jobs=2 -j 3", "--title --jobs=2"), ("-o -j2", "-o -j2"), ("-o-j", "-o-j"),
        ("--title=-j -j 2 -o a.png", "--title=-j -o a.png"), ("-- -j", "-- -j"),
    ],
)  # fmt: skip
def test_the_recorded_command_is_what_was_said_but_for_the_workers(
    words: str, recorded: str
) -> None:
    given = ["render", "grokking-curve", *words.split()]
    render = cli.cli.get_command(click.Context(cli.cli), "render")
    assert render is not None
    with click.Context(render, obj=tuple(given)):
        assert command_line() == " ".join(["grokviz render grokking-curve", recorded]).strip()
