"""Moves a virtual camera that follows one person smoothly: a low-pass filter whose cutoff rises with the speed.

The filter is the 1€ filter (Casiez, Roussel, Vogel, CHI 2012): it removes the jitter of a box at rest and lags little
behind a person who walks.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CENTRE_CUTOFF_HZ = 0.4  # at rest
_CENTRE_SLOPE = 1.5  # Hz per height of the person and second
_ZOOM_CUTOFF_HZ = 0.15  # a changing zoom is more disturbing than a changing place
_ZOOM_SLOPE = 0.3
_SPEED_CUTOFF_HZ = 0.5
_PERSON_OF_CROP = 0.6  # height of the person in the height of the crop
_LARGEST_ZOOM = 4.0


class OneEuroFilter:
    """Smooths a signal whose times may have any distance.

    Args:
        cutoff_hz: Cutoff frequency at rest.
        slope: Rise of the cutoff per unit of speed.
    """

    def __init__(self, cutoff_hz: float, slope: float) -> None:
        self._cutoff_hz, self._slope = cutoff_hz, slope
        self._value: NDArray[np.float64] | None = None
        self._speed = np.zeros(1)

    def update(self, value: NDArray[np.float64], elapsed_s: float) -> NDArray[np.float64]:
        """Return the smoothed value; the first one is returned as it is.

        Args:
            value: ``(K,)``.
            elapsed_s: Seconds since the previous value, above 0.
        """
        if self._value is None:
            self._value, self._speed = value, np.zeros_like(value)
            return value
        speed = (value - self._value) / elapsed_s
        self._speed = self._speed + _share(_SPEED_CUTOFF_HZ, elapsed_s) * (speed - self._speed)
        cutoff_hz = self._cutoff_hz + self._slope * float(np.linalg.norm(self._speed))
        self._value = self._value + _share(cutoff_hz, elapsed_s) * (value - self._value)
        return self._value


def _share(cutoff_hz: float, elapsed_s: float) -> float:
    """Return the weight of a new value in a first-order low-pass filter."""
    return 1.0 / (1.0 + 1.0 / (2 * math.pi * cutoff_hz * elapsed_s))


class FollowCamera:
    """The crop that follows a person; its aspect ratio is fixed.

    Args:
        size: Width and height of the video in px.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self.restart()

    def restart(self) -> None:
        """Forget the place: the next box is shown at once, without a way to it."""
        self._centre = OneEuroFilter(_CENTRE_CUTOFF_HZ, _CENTRE_SLOPE)
        self._zoom = OneEuroFilter(_ZOOM_CUTOFF_HZ, _ZOOM_SLOPE)
        self._unit_px = 0.0

    def look_at(self, box: tuple[float, float, float, float], elapsed_s: float) -> tuple[float, float, float]:
        """Move to a person's box.

        Args:
            box: xyxy, image px.
            elapsed_s: Seconds since the previous box, above 0.

        Returns:
            Centre x, centre y and height of the crop in image px.
        """
        x1, y1, x2, y2 = box
        height = max(y2 - y1, 1.0)
        self._unit_px = self._unit_px or height  # the filters work in heights of the person in the first box
        centre = self._centre.update(np.array([x1 + x2, y1 + y2]) / 2 / self._unit_px, elapsed_s) * self._unit_px
        smoothed_height = math.exp(float(self._zoom.update(np.array([math.log(height)]), elapsed_s)[0]))
        crop = max(smoothed_height / _PERSON_OF_CROP, self._size[1] / _LARGEST_ZOOM)
        return float(centre[0]), float(centre[1]), crop
