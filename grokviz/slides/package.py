"""Post-processing of a PowerPoint package: theme, thumbnail and reproducible bytes."""

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

_COMPRESSED = (".mp4", ".png", ".jpeg")
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
_APPLICATION = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/'
    'extended-properties"><Application>grokviz</Application>'
    "<PresentationFormat>Widescreen</PresentationFormat></Properties>"
)
_CORE = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
_TERMS = "{http://purl.org/dc/terms/}"
_ELEMENTS = "{http://purl.org/dc/elements/1.1/}"


def finish_package(package: bytes, deck: Deck) -> bytes:
    """Insert the deck's theme, thumbnail and provenance, and fix the times of all entries."""
    replacements: dict[str, Callable[[bytes], bytes]] = {
        THEME: lambda xml: theme_xml(xml, deck.theme),
        THUMBNAIL: lambda _: _thumbnail(deck.slides[0].poster),
        APPLICATION: lambda _: _APPLICATION.encode(),
        CORE: lambda xml: _core(xml, deck),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            entry = zipfile.ZipInfo(name, _FIXED_TIME)
            # films and pictures are compressed already
            compressible = not name.endswith(_COMPRESSED)
            entry.compress_type = zipfile.ZIP_DEFLATED if compressible else zipfile.ZIP_STORED
            entry.create_system = 3  # otherwise the bytes would depend on the operating system
            target.writestr(entry, replacements[name](data) if name in replacements else data)
    return out.getvalue()


def _core(xml: bytes, deck: Deck) -> bytes:
    """Core properties with the whole provenance, without the template's dates."""
    from lxml import etree

    root = etree.fromstring(xml)
    for entry in list(root):
        if entry.tag in (f"{_TERMS}created", f"{_TERMS}modified", f"{{{_CORE}}}revision"):
            root.remove(entry)
        elif entry.tag == f"{_ELEMENTS}description":
            # set here, since python-pptx refuses more than 255 characters
            entry.text = deck.provenance.as_json()
    xml_bytes: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    return xml_bytes


def _thumbnail(poster: bytes) -> bytes:
    """The thumbnail for file managers, from the first slide."""
    from PIL import Image

    small = Image.fromarray(read_picture(poster, alpha=False))
    small.thumbnail((THUMBNAIL_WIDTH, THUMBNAIL_WIDTH))
    return picture_bytes(np.asarray(small), ".jpeg", quality=85)
