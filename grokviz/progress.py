"""How work in hand is reported."""

from __future__ import annotations

from collections.abc import Callable

ProgressCallback = Callable[[int, int], None]
"""Called with (done, all) of whatever is counted: checkpoints, frames, members, files."""
