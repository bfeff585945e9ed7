"""What the pages say of two runs side by side, on curves small enough to read."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from website import drift
from website.drift import factors_apart
from website.quantities import value


@pytest.fixture(scope="module")
def waves() -> xr.Dataset:
    """Three waves of two runs, whose delays are in no order: 200 earlier, 100 later, alike."""
    low, high = 1e-6, 1e-4
    ours = np.array([[5, low, low, high, high], [5, low, high, high, high], [5, low, low, low, 5]])
    theirs = np.array([[5, low, high], [5, low, high], [5, high, low]])
    return xr.Dataset(
        {
            "excluded_loss_2d_by_frequency": (("frequency", "epoch"), ours),
            "published_excluded_loss_by_frequency": (
                ("published_epoch", "published_frequency"), theirs.T[:, ::-1],
            ),
        },
        {
            "frequency": [9, 4, 7], "epoch": [0, 100, 200, 300, 400],
            "published_frequency": [7, 4, 9], "published_epoch": [0, 100, 400],
        },
    )  # fmt: skip


def test_each_wave_has_its_own_epoch_whatever_the_order_of_the_waves(waves: xr.Dataset) -> None:
    def passes(run: str, wave: int) -> int:
        return value(waves, "wave-passes", run, str(wave), "1e-5")

    assert [passes("ours", wave) for wave in (4, 7, 9)] == [200, 400, 300]
    assert [passes("published", wave) for wave in (4, 9)] == [400, 400]
    # a loss that starts high and falls for good has not risen past anything
    with pytest.raises(IndexError):
        passes("published", 7)


def test_curves_are_compared_only_where_all_have_a_record() -> None:
    one = np.array([0, 10, 20, 30]), np.array([1.0, 2.0, 3.0, 4.0])
    two = np.array([0, 10, 30]), np.array([1.0, 8.0, 1.0])
    three = np.array([10, 20, 30]), np.array([1.0, 99.0, 2.0])
    epochs, factors = factors_apart(one, two, three)
    assert epochs.tolist() == [10, 30]
    assert factors.tolist() == [8, 4]


def test_the_published_loss_is_over_ours_and_the_lower_until_it_is_not() -> None:
    epochs = np.array([0, 100, 200, 300])
    ours, theirs = np.array([4.0, 4.0, 2.0, 1.0]), np.array([4.0, 1.0, 1.0, 2.0])
    data = xr.Dataset(
        {
            "loss": (("epoch", "split"), np.stack([ours, 2 * ours], axis=1)),
            "published_test_loss": ("published_epoch", theirs),
            "published_train_loss": ("published_epoch", theirs),
        },
        {"epoch": epochs, "split": ["test", "train"], "published_epoch": epochs},
    )
    assert value(data, "published-times", "test", "100") == 0.25
    assert value(data, "published-times", "train", "100") == 0.125
    assert value(data, "published-lower-until", "0") == 200
    assert value(data, "times-apart-at") == 100
    assert value(data, "published-lower-from", "300") == 100
    back = data.assign(published_test_loss=("published_epoch", np.array([9.0, 9.0, 1.0, 0.5])))
    assert value(back, "ours-lower-until", "-1") == 100


def test_records_above_nothing_are_counted_after_an_epoch() -> None:
    gradients = np.array([-1.0, -1.0, 2.0, np.nan, 3.0, -1.0])
    data = xr.Dataset(
        {"member_logit_gradient_sum": ("point", gradients), "member_epoch": ("point", np.arange(6))}
    )
    assert value(data, "positive-after", "gradient-sum", "1") == pytest.approx(2 / 3)


def test_the_published_loss_is_placed_among_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    low, high = ((np.array([0, 400]), np.array([x, x])) for x in (1.0, 4.0))
    monkeypatch.setattr(drift, "repeats", lambda _: (low, high))
    losses = np.array([2.0, 0.5, 0.5, 3.0, 5.0, 5.0])
    data = xr.Dataset(
        {"published_test_loss": ("published_epoch", losses)},
        {"published_epoch": [0, 100, 200, 300, 350, 500]},
    )
    for place, ends in (("below", (100, 200)), ("among", (0, 0)), ("above", (350, 350))):
        got = tuple(value(data, "published-place", place, end) for end in ("first", "last"))
        assert got == ends


def test_key_frequencies_that_other_members_share_are_counted() -> None:
    keys = np.array([[1, 1, 0, 1], [0, 1, 0, 0], [0, 0, 1, 1]])
    data = xr.Dataset(
        {"member_key_frequency": (("member", "frequency"), keys)},
        {"member_name": ("member", ["a=0", "a=1", "a=2"]), "frequency": [1, 2, 3, 4]},
    )
    assert [value(data, "keys-shared", str(place)) for place in range(3)] == [2, 1, 1]
