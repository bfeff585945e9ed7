"""The published sweeps as families: when each fraction memorised and generalised."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import grokviz as gv
from grokviz.dataset.families.family import family
from grokviz.dataset.families.pieces import NEAR, steepest_fall

FOLDER = os.environ.get("GROKVIZ_PUBLISHED_RUNS")
pytestmark = [
    pytest.mark.train,
    pytest.mark.skipif(
        FOLDER is None, reason="GROKVIZ_PUBLISHED_RUNS does not name the published runs' folder"
    ),
]
SWEEP = "mod_addition_frac_train_sweep.pth"

LEARNED = {
    0.95: (970, 150, 157), 0.9: (1057, 202, 222), 0.8: (1339, 217, 252), 0.7: (897, 134, 222),
    0.6: (1091, 152, 440), 0.5: (1618, 163, 956), 0.4: (3667, 155, 3109), 0.3: (8996, 151, 7930),
    0.28: (16614, 153, 15037), 0.25: (23276, 144, 21848),
}  # fmt: skip
"""Epochs trained, first training loss and first test loss below 0.1, by training fraction."""


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch")
    assert FOLDER is not None
    if not (Path(FOLDER) / SWEEP).exists():
        pytest.skip(f"{SWEEP} is not among the published runs")
    made = gv.import_run(Path(FOLDER) / SWEEP, tmp_path_factory.mktemp("sweep") / "published")
    return made.path


@pytest.mark.slow
def test_when_each_fraction_learned(sweep: Path) -> None:
    data = family([sweep])
    assert data["fraction"].values.tolist() == sorted(LEARNED, reverse=True)
    for fraction, (epochs, memorised, generalised) in LEARNED.items():
        i = int(data["fraction_member"].sel(fraction=fraction, source="published"))
        one = data.isel(member=i)
        assert one["member_name"].item() == f"train-fraction={fraction:g}"
        assert one["member_last_epoch"].item() == epochs - 1
        assert one["memorised_epoch"].item() == memorised
        assert one["generalised_epoch"].item() == generalised


def test_overfitting_grows_as_data_shrink(sweep: Path) -> None:
    data = family([sweep])
    highest = np.nanmax(data["member_test_loss"].values, axis=1)
    by = dict(zip(data["member_fraction"].values.tolist(), highest.tolist(), strict=True))
    assert by[0.3] == pytest.approx(26.6, abs=0.05)
    assert by[0.25] == pytest.approx(32.4, abs=0.05)
    assert by[0.9] < 6


def test_each_is_a_phase_change(sweep: Path) -> None:
    data = family([sweep])
    assert set(data["piece_kind"].values.tolist()) == {"test"}
    assert data.sizes["piece"] == 10
    alone = steepest_fall(data["piece_loss"].values, data["step"].values, NEAR)
    assert data["mean_steepest_fall"].values[-1] < alone.max() / 3
