"""Frames of an animated WebP file, composed one at a time; OpenCV decodes only still images in every release.

RFC 9649, section 2: a RIFF file of an extended header (``VP8X``), and one ``ANMF`` chunk per frame, whose payload is
the content of a still WebP file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .image_size import size_of_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_HEADER_BYTES = 30  # RIFF header and VP8X chunk
_HAS_ANIMATION, _HAS_ALPHA = 0x02, 0x10  # flags of VP8X
_DISPOSE, _DO_NOT_BLEND = 0x01, 0x02  # flags of ANMF
_SHORTEST_MS, _DEFAULT_MS = 10, 100  # browsers show frames of at most 10 ms for 100 ms


@dataclass(frozen=True)
class WebpFrame:
    """One frame of an animation.

    Attributes:
        left: Left edge in px of the canvas.
        top: Upper edge in px of the canvas.
        width: Width in px.
        height: Height in px.
        duration_s: Seconds for which it is shown.
        flags: Flags of its chunk.
        content: Chunks of a still WebP file.
    """

    left: int
    top: int
    width: int
    height: int
    duration_s: float
    flags: int
    content: memoryview

    def still(self) -> bytes:
        """Return the frame as a still WebP file."""
        chunks = bytes(self.content)
        if chunks[:4] == b"ALPH":
            size = (self.width - 1).to_bytes(3, "little") + (self.height - 1).to_bytes(3, "little")
            chunks = struct.pack("<4sIB3x", b"VP8X", 10, _HAS_ALPHA) + size + chunks
        return struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WEBP") + chunks


def animation_frames(data: bytes) -> list[WebpFrame]:
    """Return the frames of an animated WebP file, none if it is a still image; fewer if the file is damaged."""
    if data[12:16] != b"VP8X" or len(data) < _HEADER_BYTES or not data[20] & _HAS_ANIMATION:
        return []
    frames = []
    for kind, payload in _chunks(memoryview(data)[12:]):
        if kind == b"ANMF" and len(payload) > 16:
            x, y, width, height, duration = (int.from_bytes(payload[i : i + 3], "little") for i in range(0, 15, 3))
            duration_s = (duration if duration > _SHORTEST_MS else _DEFAULT_MS) / 1000
            frames.append(WebpFrame(2 * x, 2 * y, width + 1, height + 1, duration_s, payload[15], payload[16:]))
    return frames


class Canvas:
    """The image on which the frames of an animation are drawn; transparent parts are black."""

    def __init__(self, width: int, height: int) -> None:
        """Start with a black image.

        Args:
            width: Width of the animation in px.
            height: Height of the animation in px.
        """
        self._image = np.zeros((height, width, 3), np.uint8)
        self._disposed: tuple[slice, slice] | None = None

    def draw(self, frame: WebpFrame) -> NDArray[np.uint8]:
        """Return the canvas with a frame drawn on it, in memory of its own.

        Raises:
            OSError: The frame cannot be decoded, or does not fit the canvas.
        """
        import cv2

        if self._disposed:
            self._image[self._disposed] = 0
            self._disposed = None
        area = (slice(frame.top, frame.top + frame.height), slice(frame.left, frame.left + frame.width))
        target = self._image[area]
        still = frame.still()
        # Before it is decoded: a frame of a few bytes may state a size of gigabytes.
        if not target.shape[:2] == (frame.height, frame.width) == (size_of_image(still) or (0, 0))[::-1]:
            raise OSError("it is damaged, or its size is not the stated one")
        try:
            pixels = cv2.imdecode(np.frombuffer(still, np.uint8), cv2.IMREAD_UNCHANGED)
        except cv2.error as error:
            raise OSError(f"OpenCV cannot decode it ({error.err or error})") from error
        if pixels is None or pixels.ndim != 3 or pixels.shape[:2] != target.shape[:2]:
            raise OSError("it is damaged")
        if pixels.shape[2] == 4 and not frame.flags & _DO_NOT_BLEND:
            alpha = pixels[..., 3:].astype(np.uint16)
            target[:] = (pixels[..., :3] * alpha + target * (255 - alpha) + 127) // 255
        else:
            target[:] = pixels[..., :3]
        if frame.flags & _DISPOSE:
            self._disposed = area
        image: NDArray[np.uint8] = self._image.copy()
        return image


def _chunks(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    position = 0
    while position + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, position)
        yield kind, data[position + 8 : position + 8 + size]
        position += 8 + size + size % 2  # chunks start at even positions
