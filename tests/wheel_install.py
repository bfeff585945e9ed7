"""The wheel, built and installed for tests that know nothing of the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]


def clean(**more: str) -> dict[str, str]:
    """An environment that knows nothing of this checkout."""
    hidden = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")
    return {k: v for k, v in os.environ.items() if k not in hidden} | more


def run(
    *command: object, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command that must succeed."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=clean() if env is None else env,
        capture_output=True, text=True, check=False, timeout=1800,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def build_wheel(place: Path) -> Path:
    """The wheel of this checkout, built into ``place``."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", place, "."]
    run(*build, cwd=ROOT)
    (wheel,) = place.glob("*.whl")
    return wheel


def beside_the_libraries(what: Path, place: Path, option: str = "--no-index") -> Path:
    """The commands of a new environment with ``what``, which sees the libraries that tests have.

    Their folder is on its path without what it says of other folders, as of an editable install.
    """
    venv.create(place, with_pip=False)
    python = place / "bin" / "python"
    where = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    site = Path(run(python, "-c", where, cwd=place).stdout.strip())
    libraries = dict.fromkeys(sysconfig.get_paths()[kind] for kind in ("purelib", "platlib"))
    (site / "libraries.pth").write_text("".join(f"{folder}\n" for folder in libraries), "utf-8")
    pip = place / "bin" / "pip"
    pip.write_text(f'#!/bin/sh\nexec "{python}" -m pip "$@"\n', "utf-8")
    pip.chmod(0o755)
    run(pip, "install", "--quiet", "--no-deps", option, what, cwd=place)
    return place / "bin"
