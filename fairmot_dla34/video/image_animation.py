"""Image files with several frames: animated WebP and multi-page TIFF as videos, one frame in memory at a time."""

from __future__ import annotations

import logging
import struct
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from ..errors import SourceError
from ..origin import Origin
from ..values import Frame
from . import tiff_pages, webp_animation
from .image_decoding import MAX_FILE_BYTES, decode_bgr
from .image_size import size_of_image, too_large
from .names import file_name
from .regular_files import read_regular
from .source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from numpy.typing import NDArray

    # Times of the frames in seconds, their decoders, and the reason why frames are missing, or "".
    _Content = tuple[list[float], list[Callable[[], NDArray[np.uint8]]], str]

logger = logging.getLogger(__name__)


def is_animated_png(data: bytes) -> bool:
    """Return whether an image file is an animated PNG of more than one frame, which FFmpeg plays."""
    if data[:4] != b"\x89PNG":
        return False
    control = data.find(b"acTL", 0, max(0, data.find(b"IDAT")))
    if control < 0:
        return False
    return int(struct.unpack_from(">I", data, control + 4)[0]) > 1


def frame_count(data: bytes) -> int:
    """Return the number of frames in an image file, 1 for a still image."""
    if is_animated_png(data):
        return int(struct.unpack_from(">I", data, data.find(b"acTL") + 4)[0])
    if data[:4] == b"RIFF":
        return max(1, len(webp_animation.animation_frames(data)))
    return max(1, len(tiff_pages.frame_pages(data)[0]))


def decode_first(data: bytes) -> NDArray[np.uint8]:
    """Decode an image file, the first frame of several.

    Args:
        data: The whole file.

    Returns:
        ``(H, W, 3)`` uint8, BGR.

    Raises:
        OSError: It is not an image, or has too many pixels.
    """
    frames = webp_animation.animation_frames(data) if data[:4] == b"RIFF" else []
    size = size_of_image(data)
    if not frames or size is None or too_large(size):
        return decode_bgr(data)
    return webp_animation.Canvas(*size).draw(frames[0])  # OpenCV before 4.11 decodes still images only


class AnimationSource(Source):
    """An animated WebP file, or the pages of a TIFF file."""

    def __init__(self, path: Path, *, frame_rate: float | None = None, frame_stride: int = 1) -> None:
        """Read the file and find its frames.

        Args:
            path: Image file with more than one frame.
            frame_rate: Frames per second, instead of what the file states; a TIFF file states none.
            frame_stride: Use every n-th frame.

        Raises:
            SourceError: The file cannot be read, or its frames are too large.
            InvalidInputError: The frame rate or the stride is out of its range.
        """
        self._path, self._shown = path, str(path)
        try:
            data = read_regular(path, MAX_FILE_BYTES)
        except OSError as error:
            raise SourceError(f"{path} cannot be read ({error}); expected an image file.") from error
        is_webp = data[:4] == b"RIFF"
        if is_webp and (reason := too_large(size_of_image(data) or (1, 1))):
            raise SourceError(f"{path} is too large: {reason}; expected a smaller image: reduce its size.")
        self._times, self._images, self._missing = _webp(data) if is_webp else _tiff(data)
        super().__init__(
            file_name(path),
            native_rate=(len(self._times) - 1) / self._times[-1] if self._times else None,
            native_count=len(self._images),
            frame_rate=frame_rate,
            frame_stride=frame_stride,
        )

    @property
    def origin(self) -> Origin:
        """Identity: the file."""
        return Origin(self.name, f"file {self._path.resolve()}", self._shown, (self._path,))

    def _describe(self) -> str:
        """Return the path."""
        return self._shown

    def _read_frames(self) -> Generator[Frame]:
        """Yield the selected frames; damaged ones are skipped and counted."""
        for index, decode in enumerate(self._images):
            try:
                image = decode()  # also if it is not selected: later frames of WebP are drawn over it
            except OSError as error:
                self._skip_frame(index, error)
                continue
            if self._is_selected(index):
                timed = self._times and not self._rate_given
                yield Frame(index, self._times[index] if timed else index / self.native_rate, image)
        if self._missing:
            self._end_early(self._missing)

    def _release(self) -> None:
        """Drop the file's content."""
        self._images = []


def _webp(data: bytes) -> _Content:
    """Read an animation; the last time is the end of the last frame."""
    frames = webp_animation.animation_frames(data)
    canvas = webp_animation.Canvas(*(size_of_image(data) or (1, 1)))
    times = list(accumulate((frame.duration_s for frame in frames), initial=0.0))
    is_cut_off = struct.unpack_from("<I", data, 4)[0] > len(data) - 8
    missing = "the file is cut off" if is_cut_off else ""
    return times, [lambda frame=frame: canvas.draw(frame) for frame in frames], missing  # type: ignore[misc]


def _tiff(data: bytes) -> _Content:
    """Read the pages of a TIFF file, which have no times."""
    buffer = bytearray(data)
    pages, missing = tiff_pages.frame_pages(data)

    def decode(page: tiff_pages.Page) -> NDArray[np.uint8]:
        tiff_pages.select_page(buffer, page)
        return decode_bgr(buffer)

    return [], [lambda page=page: decode(page) for page in pages], missing  # type: ignore[misc]
