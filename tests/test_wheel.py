"""The package as a stranger installs it: a wheel, its base dependencies, an empty folder."""

from __future__ import annotations

import json
import subprocess
import tomllib
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
from wheel_install import ROOT, beside_the_libraries, build_wheel, clean, run

from grokviz.media import read_provenance

pytestmark = pytest.mark.slow

Ran = subprocess.CompletedProcess[str]
Command = Callable[..., Ran]


def installed(what: str, place: Path) -> Path:
    """The commands of a new environment that holds ``what`` and what it depends on."""
    venv.create(place, with_pip=True)
    pip = [place / "bin" / "python", "-m", "pip", "install", "--quiet"]
    run(*pip, "--disable-pip-version-check", "-c", ROOT / "constraints.txt", what, cwd=place)
    return place / "bin"


@pytest.fixture(scope="session")
def from_wheel(shared: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """The commands of an environment into which the wheel alone was installed, once for all."""

    def make(place: Path) -> None:
        # an environment cannot be moved, and what is shared is moved to its place when made
        commands = installed(str(build_wheel(place)), place.parent / "wheel-environment")
        (place / "commands").write_text(str(commands), "utf-8")

    return Path((shared("wheel", make) / "commands").read_text("utf-8"))


@pytest.fixture
def grokviz(from_wheel: Path, tmp_path: Path) -> Command:
    return lambda *arguments: run(from_wheel / "grokviz", *arguments, cwd=tmp_path)


def test_only_the_base_is_installed(from_wheel: Path) -> None:
    listed = run(from_wheel / "python", "-m", "pip", "list", "--format=json", cwd=from_wheel)
    names = {row["name"].lower() for row in json.loads(listed.stdout)}
    base = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {name.split(">")[0].lower() for name in base} <= names
    assert not names & {"torch", "manim", "plotly", "pytest"}


def test_a_film_a_loop_and_a_page_from_nothing(grokviz: Command, tmp_path: Path) -> None:
    import imageio.v3 as iio
    from pypdf import PdfReader

    outputs = ["waves.mp4", "waves.gif", "waves.pdf"]
    done = grokviz("render", "embedding-waves", *(w for o in outputs for w in ("-o", o)))
    assert done.stdout.split() == outputs
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(outputs)
    for name, frames in (("waves.mp4", 480), ("waves.gif", 320)):
        assert sum(1 for _ in iio.imiter(tmp_path / name, plugin="pyav")) == frames
    (page,) = PdfReader(tmp_path / "waves.pdf").pages
    assert "norm in the embedding" in page.extract_text()
    for name in outputs:
        assert read_provenance(tmp_path / name).scene == "embedding-waves"


def test_the_scenes_and_the_reference_came_with_it(grokviz: Command) -> None:
    named = {row["name"]: row for row in json.loads(grokviz("scenes", "--json").stdout)}
    ours = {
        file.stem.replace("_", "-")
        for file in (ROOT / "scenes").rglob("[!_]*.py")
        if file.parent.name != "films"
    }
    assert ours <= set(named)
    assert named["embedding-waves"]["reference"] == "modular-addition"
    assert (
        "every file is as it was written" in grokviz("info", "modular-addition", "--verify").stdout
    )


def test_what_is_not_installed_is_named(from_wheel: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [from_wheel / "grokviz", "train", "modular-addition"], cwd=tmp_path, env=clean(),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'grokviz[train]'" in done.stderr
    assert done.stderr.count("\n") == 1
    checks = subprocess.run(
        [from_wheel / "grokviz", "doctor"], cwd=tmp_path, env=clean(), capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert checks.returncode == 0  # an extra is not needed
    assert "missing  torch" in checks.stdout


def test_an_editable_install_draws_from_the_checkout(tmp_path: Path) -> None:
    place = tmp_path / "env"
    beside_the_libraries(ROOT, place, "--editable")
    empty = tmp_path / "empty"
    empty.mkdir()
    named = json.loads(run(place / "bin" / "grokviz", "scenes", "--json", cwd=empty).stdout)
    ours = {
        file.stem.replace("_", "-")
        for file in (ROOT / "scenes").rglob("[!_]*.py")
        if file.parent.name != "films"
    }
    assert ours <= {row["name"] for row in named}
    where = (
        "import grokviz.scenes.modular_addition.embedding.embedding_waves as s; print(s.__file__)"
    )
    found = run(place / "bin" / "python", "-c", where, cwd=empty).stdout.strip()
    assert Path(found).resolve() == ROOT / "scenes/modular_addition/embedding/embedding_waves.py"
    run(place / "bin" / "grokviz", "render", "wave-circles", "-o", "a.png", cwd=empty)
    assert read_provenance(empty / "a.png").scene == "wave-circles"
