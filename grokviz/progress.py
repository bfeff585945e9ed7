"""The callback by which long-running functions report progress."""

from __future__ import annotations

from collections.abc import Callable

ProgressCallback = Callable[[int, int], None]
"""Called with the number completed and the total, of checkpoints, frames, members or files."""
