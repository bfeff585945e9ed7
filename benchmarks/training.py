"""Measure an epoch of modular addition by each path against its own products, and the plain model.

    python -m benchmarks.training [RECIPE] [--rounds 15] [--profile] [--set key=value]...

An epoch is training loss, update, and a tenth of a test loss. The paths alternate in one process,
on one thread, by that thread's own time, so that what else runs counts little. The floor is the
products of matrices that the exact path computes, replayed alone, each by the faster library.
``--profile`` lists the operations that take the time of the fastest path.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor

from benchmarks.rows import Row, at_least, at_most
from grokviz.cli.common import parse_assignments
from grokviz.models.kernels import BLAS, ONEDNN, Kernels, using
from grokviz.models.products import keep_freed_memory
from grokviz.task import recipe
from grokviz.tasks.modular_addition.problem import ModularAdditionProblem
from grokviz.tasks.modular_addition.problem import problem as modular_addition
from grokviz.tasks.modular_addition.settings import ModularAdditionSettings
from grokviz.training.optimiser import Optimiser

T = TypeVar("T")

SCRIPT = "benchmarks/training.py"
TEST_EVERY, ROUNDS = 10, 15
EXACT, TABLES, PLAIN = "exact path", "exact path by tables", "plain model"


def seconds(work: Callable[[], object]) -> float:
    """This thread's time for ``work``."""
    started = time.thread_time()
    work()
    return time.thread_time() - started


class Products(Kernels):
    """Kernels that keep every product they compute, to be computed again."""

    def __init__(self) -> None:
        super().__init__(BLAS, compile_loops=False)
        self.kept: list[Mapping[str, Callable[[], Tensor]]] = []

    def compute(self, shape: str, by_library: Mapping[str, Callable[[], Tensor]]) -> Tensor:
        self.kept.append(by_library)
        return super().compute(shape, by_library)

    def replayed(self) -> float:
        """The seconds that all of them take, each by the faster library."""
        return sum(min(map(seconds, by_library.values())) for by_library in self.kept)


class Path:
    """One path's problem, with the kernels that it chose."""

    def __init__(self, name: str, settings: ModularAdditionSettings) -> None:
        self.name, self.kernels = name, Kernels({}, compile_loops=name == TABLES)
        with using(self.kernels):
            self.problem: ModularAdditionProblem = modular_addition(
                settings, torch.device("cpu"), exact_path=name != PLAIN
            )
        trained = {key: self.problem.state[key] for key in self.problem.trained}
        self.optimiser = Optimiser(trained, settings)
        self.measure()  # chooses kernels, compiles loops

    def update(self) -> None:
        self.problem.train_metrics(0, self.optimiser.gradients)
        self.optimiser.step()

    def measure(self) -> float:
        """Seconds of an epoch, after one that warms up."""
        with using(self.kernels):
            self.update()
            test = seconds(lambda: self.problem.test_metrics(0))
            return seconds(self.update) + test / TEST_EVERY


def measure(settings: ModularAdditionSettings, rounds: int) -> dict[str, float]:
    """Seconds of an epoch by each path, and of the exact path's products."""
    keep_freed_memory()
    compiled = importlib.util.find_spec("numba") is not None
    paths = [Path(name, settings) for name in (EXACT, *([TABLES] if compiled else []), PLAIN)]
    exact = paths[0].problem
    with using(Products()) as train:
        exact.train_metrics(0, paths[0].optimiser.gradients)
    with using(Products()) as test:
        exact.test_metrics(0)
    times: dict[str, list[float]] = {"products": [], **{path.name: [] for path in paths}}
    for _ in range(rounds):
        times["products"].append(train.replayed() + test.replayed() / TEST_EVERY)
        for path in paths:
            times[path.name].append(path.measure())
    return {name: statistics.median(taken) for name, taken in times.items()}


def one_thread(work: Callable[[], T]) -> T:
    """Measure on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return work()
    finally:
        torch.set_num_threads(threads)


def rows(name: str = "modular-addition") -> list[Row]:
    """An epoch against its products and the plain model, on one thread."""
    settings = recipe(name).read({})
    times = one_thread(lambda: measure(settings, ROUNDS))
    epoch = f"an epoch of {name}, test loss every {TEST_EVERY}"
    products = f"its products alone, by the faster of {ONEDNN} and {BLAS}: {_ms(times['products'])}"
    found = []
    for path, limit in ((EXACT, 1.3), (TABLES, 1.0)):
        if path in times:
            ratio = times[path] / times["products"]
            what = f"{epoch}, {path}: {_ms(times[path])}"
            found.append(Row(what, products, ratio, *at_most(ratio, limit), SCRIPT))
    fastest = TABLES if TABLES in times else EXACT
    ratio = times[PLAIN] / times[fastest]
    what, plain = f"{epoch}, {fastest}: {_ms(times[fastest])}", f"{PLAIN}: {_ms(times[PLAIN])}"
    return [*found, Row(what, plain, ratio, *at_least(ratio, 15), SCRIPT)]


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:.1f} ms"


def profile(settings: ModularAdditionSettings) -> str:
    """The operations of 20 epochs by the fastest path, and what the compiled loops take."""
    torch.set_num_threads(1)
    path = Path(TABLES if importlib.util.find_spec("numba") else EXACT, settings)
    with using(path.kernels), torch.profiler.profile() as recorded:
        for _ in range(20):
            path.update()
    return str(recorded.key_averages().table(sort_by="self_cpu_time_total", row_limit=20))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", nargs="?", default="modular-addition")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    settings = recipe(options.recipe).read(parse_assignments(tuple(options.set)))
    if options.profile:
        print(profile(settings))
        return
    times = one_thread(lambda: measure(settings, options.rounds))
    print(f"{options.recipe}, p = {settings.p}, one thread, torch {torch.__version__}")
    for name, taken in times.items():
        share = taken / times["products"]
        print(f"{name:20}  {_ms(taken):>9} an epoch, {share:5.2f} times the products")


if __name__ == "__main__":
    main()
