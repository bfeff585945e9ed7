"""Lengths of everything that stands around a picture; docs/look.md says why.

On a page they are in ems of the body type, so that one layout fits every size; in films drawn with
manim in pixels of 1920 x 1080.
"""

from __future__ import annotations

HEADER_EMS, FOOTER_EMS = 6.6, 2.6
PAPER_HEADER_EMS = 1.6
"""The heights of the header and the footer of a slide, and of a header on paper."""

LEFT, RIGHT, PAPER_SIDE = 4.2, 2.0, 1.0
"""The margins of a slide, and those on paper."""

TITLE_TOP, PAPER_TOP = 0.28 * HEADER_EMS, 0.1 * PAPER_HEADER_EMS
"""Where a header's text begins, from the upper edge of the page."""

SUBTITLE_TOP, SECOND_LINE, NEXT_LINE = 0.30 * HEADER_EMS, 0.12 * HEADER_EMS, 1.25
"""Where the subtitle begins, from below, and what a second line and later ones lift it by."""

SHRUNK = 0.75
"""The share of its size to which a title is made smaller before it is wrapped."""

GAP, MOMENT_GAP = 0.35, 1.5
"""Between a line of title and what is below it, and between a text and the moment beside it."""

TITLE_SHARE, SUBTITLE_LINES = 0.4, 4
"""The part of the page's height that a title may take, and lines that a subtitle may have."""

SPOKEN_EMS, SAID, SIGNED, LEAST_EMS, MOMENT_DOWN = 6.1, 4.0, 1.1, 4.7, 0.4
"""Where captions are said: the footer's height, and from below the middles of the caption and of
the run; the header's height, and how far the moment begins below the title's upper edge."""

SAID_SIZE, SAID_LINE = 1.477, 1.2
"""The type size of captions, as in films drawn with manim, and the distance of their lines."""

# --- films drawn with manim ---------------------------------------------------------------

MARGIN = 128
"""Margin at the left and right in pixels."""

STAGE = (150, 890)
"""First and last pixel row of the content; the title is above and the captions below."""

CAPTION_ROW, CAPTION_LINE, SOURCE_ROW = 968, 61, 1054
"""Where a caption's last line stands, how far its lines are apart, and where the source stands."""

TITLE_ROW, TITLE_ROOM = 100, 1370
"""Where a title stands, and the pixels between the margin and the epoch."""

MOMENT_AT = (1920 - 61, 100)
"""Where the epoch ends."""
