"""Reads the size at which OpenCV decodes an image file, from the file's header where that is certain.

OpenCV turns an image as its EXIF orientation states. The header of JPEG and of files without EXIF is enough to know the
result; other files are decoded.
"""

from __future__ import annotations

import os
import stat
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ...errors import DatasetError
from ...video.image_decoding import MAX_FILE_BYTES, decode_bgr
from ...video.image_size import size_of_image, too_large
from ...video.regular_files import kind_of, read_regular

_HEAD_BYTES = 1 << 16
_PNG = b"\x89PNG\r\n\x1a\n"
_TURNED = (5, 6, 7, 8)  # EXIF orientations that exchange width and height
_MAX_PNG_CHUNKS = 100_000
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True)
class ImageHeader:
    """Size of an image.

    Attributes:
        width: Width in px, as OpenCV decodes the image (EXIF rotation applied).
        height: Height in px, likewise.
        orientation: EXIF orientation, 1 to 8; 1 is upright, and the value for formats other than JPEG.
    """

    width: int
    height: int
    orientation: int = 1

    @property
    def stored_size(self) -> tuple[int, int]:
        """Width and height before the rotation."""
        return (self.height, self.width) if self.orientation in _TURNED else (self.width, self.height)

    def to_displayed(self, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert ``(N, 4)`` xyxy boxes from px of the stored image to px of the displayed one."""
        width, height = self.stored_size
        x1, y1, x2, y2 = boxes.T
        horizontal, vertical = [(x1, x2), (width - x2, width - x1)], [(y1, y2), (height - y2, height - y1)]
        # EXIF 2.3, tag 0x0112: the sides of the displayed image at which row 0 and column 0 are stored
        xs, ys = {
            1: (horizontal[0], vertical[0]),
            2: (horizontal[1], vertical[0]),
            3: (horizontal[1], vertical[1]),
            4: (horizontal[0], vertical[1]),
            5: (vertical[0], horizontal[0]),
            6: (vertical[1], horizontal[0]),
            7: (vertical[1], horizontal[1]),
            8: (vertical[0], horizontal[1]),
        }[self.orientation]
        return np.stack([xs[0], ys[0], xs[1], ys[1]], axis=1)


def read_header(path: Path) -> ImageHeader:
    """Read the size of an image file.

    Raises:
        DatasetError: It cannot be read, is not an image, or has too many pixels.
    """
    try:
        header = _from_header(path) or _from_pixels(path)
        reason = too_large((header.width, header.height)) if min(header.width, header.height) > 0 else "no pixels"
    except OSError as error:
        reason = str(error.strerror or error)
    if reason:
        raise DatasetError(f"{path} is not an image that can be read ({reason}); replace or remove it and its labels.")
    return header


def _from_header(path: Path) -> ImageHeader | None:
    """Return the size, or None if only decoding can say it."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(f"it is {kind_of(mode)}, not a regular file")
        head = file.read(_HEAD_BYTES)
        if head[:2] == b"\xff\xd8":
            return _jpeg(head) or _jpeg(head + file.read(MAX_FILE_BYTES - len(head)))
        size = size_of_image(head)
        certain = head[:2] == b"BM" or (head[:8] == _PNG and not _has_exif(file)) or _is_simple_webp(head)
        return ImageHeader(*size) if size and certain else None


def _from_pixels(path: Path) -> ImageHeader:
    height, width = decode_bgr(read_regular(path, MAX_FILE_BYTES)).shape[:2]
    return ImageHeader(width, height)


def _jpeg(data: bytes) -> ImageHeader | None:
    """Return size and orientation; None if the data ends before its size, is damaged, or has two EXIF parts."""
    position, exif = 2, b""
    try:
        while data[position] == 0xFF:
            marker = data[position + 1]
            if marker == 0xFF:  # fill byte
                position += 1
                continue
            (length,) = struct.unpack_from(">H", data, position + 2)
            content = data[position + 4 : position + 2 + length]
            if marker in _FRAME_MARKERS:
                height, width = struct.unpack_from(">HH", content, 1)
                orientation = _orientation(exif) if exif else 1
                turned = orientation in _TURNED
                return ImageHeader(*((height, width) if turned else (width, height)), orientation)
            if marker == 0xE1 and content.startswith(b"Exif\0\0"):
                if exif:
                    return None
                exif = content[6:]
            position += 2 + length
    except (IndexError, struct.error):
        pass
    return None


def _orientation(tiff: bytes) -> int:
    """Return the orientation of an EXIF block, 1 if it states none.

    Raises:
        struct.error: The block is damaged.
    """
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        raise struct.error
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    for entry in range(count):
        tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, start + 2 + 12 * entry)
        if tag == 0x0112:
            return value if 1 <= value <= 8 else 1
    return 1


def _has_exif(file: BinaryIO) -> bool:
    """Return whether a PNG file has an EXIF chunk, also after the pixels, or cannot be read to its end."""
    file.seek(len(_PNG))
    for _ in range(_MAX_PNG_CHUNKS):
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"eXIf":
            return True
        if head[4:] == b"IEND":
            return False
        file.seek(4 + int.from_bytes(head[:4], "big"), os.SEEK_CUR)
    return True


def _is_simple_webp(head: bytes) -> bool:
    """Return whether a file is WebP without metadata."""
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP" and head[12:16] in {b"VP8 ", b"VP8L"}
