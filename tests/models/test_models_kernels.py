"""The choice of kernels: by measuring, by the environment, by a run's record."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from grokviz.errors import InputError, MissingExtra
from grokviz.models import kernels, products
from grokviz.models.kernels import BLAS, ONEDNN, Kernels, using


def taking(seconds: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable]:
    """Computations that take so long by the clock that measures them."""
    monkeypatch.setattr(kernels, "_seconds", lambda compute: seconds[compute()])
    return {library: lambda library=library: library for library in seconds}


@pytest.mark.parametrize(
    ("onednn", "blas", "expected"),
    [(2.0, 1.0, BLAS), (1.0, 2.0, ONEDNN), (1.0, 1.0, ONEDNN), (1.0, 0.97, ONEDNN)],
)
def test_the_faster_one_is_chosen(
    monkeypatch: pytest.MonkeyPatch, onednn: float, blas: float, expected: str
) -> None:
    by_library = taking({ONEDNN: onednn, BLAS: blas}, monkeypatch)
    assert kernels.faster(by_library) == expected


def test_each_shape_is_measured_once_and_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []

    def blas(by_library: dict[str, Callable]) -> str:
        measured.append(by_library)
        return BLAS

    monkeypatch.setattr(kernels, "faster", blas)
    x, w = torch.randn(5, 3), torch.randn(4, 3)
    with using(Kernels({"5x3x4nn": ONEDNN}, compile_loops=False)) as chosen:
        products.product(x, w)
        assert (measured, chosen.recorded) == ([], True)
        for _ in range(2):
            products.product(x, w, relu=True)
            products.product(x.T.contiguous().T, w)
    assert (len(measured), chosen.recorded) == (2, False)
    expected = {"5x3x4nn": ONEDNN, "5x3x4nn+relu": BLAS, "5x3x4tn": BLAS}
    assert chosen.facts() == {"products": expected, "compiled": False}
    assert chosen.recorded


@pytest.mark.parametrize("library", [ONEDNN, BLAS])
def test_the_environment_fixes_the_library(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    monkeypatch.setenv(kernels.PRODUCTS, library)
    monkeypatch.setattr(kernels, "faster", None)
    x, w = torch.randn(300, 70), torch.randn(40, 70)
    with using(Kernels.of_environment()) as chosen:
        product = products.product(x, w)
    by_blas = x @ w.T
    expected = by_blas if library == BLAS else products._onednn(x, w, None, relu=False)
    assert torch.equal(product, expected)
    assert chosen.facts()["products"] == library


def test_unless_set_new_runs_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(kernels.PRODUCTS)
    assert Kernels.of_environment().facts()["products"] == {}


@pytest.mark.parametrize("name", [kernels.PRODUCTS, kernels.COMPILED])
def test_an_unknown_value_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "fast")
    with pytest.raises(InputError, match=f"{name}=fast is not possible; give "):
        Kernels.of_environment()


def test_a_compiled_run_does_not_go_on_without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'grokviz\[fast\]'"):
        Kernels.of_run({"products": {}, "compiled": True})
    monkeypatch.setenv(kernels.COMPILED, "on")
    with pytest.raises(MissingExtra, match=kernels.COMPILED):
        Kernels.of_environment()


@pytest.mark.parametrize("facts", [{"products": ONEDNN}, {}])
def test_a_run_of_an_earlier_version_goes_on_as_it_began(facts: dict[str, str]) -> None:
    before = Kernels.of_run(facts)
    assert before.facts() == {"products": ONEDNN, "compiled": False}
    assert not before.compile_loops()


def test_loops_count_as_compiled_where_a_task_has_some() -> None:
    chosen = Kernels(ONEDNN, compile_loops=True)
    assert chosen.facts()["compiled"] is False
    assert chosen.compile_loops()
    assert chosen.facts()["compiled"] is True
