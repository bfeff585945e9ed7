"""The hostile files of the tests, imported one by one with a time limit and a canary."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

from tests.torture.common import Torture, Workshop, check_words, command, require

SECONDS = 20


def run(torture: Torture, workshop: Workshop) -> None:
    tally = torture.tally("hostile files")
    tests = _module("trajectory/test_trajectory_hostile.py")
    corpus = list(tests.CORPUS.items())
    if torture.scale < 0.01:
        corpus = torture.random.sample(corpus, 8)
    for name, (write, reason) in corpus:
        place = torture.place()
        with torture.trial("hostile files", name):
            file = tests.FILES.get(name, "hostile.pth")
            write(place / "work" / file)
            result = command(place, ["import", file, "--out", "run", "-q"], limit=SECONDS)
            check_words(result)
            require(reason in result.err, f"it says {result.err!r}")
            require((result.status == 0) == (reason == ""), f"ended with {result.status}")
            tally.add(name, "refused" if result.status else "read")
        shutil.rmtree(place)
    _pickles(torture)


def _pickles(torture: Torture) -> None:
    """Pickles that would run a program, each loaded by Python itself to show that they would."""
    tests = _module("trajectory/test_trajectory_importers.py")
    tally = torture.tally("hostile pickles")
    place = torture.place()
    mark = place / "it-ran"
    for path in tests.hostile_files(place / "work", mark):
        with torture.trial("hostile pickles", path.name):
            result = command(place, ["import", path.name, "--out", "run"], limit=SECONDS)
            check_words(result)
            require(result.status == 2, f"ended with {result.status}")
            require(not mark.exists(), "it ran")
            tally.add(path.name, "refused")
    shutil.rmtree(place)


def _module(name: str) -> Any:
    path = Path(__file__).parents[1] / name
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
