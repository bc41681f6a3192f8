"""Drawing on premultiplied BGRA images: anti-aliased shapes, and pasting one image onto another."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[float, float, float]  # BGR, 0 to 255
Area = tuple[slice, slice]  # rows, columns

_SHIFT = 4  # fractional bits of the fixed-point coordinates that OpenCV's polygons take
_ARC = np.linspace(-math.pi / 2, math.pi / 2, 7)
_HALF_CIRCLE = np.stack([np.cos(_ARC), np.sin(_ARC), np.ones_like(_ARC)], axis=1)  # coefficients: along, across, centre
_CAPS = np.block([[_HALF_CIRCLE, np.zeros((7, 3))], [np.zeros((7, 3)), _HALF_CIRCLE]])
_TURN = np.linspace(0, 2 * math.pi, 20, endpoint=False)
_CIRCLE = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1)


class Brush:
    """Fills convex shapes on a premultiplied BGRA image, in units of its own with x to the right and y up.

    Attributes:
        image: ``(H, W, 4)`` uint8, premultiplied BGRA.
        scale: px per unit.
    """

    def __init__(self, size: tuple[int, int], *, scale: float, origin: tuple[float, float]) -> None:
        """Create a transparent image.

        Args:
            size: (width, height) in px.
            scale: px per unit.
            origin: Position of (0, 0) in the image, px; 0 is the left or upper edge of the first pixel.
        """
        self.image: NDArray[np.uint8] = np.zeros((size[1], size[0], 4), np.uint8)
        self.scale = scale
        self._factor = np.array([scale, -scale]) * (1 << _SHIFT)
        self._offset = (np.array(origin, float) - 0.5) * (1 << _SHIFT)  # OpenCV counts from pixel centres

    def polygon(self, points: NDArray[np.float64], colour: Colour) -> None:
        """Fill a convex polygon with corners ``(N, 2)``."""
        fixed = np.rint(points * self._factor + self._offset).astype(np.int32)
        cv2.fillConvexPoly(self.image, fixed, (*colour, 255.0), cv2.LINE_AA, _SHIFT)

    def capsule(
        self, start: tuple[float, float], end: tuple[float, float], radii: tuple[float, float], colour: Colour
    ) -> None:
        """Fill the convex hull of two circles."""
        self.polygon(_capsule_outline(start, end, radii), colour)

    def ellipse(self, centre: tuple[float, float], radii: tuple[float, float], colour: Colour) -> None:
        """Fill an axis-aligned ellipse."""
        self.polygon(_CIRCLE * radii + centre, colour)

    def box(self, left: float, bottom: float, right: float, top: float, colour: Colour) -> None:
        """Fill an axis-aligned rectangle."""
        self.polygon(np.array([(left, bottom), (right, bottom), (right, top), (left, top)]), colour)


def _capsule_outline(
    start: tuple[float, float], end: tuple[float, float], radii: tuple[float, float]
) -> NDArray[np.float64]:
    """Return the outline of the convex hull of two circles, ``(14, 2)``."""
    angle = math.atan2(end[1] - start[1], end[0] - start[0])
    along, across = math.cos(angle), math.sin(angle)
    axes = [
        (-radii[0] * along, -radii[0] * across),
        (radii[0] * across, -radii[0] * along),
        start,
        (radii[1] * along, radii[1] * across),
        (-radii[1] * across, radii[1] * along),
        end,
    ]
    return np.asarray(_CAPS @ np.array(axes))


def shaded(colour: Colour, factor: float) -> Colour:
    """Return a colour multiplied by a factor: below 1 darker, above 1 lighter."""
    blue, green, red = colour
    return (min(blue * factor, 255.0), min(green * factor, 255.0), min(red * factor, 255.0))


def overlap(size: tuple[int, int], shape: tuple[int, ...], corner: tuple[int, int]) -> tuple[Area, Area] | None:
    """Find the area that two images share when one is placed over the other.

    Args:
        size: (height, width) of the lower image.
        shape: (height, width, ...) of the upper image.
        corner: (x, y) of the upper image's top left corner in the lower image, px.

    Returns:
        The shared area in the lower image and in the upper one; None if the images do not overlap.
    """
    x, y = corner
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + shape[1], size[1]), min(y + shape[0], size[0])
    if left >= right or top >= bottom:
        return None
    return (slice(top, bottom), slice(left, right)), (slice(top - y, bottom - y), slice(left - x, right - x))


def paste(image: NDArray[np.uint8], upper: NDArray[np.uint8], corner: tuple[int, int]) -> None:
    """Blend premultiplied BGRA ``(h, w, 4)`` over BGR ``(H, W, 3)``, in place.

    Args:
        image: The lower image; it is changed.
        upper: The image to blend over it.
        corner: (x, y) of its top left corner in ``image``, px; parts outside are cut off.
    """
    areas = overlap(image.shape[:2], upper.shape, corner)
    if areas is None:
        return
    target, part = areas
    piece = np.ascontiguousarray(upper[part])
    transparency = cv2.cvtColor(cv2.bitwise_not(cv2.extractChannel(piece, 3)), cv2.COLOR_GRAY2BGR)
    colours = cv2.cvtColor(piece, cv2.COLOR_BGRA2BGR)
    image[target] = cv2.add(cv2.multiply(image[target], transparency, scale=1 / 255), colours)
