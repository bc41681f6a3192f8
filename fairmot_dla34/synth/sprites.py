"""Ready pictures of people, drawn once per pose and size step and scaled to where they stand."""

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
from .walker import draw_walker

_PHASES, _FACINGS, _AMPLITUDES = 16, 16, 3
_ELEVATION_STEP = math.radians(8)
_SIZE_STEP = 1.45  # a sprite is drawn up to so much larger than it is shown
_SMALLEST, _LARGEST = 9.0, 420.0  # px per metre that sprites are drawn at
_KEPT_BYTES = 160_000_000

Key = tuple[int, int, int, int, int, int]


@dataclass(frozen=True, eq=False)
class Sprite:
    """One picture of a person.

    Attributes:
        image: ``(H, W, 4)`` uint8, premultiplied BGRA.
        foot: Px in ``image`` of the middle of the feet on the ground.
        box: Left, top, right, bottom of what is drawn, metres from the foot, y down.
        px_per_m: Scale.
    """

    image: NDArray[np.uint8]
    foot: tuple[float, float]
    box: tuple[float, float, float, float]
    px_per_m: float


class SpriteCache:
    """Draws sprites on demand and forgets those used longest ago; what it returns never depends on its state."""

    def __init__(self, people: Sequence[Appearance]) -> None:
        self._people = people
        self._kept: OrderedDict[Key, Sprite] = OrderedDict()
        self._bytes = 0

    def get(self, who: int, pose: Pose, px_per_m: float) -> Sprite:
        """Return a person in the nearest pose that is kept, at least as large as asked for where that is possible."""
        key = _key(who, pose, px_per_m)
        sprite = self._kept.get(key)
        if sprite is None:
            sprite = _drawn(self._people[who], key)
            self._kept[key] = sprite
            self._bytes += sprite.image.nbytes
            while self._bytes > _KEPT_BYTES and len(self._kept) > 1:
                self._bytes -= self._kept.popitem(last=False)[1].image.nbytes
        else:
            self._kept.move_to_end(key)
        return sprite


def _key(who: int, pose: Pose, px_per_m: float) -> Key:
    size = math.ceil(math.log(min(max(px_per_m, _SMALLEST), _LARGEST) / _SMALLEST, _SIZE_STEP) - 1e-9)
    amplitude = round(pose.amplitude * (_AMPLITUDES - 1))
    return (
        who,
        round(pose.phase / (2 * math.pi) * _PHASES) % _PHASES if amplitude else 0,
        amplitude,
        round(pose.facing / (2 * math.pi) * _FACINGS) % _FACINGS,
        round(pose.elevation / _ELEVATION_STEP),
        size,
    )


def _drawn(person: Appearance, key: Key) -> Sprite:
    _, phase, amplitude, facing, elevation, size = key
    px_per_m = _SMALLEST * _SIZE_STEP**size
    pose = Pose(
        phase=2 * math.pi * phase / _PHASES,
        amplitude=amplitude / (_AMPLITUDES - 1),
        facing=2 * math.pi * facing / _FACINGS,
        elevation=elevation * _ELEVATION_STEP,
    )
    image, (foot_x, foot_y) = draw_walker(person, pose, px_per_m)
    left, top, width, height = cv2.boundingRect((image[:, :, 3] > 127).astype(np.uint8))
    box = (left - foot_x, top - foot_y, left + width - foot_x, top + height - foot_y)
    left, top = max(left - 2, 0), max(top - 2, 0)
    image = np.ascontiguousarray(image[top : top + height + 4, left : left + width + 4])
    metres = (box[0] / px_per_m, box[1] / px_per_m, box[2] / px_per_m, box[3] / px_per_m)
    return Sprite(image, (foot_x - left, foot_y - top), metres, px_per_m)
