"""Putting premultiplied pictures onto others."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Area = tuple[slice, slice]


def overlap(size: tuple[int, int], shape: tuple[int, ...], corner: tuple[int, int]) -> tuple[Area, Area] | None:
    """Find where a picture lies within another.

    Args:
        size: (height, width) of the picture below.
        shape: (height, width, ...) of the one put onto it.
        corner: (x, y) of its left upper corner in the picture below, px.

    Returns:
        The rows and columns in the picture below and in the one above; None where they do not meet.
    """
    x, y = corner
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + shape[1], size[1]), min(y + shape[0], size[0])
    if left >= right or top >= bottom:
        return None
    return (slice(top, bottom), slice(left, right)), (slice(top - y, bottom - y), slice(left - x, right - x))


def paste(image: NDArray[np.uint8], above: NDArray[np.uint8], corner: tuple[int, int]) -> None:
    """Put ``(h, w, 4)`` premultiplied BGRA onto ``(H, W, 3)`` BGR, in place."""
    areas = overlap(image.shape[:2], above.shape, corner)
    if areas is None:
        return
    below, part = areas
    piece = np.ascontiguousarray(above[part])
    through = cv2.cvtColor(cv2.bitwise_not(cv2.extractChannel(piece, 3)), cv2.COLOR_GRAY2BGR)
    colours = cv2.cvtColor(piece, cv2.COLOR_BGRA2BGR)
    image[below] = cv2.add(cv2.multiply(image[below], through, scale=1 / 255), colours)
