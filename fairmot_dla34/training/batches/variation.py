"""Random numbers of an augmented image, and the affine transform that they make.

Source: the ranges of PaddleDetection's `AugmentHSV`, `MOTRandomAffine` and `RandomFlip` by default, which
``fairmot_reader_1088x608.yml`` keeps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...config import InputSize

COLOUR_RANGE = 0.5  # saturation and brightness are multiplied by 0.5 to 1.5
DEGREES = 5.0
SHIFT = 0.10
SCALE = (0.50, 1.20)
SHEAR_DEGREES = 2.0
FLIP_PROBABILITY = 0.5


@dataclass(frozen=True)
class Variation:
    """Random numbers of one augmented image.

    Attributes:
        saturation: Factor of the saturation, 0.5 to 1.5.
        brightness: Factor of the brightness (V of HSV), 0.5 to 1.5.
        degrees: Rotation about the centre of the network input, counter-clockwise.
        scale: Zoom about the centre of the network input.
        shift_x: Shift to the right as a share of the input *height*, as in the source.
        shift_y: Shift downwards as a share of the input *width*, as in the source.
        shear_x: Shear along x in degrees.
        shear_y: Shear along y in degrees.
        flip: Whether left and right are exchanged at last.
    """

    saturation: float = 1.0
    brightness: float = 1.0
    degrees: float = 0.0
    scale: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    shear_x: float = 0.0
    shear_y: float = 0.0
    flip: bool = False

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Variation:
        """Draw the numbers of an image; the number of draws is always equal."""
        numbers = rng.random(9)
        low = np.array([1 - COLOUR_RANGE] * 2 + [-DEGREES, SCALE[0]] + [-SHIFT] * 2 + [-SHEAR_DEGREES] * 2)
        high = np.array([1 + COLOUR_RANGE] * 2 + [DEGREES, SCALE[1]] + [SHIFT] * 2 + [SHEAR_DEGREES] * 2)
        saturation, brightness, degrees, scale, *shifts_and_shears = (low + numbers[:8] * (high - low)).tolist()
        shift_x, shift_y, shear_x, shear_y = shifts_and_shears
        flip = bool(numbers[8] < FLIP_PROBABILITY)
        return cls(saturation, brightness, degrees, scale, shift_x, shift_y, shear_x, shear_y, flip)

    def affine(self, input_size: InputSize) -> NDArray[np.float64]:
        """Return the ``(3, 3)`` affine transform of the letterboxed image, network px, without the flip."""
        width, height = input_size.width, input_size.height
        cos, sin = (self.scale * function(math.radians(self.degrees)) for function in (math.cos, math.sin))
        x, y = width / 2, height / 2
        rotation = np.array([[cos, sin, (1 - cos) * x - sin * y], [-sin, cos, sin * x + (1 - cos) * y], [0, 0, 1]])
        shift = np.array([[1, 0, self.shift_x * height], [0, 1, self.shift_y * width], [0, 0, 1]])
        tan_x, tan_y = math.tan(math.radians(self.shear_x)), math.tan(math.radians(self.shear_y))
        shear = np.array([[1, tan_x, 0], [tan_y, 1, 0], [0, 0, 1]])
        return np.asarray(shear @ shift @ rotation, np.float64)

    def without_affine(self) -> Variation:
        """Return the same colours and flip without rotation, zoom, shift and shear."""
        return Variation(saturation=self.saturation, brightness=self.brightness, flip=self.flip)
