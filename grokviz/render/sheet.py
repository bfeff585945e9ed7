"""What stands around a scene: title, what to watch, the epoch, and where it is from.

Slides and films carry all of it; on paper the caption does, and only the epoch is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grokviz.scene.about import about
from grokviz.scene.clock import moment
from grokviz.scene.scene import Scene
from grokviz.scene.style import Style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.text import Text

HEADER_EMS, FOOTER_EMS = 6.6, 2.6
PAPER_HEADER_EMS = 1.6
SUBTITLE_TOP = 0.30
"""Of a slide's header, as a share of its height from below; two lines begin higher."""


class Sheet:
    """A figure with its furniture; the scene draws on :attr:`body`."""

    def __init__(
        self, figure: Figure, scene: Scene, data: xr.Dataset, style: Style, title: str | None
    ) -> None:
        self.figure, self.scene, self.data, self.style = figure, scene, data, style
        # a run's name is data: no $ in it may be read as a formula
        self.title = None if title is None else title.replace("$", r"\$")
        self.body, self.moment = self._lay_out()

    def _lay_out(self) -> tuple[SubFigure, Text | None]:
        high = self.style.ems(self.figure)[1]
        header, footer = self._margins()
        rows = [header, max(high - header - footer, 1.0), footer]
        parts: Any = self.figure.subfigures(3, 1, height_ratios=rows, hspace=0)
        for part in parts:
            part.set_facecolor("none")
        if self.style.slide:
            self._furnish(parts[0], parts[2])
        elif self.title:
            parts[0].text(
                1 / self.style.ems(self.figure)[0], 0.9, self.title,
                va="top", fontweight="bold", fontsize=self.style.points,
            )  # fmt: skip
        return parts[1], self._moment(parts[0])

    def _margins(self) -> tuple[float, float]:
        if self.style.slide:
            return (HEADER_EMS if self.title else HEADER_EMS / 2), FOOTER_EMS
        return (PAPER_HEADER_EMS if self.title or self.scene.clock else 0.01), 0.01

    def _furnish(self, header: SubFigure, footer: SubFigure) -> None:
        wide = self.style.ems(self.figure)[0]
        margin, colours = 4.2 / wide, self.style.colours
        if self.title:
            size = float(self.style.theme.rc["figure.titlesize"])
            header.text(margin, 0.72, self.title, fontsize=size, fontweight="bold", va="top")
            subtitle = self.scene.subtitle(self.data).replace("$", r"\$")
            top = SUBTITLE_TOP + 0.12 * subtitle.count("\n")
            header.text(margin, top, subtitle, color=colours.muted, va="top", linespacing=1.15)
        footer.text(
            margin, 0.5, about(self.data).replace("$", r"\$"),
            color=colours.muted, fontsize=self.style.small, va="center",
        )  # fmt: skip

    def _moment(self, header: SubFigure) -> Text | None:
        """The epoch, always in the same corner, in figures of equal width."""
        if self.scene.clock is None:
            return None
        wide = self.style.ems(self.figure)[0]
        size = self.style.points * 1.25 if self.style.slide else self.style.small
        return header.text(
            1 - (2.0 if self.style.slide else 1.0) / wide,
            SUBTITLE_TOP if self.style.slide and self.title else 0.9,
            "", ha="right", va="top", family="DejaVu Sans Mono", fontsize=size,
        )  # fmt: skip

    def show(self, i: int) -> None:
        """Write the clock's value at index ``i``."""
        if self.moment is None or self.scene.clock is None:
            return
        self.moment.set_text(moment(self.data, self.scene.clock, i))
