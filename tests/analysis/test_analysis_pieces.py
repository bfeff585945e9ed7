"""Phase changes on one clock, and long curves by few points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from grokviz.dataset.families.family import family
from grokviz.dataset.families.pieces import (
    common_steps,
    running_mean,
    share_of_start,
    steepest_fall,
)
from grokviz.dataset.numerics.thinning import extreme_indices
from grokviz.runs import RunWriter

STEPS = np.arange(2001)


def drop(at: float, start: float = 2.3) -> np.ndarray:
    return start / (1 + (STEPS / at) ** 12) + 1e-6


def record(path: Path, task: str, curves: dict[str, np.ndarray], **settings: object) -> Path:
    with RunWriter.create(path, {"task": task, "settings": settings}) as writer:
        for name, values in curves.items():
            for step, value in enumerate(values.tolist()):
                writer.log(step, **{name: value})
        writer.close(finished=True)
    return path


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    digits = {f"train_loss_token_{k}": drop(at) for k, at in enumerate((100, 900, 600))}
    digits["train_loss_token_1"] *= 2
    total = sum(digits.values()) / 3
    return [
        record(tmp_path / "digits", "digit-addition", {"train_loss": total, **digits}),
        record(tmp_path / "endless", "repeated-subsequence", {"train_loss": drop(800)}),
        record(
            tmp_path / "limited", "repeated-subsequence",
            {"train_loss": drop(50), "test_loss": drop(1200)}, examples=512,
        ),
        record(tmp_path / "flat", "skip-trigram", {"train_loss": drop(1e6)}),
        # one low batch is no phase change
        record(
            tmp_path / "lucky", "skip-trigram",
            {"train_loss": np.where(STEPS == 1900, 0.01, 2.3)},
        ),
        # nor is getting better bit by bit
        record(tmp_path / "gradual", "skip-trigram", {"train_loss": 2.3 / (1 + STEPS / 50)}),
        record(tmp_path / "unknown", "skip-trigram", {"train_loss": drop(99)}, examples=60),
    ]  # fmt: skip


@pytest.mark.slow
def test_every_phase_change_is_a_piece(runs: list[Path]) -> None:
    data = family(runs, cache=False)
    expected = {
        "digits, digit 0": ("digit", 0, 100),
        "digits, digit 1": ("digit", 0, 900),
        "digits, digit 2": ("digit", 0, 600),
        "endless": ("train", 1, 800),
        "limited": ("test", 2, 1200),
    }
    columns = [data[f"piece_{name}"].values for name in ("name", "kind", "member", "drop")]
    for name, kind, member, dropped in zip(*columns, strict=True):
        told, number, at = expected.pop(str(name))
        assert (kind, member) == (told, number)
        # where it is half, within the distance of two steps
        assert dropped == pytest.approx(at, rel=0.06)
        assert dropped in data["step"].values
    assert expected == {}
    assert (np.abs(data["piece_loss"][:, 0] - 1) < 1e-6).all()
    assert data["count"].values.tolist() == [1, 2, 3, 4, 5]
    assert data["step"].values[[0, -1]].tolist() == [1, 2000]


def test_the_order_is_drawn_once(runs: list[Path]) -> None:
    first, again = (family(runs, cache=False)["piece_name"].values.tolist() for _ in range(2))
    assert first == again
    assert first != sorted(first)


@pytest.mark.slow
def test_the_mean_of_more_pieces_falls_less_at_once(runs: list[Path]) -> None:
    data = family(runs, cache=False)
    mean = running_mean(data["piece_loss"].values)
    np.testing.assert_allclose(mean[0], data["piece_loss"][0])
    np.testing.assert_allclose(mean[-1], data["piece_loss"].values.mean(axis=0), rtol=1e-6)
    steepest = data["mean_steepest_fall"].values
    assert steepest[0] > 0.5
    assert steepest[-1] < steepest[0] / 1.5


def test_a_share_is_the_mean_of_what_was_logged_since() -> None:
    epochs = np.array([0, 10, 20, 30, 50])
    loss = np.array([4.0, 2.0, 1.0, 0.5, 0.25])
    share = share_of_start(epochs, loss, np.array([1, 5, 20, 40, 50, 60, 90]))
    # nothing was logged from 1 to 5; 10 and 20; 30; 50; then the curve has ended
    np.testing.assert_allclose(share, [1, 1, 0.375, 0.125, 0.0625, 0.0625, 0.0625])


def test_steps_are_even_in_their_logarithm() -> None:
    steps = common_steps(100_000)
    assert (np.diff(steps) > 0).all()
    assert (steps[0], steps[-1]) == (1, 100_000)
    late = np.log(steps[steps > 1000])
    np.testing.assert_allclose(np.diff(late), np.diff(late).mean(), rtol=0.02)
    assert common_steps(1).tolist() == [1]


def test_the_steepest_fall_is_within_a_quarter_of_the_time() -> None:
    steps = common_steps(10_000)
    cliff = np.where(steps < 500, 1.0, 0.0)
    slope = 1 - np.log(steps) / np.log(10_000)
    found = steepest_fall(np.stack([cliff, slope, np.ones(len(steps))]), steps, 1.25)
    np.testing.assert_allclose(found, [1, np.log(1.25) / np.log(10_000), 0], atol=1e-3)


curves = st.integers(1, 3000).flatmap(
    lambda n: arrays.arrays(np.float64, n, elements=st.floats(0, 10) | st.just(float("nan")))
)


@settings(max_examples=60, deadline=None)
@given(curves, st.integers(10, 500), st.integers(0, 50))
def test_a_thinned_curve_keeps_its_ends_and_extremes(
    loss: np.ndarray, most: int, first: int
) -> None:
    epochs = first + 7 * np.arange(len(loss))
    kept = extreme_indices(epochs, loss, most)
    assert len(kept) <= most
    assert (np.diff(kept) > 0).all()
    assert {0, len(loss) - 1} <= set(kept.tolist())
    if len(loss) <= most:
        assert len(kept) == len(loss)
    known = loss[~np.isnan(loss)]
    if known.size:
        assert np.nanmin(loss[kept]) == known.min()
    if known.size == loss.size:
        assert loss[kept].max() == loss.max()


def test_early_and_late_are_both_drawn() -> None:
    epochs = np.arange(100_001)
    kept = extreme_indices(epochs, np.sin(epochs / 7.0), 400)
    assert 200 < len(kept) <= 400
    assert (kept < 1000).sum() > 80
    assert (kept > 50_000).sum() > 80
