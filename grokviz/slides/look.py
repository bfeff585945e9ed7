"""The look of a PowerPoint file: 16:9, with the colours of the films' theme."""

from __future__ import annotations

from typing import Any

from grokviz.media.theme import theme

WIDE, HIGH = 12_192_000, 6_858_000
"""13.333 x 7.5 inches in PowerPoint's units, 914,400 to an inch."""

FONTS = {"majorFont": "Georgia", "minorFont": "Verdana"}
"""Of titles and of text: PowerPoint and Keynote ship both, and not the films' typefaces."""

# where the films draw their title, so that the slide's title lies under it
_TITLE = (721_360, 260_000, 10_749_280, 500_000)
_TITLE_SIZE = 2300  # hundredths of a point
_HEADING_SIZE = 3600

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_DARK = {"bg1": "dk1", "tx1": "lt1", "bg2": "dk2", "tx2": "lt2"}


def dress(presentation: Any, name: str) -> None:
    """Change python-pptx's 4:3 template to 16:9 and to the theme's colours and fonts."""
    wider = WIDE / presentation.slide_width
    presentation.slide_width, presentation.slide_height = WIDE, HIGH
    size = presentation.part._element.find(f"{_P}sldSz")
    size.attrib.pop("type", None)  # the template says screen4x3
    master = presentation.slide_master
    for page in (master, *presentation.slide_layouts):
        for shape in page.placeholders:
            if shape._element.spPr.find(f"{_A}xfrm") is not None:
                shape.left, shape.width = round(shape.left * wider), round(shape.width * wider)
    _titles(presentation)
    if theme(name).dark:
        for role, colour in _DARK.items():
            master._element.find(f"{_P}clrMap").set(role, colour)
    _remove_printer(presentation)


def _titles(presentation: Any) -> None:
    """Make titles left-aligned and bold, as in the films."""
    master = presentation.slide_master
    style = master._element.find(f"{_P}txStyles/{_P}titleStyle/{_A}lvl1pPr")
    style.set("algn", "l")
    style.find(f"{_A}defRPr").set("sz", str(_TITLE_SIZE))
    style.find(f"{_A}defRPr").set("b", "1")
    for shape in master.placeholders:
        if shape.placeholder_format.type is not None and shape.placeholder_format.idx == 0:
            shape.left, shape.top, shape.width, shape.height = _TITLE
    first = presentation.slide_layouts[0]
    for shape in first.placeholders:
        if shape.placeholder_format.idx == 0:
            _list_style(shape, _HEADING_SIZE)
        elif shape.placeholder_format.idx == 1:
            _list_style(shape, None)
        if shape.placeholder_format.idx < 2:
            shape.left, shape.width = _TITLE[0], _TITLE[2]


def _list_style(shape: Any, size: int | None) -> None:
    """Left-align the first level of a layout's placeholder, in ``size``."""
    from lxml import etree

    styles = shape._element.txBody.find(f"{_A}lstStyle")
    level = styles.find(f"{_A}lvl1pPr")
    if level is None:
        level = etree.SubElement(styles, f"{_A}lvl1pPr")
    level.set("algn", "l")
    if size is not None:
        letters = level.find(f"{_A}defRPr")
        if letters is None:
            letters = etree.SubElement(level, f"{_A}defRPr")
        letters.set("sz", str(size))


def _remove_printer(presentation: Any) -> None:
    """Remove the printer settings that the template contains."""
    for key, relation in list(presentation.part.rels.items()):
        if relation.reltype.endswith("/printerSettings"):
            presentation.part.rels.pop(key)


def theme_xml(xml: bytes, name: str) -> bytes:
    """The theme part with the colours of ``name``; the master swaps roles for dark themes."""
    from lxml import etree

    look = theme(name)
    colours = look.colours
    ink, ground = (
        (colours.background, colours.ink) if look.dark else (colours.ink, colours.background)
    )
    quiet = (colours.grid, colours.muted) if look.dark else (colours.muted, colours.grid)
    scheme = dict(zip(("dk1", "lt1", "dk2", "lt2"), (ink, ground, *quiet), strict=True))
    scheme |= {f"accent{i}": colour for i, colour in enumerate(colours.frequencies[:6], 1)}
    scheme |= {"hlink": colours.frequencies[0], "folHlink": colours.frequencies[3]}
    root = etree.fromstring(xml)
    root.set("name", f"grokviz {name}")
    for role, colour in scheme.items():
        entry = root.find(f"{_A}themeElements/{_A}clrScheme/{_A}{role}")
        for old in list(entry):
            entry.remove(old)
        etree.SubElement(entry, f"{_A}srgbClr").set("val", colour.lstrip("#").upper())
    for kind, font in FONTS.items():
        root.find(f"{_A}themeElements/{_A}fontScheme/{_A}{kind}/{_A}latin").set("typeface", font)
    xml_bytes: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    return xml_bytes
