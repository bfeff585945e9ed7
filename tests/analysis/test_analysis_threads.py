"""One BLAS thread inside, as many as before after it."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from grokviz.dataset.threads import one_thread


def counts() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_blas_has_one_thread_for_a_while() -> None:
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    if "openblas" not in built:
        pytest.skip(f"numpy has {built}, whose threads nobody can count")
    with threadpool_limits(2, user_api="blas"):
        assert counts() == {2}
        with one_thread():
            assert counts() == {1}
        assert counts() == {2}
