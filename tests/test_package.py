"""The package as a whole: import rules, wheel, versions, and nothing of the machine it grew on."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import grokviz

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def tracked() -> list[Path]:
    """The repository's own files; in an unpacked archive, what is not hidden or made."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.split("\0") if name]
    made = {"build", "dist", "figures", "runs", "films", "site", "__pycache__"}
    files = [file for file in ROOT.rglob("*") if file.is_file()]
    return [
        file
        for file in files
        if not any(p in made or p.startswith(".") for p in file.relative_to(ROOT).parts)
    ]


def test_import_rules_hold() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert f"Contracts: {len(contracts['contracts'])} kept, 0 broken" in done.stdout


def test_a_verb_stays_a_verb_where_a_package_has_its_name() -> None:
    inside = [name for name in grokviz.__all__ if (ROOT / "grokviz" / name).is_dir()]
    assert {"render", "scene", "slides"} <= set(inside)
    for name in inside:
        module = importlib.import_module(f"grokviz.{name}")
        assert getattr(grokviz, name) is not module
        assert callable(getattr(grokviz, name))


def test_there_is_one_version(project: dict) -> None:
    citation = re.search(r"(?m)^version: (.+)$", (ROOT / "CITATION.cff").read_text())
    assert citation
    assert grokviz.__version__ == project["version"] == citation[1]


def test_the_changelog_has_a_place_for_what_comes() -> None:
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), "."],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return zipfile.ZipFile(next(out.glob("*.whl")))


def test_the_wheel_holds_all_of_the_package(wheel: zipfile.ZipFile) -> None:
    ours = [
        file.relative_to(ROOT).as_posix()
        for file in tracked()
        if file.is_relative_to(ROOT / "grokviz") and file.exists()
    ]
    held = set(wheel.namelist())
    assert "grokviz/py.typed" in held
    assert set(ours) <= held


@pytest.mark.parametrize("folder", ["scenes", "assets/reference"])
def test_the_wheel_holds_what_lies_beside_the_package(wheel: zipfile.ZipFile, folder: str) -> None:
    beside = [file for file in tracked() if file.is_relative_to(ROOT / folder) and file.exists()]
    assert beside
    expected = {f"grokviz/{file.relative_to(ROOT).as_posix()}" for file in beside}
    assert expected <= set(wheel.namelist())


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile, project: dict) -> None:
    info = f"grokviz-{project['version']}.dist-info/"
    strange = [name for name in wheel.namelist() if not name.startswith(("grokviz/", info))]
    assert strange == []
    assert not [name for name in wheel.namelist() if "__pycache__" in name]


# a folder of somebody's own, or where packages were fetched from: no one else has those
MACHINE = re.compile(
    rb"(?<![\w.~-])/(?:work|root|Users/\w|home/(?!you\b|user\b)\w)[\w./-]*"
    rb"|file:/{2,}|https?://(?:localhost|127\.|10\.|192\.168\.|[\w.-]*(?:nexus|artifactory|devpi))"
    rb"|\.\./shared"
)
ALLOWED = {
    ".ci/run": [b"../shared"],
    "tests/test_package.py": None,
}


def test_no_file_names_the_machine_it_was_made_on() -> None:
    found: list[tuple[str, str]] = []
    for file in tracked():
        name = file.relative_to(ROOT).as_posix()
        allowed = ALLOWED.get(name, [])
        if allowed is None or not file.is_file():
            continue
        named = {match[0] for match in MACHINE.finditer(file.read_bytes())}
        found += [(name, text.decode(errors="replace")) for text in named.difference(allowed)]
    assert found == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (b"run in /work/main now", True), (b"'/root/.cache'", True), (b"/home/ada/x", True),
        (b"file:///opt/simple", True), (b"http://10.0.0.1/simple", True),
        (b"docs/work/x", False), (b"https://example.org/root/x", False), (b"~/work/x", False),
        (b"/home/user/x", False),
    ],
)  # fmt: skip
def test_such_names_are_recognised(text: bytes, wrong: bool) -> None:
    assert bool(MACHINE.search(text)) is wrong


# what a licence says, and what nobody writes by hand
OF_OTHERS = re.compile(rb"(?i)permission is hereby granted|redistributions? (?:in|of) source")
LONGEST_LINE = 1500


def test_nothing_that_others_wrote_lies_in_the_repository() -> None:
    found = []
    for file in tracked():
        name = file.relative_to(ROOT).as_posix()
        if not file.is_file() or name in ("LICENSE", "tests/test_package.py"):
            continue
        data = file.read_bytes()
        packed = file.suffix in (".js", ".css") and max(map(len, data.split(b"\n"))) > LONGEST_LINE
        font = file.suffix in (".woff", ".woff2", ".ttf", ".otf", ".eot")
        if packed or font or OF_OTHERS.search(data):
            found.append(name)
    assert found == []
