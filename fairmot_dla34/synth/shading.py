"""Light on a drawn person: darker edges away from the light, and folds of cloth."""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from .appearance import Appearance
from .rng import random_stream

# Brightness of cloth by the coverage of the body towards the light; 128 leaves the colour as it is.
_LIGHT = np.clip(82 + 56 * np.linspace(0, 1, 256), 0, 255).astype(np.uint8)
_FOLD_SIDE = 256  # side of a tile of folds, px
_FOLD_TILES = 16
_FOLD_STREAM = 77  # random stream of the tiles; they are shared by all scenes


def shade_person(image: NDArray[np.uint8], person: Appearance, scale: float) -> None:
    """Shade the flat shapes of a person, in place: light from the upper left, and folds of cloth.

    Args:
        image: ``(H, W, 4)`` premultiplied BGRA; it is changed.
        person: Appearance, for the folds.
        scale: Stature in px.
    """
    alpha = cv2.extractChannel(image, 3)
    height, width = alpha.shape
    reach = max(3, int(0.07 * scale) | 1)
    left, top, wide, high = cv2.boundingRect(alpha)
    body = (slice(max(top - reach, 0), top + high + reach), slice(max(left - reach, 0), left + wide + reach))
    shift = max(1, round(0.03 * scale))
    soft = cv2.blur(np.ascontiguousarray(alpha[body]), (reach, reach))
    moved = np.zeros_like(soft)
    moved[: soft.shape[0] - (shift + 1) // 2, : soft.shape[1] - shift] = soft[(shift + 1) // 2 :, shift:]
    light = cv2.LUT(moved, _LIGHT)  # dark along the edges where the moved silhouette is thin
    folds = _fold_image(person.cloth, width, height, scale)[body]
    light = cv2.multiply(light, np.ascontiguousarray(folds), scale=1 / 128)
    factors = cv2.merge([light, light, light, np.full_like(light, 128)])
    image[body] = cv2.multiply(np.ascontiguousarray(image[body]), factors, scale=1 / 128)


def _fold_image(seed: int, width: int, height: int, scale: float) -> NDArray[np.uint8]:
    """Return the brightness of folds, ``(height, width)`` uint8 with 128 for flat cloth, for a stature in px."""
    tile = _fold_tile(seed % _FOLD_TILES)
    used_x = min(_FOLD_SIDE, round(_FOLD_SIDE * width / scale / 1.4))
    used_y = min(_FOLD_SIDE, round(_FOLD_SIDE * height / scale / 1.4))
    return np.asarray(cv2.resize(tile[:used_y, :used_x], (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


@functools.cache
def _fold_tile(variant: int) -> NDArray[np.uint8]:
    rng = random_stream(variant, _FOLD_STREAM)
    total = np.zeros((_FOLD_SIDE, _FOLD_SIDE), np.float32)
    for cells, weight in ((9, 7.0), (28, 8.0), (64, 7.0)):
        coarse = rng.standard_normal((cells, cells)).astype(np.float32)
        total += weight * cv2.resize(coarse, (_FOLD_SIDE, _FOLD_SIDE), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + total, 60, 200).astype(np.uint8)
