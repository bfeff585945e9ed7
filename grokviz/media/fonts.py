"""Fonts for text in any script: what to draw what matplotlib's own font has no glyph for.

Fonts are looked for only where a text needs them, so that the bytes of all other pictures are
those of every machine.
"""

from __future__ import annotations

import contextlib
import logging
import re
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

log = logging.getLogger(__name__)

FALLBACKS = (
    "Noto Sans SC", "Noto Sans JP", "Noto Sans KR", "Noto Sans TC", "Noto Sans CJK SC",
    "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans CJK TC", "Source Han Sans SC",
    "Source Han Sans", "PingFang SC", "Hiragino Sans", "Hiragino Sans GB", "Apple SD Gothic Neo",
    "Microsoft YaHei", "Yu Gothic", "Meiryo", "Malgun Gothic", "SimHei", "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei", "Noto Sans Devanagari", "Noto Sans Bengali", "Noto Sans Tamil",
    "Noto Sans Thai", "Nirmala UI", "Leelawadee UI", "Kohinoor Devanagari", "Thonburi",
    "Noto Sans Symbols", "Noto Sans Symbols 2", "Segoe UI Symbol", "Apple Symbols",
    "Noto Sans Math", "Arial Unicode MS", "FreeSans", "Unifont",
)  # fmt: skip
"""The first to be looked for, in this order; then all other fonts in the order of their names."""

_WARNING = re.compile(r"Glyph (\d+) .*missing from")
_SHOWN = 5


def fallback_fonts(texts: Iterable[str], families: Sequence[str]) -> list[str]:
    """Installed fonts to add to ``families``, so that all characters of ``texts`` have a glyph."""
    lacking = {ord(character) for character in set("".join(texts)) if _drawn(character)}
    if all(point < 0x250 for point in lacking):  # Latin letters are in every font of ours
        return []
    for family in families:
        lacking -= _characters(family)
    fonts = []
    for family, file in _candidates() if lacking else ():
        if has := _characters_of(file) & lacking:
            fonts.append(family)
            lacking -= has
        if not lacking:
            break
    return fonts


@contextlib.contextmanager
def tell_missing_glyphs() -> Iterator[None]:
    """Say in one sentence after the block what characters no font had, in place of matplotlib."""
    missing: dict[str, None] = {}
    with warnings.catch_warnings(), _quiet():
        show: Any = warnings.showwarning

        def collect(message: Warning | str, *where: Any, **more: Any) -> None:
            if match := _WARNING.match(str(message)):
                missing[chr(int(match[1]))] = None
            else:
                show(message, *where, **more)

        warnings.filterwarnings("always", _WARNING.pattern)
        warnings.showwarning = collect
        yield
    if missing:
        log.warning(_sentence(list(missing)))


@contextlib.contextmanager
def untold_missing_glyphs() -> Iterator[None]:
    """Say nothing of missing glyphs within the block, where it only shows what fonts to add."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", _WARNING.pattern)
        yield


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Do not tell that a font has no bold letters: its others are drawn."""
    logger = logging.getLogger("matplotlib.font_manager")

    def other(record: logging.LogRecord) -> bool:
        return "Failed to find font weight" not in record.getMessage()

    logger.addFilter(other)
    try:
        yield
    finally:
        logger.removeFilter(other)


def _sentence(missing: Sequence[str]) -> str:
    shown = ", ".join(f"{character} (U+{ord(character):04X})" for character in missing[:_SHOWN])
    more = f" and {len(missing) - _SHOWN} more characters" if len(missing) > _SHOWN else ""
    return (
        f"no installed font has {shown}{more}, drawn as boxes: install one that has, such as "
        "Noto Sans CJK, or give a --style file whose font.family names one"
    )


def _drawn(character: str) -> bool:
    """Whether a character needs a glyph: spaces, marks of direction and variants do not."""
    if "\ufe00" <= character <= "\ufe0f":
        return False
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zs", "Zl", "Zp")


def _candidates() -> list[tuple[str, str]]:
    """Families of all installed fonts and their files, the best known first."""
    from matplotlib.font_manager import fontManager

    files: dict[str, str] = {}
    for entry in fontManager.ttflist:
        if not ("Emoji" in entry.name or "Last Resort" in entry.name or entry.name[0] == "."):
            upright = entry.style == "normal" and str(entry.weight) in ("400", "normal", "regular")
            files[entry.name] = entry.fname if upright else files.get(entry.name, entry.fname)
    order = [*FALLBACKS, *sorted(files.keys() - set(FALLBACKS))]
    return [(name, files[name]) for name in order if name in files]


def _characters(family: str) -> frozenset[int]:
    """The characters of a family's upright font; none where it is not installed."""
    from matplotlib.font_manager import FontProperties, findfont

    try:
        file = findfont(FontProperties(family=[family]), fallback_to_default=False)
    except ValueError:
        return frozenset()
    return _characters_of(str(file))


@lru_cache(maxsize=64)
def _characters_of(file: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(FT2Font(file).get_charmap())
    except RuntimeError:  # a font of pictures
        return frozenset()
