"""The explorer: a run as one page that opens by double click, with one slider for all panels.

Here belongs only what makes a page of a run; what the page is made of is :mod:`grokviz.pages`'s.
"""

from __future__ import annotations

from grokviz.explorer.explore import explore

__all__ = ["explore"]
