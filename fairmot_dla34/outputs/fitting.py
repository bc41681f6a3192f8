"""Fits images of any size into a video of one size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAX_PIXELS = 4096 * 2304  # H.264 level 5.2, the most that common players and browsers decode
_MAX_SIDE = 4096


def video_size(width: int, height: int) -> tuple[int, int]:
    """Return the size of a video for images of ``width`` x ``height`` px.

    Returns:
        Width and height, both even, as yuv420p needs: odd sides grow by one px; beyond level 5.2 both shrink.
    """
    scale = min(1.0, _MAX_SIDE / width, _MAX_SIDE / height, math.sqrt(_MAX_PIXELS / (width * height)))
    if scale == 1.0:
        return width + width % 2, height + height % 2
    return max(2, int(width * scale) // 2 * 2), max(2, int(height * scale) // 2 * 2)


def fit_image(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Fit an image into a video's size without distorting it.

    Args:
        image: ``(H, W, 3)`` uint8.
        size: Width and height of the video in px.

    Returns:
        ``(height, width, 3)`` uint8: ``image`` itself if it has that size; with one px of its edge repeated if it is
        that much smaller; else scaled and centred on black.
    """
    import cv2

    (width, height), (image_height, image_width) = size, image.shape[:2]
    missing_x, missing_y = width - image_width, height - image_height
    if missing_x == missing_y == 0:
        return image
    if missing_x in {0, 1} and missing_y in {0, 1}:
        return np.asarray(cv2.copyMakeBorder(image, 0, missing_y, 0, missing_x, cv2.BORDER_REPLICATE), np.uint8)
    scale = min(width / image_width, height / image_height)
    inner = max(1, min(width, round(image_width * scale))), max(1, min(height, round(image_height * scale)))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas = np.zeros((height, width, 3), np.uint8)
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(image, inner, interpolation=interpolation)
    return canvas
