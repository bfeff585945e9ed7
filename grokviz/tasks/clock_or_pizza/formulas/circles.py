"""One frequency at a time: a network that sees one circle of its embedding alone.

Source: arXiv:2306.17844, section 4.2, where circles are isolated by two principal components; here
by the cosine and the sine of one frequency, which are the same where components are circles.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Complex, Float, Int

from grokviz.dataset.numerics import ties
from grokviz.dataset.numerics.fourier import fourier_basis, frequencies
from grokviz.tasks.clock_or_pizza.forward import forward
from grokviz.tasks.clock_or_pizza.weights import Weights

HOURS = 12
"""So many answers are drawn, as far apart on the circle as the hours of a dial."""


def isolated_logits(w: Weights, rate: float, k: int) -> Float[np.ndarray, "p p p"]:
    """The logits of all pairs where the embedding has only its mean and its waves k."""
    rows = fourier_basis(w.p)[[0, 2 * k - 1, 2 * k]]
    return forward(replace(w, W_E=w.W_E @ rows.T @ rows), rate).logits


def leading_frequency(logits: Float[np.ndarray, "p p p"]) -> int:
    """The frequency by which the logits point at the answers most, on average; 0 for none."""
    p = logits.shape[-1]
    a, b = _pairs(p)
    waves = np.fft.ifft(logits, axis=2)[..., 1 : (p - 1) // 2 + 1]
    back = np.exp(-2j * np.pi * ((a + b)[..., None] * frequencies(p) % p) / p)
    sizes = np.abs((waves * back).mean(axis=(0, 1)))
    leader = int(ties.leader(sizes, relative=ties.ROUNDING))
    return 0 if leader < 0 else leader + 1


def hands(logits: Float[np.ndarray, "p p p"], k: int) -> Complex[np.ndarray, "p p"]:
    """What each pair's logits point at on the circle of frequency k, and how far.

    Logits length * cos(2 pi k (c - answer) / p) over c give length * exp(2 pi i k answer / p).
    """
    p = logits.shape[-1]
    turns = np.exp(2j * np.pi * (k * np.arange(p) % p) / p)
    pointers: Complex[np.ndarray, "p p"] = logits @ turns * (2 / p)
    return pointers


def hours(p: int, k: int) -> Int[np.ndarray, " hour"]:
    """The answers nearest to the hours of a dial on which the answers stand in steps of k."""
    places = k * np.arange(p) % p
    order = np.argsort(places, kind="stable")
    wanted = np.unique(np.round(np.arange(HOURS) * p / HOURS).astype(int) % p)
    answers: Int[np.ndarray, " hour"] = order[np.searchsorted(places[order], wanted) % p]
    return np.array(list(dict.fromkeys(answers.tolist())))


def hands_of_hours(
    pointers: Complex[np.ndarray, "p p"], answers: Int[np.ndarray, " hour"]
) -> Complex[np.ndarray, "hour difference"]:
    """The hands of all pairs with these answers, by (a - b) mod p."""
    p = len(pointers)
    half = (p + 1) // 2  # of an odd p
    difference = np.arange(p)
    a = (answers[:, None] + difference) * half % p
    b = (answers[:, None] - difference) * half % p
    some: Complex[np.ndarray, "hour difference"] = pointers[a, b]
    return some


def explained(logits: Float[np.ndarray, "p p p"], k: int) -> tuple[float, float]:
    """Shares of the logits' variance that a clock and a pizza explain; 0 of none.

    A clock gives c the logit cos(w (a + b - c)), a pizza |cos(w (a - b) / 2)| cos(w (a + b - c)),
    w = 2 pi k / p: squared correlations over all (a, b, c).
    """
    p = logits.shape[-1]
    a, b = _pairs(p)
    c = np.arange(p)
    clock = np.cos(2 * np.pi * (k * (a + b)[..., None] - k * c) / p)
    pizza = np.abs(np.cos(np.pi * k * (a - b) / p))[..., None] * clock
    return _squared_correlation(logits, clock), _squared_correlation(logits, pizza)


def _squared_correlation(one: np.ndarray, other: np.ndarray) -> float:
    first, second = one - one.mean(), other - other.mean()
    sizes = (first**2).sum() * (second**2).sum()
    return float((first * second).sum() ** 2 / sizes) if sizes > 0 else 0.0


def _pairs(p: int) -> tuple[Int[np.ndarray, "p p"], Int[np.ndarray, "p p"]]:
    a, b = np.indices((p, p))
    return a, b
