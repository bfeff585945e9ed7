"""Text metadata inside picture files.

FFmpeg's muxers write no comments into GIF, WebP and APNG, so this module inserts the blocks
as the GIF89a, PNG (third edition) and WebP container specifications describe them. Pillow
reads them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from xml.sax.saxutils import escape
from xml.sax.saxutils import unescape as _unescape

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def unescape(text: str) -> str:
    """Unescape XML text."""
    return _unescape(text, {"&quot;": '"', "&apos;": "'"})


# --- PNG and APNG -----------------------------------------------------------


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk with its length and checksum."""
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def png_with_texts(data: bytes, texts: dict[str, str]) -> bytes:
    """The PNG with an ``iTXt`` chunk (UTF-8) for each keyword, right after the header."""
    end = 8 + 12 + 13
    if data[:8] != PNG_SIGNATURE or data[12:16] != b"IHDR":
        raise ValueError("not a PNG file")
    blocks = [
        png_chunk(b"iTXt", key.encode("latin-1") + b"\0\0\0\0\0" + text.encode())
        for key, text in texts.items()
        if text
    ]
    return data[:end] + b"".join(blocks) + data[end:]


# --- GIF --------------------------------------------------------------------


def _gif_start(data: bytes) -> int:
    """Offset of the first block, after the header and the global palette."""
    if data[:6] not in (b"GIF89a", b"GIF87a"):
        raise ValueError("not a GIF file")
    flags = data[10]
    return 13 + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0)


def gif_with_comment(data: bytes, comment: str) -> bytes:
    """The GIF with a comment extension before its first frame."""
    text = comment.encode()
    blocks = b"".join(
        bytes([len(text[i : i + 255])]) + text[i : i + 255] for i in range(0, len(text), 255)
    )
    at = _gif_start(data)
    while data[at : at + 2] == b"\x21\xff":  # the looping block stays first
        at += 2
        while size := data[at]:
            at += 1 + size
        at += 1
    return data[:at] + b"\x21\xfe" + blocks + b"\0" + data[at:]


# --- WebP -------------------------------------------------------------------


def webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of each top-level chunk of a WebP."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise ValueError("not a WebP file")
    at = 12
    while at + 8 <= len(data):
        (size,) = struct.unpack_from("<I", data, at + 4)
        yield data[at : at + 4], data[at + 8 : at + 8 + size]
        at += 8 + size + (size & 1)


def _riff(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def webp_with_xmp(data: bytes, xmp: str, size: tuple[int, int]) -> bytes:
    """The WebP with an XMP packet; ``size`` is its width and height in pixels."""
    chunks = list(webp_chunks(data))
    if chunks[0][0] == b"VP8X":
        header = chunks.pop(0)[1]
    else:  # FFmpeg writes a film of one picture as a simple WebP
        alpha = 0x10 if chunks[0][0] == b"VP8L" else 0
        width, height = size[0] - 1, size[1] - 1
        header = (
            bytes([alpha, 0, 0, 0]) + width.to_bytes(3, "little") + height.to_bytes(3, "little")
        )
    header = bytes([header[0] | 0x04]) + header[1:]
    parts = [(b"VP8X", header), *chunks, (b"XMP ", xmp.encode())]
    body = b"WEBP" + b"".join(_riff(kind, part) for kind, part in parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def xmp(title: str, alt: str, source: str) -> str:
    """An XMP packet with Dublin Core title and description, and ``source``."""
    text = '<rdf:Alt><rdf:li xml:lang="x-default">{}</rdf:li></rdf:Alt>'
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{text.format(escape(title))}</dc:title>"
        f"<dc:description>{text.format(escape(alt))}</dc:description>"
        f"<dc:source>{escape(source)}</dc:source>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    )


# --- AVIF ---------------------------------------------------------------------

_CONTAINER_BOXES = (b"moov", b"trak", b"mdia")
_TIME_BOXES = (b"mvhd", b"tkhd", b"mdhd")


def clear_times(data: bytes) -> bytes:
    """Clear the creation times in a file of ISO boxes, so that its bytes are reproducible."""
    out = bytearray(data)
    _clear_times(out, 0, len(out))
    return bytes(out)


def _clear_times(data: bytearray, at: int, stop: int) -> None:
    while at + 8 <= stop:
        (size,) = struct.unpack_from(">I", data, at)
        kind = bytes(data[at + 4 : at + 8])
        if size < 8:  # size to the end of the file or of 64 bits: picture data, without times
            return
        if kind in _CONTAINER_BOXES:
            _clear_times(data, at + 8, at + size)
        elif kind in _TIME_BOXES:
            length = 16 if data[at + 8] else 8  # creation and modification, by the box's version
            data[at + 12 : at + 12 + length] = bytes(length)
        at += size


# --- PDF --------------------------------------------------------------------


def pdf_strings(data: bytes) -> str:
    """The keywords of a PDF whose information dictionary is not compressed."""
    start = data.find(b"/Keywords (")
    if start < 0:
        return ""
    at = start + len(b"/Keywords (")
    out = bytearray()
    escapes = {ord("n"): 10, ord("r"): 13, ord("t"): 9}
    while at < len(data) and data[at] != ord(")"):
        if data[at] == ord("\\"):
            at += 1
            out.append(escapes.get(data[at], data[at]))
        else:
            out.append(data[at])
        at += 1
    return out.decode("latin-1")
