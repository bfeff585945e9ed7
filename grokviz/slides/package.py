"""The last hand at a PowerPoint package: its theme, its thumbnail, and always the same bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import numpy as np

from grokviz.media.pixels import picture_bytes, read_picture
from grokviz.slides.deck import Deck
from grokviz.slides.look import theme_xml

THEME = "ppt/theme/theme1.xml"
THUMBNAIL = "docProps/thumbnail.jpeg"
APPLICATION = "docProps/app.xml"
CORE = "docProps/core.xml"
THUMBNAIL_WIDTH = 512

_STORED = (".mp4", ".png", ".jpeg")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_APPLICATION = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/'
    'extended-properties"><Application>grokviz</Application>'
    "<PresentationFormat>Widescreen</PresentationFormat></Properties>"
)
_CORE = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
_TERMS = "{http://purl.org/dc/terms/}"
_ELEMENTS = "{http://purl.org/dc/elements/1.1/}"


def settled(package: bytes, deck: Deck) -> bytes:
    """The package with the deck's theme and thumbnail, its entries without times."""
    changed: dict[str, Callable[[bytes], bytes]] = {
        THEME: lambda xml: theme_xml(xml, deck.theme),
        THUMBNAIL: lambda _: _thumbnail(deck.slides[0].poster),
        APPLICATION: lambda _: _APPLICATION.encode(),
        CORE: lambda xml: _core(xml, deck),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            # films and pictures are compressed already
            small = not name.endswith(_STORED)
            entry.compress_type = zipfile.ZIP_DEFLATED if small else zipfile.ZIP_STORED
            entry.create_system = 3  # or the bytes would follow the operating system
            new.writestr(entry, changed[name](data) if name in changed else data)
    return out.getvalue()


def _core(xml: bytes, deck: Deck) -> bytes:
    """Core properties with the whole provenance, without the template's dates."""
    from lxml import etree

    root = etree.fromstring(xml)
    for entry in list(root):
        if entry.tag in (f"{_TERMS}created", f"{_TERMS}modified", f"{{{_CORE}}}revision"):
            root.remove(entry)
        elif entry.tag == f"{_ELEMENTS}description":
            # python-pptx would refuse more than 255 characters
            entry.text = deck.provenance.as_json()
    whole: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    return whole


def _thumbnail(poster: bytes) -> bytes:
    """What a file manager shows: the first slide."""
    from PIL import Image

    small = Image.fromarray(read_picture(poster, alpha=False))
    small.thumbnail((THUMBNAIL_WIDTH, THUMBNAIL_WIDTH))
    return picture_bytes(np.asarray(small), ".jpeg", quality=85)
