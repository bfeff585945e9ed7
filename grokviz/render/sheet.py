"""What stands around a scene: title, what to watch, the epoch, and where it is from.

Slides and films carry all of it; on paper the caption does, and only the epoch is drawn. All of
it is measured, so that nothing runs off the page or over its neighbour: a long title is made
smaller, then wrapped, and the header grows by its lines.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from grokviz.media.motion import FADE, SWAPPED
from grokviz.media.plain import clean_text
from grokviz.media.spacing import (
    FOOTER_EMS,
    GAP,
    HEADER_EMS,
    LEAST_EMS,
    LEFT,
    MOMENT_DOWN,
    MOMENT_GAP,
    NEXT_LINE,
    PAPER_HEADER_EMS,
    PAPER_SIDE,
    PAPER_TOP,
    RIGHT,
    SAID,
    SAID_LINE,
    SAID_SIZE,
    SECOND_LINE,
    SHRUNK,
    SIGNED,
    SPOKEN_EMS,
    SUBTITLE_LINES,
    SUBTITLE_TOP,
    TITLE_SHARE,
    TITLE_TOP,
)
from grokviz.media.typefaces import title_face
from grokviz.render.fitting import Fitted, fit, ruler
from grokviz.scene.clock import moment
from grokviz.scene.scene import Scene
from grokviz.scene.spoken import in_lines, starts
from grokviz.scene.style import Style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.text import Text

LINE = 1.2
NUMBERS = 600
"""The weight of the moment."""


@dataclass(frozen=True)
class Header:
    """What fits into the header, in ems; the subtitle and the moment begin so far from above."""

    height: float
    title: Fitted | None = None
    subtitle: Fitted | None = None
    subtitle_top: float = 0.0
    moment_top: float = 0.0


class Sheet:
    """A figure with its furniture; the scene draws on :attr:`body`."""

    def __init__(
        self, figure: Figure, scene: Scene, data: xr.Dataset, style: Style, title: str | None,
        *, spoken: bool = False,
    ) -> None:  # fmt: skip
        self.figure, self.scene, self.data, self.style = figure, scene, data, style
        self.title = clean_text(title or "")
        self.spoken = spoken and style.slide
        self.clock, self.fixed = clock_of(scene, data)
        self.caption: Text | None = None
        self.wide, self.high = style.ems(figure)
        self.body, self.moment = self._lay_out()

    def _lay_out(self) -> tuple[SubFigure, Text | None]:
        header = self._slide_header() if self.style.slide else self._paper_header()
        footer = (SPOKEN_EMS if self.spoken else FOOTER_EMS) if self.style.slide else 0.01
        rows = [header.height, max(self.high - header.height - footer, 1.0), footer]
        parts: Any = self.figure.subfigures(3, 1, height_ratios=rows, hspace=0)
        for part in parts:
            part.set_facecolor("none")
        self._furnish(parts[0], header)
        if self.style.slide:
            self._sign(parts[2])
        return parts[1], self._moment(parts[0], header)

    def _slide_header(self) -> Header:
        if not self.title:
            return Header(HEADER_EMS / 2, moment_top=0.1 * HEADER_EMS / 2)
        measure = self._ruler(**self._face())
        largest = float(self.style.theme.rc["figure.titlesize"]) / self.style.points
        room = self.wide - LEFT - RIGHT
        if self.spoken:
            return self._spoken_header(largest, room, measure)
        title = fit(self.title, room, measure, (largest, SHRUNK * largest), self._most(largest))
        taken = self._moment_width() + MOMENT_GAP if self.clock else 0.0
        words = clean_text(self.scene.subtitle(self.data))
        subtitle = fit(words, room - taken, self._ruler(linespacing=1.15), (1, 1), SUBTITLE_LINES)
        more = len(subtitle.lines) - 1
        lift = SUBTITLE_TOP + SECOND_LINE * min(more, 1) + NEXT_LINE * max(more - 1, 0)
        gap = GAP * min(len(title.lines), 2)
        below = TITLE_TOP + measure(title.text, title.size)[1] + gap
        height = max(HEADER_EMS, below + lift)
        return Header(height, title, subtitle, height - lift, height - SUBTITLE_TOP)

    def _spoken_header(self, largest: float, room: float, measure: Any) -> Header:
        """The title beside the moment: what to watch is said below."""
        taken = self._moment_width() + MOMENT_GAP if self.clock else 0.0
        title = fit(
            self.title, room - taken, measure, (largest, SHRUNK * largest), self._most(largest)
        )
        below = TITLE_TOP + measure(title.text, title.size)[1] + GAP
        return Header(max(LEAST_EMS, below), title, moment_top=TITLE_TOP + MOMENT_DOWN)

    def _paper_header(self) -> Header:
        """The title beside the moment where that leaves it room, else above it."""
        if not self.title:
            return Header(PAPER_HEADER_EMS if self.clock else 0.01, moment_top=PAPER_TOP)
        measure = self._ruler(**self._face())
        small = self.style.small / self.style.points
        room, most = self.wide - 2 * PAPER_SIDE, self._most(1.0)
        beside = self._moment_width() + MOMENT_GAP if self.clock else 0.0
        title = fit(self.title, room - beside, measure, (1.0, small), most)
        if len(title.lines) == 1:
            return Header(PAPER_HEADER_EMS, title, moment_top=PAPER_TOP)
        title = fit(self.title, room, measure, (1.0, small), most)
        top = PAPER_TOP + measure(title.text, title.size)[1] + GAP
        return Header(top + (PAPER_HEADER_EMS if self.clock else 0.0), title, moment_top=top)

    def _most(self, size: float) -> int:
        """How many lines of a title the page has room for."""
        return max(int(TITLE_SHARE * self.high / (LINE * size)), 1)

    @staticmethod
    def _face() -> dict[str, Any]:
        """The typeface of titles, with the fonts that a picture in another script adds."""
        import matplotlib

        return title_face(matplotlib.rcParams["font.family"])

    def _ruler(self, **look: Any) -> Any:
        return ruler(self.figure, self.style.points, **look)

    def _furnish(self, header: SubFigure, place: Header) -> None:
        points = self.style.points
        x = (LEFT if self.style.slide else PAPER_SIDE) / self.wide
        if place.title is not None:
            top = TITLE_TOP if self.style.slide else PAPER_TOP
            header.text(
                x, 1 - top / place.height, place.title.text, fontsize=place.title.size * points,
                va="top", parse_math=False, **self._face(),
            )  # fmt: skip
        if place.subtitle is not None:
            header.text(
                x, 1 - place.subtitle_top / place.height, place.subtitle.text, va="top",
                color=self.style.colours.muted, linespacing=1.15, parse_math=False,
            )  # fmt: skip

    def _sign(self, footer: SubFigure) -> None:
        """Write where the data is from."""
        size = self.style.small / self.style.points
        words, room = self.scene.about(self.data), self.wide - LEFT - RIGHT
        text = fit(words, room, self._ruler(), (size, size), 1).text
        footer.text(
            LEFT / self.wide, SIGNED / SPOKEN_EMS if self.spoken else 0.5, text,
            color=self.style.colours.muted, fontsize=self.style.small, va="center",
            parse_math=False,
        )  # fmt: skip

        if self.spoken:
            self.caption = footer.text(
                0.5, SAID / SPOKEN_EMS, "", fontsize=SAID_SIZE * self.style.points, ha="center",
                va="center", linespacing=SAID_LINE, parse_math=False,
            )  # fmt: skip

    def with_captions(
        self, updates: Sequence[Callable[[], None]], captions: Sequence[str], fps: float
    ) -> list[Callable[[], None]]:
        """What draws each frame, with the captions over all of them; equal frames are equal."""
        if not captions or self.caption is None:
            return list(updates)
        begins, fade = starts(captions, len(updates)), max(round(FADE * fps), 1)
        known: dict[tuple[int, int, int], Callable[[], None]] = {}
        shown = []
        for frame, update in enumerate(updates):
            n = bisect_right(begins, frame) - 1
            seen = min(frame - begins[n] + 1, fade) if n else fade
            opacity = SWAPPED + (1 - SWAPPED) * seen / fade
            one = partial(self._say, update, "\n".join(in_lines(captions[n])), opacity)
            shown.append(known.setdefault((id(update), n, seen), one))
        return shown

    def _say(self, update: Callable[[], None], text: str, opacity: float) -> None:
        update()
        if self.caption is not None:
            self.caption.set(text=text, alpha=opacity)

    def _moment_size(self) -> float:
        return self.style.points * 1.25 if self.style.slide else self.style.small

    def _moment_width(self) -> float:
        """What the moment takes at its widest."""
        words = moment(self.data, str(self.clock), 0)
        return float(
            self._ruler(fontweight=NUMBERS)(words, self._moment_size() / self.style.points)[0]
        )

    def _moment(self, header: SubFigure, place: Header) -> Text | None:
        """The epoch, always in the same corner, in figures of equal width."""
        if self.clock is None:
            return None
        side = RIGHT if self.style.slide else PAPER_SIDE
        return header.text(
            1 - side / self.wide, 1 - place.moment_top / place.height,
            "", ha="right", va="top", fontweight=NUMBERS, fontsize=self._moment_size(),
            color=self.style.colours.answer,
        )  # fmt: skip

    def show(self, i: int) -> None:
        """Write the clock's value at index ``i``; of a scene without a clock its one moment."""
        if self.moment is None or self.clock is None:
            return
        self.moment.set_text(moment(self.data, self.clock, i if self.fixed is None else self.fixed))


def clock_of(scene: Scene, data: xr.Dataset) -> tuple[str | None, int | None]:
    """The clock whose moment stands above, and at which index it always stands, if at one."""
    if scene.clock is None and scene.checkpoint in data.coords:
        return scene.checkpoint, scene.drawn_at(data)
    return scene.clock, None
