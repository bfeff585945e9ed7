"""Networks stacked into batched products, as benchmarks/stacking.py measures them."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("torch", reason="networks are trained with the [train] extra")

from grokviz.task import recipe

# a stack's products are added up in another order
APART = 1e-3


@pytest.mark.filterwarnings("ignore:There is a performance drop")  # of what cannot be batched
@pytest.mark.parametrize(
    ("name", "more"),
    [("skip-trigram-50", {}), ("modular-addition-59", {"p": 13, "d_model": 16, "d_mlp": 32})],
)
def test_a_network_in_a_stack_has_the_gradients_that_it_has_alone(
    name: str, more: dict[str, int]
) -> None:
    from benchmarks.stacking import stack

    made = stack(replace(recipe(name).settings, **more), name, 3)
    assert made.apart() < APART
    before = {key: value.clone() for key, value in made.alone(0).items()}
    assert any(not value.equal(before[key]) for key, value in made.alone(1).items())
