"""Sprites: cached images of people in rounded poses."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .appearance import Appearance
from .figure import Pose
from .person import draw_person

_PHASES, _FACINGS, _AMPLITUDES = 16, 16, 3  # steps that poses are rounded to
_ELEVATION_STEP = math.radians(8)
_SIZE_STEP = 1.45  # a sprite is drawn at most this much larger than it is shown
_SMALLEST, _LARGEST = 9.0, 420.0  # px per metre that sprites are drawn at
_CACHE_BYTES = 160_000_000

Key = tuple[int, int, int, int, int, int]


@dataclass(frozen=True, eq=False)
class Sprite:
    """Image of a person in one pose.

    Attributes:
        image: ``(H, W, 4)`` uint8, premultiplied BGRA.
        foot: (x, y) of the point on the ground between the feet, px of ``image``.
        box: Left, top, right, bottom of the person relative to the foot, m, y down.
        px_per_m: Scale.
    """

    image: NDArray[np.uint8]
    foot: tuple[float, float]
    box: tuple[float, float, float, float]
    px_per_m: float


class SpriteCache:
    """Draws sprites on demand and keeps the most recently used ones; results do not depend on what is cached."""

    def __init__(self, people: Sequence[Appearance]) -> None:
        self._people = people
        self._cached: OrderedDict[Key, Sprite] = OrderedDict()
        self._bytes = 0

    def get(self, person: int, pose: Pose, px_per_m: float) -> Sprite:
        """Return a person in the nearest rounded pose.

        Args:
            person: Index of the person's appearance.
            pose: Pose to show.
            px_per_m: Scale to show it at; the sprite's own scale is at least that, up to `_LARGEST`.
        """
        key = _rounded_key(person, pose, px_per_m)
        sprite = self._cached.get(key)
        if sprite is None:
            sprite = _draw_sprite(self._people[person], key)
            self._cached[key] = sprite
            self._bytes += sprite.image.nbytes
            while self._bytes > _CACHE_BYTES and len(self._cached) > 1:
                self._bytes -= self._cached.popitem(last=False)[1].image.nbytes
        else:
            self._cached.move_to_end(key)
        return sprite


def _rounded_key(person: int, pose: Pose, px_per_m: float) -> Key:
    """Return person, phase, amplitude, facing, elevation and size as steps."""
    size = math.ceil(math.log(min(max(px_per_m, _SMALLEST), _LARGEST) / _SMALLEST, _SIZE_STEP) - 1e-9)
    amplitude = round(pose.amplitude * (_AMPLITUDES - 1))
    return (
        person,
        round(pose.phase / (2 * math.pi) * _PHASES) % _PHASES if amplitude else 0,
        amplitude,
        round(pose.facing / (2 * math.pi) * _FACINGS) % _FACINGS,
        round(pose.elevation / _ELEVATION_STEP),
        size,
    )


def _draw_sprite(person: Appearance, key: Key) -> Sprite:
    _, phase, amplitude, facing, elevation, size = key
    px_per_m = _SMALLEST * _SIZE_STEP**size
    pose = Pose(
        phase=2 * math.pi * phase / _PHASES,
        amplitude=amplitude / (_AMPLITUDES - 1),
        facing=2 * math.pi * facing / _FACINGS,
        elevation=elevation * _ELEVATION_STEP,
    )
    image, (foot_x, foot_y) = draw_person(person, pose, px_per_m)
    left, top, width, height = cv2.boundingRect((image[:, :, 3] > 127).astype(np.uint8))
    box = (left - foot_x, top - foot_y, left + width - foot_x, top + height - foot_y)
    left, top = max(left - 2, 0), max(top - 2, 0)
    image = np.ascontiguousarray(image[top : top + height + 4, left : left + width + 4])
    metres = (box[0] / px_per_m, box[1] / px_per_m, box[2] / px_per_m, box[3] / px_per_m)
    return Sprite(image, (foot_x - left, foot_y - top), metres, px_per_m)
