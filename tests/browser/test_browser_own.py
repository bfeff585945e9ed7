"""Panels of a user's own variables in a real browser."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import grokviz as gv

EPOCHS, FIELDS = np.arange(0, 1000, 10), np.arange(0, 1000, 110)
HOSTILE = '<img src=x onerror="window.hacked=1"> $x$'


@pytest.fixture(scope="module")
def own() -> xr.Dataset:
    rng = np.random.default_rng(0)
    norm = (rng.random((100, 30)) + 1).astype(np.float32)
    variables = {
        "norm": ("epoch", norm[:, 0], {"long_name": "norm of the whole", "units": "nats"}),
        "bit_norm": (("epoch", "bit"), norm, {"long_name": HOSTILE, "definition": HOSTILE}),
        "signed": (("epoch", "word"), norm[:, :9] - 1.5),
        "by_split": (("epoch", "split"), norm[:, :2]),
        "pattern": (("field_epoch", "side", "query", "key"), rng.normal(size=(10, 2, 6, 4))),
        "gram": (("query", "key"), rng.random((6, 4))),
        "change": ((), 340, {"long_name": "epoch of the change", "units": "epoch"}),
        "verdict": ((), HOSTILE),
    }
    coords = {
        "epoch": EPOCHS, "field_epoch": FIELDS, "split": ["train", "test"],
        "word": [f"{HOSTILE} {n}" for n in range(9)],
        "bit": ("bit", np.arange(30), {"long_name": "Number of the input bit"}),
    }  # fmt: skip
    return xr.Dataset(variables, coords)


def test_they_are_drawn_and_follow_the_slider(
    opened: Any, own: xr.Dataset, tmp_path: Path, actions: dict[str, Callable[..., None]]
) -> None:
    path = gv.explore(own, tmp_path / "own.html")
    page = opened(path, "#epoch=900")
    data = "document.querySelector('#panel-own-{} .plot').data[0]"
    for name in ("norm", "bit_norm", "signed", "by_split", "pattern", "gram"):
        actions["into_view"](page, f"own-{name}")
        assert page.locator(f"#panel-own-{name} .main-svg .trace, #panel-own-{name} .hm").count()
    axis = "document.querySelector('#panel-own-bit_norm .plot').layout.xaxis.title.text"
    assert page.evaluate(axis) == "Number of the input bit"
    for epoch in (500, 120):
        actions["into_view"](page, "own-bit_norm")
        actions["go"](page, epoch)
        shown = page.evaluate(f"Array.from({data.format('bit_norm')}.y)")
        np.testing.assert_array_equal(shown, own["bit_norm"].sel(epoch=epoch))
        stamp = page.locator("#panel-own-norm .stamp").inner_text()
        assert f"norm of the whole {float(own['norm'].sel(epoch=epoch)):.3g}" in stamp
    actions["into_view"](page, "own-pattern")
    page.locator("#panel-own-pattern .choice button").nth(1).click()
    field = page.evaluate(f"{data.format('pattern')}.z.map(row => Array.from(row))")
    wanted = own["pattern"].sel(field_epoch=110, side=1)
    np.testing.assert_allclose(field, wanted, rtol=1e-6)
    assert "epoch 110" in page.locator("#panel-own-pattern .stamp").inner_text()
    assert "340 epoch" in page.locator("#panel-own-numbers .plot").inner_text()
    with page.expect_download() as waiting:
        page.locator("#panel-own-bit_norm [data-save=csv]").click()
    rows = list(csv.reader(Path(waiting.value.path()).read_text("utf-8").splitlines()))
    assert rows[1][:2] == ["120", "0"]
    assert len(rows) == 31
    assert page.evaluate("window.hacked") is None
    spoken = page.locator("#panel-own-signed .plot").get_attribute("aria-label")
    assert spoken.startswith("Signed. At epoch 120: largest")
    assert page.pdf().startswith(b"%PDF")
