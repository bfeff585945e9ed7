"""What torch's log-softmax rounds: facts that hold wherever it runs, and the bundled numbers."""

from __future__ import annotations

import math
import platform
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from grokviz.dataset import schema
from grokviz.dataset.cache import read
from grokviz.dataset.families.family_variables import ROUNDING_ROWS
from grokviz.dataset.references import reference as bundled
from grokviz.errors import InputError, WorkError
from grokviz.tasks.any import rounding as rounding_module

torch = pytest.importorskip("torch")

LAST_BIT = 2.0**-23


@pytest.fixture(scope="module")
def made() -> xr.Dataset:
    return rounding_module.rounding()


@pytest.fixture(scope="module")
def kept() -> xr.Dataset:
    return bundled.reference("rounding")


def test_it_has_its_rows(made: xr.Dataset, kept: xr.Dataset) -> None:
    rows = [row.name for row in ROUNDING_ROWS]
    for data in (made, kept):
        assert sorted(map(str, data.data_vars)) == sorted(rows)
        schema.check(data, rows)


def test_the_reference_is_what_this_torch_returns(made: xr.Dataset, kept: xr.Dataset) -> None:
    same = [made.attrs[k] == kept.attrs[k] for k in ("torch_version", "device", "hardware")]
    if not all(same):
        pytest.skip(
            f"made by torch {kept.attrs['torch_version']} on {kept.attrs['hardware']}, and this "
            f"is {made.attrs['torch_version']} on {made.attrs['hardware']}"
        )
    xr.testing.assert_identical(
        made.drop_attrs(), kept.drop_attrs().assign_coords(precision=made["precision"].values)
    )
    assert made.attrs["run_checksum"] == kept.attrs["run_checksum"]


def test_float32_moves_in_steps_of_its_last_bit(made: xr.Dataset, kept: xr.Dataset) -> None:
    for data in (made, kept):
        value = data["log_softmax_value"].sel(precision="float32")
        steps = np.round(value.values / LAST_BIT).astype(int)
        # 1 plus the other's share is a whole number of last bits, so this is the log of those
        exact = -np.log1p(-steps * LAST_BIT)
        np.testing.assert_array_equal(value.values.astype("f4"), exact.astype("f4"))
        assert set(steps) == {-3, -2, -1, 0}
        assert (np.diff(steps) >= 0).all()
        gone = float(data["x"][np.argmax(steps == 0)])
        assert gone == pytest.approx(24 * math.log(2), abs=1 / 400)
        assert value.sel(x=16.63, method="nearest") == np.float32(-LAST_BIT * (1 - LAST_BIT / 2))
        assert value.sel(x=16.64, method="nearest") == 0


def test_float64_is_the_true_curve_there(made: xr.Dataset, kept: xr.Dataset) -> None:
    for data in (made, kept):
        value = data["log_softmax_value"].sel(precision="float64")
        np.testing.assert_allclose(value, -np.log1p(np.exp(-data["x"])), rtol=1e-8)
        assert (np.diff(value) > 0).all()
        assert (data["log_softmax_value"].sel(precision="bfloat16") == 0).all()


def test_a_threshold_is_where_the_loss_is_gone(made: xr.Dataset) -> None:
    for precision in ("float32", "float64", "bfloat16"):
        dtype = getattr(torch, precision)
        for classes in (2, 10, 113):
            lead = made["rounding_threshold"].sel(classes=classes, precision=precision).item()
            for far, zero in ((lead, True), (lead - 0.01 * lead, False)):
                logits = torch.zeros(1, classes, dtype=dtype)
                logits[0, -1] = far
                assert (torch.log_softmax(logits, -1)[0, -1].item() == 0) is zero


def test_a_threshold_that_is_farther_away_is_not_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounding_module, "FARTHEST", 15.0)
    assert rounding_module.threshold(2, "bfloat16") < 15
    with pytest.raises(WorkError, match="in float32 over 2 classes is not 0 at a lead of 15"):
        rounding_module.threshold(2, "float32")


def test_the_threshold_is_measured_and_not_assumed(kept: xr.Dataset) -> None:
    found = kept["rounding_threshold"].sel(precision="float32").to_series()
    theory = kept["rounding_threshold_theory"].sel(precision="float32").to_series()
    np.testing.assert_allclose(theory[[2, 113]], [16.635532, 21.354], atol=1e-3)
    np.testing.assert_allclose(found[[2, 3, 10]], theory[[2, 3, 10]], atol=1e-5)
    # the sum over many classes loses half of the small terms, in the torch that is bundled
    assert kept.attrs["device"] == "cpu"
    many = [64, 113, 114, 128]
    lost = [math.log(n // 2) + 24 * math.log(2) for n in many]
    np.testing.assert_allclose(found[many], lost, atol=1e-5)
    np.testing.assert_allclose(found[many], [20.1013, 20.6609, 20.6786, 20.7944], atol=1e-4)


def test_the_wrong_classes_keep_their_gradient(made: xr.Dataset, kept: xr.Dataset) -> None:
    for data in (made, kept):
        single = data.sel(precision="float32", gap=24)
        assert single["gap_loss"] == single["gap_right_gradient"] == 0
        assert single["gap_wrong_gradient"].item() == pytest.approx(math.exp(-24), rel=1e-3)
        assert single["gap_gradient_sum"].item() == pytest.approx(4.228e-9, rel=1e-3)
        double = data.sel(precision="float64", gap=24)
        assert double["gap_right_gradient"].item() == pytest.approx(-4.2281502e-9, rel=1e-6)
        assert abs(double["gap_gradient_sum"].item()) < 1e-14
        assert double["gap_loss"].item() == pytest.approx(4.2281502e-9, rel=1e-6)
        start = data.sel(gap=0)
        np.testing.assert_allclose(start["gap_loss"], math.log(113), rtol=4e-3)


def test_it_is_made_by_a_command(
    tmp_path: Path, made: xr.Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rounding_module.main([str(tmp_path / "r.nc")]) == 0
    xr.testing.assert_equal(read(tmp_path / "r.nc"), made)
    assert rounding_module.main([str(tmp_path / "folder")]) == 0
    assert sorted(f.name for f in (tmp_path / "folder").iterdir()) == ["SHA256SUMS", "rounding.nc"]
    assert rounding_module.main([]) == 2
    assert rounding_module.main([str(tmp_path / "s.nc"), "abacus"]) == 2
    assert not (tmp_path / "s.nc").exists()
    assert capsys.readouterr().err.splitlines()[-1].startswith("grokviz: torch cannot use")


def test_what_made_it_is_said(made: xr.Dataset, kept: xr.Dataset) -> None:
    assert made.attrs["torch_version"] == torch.__version__
    assert made.attrs["command"] == "python -m grokviz.tasks.any.rounding OUT.nc cpu"
    assert platform.machine() in made.attrs["hardware"]
    assert kept.attrs["torch_version"]
    assert kept.attrs["hardware"]
    with pytest.raises(InputError, match="cannot use the device abacus"):
        rounding_module.rounding("abacus")
    info = bundled.reference_info("rounding", verify=True)
    assert info["problems"] == []
