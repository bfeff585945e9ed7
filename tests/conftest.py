"""What all tests share: one thread each, array shapes checked at every call, slow work done once.

Runs that several modules look at are trained once for all workers of pytest-xdist: ``trained``
gives their folder, ``shared`` that of anything else. Nobody may write into either, but for the
cache that an analysis leaves in a run.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# a shell starts what runs in its background deaf to Ctrl-C, and so would be all that tests start
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# before numpy and torch are loaded by the workers and by the processes that tests start:
# BLAS threads of several workers on few cores wait for one another, several times over;
# benchmarks/instruction_sets.py asks for more
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = os.environ.get("GROKVIZ_TEST_THREADS", "1")

# and so would processes: each worker has its share of the cores, and starts none beyond it
_workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
os.environ.setdefault("LOKY_MAX_CPU_COUNT", str(max((os.cpu_count() or 1) // _workers, 1)))

# which kernel is the faster one is this machine's affair, and the last bits hang on it
os.environ.setdefault("GROKVIZ_PRODUCTS", "oneDNN")
os.environ.setdefault("GROKVIZ_COMPILED", "off")

from hypothesis import HealthCheck, settings  # noqa: E402
from jaxtyping import install_import_hook  # noqa: E402

PACKAGES = Path(__file__).resolve().parents[1] / "grokviz" / "tasks"
DATA = sorted(file.parent.name for file in PACKAGES.glob("*/data.py"))
# how fast a machine makes examples says nothing of what is tested
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

# before anything imports these packages: their signatures are then enforced at every call
install_import_hook(
    [
        *(f"grokviz.tasks.{name}.data" for name in DATA),
        "grokviz.tasks.modular_addition.exact_path",
        "grokviz.tasks.modular_addition.table_path",
        "grokviz.models",
        "grokviz.training.losses",
        "grokviz.tasks._sequences.model",
        "grokviz.tasks._sequences.sample",
    ],
    "beartype.beartype",
)

Shared = Callable[[str, Callable[[Path], object]], Path]

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A Chromium for all tests of pages, since a process can drive only one at a time."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    given = os.environ.get("GROKVIZ_BROWSER")
    program = given or next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("no Chromium is installed: run make browser, or set GROKVIZ_BROWSER")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=["--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """``shared(name, make)``: a folder that one process has ``make`` fill, for all to look at."""
    own = tmp_path_factory.getbasetemp()
    root = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    root.mkdir(exist_ok=True)

    def once(name: str, make: Callable[[Path], object]) -> Path:
        place, part = root / name, root / f"{name}.part"
        with (root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not place.exists():
                shutil.rmtree(part, ignore_errors=True)
                part.mkdir()
                make(part)
                part.rename(place)
        return place

    return once


@pytest.fixture(scope="session")
def trained(shared: Shared) -> Callable[..., Path]:
    """``trained(recipe, {"p": 13, ...})``: the folder of a run trained once for all tests."""
    pytest.importorskip("torch", reason="a run is trained with the [train] extra")

    def run(recipe: str, settings: dict[str, Any]) -> Path:
        from grokviz.training.loop import train

        key = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]
        return shared(
            f"{recipe}-{key}", lambda place: train(recipe, place, settings=settings, device="cpu")
        )

    return run
