"""The exact path by tables against the plain transformer and autograd."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from test_models_exact_path import (
    MAINLINE,
    SIZES,
    agree,
    precisions,
    with_or_without_biases,
)

from grokviz.models import compiled
from grokviz.tasks.modular_addition import table_path
from grokviz.tasks.modular_addition.table_path import TablePath


@pytest.fixture(params=["compiled", "as written"])
def tables(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, both) -> Callable:
    """Both problems, the exact one by tables; its loops run without numba too, slowly."""
    if request.param == "compiled":
        pytest.importorskip("numba", reason="loops are compiled with the [fast] extra")
    else:
        monkeypatch.setattr(table_path, "compiled", lambda loop: loop)

    def make(**given: Any) -> Any:
        pair = both(compile_loops=True, **given)
        assert isinstance(pair.exact.train, TablePath)
        assert isinstance(pair.exact.test, TablePath)
        return pair

    return make


@pytest.fixture(scope="session")
def compiled_tables(both) -> Callable:
    pytest.importorskip("numba", reason="loops are compiled with the [fast] extra")
    return lambda **given: both(compile_loops=True, **given)


@precisions
@with_or_without_biases
def test_loss_and_every_gradient(tables, precision: str, biases: bool) -> None:
    pair = tables(p=7, loss_precision=precision, mlp_biases=biases)
    agree(pair.differences(pair.plain.state), 1e-5)


@settings(max_examples=30, deadline=None)
@given(**SIZES)
def test_any_sizes_in_double_precision(compiled_tables, heads: int, d_head: int, **sizes) -> None:
    pair = compiled_tables(heads=heads, d_model=heads * d_head, **sizes)
    state = {name: tensor.double() for name, tensor in pair.plain.state.items()}
    agree(pair.differences(state, floor=1e-6), 1e-9)


def test_losses_follow_the_plain_model_for_100_epochs_in_double_precision(compiled_tables) -> None:
    pair = compiled_tables(learning_rate=5e-3)
    for problem in (pair.exact, pair.plain):
        problem.state = {name: tensor.double() for name, tensor in problem.state.items()}
    exact, plain = pair.train(pair.exact, 101), pair.train(pair.plain, 101)
    assert exact == pytest.approx(plain, rel=1e-9)
    assert plain[-1] < plain[0] / 2


def test_the_number_of_threads_changes_no_bit_of_the_loops(compiled_tables, monkeypatch) -> None:
    """Only the parts into which the loops are cut, since products may add up by threads."""
    pair = compiled_tables()
    loss, one = pair.gradients(pair.exact, pair.exact.state)
    monkeypatch.setattr(compiled.torch, "get_num_threads", lambda: 3)
    again, three = pair.gradients(pair.exact, pair.exact.state)
    assert loss == again
    assert all(torch.equal(one[name], three[name]) for name in one)


def test_without_a_folder_for_a_cache_loops_are_compiled_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def njit(*, cache: bool = False, **_: Any) -> Callable:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setitem(sys.modules, "numba", SimpleNamespace(njit=njit))
    loop = compiled.compiled.__wrapped__(table_path.keep_active)
    gradient = np.ones((1, 2))
    loop((0, 1), np.array([[0.0, 3.0]]), gradient)
    assert gradient.tolist() == [[0, 1]]


@pytest.mark.slow
@precisions
@with_or_without_biases
def test_the_mainline_at_the_start(compiled_tables, precision: str, biases: bool) -> None:
    pair = compiled_tables(**MAINLINE, loss_precision=precision, mlp_biases=biases)
    agree(pair.differences(pair.plain.state), 1e-5)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@precisions
def test_with_float32_weights_losses_stay_within_a_thousandth(
    compiled_tables, precision: str
) -> None:
    pair = compiled_tables(**{**MAINLINE, "p": 59}, loss_precision=precision)
    exact, plain = pair.train(pair.exact, 61), pair.train(pair.plain, 61)
    assert exact == pytest.approx(plain, rel=1e-3)
