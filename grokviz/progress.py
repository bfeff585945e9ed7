"""How whoever waits is told how far the work has come."""

from __future__ import annotations

from collections.abc import Callable

ProgressCallback = Callable[[int, int], None]
"""Called with what is done and with all there is: epochs, checkpoints, frames or files."""
