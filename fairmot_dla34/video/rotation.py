"""Rotates decoded images as a player does, by the display matrix of phone videos."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import av
    from numpy.typing import NDArray

_Orientation = tuple[int, int, int, int]  # a, b, c, d of the matrix, each -1, 0 or 1
UPRIGHT: _Orientation = (1, 0, 0, 1)


def orientation_of(frame: av.VideoFrame) -> _Orientation:
    """Return the orientation in which a player shows a frame.

    Args:
        frame: A decoded frame; FFmpeg attaches the container's matrix to it.

    Returns:
        The signs (a, b, c, d) of FFmpeg's display matrix (libavutil/display.h): a stored point (x, y) is shown at
        (a x + c y, b x + d y). A rotation by anything but a multiple of 90 degrees counts as upright, because it does
        not map pixels to pixels.
    """
    from av.sidedata.sidedata import Type

    side_data: Any = frame.side_data  # the stub knows string keys only, which PyAV 19 does not take
    matrix = side_data.get(Type.DISPLAYMATRIX)
    return UPRIGHT if matrix is None else _signs(bytes(memoryview(matrix)))


def _signs(matrix: bytes) -> _Orientation:
    # nine int32 in native byte order: a, b, u, c, d, v, x, y, w; a..d are 16.16 fixed point
    a, b, _, c, d = struct.unpack("=5i", matrix[:20])
    one = 1 << 16
    a, b, c, d = (round(value / one) for value in (a, b, c, d))
    upright = abs(a) == abs(d) == 1 and b == c == 0
    on_its_side = abs(b) == abs(c) == 1 and a == d == 0
    return (a, b, c, d) if upright or on_its_side else UPRIGHT


def rotate(image: NDArray[np.uint8], orientation: _Orientation) -> NDArray[np.uint8]:
    """Turn a stored image upright.

    Args:
        image: ``(H, W, 3)`` uint8.
        orientation: The result of `orientation_of`.

    Returns:
        ``(H, W, 3)`` or ``(W, H, 3)`` uint8, contiguous; ``image`` itself if it is upright already.
    """
    a, b, c, d = orientation
    if orientation == UPRIGHT:
        return image
    if a == 0:  # shown x = c * stored y, shown y = b * stored x
        image, flip_x, flip_y = image.transpose(1, 0, 2), c < 0, b < 0
    else:
        flip_x, flip_y = a < 0, d < 0
    return np.ascontiguousarray(image[:: -1 if flip_y else 1, :: -1 if flip_x else 1])
