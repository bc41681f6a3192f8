"""Degrades training images as cameras do, by a random chain: light, optics, sensor, compression.

A quarter of the images stays nearly untouched, a half gets one or two parts, a quarter three or four.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import compression, light, optics, sensor

Image = NDArray[np.uint8]
COUNTS = 0, 1, 2, 3, 4  # parts of a chain
COUNT_SHARES = 0.25, 0.28, 0.22, 0.15, 0.10


class Part(NamedTuple):
    """A part of the chain.

    Attributes:
        apply: Function of an image and a generator.
        weight: Frequency beside the other parts.
        group: Parts of the same group exclude each other.
    """

    apply: Callable[[Image, np.random.Generator], Image]
    weight: float
    group: str


_NIGHT = Part(light.make_night, 0.8, "scene")
_NOISE = Part(sensor.add_noise, 1.4, "noise")
LIGHT = (
    Part(light.cast_shadows, 0.8, "scene"),
    Part(light.add_gradient, 0.8, "gradient"),
    Part(light.change_exposure, 1.6, "exposure"),
    Part(light.cast_colours, 1.2, "cast"),
    Part(light.make_grey, 0.8, "cast"),
    Part(light.make_infrared, 0.8, "scene"),
    _NIGHT,
    Part(light.add_haze, 0.8, "scene"),
)
CAMERA = (
    Part(optics.blur_defocus, 1.0, "blur"),
    Part(optics.blur_motion, 0.9, "blur"),
    Part(optics.shift_channels, 0.4, "fringes"),
    Part(optics.add_vignette, 0.5, "vignette"),
    Part(sensor.add_dead_pixels, 0.15, "dead pixels"),
    Part(sensor.interlace, 0.15, "fields"),
    Part(optics.shrink, 1.2, "blur"),  # not before the interlacing: the fields of a small image differ too much
    _NOISE,
    Part(compression.sharpen, 0.7, "sharpening"),
    Part(compression.compress_jpeg, 1.6, "encoder"),
    Part(compression.compress_h264, 1.0, "encoder"),
)
PARTS = LIGHT + CAMERA  # in the order of their effect
_WEIGHTS = np.array([part.weight for part in PARTS]) / sum(part.weight for part in PARTS)


def degrade(image: Image, rng: np.random.Generator) -> Image:
    """Degrade an image by a random chain of parts.

    Args:
        image: ``(H, W, 3)`` uint8 BGR, each side at least 32 px.
        rng: Source of all randomness. The result depends on the image and the state of ``rng`` alone.

    Returns:
        A new image of the same shape.
    """
    height, width = image.shape[:2]
    parts = _draw(rng)
    image = light.jitter_colours(image, rng, 1.0 if parts else 0.5)
    for part in parts:
        if part in LIGHT:
            image = part.apply(image, rng)
    image = light.limit_exposure(image)
    for part in parts:
        if part in CAMERA:
            image = part.apply(image, rng)
    if image.shape[:2] != (height, width):  # `shrink`; the parts after it worked at the small size
        image = optics.enlarge(image, height, width, rng)
    return image


def _draw(rng: np.random.Generator) -> list[Part]:
    """Draw parts, at most one of each group, in the order of their effect."""
    count = COUNTS[rng.choice(len(COUNTS), p=COUNT_SHARES)]
    chosen: dict[str, Part] = {}
    for number in rng.choice(len(PARTS), len(PARTS), replace=False, p=_WEIGHTS):
        if len(chosen) >= count:
            break
        part = PARTS[number]
        chosen.setdefault(part.group, part)
        if chosen.get("scene") == _NIGHT:  # the gain at night is never without noise
            chosen.setdefault(_NOISE.group, _NOISE)
    return sorted(chosen.values(), key=PARTS.index)
