"""Random faults of a camera's sensor: noise of light and of the gain, dead pixels, interlaced fields.

Every function takes an ``(H, W, 3)`` uint8 BGR image and a generator, and returns a new image of the same shape.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def add_noise(image: Image, rng: np.random.Generator) -> Image:
    """Add Poisson-Gaussian noise: the variance is linear in the level. Colour or luma only, fine or blotchy."""
    height, width = image.shape[:2]
    strength = rng.random() ** 1.5
    read, shot = 1.5 + 7 * strength, rng.uniform(0, 0.25 + 0.6 * strength)
    sigmas = np.sqrt(read**2 + shot * np.arange(256)).astype(np.float32)
    coloured = rng.random() < 0.6
    if coloured and rng.random() < 0.3:  # blotches: a camera's demosaicing and noise filter leave them
        small = rng.standard_normal(((height + 1) // 2, (width + 1) // 2, 3), np.float32)
        noise = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    else:
        noise = rng.standard_normal((height, width, 3 if coloured else 1), np.float32)
        if rng.random() < 0.4:
            noise = 2 * cv2.GaussianBlur(noise, (3, 3), 0)
    if not coloured:
        noise = cv2.merge([noise.reshape(height, width)] * 3)
    noise = cv2.multiply(noise, cv2.LUT(image, np.ascontiguousarray(np.repeat(sigmas[None, :, None], 3, 2))))
    return np.asarray(cv2.add(image, noise, dtype=cv2.CV_8U), np.uint8)


def add_dead_pixels(image: Image, rng: np.random.Generator) -> Image:
    """Set up to one pixel in a thousand to white, black or a colour."""
    height, width = image.shape[:2]
    count = int(rng.integers(1, max(2, height * width // 1000)))
    changed = np.array(image, np.uint8)
    changed[rng.integers(0, height, count), rng.integers(0, width, count)] = 255 * rng.integers(0, 2, (count, 3))
    return changed


def interlace(image: Image, rng: np.random.Generator) -> Image:
    """Move every second row sideways by 1 to 4 px, as the two fields of a moving image differ."""
    shift = int(rng.integers(1, 5)) * int(rng.choice((-1, 1)))
    changed = np.array(image, np.uint8)
    rows = changed[1::2]
    matrix = np.array([[1.0, 0, shift], [0, 1, 0]])
    size = (rows.shape[1], rows.shape[0])
    changed[1::2] = cv2.warpAffine(np.ascontiguousarray(rows), matrix, size, borderMode=cv2.BORDER_REPLICATE)
    return changed
