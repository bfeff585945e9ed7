"""Measure epochs per second of the exact path and of the plain model.

    python benchmarks/training.py [--epochs 20] [--rounds 3] [--threads N] [--set key=value]...

Each epoch has training loss, test loss and update. The exact path and the plain model
alternate in one process, so that both run under the same load.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

from grokviz.cli.common import parse_assignments
from grokviz.models.products import keep_freed_memory, onednn_works
from grokviz.task import recipe
from grokviz.tasks.modular_addition.problem import problem as modular_addition
from grokviz.training.optimiser import Optimiser
from grokviz.training.problem import ModelProblem as Problem


def seconds_an_epoch(problem: Problem, optimiser: Optimiser, epochs: int) -> float:
    started = time.perf_counter()
    for _ in range(epochs):
        problem.train.loss_and_gradients(problem.state, optimiser.gradients)
        problem.test.loss(problem.state)
        optimiser.step()
    return (time.perf_counter() - started) / epochs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20, help="epochs a round of the exact path")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    keep_freed_memory()
    settings = recipe("modular-addition").read(parse_assignments(tuple(options.set)))
    paths = {}
    for name, exact in (("exact path", True), ("plain model", False)):
        problem = modular_addition(settings, torch.device("cpu"), exact_path=exact)
        trained = {key: problem.state[key] for key in problem.trained}
        paths[name] = problem, Optimiser(trained, settings)
    times: dict[str, list[float]] = {name: [] for name in paths}
    for _ in range(options.rounds):
        for name, (problem, optimiser) in paths.items():
            seconds_an_epoch(problem, optimiser, 1)
            epochs = options.epochs if name == "exact path" else max(options.epochs // 10, 1)
            times[name].append(seconds_an_epoch(problem, optimiser, epochs))

    products = "oneDNN" if onednn_works() else "BLAS"
    print(f"p = {settings.p}, {options.threads} threads, torch {torch.__version__}, {products}")
    for name, seconds in times.items():
        middle = statistics.median(seconds)
        spread = f"{min(seconds) * 1e3:.1f} to {max(seconds) * 1e3:.1f}"
        print(f"{name:11}  {middle * 1e3:7.1f} ms an epoch ({spread})  {1 / middle:6.1f} epochs/s")
    ratio = statistics.median([plain / exact for exact, plain in zip(*times.values(), strict=True)])
    print(f"the exact path is {ratio:.1f} times as fast")


if __name__ == "__main__":
    main()
