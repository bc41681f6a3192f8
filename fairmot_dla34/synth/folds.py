"""Folds and wear of cloth, as a picture of light."""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from .draws import stream

_SIDE = 256
_VARIANTS = 16


def fold_picture(seed: int, width: int, height: int, scale: float) -> NDArray[np.uint8]:
    """Return ``(height, width)`` uint8, 128 where cloth is plain, for a person ``scale`` px tall."""
    tile = _tile(seed % _VARIANTS)
    used_x, used_y = min(_SIDE, round(_SIDE * width / scale / 1.4)), min(_SIDE, round(_SIDE * height / scale / 1.4))
    return np.asarray(cv2.resize(tile[:used_y, :used_x], (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


@functools.cache
def _tile(variant: int) -> NDArray[np.uint8]:
    rng = stream(variant, 77)
    total = np.zeros((_SIDE, _SIDE), np.float32)
    for cells, weight in ((9, 7.0), (28, 8.0), (64, 7.0)):
        coarse = rng.standard_normal((cells, cells)).astype(np.float32)
        total += weight * cv2.resize(coarse, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + total, 60, 200).astype(np.uint8)
