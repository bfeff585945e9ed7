"""Measure what stacking the networks of a sweep into batched products would gain on this machine.

    python -m benchmarks.stacking [RECIPE ...] [--members 16]

A stack holds as many networks as the sweep has seeds: every weight gets one more axis, and one call
computes the losses and gradients of all (torch.func.vmap). Against it stand as many networks one
after another, as ``grokviz sweep`` trains them in a process. Both on one thread, by that thread's
own time, so N processes have either of them N times. Also said: how far a network's gradients in a
stack are from those alone, and whether they keep their bits if fewer others, or none, share it.
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
    """Seconds of a gradient of one member, alone and in a stack, and whether they agree."""

    alone: float
    stacked: float
    same_bits: bool
    apart: float


def loss_of(problem: Any) -> Callable[[Weights], Tensor]:
    """The training loss as a function of the weights, as a stack needs it."""
    if hasattr(problem, "_losses"):  # sampled sequences
        return lambda w: problem._losses(w, problem._inputs).minimised.mean()
    return lambda w: problem.train.loss_tensors(w)[0]


@dataclass(frozen=True)
class Stack:
    """One network of a recipe as it trains alone, and how a stack of them does.

    Attributes:
        single: the problem, with the exact path.
        gradients: what ``single`` writes its gradients into.
        weights: those of so many members near the initial ones, a first axis over members.
        gradients_of: gradients of all members, of weights with that first axis.

    """

    single: Any
    gradients: Weights
    weights: Weights
    gradients_of: Callable[[Weights], Weights]

    def alone(self, member: int) -> Weights:
        """The gradients of one member by itself."""
        with torch.no_grad():
            for key, value in self.weights.items():
                self.single.state[key].copy_(value[member])
        self.single.train_metrics(0, self.gradients)
        return self.gradients

    def apart(self) -> float:
        """The largest difference between a member's gradients in the stack and alone, as a share
        of the largest gradient of that tensor.
        """
        stacked, most = self.gradients_of(self.weights), 0.0
        for member in range(len(next(iter(self.weights.values())))):
            for key, value in self.alone(member).items():
                size = value.abs().max().clamp_min(1e-30)
                most = max(most, float((stacked[key][member] - value).abs().max() / size))
        return most


def stack(settings: Any, name: str, members: int) -> Stack:
    """Networks of a recipe with these settings, alone and stacked."""
    build, cpu = task(recipe(name).task).build_problem, torch.device("cpu")
    single = build(settings, cpu, exact_path=True)
    gradients = {key: torch.zeros_like(single.state[key]) for key in single.trained}
    with using(Kernels(BLAS, compile_loops=False)):  # what vmap can batch
        loss = loss_of(build(settings, cpu, exact_path=True))
    fixed = {key: single.state[key].clone() for key in single.state if key not in single.trained}
    batched = vmap(grad_and_value(lambda w: loss({**fixed, **w})))
    generator = torch.Generator().manual_seed(0)
    weights = {
        key: single.state[key]
        + 0.01 * torch.randn(members, *single.state[key].shape, generator=generator)
        for key in single.trained
    }

    def gradients_of(some: Weights) -> Weights:
        with using(Kernels(BLAS, compile_loops=False)):
            return batched(some)[0]  # type: ignore[no-any-return]

    return Stack(single, gradients, weights, gradients_of)


def measure(name: str, members: int) -> Gain:
    """What a stack of ``members`` gains in one recipe."""
    made = stack(recipe(name).settings, name, members)
    half = {key: value[: members // 2] for key, value in made.weights.items()}
    one = {key: value[:1] for key, value in made.weights.items()}
    whole = made.gradients_of(made.weights)  # warms up too
    same = all(
        torch.equal(whole[key][: len(value)], value)
        for fewer in (half, one)
        for key, value in made.gradients_of(fewer).items()
    )
    apart = made.apart()
    alone, stacked = [], []
    for _ in range(ROUNDS):
        alone.append(seconds(lambda: made.single.train_metrics(0, made.gradients)))
        stacked.append(seconds(lambda: made.gradients_of(made.weights)) / members)
    return Gain(statistics.median(alone), statistics.median(stacked), same, apart)


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
        alone = f"alone: {1e3 * gain.alone:.1f} ms (gradients {gain.apart:.0e} apart)"
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
