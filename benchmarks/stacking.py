"""Measure what stacking the networks of a sweep into batched products would gain on this machine.

    python -m benchmarks.stacking [RECIPE ...] [--members 16]

A stack holds as many networks as the sweep has seeds: every weight gets one more axis, and one call
computes the losses and gradients of all (torch.func.vmap). Against it stand as many networks one
after another, as ``grokviz sweep`` trains them in a process. Both on one thread, by that thread's
own time, so N processes have either of them N times. Also said: whether a network's gradients keep
their bits if fewer others share its stack.
"""

from __future__ import annotations

import argparse
import statistics
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import grad_and_value, vmap

from benchmarks.rows import Row, at_least
from benchmarks.training import one_thread, seconds
from grokviz.models.kernels import BLAS, Kernels, using
from grokviz.models.products import keep_freed_memory
from grokviz.task import recipe, task

SCRIPT = "benchmarks/stacking.py"
RECIPES = (
    "skip-trigram-50", "digit-addition-small", "repeated-subsequence-320", "modular-addition-59",
)  # fmt: skip
MEMBERS, ROUNDS = 16, 5

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Gain:
    """Seconds of a gradient of one member: alone, and in a stack."""

    alone: float
    stacked: float
    same_bits: bool


def loss_of(problem: Any) -> Callable[[Weights], Tensor]:
    """The training loss as a function of the weights, as a stack needs it."""
    if hasattr(problem, "_losses"):  # sampled sequences
        return lambda w: problem._losses(w, problem._inputs).minimised.mean()
    return lambda w: problem.train.loss_tensors(w)[0]


def measure(name: str, members: int) -> Gain:
    """What a stack of ``members`` gains in one recipe."""
    settings = recipe(name).settings
    build, cpu = task(recipe(name).task).build_problem, torch.device("cpu")
    single = build(settings, cpu, exact_path=True)
    gradients = {key: torch.zeros_like(single.state[key]) for key in single.trained}
    with using(Kernels(BLAS, compile_loops=False)):  # what vmap can batch
        stacked_problem = build(settings, cpu, exact_path=True)
    loss = loss_of(stacked_problem)
    fixed = {key: single.state[key] for key in single.state if key not in single.trained}
    stack = vmap(grad_and_value(lambda w: loss({**fixed, **w})))

    generator = torch.Generator().manual_seed(0)
    weights = {
        key: single.state[key]
        + 0.01 * torch.randn(members, *single.state[key].shape, generator=generator)
        for key in single.trained
    }
    half = {key: value[: members // 2] for key, value in weights.items()}
    with using(Kernels(BLAS, compile_loops=False)):
        whole_stack, half_stack = stack(weights)[0], stack(half)[0]  # warms up too
    same = all(torch.equal(whole_stack[key][: members // 2], half_stack[key]) for key in half)
    alone, stacked = [], []
    for _ in range(ROUNDS):
        alone.append(seconds(lambda: single.train_metrics(0, gradients)))
        with using(Kernels(BLAS, compile_loops=False)):
            stacked.append(seconds(lambda: stack(weights)) / members)
    return Gain(statistics.median(alone), statistics.median(stacked), same)


def gains(names: tuple[str, ...], members: int) -> dict[str, Gain]:
    """What a stack gains in each recipe, on one thread."""
    keep_freed_memory()
    with warnings.catch_warnings():
        # vmap says of what it cannot batch that it is slower
        warnings.simplefilter("ignore", UserWarning)
        return {name: measure(name, members) for name in names}


def rows(names: tuple[str, ...] = RECIPES, members: int = MEMBERS) -> list[Row]:
    """A member in a stack against one alone, on one thread."""
    found = []
    measured: dict[str, Gain] = one_thread(lambda: gains(names, members))
    for name, gain in measured.items():
        ratio = gain.alone / gain.stacked
        bits = "same bits in any stack" if gain.same_bits else "its bits depend on the stack"
        what = f"{name}, a gradient in a stack of {members} ({bits}): {1e3 * gain.stacked:.1f} ms"
        alone = f"alone: {1e3 * gain.alone:.1f} ms"
        found.append(Row(what, alone, ratio, *at_least(ratio, 4), SCRIPT))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipes", nargs="*", default=RECIPES)
    parser.add_argument("--members", type=int, default=MEMBERS)
    options = parser.parse_args()
    for row in rows(tuple(options.recipes), options.members):
        print(f"{row.what}; {row.against}; {row.ratio:.2f} times as fast")


if __name__ == "__main__":
    main()
