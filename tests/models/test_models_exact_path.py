"""The exact path against the plain transformer and autograd."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grokviz.models import products
from grokviz.tasks.modular_addition import exact_path

precisions = pytest.mark.parametrize("precision", ["float64", "float32"])
with_or_without_biases = pytest.mark.parametrize("biases", [True, False])
SIZES = {
    "p": st.integers(1, 8).map(lambda k: 2 * k + 1),
    "heads": st.integers(1, 4),
    "d_head": st.integers(1, 6),
    "d_mlp": st.integers(1, 40),
    "seed": st.integers(0, 2**32),
    "train_fraction": st.floats(0.25, 0.9),
    "mlp_biases": st.booleans(),
}


def agree(differences: dict[str, float], within: float) -> None:
    wrong = {name: d for name, d in differences.items() if not d <= within}  # NaN is wrong too
    assert not wrong, wrong


@precisions
@with_or_without_biases
def test_loss_and_every_gradient_at_the_start(both, precision: str, biases: bool) -> None:
    pair = both(loss_precision=precision, mlp_biases=biases)
    agree(pair.differences(pair.plain.state), 1e-5)


@precisions
@with_or_without_biases
def test_loss_and_every_gradient_after_training(both, precision: str, biases: bool) -> None:
    pair = both(loss_precision=precision, mlp_biases=biases, learning_rate=5e-3)
    losses = pair.train(pair.plain, 100)
    assert losses[-1] < losses[0] / 2
    agree(pair.differences(pair.plain.state), 1e-5)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(**SIZES)
def test_any_sizes_in_double_precision(both, heads: int, d_head: int, **sizes) -> None:
    """With float64 weights nothing but the algebra is left to differ."""
    pair = both(heads=heads, d_model=heads * d_head, **sizes)
    state = {name: tensor.double() for name, tensor in pair.plain.state.items()}
    agree(pair.differences(state, floor=1e-6), 1e-9)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(precision=st.sampled_from(["float64", "float32"]), **SIZES)
def test_any_sizes(both, precision: str, heads: int, d_head: int, **sizes) -> None:
    pair = both(heads=heads, d_model=heads * d_head, loss_precision=precision, **sizes)
    agree(pair.differences(pair.plain.state, floor=1e-2), 1e-5)


def test_without_onednn_the_products_are_the_same(both, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = both()
    with_it, _ = pair.gradients(pair.exact, pair.exact.state)
    monkeypatch.setattr(products, "onednn_works", lambda: False)
    agree(pair.differences(pair.plain.state), 1e-5)
    without, _ = pair.gradients(pair.exact, pair.exact.state)
    assert without == pytest.approx(with_it, rel=1e-6)


@pytest.fixture
def fresh_probe() -> Iterator[None]:
    products.onednn_works.cache_clear()
    yield
    products.onednn_works.cache_clear()


@pytest.mark.parametrize("failure", [AttributeError, RuntimeError, NotImplementedError])
@pytest.mark.usefixtures("fresh_probe")
def test_a_torch_without_onednn_falls_back(
    monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    def missing(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(products, "_onednn", missing)
    x, w, bias = torch.randn(5, 3), torch.randn(4, 3), torch.randn(4)
    assert not products.onednn_works()
    torch.testing.assert_close(products.product(x, w, bias, relu=True), torch.relu(x @ w.T + bias))


@pytest.mark.usefixtures("fresh_probe")
def test_an_onednn_that_is_wrong_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "_onednn", lambda x, w, bias, *, relu: x @ w.T + 1)
    assert not products.onednn_works()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("biased", [True, False])
def test_product_of_any_layout(dtype: torch.dtype, relu: bool, biased: bool) -> None:
    rng = torch.Generator().manual_seed(0)
    x, w = (torch.randn(7, n, generator=rng, dtype=dtype).T for n in (5, 4))
    bias = torch.randn(4, generator=rng, dtype=dtype) if biased else None
    expected = x @ w.T + (0 if bias is None else bias)
    expected = expected.relu() if relu else expected
    torch.testing.assert_close(products.product(x, w, bias, relu=relu), expected)


def test_positions_past_the_third_get_no_gradient(both) -> None:
    pair = both()
    path: exact_path.ExactPath = pair.exact.train
    state = dict(pair.exact.state)
    state[exact_path.POS] = torch.cat([state[exact_path.POS], torch.ones(2, 16)])
    into = {name: torch.full_like(state[name], 7.0) for name in pair.exact.trained}
    assert path.loss_and_gradients(state, into) == path.loss(pair.exact.state)
    assert into[exact_path.POS][3:].count_nonzero() == 0
    assert into[exact_path.POS][:3].count_nonzero() == 48


def test_weights_are_left_as_they_are(both) -> None:
    pair = both()
    before = {name: tensor.clone() for name, tensor in pair.exact.state.items()}
    pair.gradients(pair.exact, pair.exact.state)
    assert all(torch.equal(before[name], pair.exact.state[name]) for name in before)


@precisions
def test_losses_follow_the_plain_model_for_100_epochs(both, precision: str) -> None:
    """Beyond, rounding of float32 weights turns a ReLU here and there, at other epochs by the
    processor: under SSE kernels the losses are apart by 2.5e-3 at epoch 200.
    """
    pair = both(p=23, d_model=32, d_mlp=64, loss_precision=precision)
    exact, plain = pair.train(pair.exact, 101), pair.train(pair.plain, 101)
    assert exact == pytest.approx(plain, rel=1e-4)
    assert plain[-1] < plain[0] - 0.5


@pytest.mark.slow
def test_losses_follow_the_plain_model_for_200_epochs_in_double_precision(both) -> None:
    pair = both(p=23, d_model=32, d_mlp=64)
    for problem in (pair.exact, pair.plain):
        problem.state = {name: tensor.double() for name, tensor in problem.state.items()}
    exact, plain = pair.train(pair.exact, 201), pair.train(pair.plain, 201)
    assert exact == pytest.approx(plain, rel=1e-9)
    assert plain[-1] < plain[0] / 2


MAINLINE = {"p": 113, "d_model": 128, "heads": 4, "d_mlp": 512, "train_fraction": 0.3}
# it memorises in a tenth of the time
SMALLER = {**MAINLINE, "p": 31, "train_fraction": 0.5}


@pytest.mark.slow
@precisions
@with_or_without_biases
def test_the_mainline_at_the_start(both, precision: str, biases: bool) -> None:
    pair = both(**MAINLINE, loss_precision=precision, mlp_biases=biases)
    agree(pair.differences(pair.plain.state), 1e-5)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_it_follows_the_plain_model_for_200_epochs(both) -> None:
    """In double precision: with float32 weights rounding alone grows past 1e-3 by epoch 100.

    Memorisation is chaotic: at the published size the plain model departs from itself by 2e-5 in
    60 epochs when its pairs are summed in another order, and the exact path from it by 5e-5.
    """
    pair = both(**SMALLER)
    for problem in (pair.exact, pair.plain):
        problem.state = {name: tensor.double() for name, tensor in problem.state.items()}
    exact, plain = pair.train(pair.exact, 201), pair.train(pair.plain, 201)
    assert exact == pytest.approx(plain, rel=1e-3)
    assert plain[-1] < 0.1
    agree(pair.differences(pair.plain.state, floor=1e-6), 1e-9)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@precisions
def test_with_float32_weights_losses_stay_within_a_thousandth(both, precision: str) -> None:
    pair = both(**{**MAINLINE, "p": 59}, loss_precision=precision)
    exact, plain = pair.train(pair.exact, 61), pair.train(pair.plain, 61)
    assert exact == pytest.approx(plain, rel=1e-3)
