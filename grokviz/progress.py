"""How work that takes a while tells where it stands."""

from __future__ import annotations

from collections.abc import Callable

ProgressCallback = Callable[[int, int], None]
"""Called with (done, total)."""
