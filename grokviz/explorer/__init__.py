"""The explorer: a run as one page that opens by double click, with one slider for all panels."""

from __future__ import annotations

from grokviz.explorer.explore import explore

__all__ = ["explore"]
