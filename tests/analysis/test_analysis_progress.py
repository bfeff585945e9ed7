"""The fast progress measures against the published formulas written out."""

from __future__ import annotations

import numpy as np
import pytest

from grokviz.dataset.numerics.fourier import fourier_basis
from grokviz.tasks.modular_addition.formulas import logits as lg
from grokviz.tasks.modular_addition.formulas import progress
from grokviz.tasks.modular_addition.formulas.losses import answers
from grokviz.tasks.modular_addition.formulas.marginals import marginals


def directions(p: int, k: int) -> list[np.ndarray]:
    F = fourier_basis(p)
    cos, sin = F[2 * k - 1], F[2 * k]
    return [
        (np.outer(cos, cos) - np.outer(sin, sin)).reshape(-1) / np.sqrt(2),
        (np.outer(sin, cos) + np.outer(cos, sin)).reshape(-1) / np.sqrt(2),
    ]


def flat_component(x: np.ndarray, k: int) -> np.ndarray:
    return sum(np.outer(d, d @ x) for d in directions(x.shape[1], k))


def cube(p: int, k: int) -> np.ndarray:
    n = np.arange(p)
    c = np.cos(2 * np.pi * k * (n[:, None, None] + n[:, None] - n) / p)
    return (c / np.linalg.norm(c)).reshape(p * p, p)


def cross_entropy(x: np.ndarray) -> np.ndarray:
    """Mean loss in long double, by the textbook."""
    right = answers(x.shape[1])
    wide = x.astype(np.longdouble)
    behind = wide - wide[np.arange(len(x)), right][:, None]
    behind[np.arange(len(x)), right] = -np.inf
    top = behind.max(axis=1)
    return np.logaddexp(0, top + np.log(np.exp(behind - top[:, None]).sum(axis=1)))


def make_logits(p: int, size: float, signal: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(p * p, p)) * size
    return noise + signal * (cube(p, 1) + cube(p, 2)) * np.sqrt(p**3 / 2)


CASES = [(0.0, 0.0), (0.01, 0), (1, 2), (0.1, 15), (5, 0), (1, 40), (60, 0), (400, 900)]


@pytest.mark.parametrize(("size", "signal"), CASES)
def test_excluded_losses_are_those_of_the_formula(size, signal) -> None:
    p = 9
    x = make_logits(p, size, signal)
    train = np.random.default_rng(1).random(p * p) < 0.4
    train[answers(p) == 3] = False  # one sum without any training pair
    m = marginals(x)
    v = lg.cosine_coefficients(m)
    for terms, removed in [
        (lg.sum_waves(m), [flat_component(x, k) for k in (1, 2, 3, 4)]),
        (lg.cosine_waves(v, p), [(cube(p, k) * x).sum() * cube(p, k) for k in (1, 2, 3, 4)]),
    ]:
        terms = np.concatenate([terms, terms[[0, 2]].sum(axis=0)[None]])
        removed.append(removed[0] + removed[2])
        got = progress.excluded(x, terms, train)
        for i, gone in enumerate(removed):
            left = x - gone
            loss = cross_entropy(left)[train]
            np.testing.assert_allclose(got.loss[i], float(loss.mean()), rtol=1e-9)
            np.testing.assert_allclose(
                got.probability[i], float(np.exp(-loss).mean()), rtol=1e-9, atol=1e-300
            )
            if size:
                right = left.argmax(axis=1)[train] == answers(p)[train]
                assert got.accuracy[i] == right.mean()
            else:
                assert got.accuracy[i] == 0


def test_tiny_losses_keep_nine_digits() -> None:
    p = 9
    x = make_logits(p, 0.3, 25)
    train = np.ones(p * p, dtype=bool)
    m = marginals(x)
    got = progress.excluded(x, lg.sum_waves(m)[2:], train)
    assert got.loss.max() < 1e-7
    for i, k in enumerate((3, 4)):
        expected = float(cross_entropy(x - flat_component(x, k)).mean())
        np.testing.assert_allclose(got.loss[i], expected, rtol=1e-9)


@pytest.mark.parametrize(("size", "signal"), CASES)
def test_restricted_losses_are_those_of_the_formula(size, signal) -> None:
    p = 9
    x = make_logits(p, size, signal, seed=2)
    train = np.random.default_rng(1).random(p * p) < 0.4
    m = marginals(x)
    got = progress.restricted(lg.sum_waves(m)[[0, 3]].sum(axis=0), m.mean, train)
    new = flat_component(x, 1) + flat_component(x, 4)
    new = new + (x - new).mean(axis=0)
    loss = cross_entropy(new)
    for i, mask in enumerate((train, ~train, np.ones(p * p, bool))):
        np.testing.assert_allclose(got.loss[i], float(loss[mask].mean()), rtol=1e-9)
        np.testing.assert_allclose(
            got.probability[i], float(np.exp(-loss[mask]).mean()), rtol=1e-9, atol=1e-300
        )
        if size:
            right = (new.argmax(axis=1) == answers(p))[mask]
            assert got.accuracy[i] == pytest.approx(right.mean())


def test_without_a_known_split_only_all_pairs_are_measured() -> None:
    p = 5
    x = make_logits(p, 1, 1)
    m = marginals(x)
    for train in (None, np.zeros(p * p, bool)):
        assert np.isnan(progress.excluded(x, lg.sum_waves(m), train).loss).all()
    got = progress.restricted(lg.sum_waves(m)[0], m.mean, None)
    assert np.isnan(got.loss).tolist() == [True, True, False]


def test_cosine_coefficients_and_variance_are_inner_products_with_the_cube() -> None:
    p = 7
    x = make_logits(p, 1, 3) + np.arange(p)
    m = marginals(x)
    expected = [(cube(p, k) * x).sum() for k in (1, 2, 3)]
    got = lg.cosine_coefficients(m)
    np.testing.assert_allclose(got, expected, rtol=1e-11)
    assert lg.squared_norm(m) == pytest.approx((x**2).sum())
    share = lg.variance_explained(got[:2], m)
    assert share == pytest.approx(np.square(expected[:2]).sum() / (x**2).sum())
    assert lg.variance_explained(got * 0, marginals(x * 0)) == 0


def test_logit_spectrum_is_the_norm_over_classes() -> None:
    p = 5
    F = fourier_basis(p)
    x = np.outer(np.outer(F[1], F[2]).reshape(-1), [3, 4, 0, 0, 0])
    expected = np.zeros((p, p))
    expected[1, 2] = 5
    np.testing.assert_allclose(lg.logit_spectrum(x), expected, atol=1e-13)


def test_cutting_the_work_into_pieces_changes_nothing(monkeypatch) -> None:
    p = 9
    x = make_logits(p, 1, 2)
    train = np.random.default_rng(1).random(p * p) < 0.4
    terms = lg.sum_waves(marginals(x))
    whole = progress.excluded(x, terms, train)
    monkeypatch.setattr(progress, "ONE_THREAD", 100)
    monkeypatch.setattr(progress, "ROWS_AT_ONCE", 3)
    pieces = progress.excluded(x, terms, train)
    np.testing.assert_allclose(pieces.loss, whole.loss, rtol=1e-14)
    np.testing.assert_array_equal(pieces.accuracy, whole.accuracy)
