"""When a run memorised and grokked, on curves whose answer is known and on every run at hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import grokviz as gv
from grokviz.dataset.learning import Curve, Learning, first_low, grok_epoch, learning
from grokviz.dataset.references import reference as bundled

EPOCHS = np.arange(20_001)
NOTHING = Curve(np.zeros(0, dtype=int), np.zeros(0))


def falling(at: float, high: float, low: float = 1e-6, steep: float = 20) -> np.ndarray:
    """A loss that comes down, through half of its start, at an epoch."""
    return low + (high - low) / (1 + (EPOCHS / at) ** steep)


MEMORISED = Curve(EPOCHS, falling(150, 4.7))


def grokking() -> np.ndarray:
    """Rises to 20 by epoch 1,400, and falls through half of that at epoch 8,000."""
    return falling(8000, 20) * np.minimum(0.25 + 0.75 * EPOCHS / 1400, 1)


def of(test: np.ndarray, train: Curve = MEMORISED) -> Learning:
    return learning(train, Curve(EPOCHS, test))


def test_a_run_that_groks() -> None:
    told = of(grokking())
    assert told.memorised == pytest.approx(180, abs=15)
    assert told.grokked == pytest.approx(8000, abs=20)
    assert told.ends is not None
    assert told.ends[0] == pytest.approx(1400, rel=0.05)
    assert told.ends[1] == told.grokked < told.ends[2] < 20_000


def test_a_spike_says_nothing() -> None:
    test = grokking()
    for where in (9, 700, 5000, 12_000, 19_999):
        spiky = test.copy()
        spiky[where] = 500.0
        assert of(spiky).ends == of(test).ends


def test_a_dip_and_a_slingshot_are_not_grokking() -> None:
    test = grokking()
    dipped = test.copy()
    dipped[2390:2600] = 0.3  # a slingshot's dip, longer than the window: the last crossing counts
    assert of(dipped).grokked == of(test).grokked
    late = test.copy()
    late[15_000:15_400] = 30.0  # a leap after it has generalised, shorter than the window
    assert of(late).grokked == of(test).grokked
    risen = test.copy()
    risen[18_000:] = 15.0
    assert of(risen).grokked is None, "up again at its end"


def test_a_run_that_never_generalises_does_not_grok() -> None:
    assert of(np.minimum(4.7 + EPOCHS / 100, 20)) == Learning(of(grokking()).memorised)


def test_a_run_that_learns_both_together_does_not_grok() -> None:
    for at in (100, 180, 300):
        assert of(falling(at, 5)).grokked is None
    slow = Curve(EPOCHS, falling(9000, 4.7))
    assert of(grokking(), slow).grokked is None, "not before it has memorised"
    never = Curve(EPOCHS, np.full(len(EPOCHS), 4.7))
    assert of(grokking(), never) == Learning()


def test_one_lucky_batch_is_no_memory() -> None:
    rng = np.random.default_rng(0)
    noisy = falling(5000, 2.0, steep=6) * rng.lognormal(0, 0.5, len(EPOCHS))
    noisy[40] = 0.05
    assert first_low(Curve(EPOCHS, noisy)) == pytest.approx(8200, rel=0.05)


@pytest.mark.parametrize("every", [7, 50, 100])
def test_how_often_a_loss_was_logged_does_not_matter(every: int) -> None:
    whole, some = of(grokking()), EPOCHS[::every]
    thin = learning(MEMORISED, Curve(some, grokking()[::every]))
    assert thin.ends is not None
    assert whole.ends is not None
    np.testing.assert_allclose(thin.ends, whole.ends, rtol=0.05, atol=every)


def test_without_a_training_loss_the_rise_of_the_test_loss_stands_for_it() -> None:
    assert learning(NOTHING, Curve(EPOCHS, grokking())).grokked == of(grokking()).grokked
    assert learning(NOTHING, Curve(EPOCHS, falling(300, 5))).grokked is None


def test_what_is_not_a_number_is_left_out() -> None:
    test = grokking()
    test[::3] = np.nan
    test[1], test[2] = np.inf, 0.0
    assert of(test).grokked == pytest.approx(8000, abs=20)
    for nothing in (test[:0], np.full(len(EPOCHS), np.nan)):
        assert learning(MEMORISED, Curve(EPOCHS[: len(nothing)], nothing)).grokked is None


def test_a_loss_of_zero_is_low() -> None:
    gone = Curve(EPOCHS, np.where(EPOCHS < 200, 4.7, 0.0))
    test = np.where(grokking() < 1e-3, 0.0, grokking())
    told = of(test, gone)
    assert told.memorised == pytest.approx(200, abs=15)
    assert told.grokked == of(grokking()).grokked
    assert told.ends is not None


def test_a_long_curve_is_read_evenly() -> None:
    epochs = np.arange(0, 20_001, 0.02)
    test = np.interp(epochs, EPOCHS, grokking())
    assert learning(MEMORISED, Curve(epochs, test)).grokked == pytest.approx(8000, abs=20)


# --- every run at hand ---------------------------------------------------------------

# what each groks at; published beside ours where there is a number: experiments, sections 2.5, 2.7;
# a task's own tests say so of references that are not here
BUNDLED = {
    "modular-addition": 8380,
    "repeated-subsequence-320": 8340,
    "digit-addition-small-500": 3600,
    "skip-trigram-50": None,
    "fraction-sweep/train-fraction=0.25": 10_300,
    "fraction-sweep/train-fraction=0.28": 12_600,
    "fraction-sweep/train-fraction=0.3": 7910,
    "fraction-sweep/train-fraction=0.4": 1530,
    "fraction-sweep/train-fraction=0.5": 420,
    "fraction-sweep/train-fraction=0.6": None,  # generalises at once, as published
    "fraction-sweep/train-fraction=0.7": None,
    "fraction-sweep/train-fraction=0.8": None,
    "fraction-sweep/train-fraction=0.9": None,
    "fraction-sweep/train-fraction=0.95": None,
    "modular-addition-59": 3780,
    "learning-coefficient": 3820,
    "modular-addition-answers": 8620,
    "race/layernorm-59-muon/seed=0": None,
    "race/layernorm-59-muon/seed=1": None,
    "race/layernorm-59-muon/seed=2": None,
    "race/layernorm-59-stablemax/seed=0": None,
    "race/layernorm-59-stablemax/seed=1": None,
    "race/layernorm-59-stablemax/seed=2": None,
    "race/layernorm-59-hidden-sgd/seed=0": None,
    "race/layernorm-59-hidden-sgd/seed=1": None,
    "race/layernorm-59-hidden-sgd/seed=2": None,
    "race/layernorm-59/seed=0": None,
    "race/layernorm-59/seed=1": None,
    "race/layernorm-59/seed=2": None,
    "race/layernorm-59-no-decay/seed=0": None,
    "race/layernorm-59-no-decay/seed=1": None,
    "race/layernorm-59-no-decay/seed=2": None,
    "race/layernorm-59-grokfast/seed=0": None,
    "race/layernorm-59-grokfast/seed=1": 570,
    "race/layernorm-59-grokfast/seed=2": None,
    "race/layernorm-59-nesterov/seed=0": None,
    "race/layernorm-59-nesterov/seed=1": None,
    "race/layernorm-59-nesterov/seed=2": None,
    "race/modular-addition-59-orthogonal/seed=0": None,
    "race/modular-addition-59-orthogonal/seed=1": None,
    "race/modular-addition-59-orthogonal/seed=2": None,
    "race/modular-addition-59-half/seed=0": 770,
    "race/modular-addition-59-half/seed=1": 2240,
    "race/modular-addition-59-half/seed=2": 2380,
    "race/modular-addition-59-stablemax-orthogonal/seed=0": None,
    "race/modular-addition-59-stablemax-orthogonal/seed=1": None,
    "race/modular-addition-59-stablemax-orthogonal/seed=2": None,
    "race/modular-addition-59-muon/seed=0": None,
    "race/modular-addition-59-muon/seed=1": None,
    "race/modular-addition-59-muon/seed=2": None,
    "seeds/seed=0": 8480,
    "seeds/seed=1": 7670,
    "seeds/seed=2": 3060,
    "seeds/seed=3": 6860,
    "seeds/seed=4": 5650,
    "slingshots/loss-precision=float32": 5710,
    "slingshots/loss-precision=float64": 7710,
    "sparse-parity": 420,
    "group-A5-0": 1830,
    "group-D10-0": 1710,
    "group-D10-half": None,
    "group-S4-0": 4000,
    "group-ladder/A5-0": 1850,  # by its curve, which is thinned
    "group-ladder/A5-1": 1480,
    "group-ladder/A5-2": 1620,
    **{f"group-ladder/{group}-{seed}": None for group in ("C60", "D30") for seed in range(3)},
    "group-seeds/D10-0": 1750,
    "group-seeds/D10-1": 1750,
    "group-seeds/D10-2": 1330,
    "group-seeds/S4-0": 4120,
    "group-seeds/S4-1": 1690,
    "group-seeds/S4-2": 4480,
    "two-layer-59-0": None,  # it generalises at twice the epoch at which it has memorised
    "two-layer-59-1": None,
    "two-layer-59-2": None,
    "two-layer-addition": None,  # its test loss stays above 0.1, as published
    "double-descent": 800,  # a width: by its rule this is the second descent
    "double-descent-250": None,
    "autoencoder": None,
    "digits": None,
    "language": None,
}


def members(name: str, data: xr.Dataset) -> Iterator[tuple[str, Curve, Curve]]:
    for i in range(data.sizes["member"]):
        one = data.isel(member=i)
        curves = []
        for clock, loss in (("member_epoch", "train"), ("member_test_epoch", "test")):
            epochs = one[clock].values
            curves.append(
                Curve(epochs[epochs >= 0], one[f"member_{loss}_loss"].values[epochs >= 0])
            )
        yield f"{name}/{one['member_name'].values}", *curves


def test_every_bundled_run_groks_where_it_is_known_to() -> None:
    told: dict[str, int | None] = {}
    for name in bundled.references():
        data = bundled.reference(name)
        if "member_name" in data:
            told |= {n: learning(*curves).grokked for n, *curves in members(name, data)}
        elif "logged_test_loss" in data and data.sizes["tested_epoch"]:
            told[name] = grok_epoch(data)
    assert {name: told[name] for name in BUNDLED} == BUNDLED


FOLDER = os.environ.get("GROKVIZ_PUBLISHED_RUNS")

# fractions of .6 and more generalise at once, and fresh data are never memorised, as published
PUBLISHED = {
    "5_digit_addition_infinite": None,
    "5_digit_addition_infinite_per_token": None,
    "induction_head_infinite": None,
    **{f"mod_addition_frac_train_sweep/train-fraction={fraction}": epoch for fraction, epoch in (
        (0.25, 17_848), (0.28, 11_500), (0.3, 6440), (0.4, 1960), (0.5, 545),
        (0.6, None), (0.7, None), (0.8, None), (0.9, None), (0.95, None),
    )},
    "wd_10-1_mod_addition_loss_curve": 62_220,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.train
@pytest.mark.skipif(
    FOLDER is None, reason="GROKVIZ_PUBLISHED_RUNS does not name the published runs' folder"
)
def test_every_published_run_groks_where_its_curve_says(tmp_path: Path) -> None:
    """A sweep over fractions, and a run with a tenth of the weight decay."""
    told: dict[str, int | None] = {}
    for file in sorted(Path(str(FOLDER)).glob("*.pth")):
        out = gv.import_run(file, tmp_path / file.stem).path
        sweep = [one for one in sorted(out.iterdir()) if (one / "run.json").exists()]
        for place in sweep or [out]:
            run = gv.open_run(place)
            curves = [
                Curve(*run.metric(name)) if name in run.metrics else NOTHING
                for name in ("train_loss", "test_loss")
            ]
            told[f"{file.stem}/{place.name}" if sweep else file.stem] = learning(*curves).grokked
    # a folder may hold more of the published files
    assert PUBLISHED.items() <= told.items()
