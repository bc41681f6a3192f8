"""Anti-aliased shapes on a transparent picture."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from .appearance import Colour

_SHIFT = 4  # sub-pixel bits of OpenCV's polygon coordinates
_ARC = np.linspace(-math.pi / 2, math.pi / 2, 7)
_HALF = np.stack([np.cos(_ARC), np.sin(_ARC), np.ones_like(_ARC)], axis=1)  # along, across, centre
_CAPS = np.block([[_HALF, np.zeros((7, 3))], [np.zeros((7, 3)), _HALF]])
_TURN = np.linspace(0, 2 * math.pi, 20, endpoint=False)
_CIRCLE = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1)


class Brush:
    """Draws in units of its own, x to the right and y up, onto ``(H, W, 4)`` premultiplied BGRA."""

    def __init__(self, size: tuple[int, int], *, scale: float, origin: tuple[float, float]) -> None:
        """Start with a transparent picture.

        Args:
            size: (width, height) in px.
            scale: px per unit.
            origin: Where (0, 0) lies in the picture, px; 0 is the left or upper edge of the first pixel.
        """
        self.image: NDArray[np.uint8] = np.zeros((size[1], size[0], 4), np.uint8)
        self.scale = scale
        self._factor = np.array([scale, -scale]) * (1 << _SHIFT)
        self._offset = (np.array(origin, float) - 0.5) * (1 << _SHIFT)  # OpenCV counts from px centres

    def polygon(self, points: NDArray[np.float64], colour: Colour, *, convex: bool = True) -> None:
        """Fill ``(N, 2)`` points."""
        fixed = np.rint(points * self._factor + self._offset).astype(np.int32)
        paint = (*colour, 255.0)
        if convex:
            cv2.fillConvexPoly(self.image, fixed, paint, cv2.LINE_AA, _SHIFT)
        else:
            cv2.fillPoly(self.image, [fixed], paint, cv2.LINE_AA, _SHIFT)

    def capsule(
        self, start: tuple[float, float], end: tuple[float, float], radii: tuple[float, float], colour: Colour
    ) -> None:
        """Fill the hull of two circles."""
        angle = math.atan2(end[1] - start[1], end[0] - start[0])
        self.polygon(capsule_outline(start, end, radii, angle), colour)

    def ellipse(self, centre: tuple[float, float], radii: tuple[float, float], colour: Colour) -> None:
        """Fill an upright ellipse."""
        self.polygon(_CIRCLE * radii + centre, colour)

    def box(self, left: float, low: float, right: float, high: float, colour: Colour) -> None:
        """Fill an upright rectangle."""
        self.polygon(np.array([(left, low), (right, low), (right, high), (left, high)]), colour)


def capsule_outline(
    start: tuple[float, float], end: tuple[float, float], radii: tuple[float, float], angle: float
) -> NDArray[np.float64]:
    """Return the outline of the hull of two circles, ``(14, 2)``; ``angle`` is the direction from start to end."""
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
    """Return a colour made lighter or darker."""
    blue, green, red = colour
    return (min(blue * factor, 255.0), min(green * factor, 255.0), min(red * factor, 255.0))
