"""Options that functions take as keywords: typed, and refused by name where there is none."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest

import grokviz as gv
from grokviz.errors import InputError
from grokviz.render.figures import FigureKeywords, FigureOptions
from grokviz.render.job import RenderKeywords, RenderOptions
from grokviz.scene.grids import GridKeywords, GridRoom
from grokviz.scene.style import MarginKeywords, Margins
from grokviz.slides.options import SlideKeywords, SlideOptions


@pytest.mark.parametrize(
    ("options", "keywords"),
    [
        (FigureOptions, FigureKeywords),
        (GridRoom, GridKeywords),
        (Margins, MarginKeywords),
        (RenderOptions, RenderKeywords),
        (SlideOptions, SlideKeywords),
    ],
)
def test_keywords_are_the_fields(options: Any, keywords: Any) -> None:
    assert get_type_hints(keywords) == get_type_hints(options)


@pytest.mark.parametrize(
    ("call", "fields"),
    [
        (lambda **more: gv.render("embedding-waves", **more), "quality, fps"),
        (lambda **more: gv.figures(**more), "venue, columns, theme, films, user"),
        (lambda **more: gv.slides(["clock"], **more), "run, quality"),
    ],
    ids=["render", "figures", "slides"],
)
def test_a_keyword_that_there_is_not_is_named(call: Any, fields: str) -> None:
    with pytest.raises(InputError, match=f"argument 'colour'; it takes {fields}"):
        call(colour="red")
