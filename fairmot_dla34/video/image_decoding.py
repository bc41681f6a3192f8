"""Decodes one image file with OpenCV, after its size is known to be acceptable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .image_size import MAX_SOURCE_PIXELS, jpeg_scans, size_of_image, too_large

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_FILE_BYTES = 2**31 - 1  # OpenCV counts bytes in a C int
# Progressive JPEG has about ten scans. One may be a few bytes, and takes as long to decode as a whole image.
_MAX_SCANNED_PIXELS = 30 * MAX_SOURCE_PIXELS


def decode_bgr(data: bytes | bytearray) -> NDArray[np.uint8]:
    """Decode the content of an image file.

    Args:
        data: The whole file.

    Returns:
        ``(H, W, 3)`` uint8, BGR; grey repeated in three channels, alpha dropped, rotated as its EXIF states.

    Raises:
        OSError: It is not an image, or has too many pixels.
    """
    import cv2
    import numpy as np

    if not data:
        raise OSError("empty file")
    size = size_of_image(memoryview(data))
    if size is None:
        raise OSError("not an image of a known format, or its header is damaged")
    if reason := too_large(size):
        raise OSError(reason)
    if (scans := jpeg_scans(data)) * size[0] * size[1] > _MAX_SCANNED_PIXELS:
        raise OSError(f"{scans} scans of {size[0]} x {size[1]} px")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise OSError(f"not an image OpenCV can read ({error.err or error})") from error
    if image is None:
        raise OSError("not an image OpenCV can read")
    return np.asarray(image, np.uint8)
