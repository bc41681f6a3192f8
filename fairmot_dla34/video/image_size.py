"""Reads width and height from the header of an image file, before anything is decoded.

A small file can decode to gigabytes: the size is checked first. Each reader takes the first bytes of a file.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# 67 million, twice 8K video: 201 MB as BGR. A run holds up to a dozen images, so larger ones would need several GB.
MAX_SOURCE_PIXELS = 8192 * 8192

_Size = tuple[int, int]
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG: DHT, JPG, DAC are not frames
_JPEG_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])", re.DOTALL)  # of a segment with a length
_MAX_JPEG_SEGMENTS = 10_000  # a profile or depth map of 600 MB; cameras write up to a few hundred


def size_of_image(data: bytes | memoryview) -> _Size | None:
    """Return width and height in px of an encoded image, or None if its format is unknown or its header damaged.

    Args:
        data: The file, or its beginning. AVIF and JPEG may have long metadata before the size.
    """
    head = bytes(data[:16])
    for pattern, reader in _READERS:
        if re.match(pattern, head, re.DOTALL):
            try:
                return reader(data)
            except (struct.error, IndexError, ValueError):
                return None
    return None


def too_large(size: _Size) -> str:
    """Return the reason why an image of a size is refused, or "" if it is not.

    Args:
        size: Width and height in px.
    """
    width, height = size
    if width * height <= MAX_SOURCE_PIXELS:
        return ""
    return f"{width} x {height} px is more than {MAX_SOURCE_PIXELS // 10**6} million px"


def jpeg_scans(data: bytes | bytearray) -> int:
    """Return the number of scans of a JPEG file, 0 for other formats.

    Args:
        data: The whole file.
    """
    scans, position = 0, 2
    found = _JPEG_MARKER.search(data, position) if data[:2] == b"\xff\xd8" else None
    while found is not None and found[1] != b"\xd9" and position + 4 <= len(data):
        scans += found[1] == b"\xda"
        position = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
        found = _JPEG_MARKER.search(data, position)
    return scans


def _png(data: bytes | memoryview) -> _Size:
    width, height = struct.unpack_from(">II", data, 16)  # IHDR is the first chunk
    return width, height


def _jpeg(data: bytes | memoryview) -> _Size | None:
    position = 2
    for _ in range(_MAX_JPEG_SEGMENTS):
        found = _JPEG_MARKER.search(data, position)  # between segments, decoders look for the next marker
        if found is None or found[1] == b"\xda":  # image data before its header
            return None
        position = found.end()
        if found[1][0] in _START_OF_FRAME:
            height, width = struct.unpack_from(">HH", data, position + 3)
            return width, height
        position += struct.unpack_from(">H", data, position)[0]
    return None


def _bmp(data: bytes | memoryview) -> _Size:
    if struct.unpack_from("<I", data, 14)[0] == 12:  # OS/2
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    return abs(width), abs(height)


def _gif(data: bytes | memoryview) -> _Size:
    width, height = struct.unpack_from("<HH", data, 6)
    return width, height


def _webp(data: bytes | memoryview) -> _Size | None:
    kind = bytes(data[12:16])
    if kind == b"VP8X":
        return 1 + _u24(data, 24), 1 + _u24(data, 27)
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _tiff(data: bytes | memoryview) -> _Size | None:
    from .tiff_pages import read_page

    page = read_page(data, None)
    return None if page is None else (page.width, page.height)


def _pnm(data: bytes | memoryview) -> _Size | None:
    text = re.sub(rb"#[^\n]*\n", b" ", bytes(data[:4096]))
    found = re.match(rb"P[1-6]\s+(\d{1,9})\s+(\d{1,9})\s", text)
    return (int(found[1]), int(found[2])) if found else None


def _jpeg2000(data: bytes | memoryview) -> _Size | None:
    head = bytes(data[:65536])
    start = head.find(b"\xff\x4f\xff\x51")  # SOC and SIZ of the code stream
    if start < 0:
        return None
    right, bottom, left, top = struct.unpack_from(">IIII", head, start + 8)
    return right - left, bottom - top


def _avif(data: bytes | memoryview) -> _Size | None:
    sizes = [struct.unpack_from(">II", data, found.end() + 4) for found in re.finditer(b"ispe", data)]
    return max(sizes, key=lambda size: int(size[0] * size[1]), default=None)


def _u24(data: bytes | memoryview, position: int) -> int:
    return int.from_bytes(data[position : position + 3], "little")


_READERS: tuple[tuple[bytes, Callable[[bytes | memoryview], _Size | None]], ...] = (
    (rb"\x89PNG\r\n\x1a\n....IHDR", _png),
    (rb"\xff\xd8\xff", _jpeg),
    (rb"BM", _bmp),
    (rb"GIF8[79]a", _gif),
    (rb"RIFF....WEBP", _webp),
    (rb"II[*+]\0|MM\0[*+]", _tiff),
    (rb"P[1-6]\s", _pnm),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", _jpeg2000),
    (rb"....ftyp(avif|avis|mif1)", _avif),
)
