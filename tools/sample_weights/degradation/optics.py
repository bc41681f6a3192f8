"""Random faults of a camera's optics: defocus, motion blur, low resolution, colour fringes, vignette.

Every function takes an ``(H, W, 3)`` uint8 BGR image and a generator. `shrink` alone changes the size.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
_LONGEST_MOTION = 15.0, 0.045  # px, share of the side: the smaller one limits
_ENLARGEMENTS = cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4
_ENLARGEMENT_SHARES = 0.08, 0.5, 0.3, 0.12


def blur_defocus(image: Image, rng: np.random.Generator) -> Image:
    """Blur with a Gaussian, or with a disc as an open lens out of focus does; weak blur is the most frequent."""
    strength = rng.random() ** 1.5
    if rng.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), 0.5 + 1.5 * strength), np.uint8)
    radius = 1 + 2 * strength
    reach = int(np.ceil(radius))
    squares = np.arange(-reach, reach + 1) ** 2
    kernel = np.clip(radius + 0.5 - np.sqrt(squares + squares[:, None]), 0, 1)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def blur_motion(image: Image, rng: np.random.Generator) -> Image:
    """Blur along a line of random direction, 3 to 15 px long; short lines are the most frequent."""
    most, share = _LONGEST_MOTION
    longest = max(3.5, min(most, share * min(image.shape[:2])))
    half = (3 + (longest - 3) * rng.random() ** 2) / 2
    angle = rng.uniform(0, np.pi)
    reach = int(np.ceil(half))
    kernel = np.zeros((2 * reach + 1,) * 2)
    along = np.linspace(-half, half, 8 * reach + 1)
    columns, rows = reach + along * np.cos(angle), reach + along * np.sin(angle)
    for column, row in zip(columns, rows, strict=True):  # bilinear weights of each point of the line
        left, top = min(int(column), 2 * reach - 1), min(int(row), 2 * reach - 1)
        across, down = column - left, row - top
        kernel[top : top + 2, left : left + 2] += np.outer([1 - down, down], [1 - across, across])
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def shrink(image: Image, rng: np.random.Generator) -> Image:
    """Shrink by 1.3 to 3, mostly by less than 2: the size of a camera's second stream."""
    factor = 1.3 + 1.7 * rng.random() ** 2
    height, width = image.shape[:2]
    size = max(8, round(width / factor)), max(8, round(height / factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def enlarge(image: Image, height: int, width: int, rng: np.random.Generator) -> Image:
    """Enlarge to a size in px by a random interpolation."""
    interpolation = _ENLARGEMENTS[rng.choice(len(_ENLARGEMENTS), p=_ENLARGEMENT_SHARES)]
    return np.asarray(cv2.resize(image, (width, height), interpolation=interpolation), np.uint8)


def shift_channels(image: Image, rng: np.random.Generator) -> Image:
    """Scale blue and red by up to 0.6 % around the centre and move them by up to 0.7 px: fringes at edges."""
    height, width = image.shape[:2]
    channels = list(cv2.split(image))
    for number in (0, 2):
        scale = 1 + rng.uniform(-0.006, 0.006)
        shift = (1 - scale) * np.array([width, height]) / 2 + rng.uniform(-0.7, 0.7, 2)
        matrix = np.column_stack([np.eye(2) * scale, shift])
        channels[number] = cv2.warpAffine(channels[number], matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.merge(channels), np.uint8)


def add_vignette(image: Image, rng: np.random.Generator) -> Image:
    """Darken away from a point near the centre, in the corners by up to a half."""
    height, width = image.shape[:2]
    centre, loss = rng.uniform(-0.4, 0.4, 2), np.float32(rng.uniform(0.15, 0.5))
    across = (np.linspace(-1, 1, width, dtype=np.float32) - np.float32(centre[0])) ** 2
    down = (np.linspace(-1, 1, height, dtype=np.float32) - np.float32(centre[1])) ** 2
    squares = across + down[:, None]
    factors = np.asarray(1 - loss * squares / squares.max(), np.float32)
    return np.asarray(cv2.multiply(image, cv2.merge([factors] * 3), dtype=cv2.CV_8U), np.uint8)
