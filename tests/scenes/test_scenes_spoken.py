"""What is said of a picture: shares in per cent, as they are."""

from __future__ import annotations

import pytest

from grokviz.scene.spoken import percent, running_percent


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0, "0%"), (1e-5, "under 0.1%"), (0.003, "0.3%"), (0.0094, "0.9%"), (0.0096, "1%"),
        (0.5, "50%"), (0.994, "99%"), (0.9951, "99.5%"), (0.9994, "99.9%"),
        (0.99996, "over 99.9%"), (1 - 1e-12, "100%"), (1, "100%"), (1.302, "130%"),
        (float("nan"), "nan%"),
    ],
)  # fmt: skip
def test_a_share_is_none_or_all_only_where_it_is(share: float, said: str) -> None:
    assert percent(share) == said


@pytest.mark.parametrize(
    ("share", "said"), [(0, "  0%"), (0.07, "  7%"), (0.9999, " 99%"), (1, "100%")]
)
def test_a_share_that_runs_on_keeps_its_width(share: float, said: str) -> None:
    assert running_percent(share) == said
