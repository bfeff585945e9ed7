"""What all tests share: one thread each, and array shapes in signatures checked at every call."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
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

from hypothesis import HealthCheck, settings  # noqa: E402
from jaxtyping import install_import_hook  # noqa: E402

TASKS = ("modular_addition", "repeated_subsequence", "digit_addition", "skip_trigram")
# how fast a machine makes examples says nothing of what is tested
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

# before anything imports these packages: their signatures are then enforced at every call
install_import_hook(
    [
        *(f"grokviz.tasks.{name}.data" for name in TASKS),
        "grokviz.tasks.modular_addition.exact_path",
        "grokviz.models",
        "grokviz.training.losses",
        "grokviz.tasks._sequences.model",
        "grokviz.tasks._sequences.sample",
    ],
    "beartype.beartype",
)

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
