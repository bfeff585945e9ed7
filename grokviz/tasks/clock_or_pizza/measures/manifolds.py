"""The surface that the neurons of one frequency make of all pairs."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.contract import FLOAT64, Storage, dear, measure, requires
from grokviz.runs import Run
from grokviz.tasks.clock_or_pizza.checkpoint import ClockOrPizzaCheckpoint, ClockOrPizzaRun
from grokviz.tasks.clock_or_pizza.formulas import betti, manifold

PAPER = "arXiv:2512.25060"
ANGLE = Storage(step=1 / 128)
"""Angles are kept to less than half a degree."""


@measure("neuron", on="run", source=PAPER, stored=Storage("int16"),
         long_name="frequency of the neuron")  # fmt: skip
def unit_frequency(run: ClockOrPizzaRun) -> Int[np.ndarray, " neuron"]:
    """Frequency of the largest wave over a and b of the neuron's input at the last checkpoint; 0
    without any.
    """
    return run.frequency


@measure(on="run", source=PAPER, stored=Storage("int16"), long_name="frequency of the surface")
def surface_frequency(run: ClockOrPizzaRun) -> int:
    """The frequency whose neurons have the largest waves together at the last checkpoint; 0 for
    none.
    """
    return run.group


@measure("neuron", units="radians", source=PAPER, stored=ANGLE,
         long_name="phase over a less phase over b")  # fmt: skip
def phase_difference(
    at: ClockOrPizzaCheckpoint, run: ClockOrPizzaRun
) -> Float[np.ndarray, " neuron"]:
    """Phase of the neuron's wave over a less that over b, at the frequency that it has in the end,
    of its input before the ReLU; from -pi to pi.
    """
    return manifold.phase_differences(manifold.at_frequency(at.waves(run.rate), run.frequency))


@measure(units="radians", source=PAPER, stored=FLOAT64, published="mean_phase_difference",
         long_name="mean phase difference")  # fmt: skip
def mean_phase_difference(at: ClockOrPizzaCheckpoint, run: ClockOrPizzaRun) -> float:
    """Mean over the neurons of the size of that difference; half of pi where the phases are
    independent.
    """
    own = manifold.at_frequency(at.waves(run.rate), run.frequency)
    return float(np.abs(manifold.phase_differences(own)).mean())


@measure(source=PAPER, stored=FLOAT64, published="outside_share",
         long_name="share of b outside of a's plane")  # fmt: skip
def outside_share(at: ClockOrPizzaCheckpoint, run: ClockOrPizzaRun) -> float:
    """Share of the squared waves over b, of the surface's neurons at its frequency, that lies
    outside of the plane in which a goes round: 0 for a disc, 1 for a torus.
    """
    return at.planes(run)[1]


@measure(source=PAPER, stored=FLOAT64, published="additive_share",
         long_name="share of sums of a and of b")  # fmt: skip
def additive_share(at: ClockOrPizzaCheckpoint, run: ClockOrPizzaRun) -> float:
    """Share of the variance of the surface's neurons before the ReLU that a function of a plus a
    function of b explains, mean over these neurons.
    """
    share = at.parts(run.rate).share[run.members]
    return float(share.mean()) if share.size else float("nan")


@measure("number", "residue", "axis", on="field_epoch", source=PAPER, stored=Storage(step=1 / 128),
         long_name="surface of the neurons")  # fmt: skip
@dear
def surface(
    at: ClockOrPizzaCheckpoint, run: ClockOrPizzaRun
) -> Float[np.ndarray, "number residue axis"]:
    """What a and b add to the inputs of the neurons of the surface's frequency, along four
    directions among these, the two in which a goes round first, in units of the surface's root
    mean square radius: the point of (a, b) is the sum.
    """
    axes, _ = at.planes(run)
    return manifold.surface(at.parts(run.rate).tables[..., run.members], axes)


def _lacks_ripser(run: Run) -> str:
    return "" if betti.is_installed() else "Betti numbers without ripser; pip install ripser"


@measure("degree", on="run", source=PAPER, stored=Storage("int16"), published="betti",
         long_name="Betti numbers")  # fmt: skip
@dear
@requires(_lacks_ripser)
def betti_number(run: ClockOrPizzaRun) -> Int[np.ndarray, " degree"]:
    """Pieces, loops and hollows of the surface at the last checkpoint, by persistent homology of
    160 of its points: classes that last for half of its root mean square radius.
    """
    axes, _ = run.last.planes(run)
    parts = manifold.surface(run.last.parts(run.rate).tables[..., run.members], axes)
    points = (parts[0][:, None] + parts[1]).reshape(-1, parts.shape[-1])
    return betti.betti_numbers(points)
