"""Shadows that people cast on the ground."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .drawing import overlap
from .rng import Rng, chance, uniform
from .sprites import Sprite

_SHADOW_DIVISOR = 2  # shadows are soft, so they are drawn at half the resolution


@dataclass(frozen=True)
class Sun:
    """Light that casts the shadows of a scene.

    Attributes:
        strength: Darkness of cast shadows, 0 (overcast) to 1.
        contact: Darkness of the ground under the feet, 0 to 1.
        right: Length of a shadow to the right, per height of the person.
        away: Length of a shadow away from the camera, per height of the person.
    """

    strength: float
    contact: float
    right: float
    away: float


def random_sun(rng: Rng) -> Sun:
    """Draw the sunlight of a scene; more than half of all scenes are overcast."""
    strength = uniform(rng, 0.3, 0.65) if chance(rng, 0.45) else 0.0
    return Sun(strength, uniform(rng, 0.25, 0.6), uniform(rng, -1.4, 1.4), uniform(rng, -0.9, 1.2))


class ShadowMap:
    """Darkness of the ground in one frame, collected from the shadows of its people."""

    def __init__(self, size: tuple[int, int]) -> None:
        """Create a map without shadows for an image of (height, width) px."""
        self._size = size
        self._map: NDArray[np.uint8] = np.zeros(
            (-(-size[0] // _SHADOW_DIVISOR), -(-size[1] // _SHADOW_DIVISOR)), np.uint8
        )

    def add(self, sprite: Sprite, foot: tuple[float, float], px_per_m: float, slope: float, sun: Sun) -> None:
        """Add the shadows of one person.

        Args:
            sprite: Image of the person.
            foot: Position of the person's foot, image px.
            px_per_m: Scale of the person in the image.
            slope: Camera height over ground distance: px of depth per px of width on the ground.
            sun: Light of the scene.
        """
        scale = px_per_m / _SHADOW_DIVISOR
        x, y = foot[0] / _SHADOW_DIVISOR, foot[1] / _SHADOW_DIVISOR
        wide, deep = 0.42 * scale, max(0.42 * scale * slope, 0.07 * scale)
        contact = np.array([[wide / 16, 0, x - wide], [0, deep / 16, y - deep]], np.float32)
        self._add_mask(contact, _CONTACT_MASK, sun.contact)
        if sun.strength > 0:
            part = scale / sprite.px_per_m
            fx, fy = sprite.foot
            tall = part * sun.away * slope
            matrix = np.array([[part, -part * sun.right, x + part * (sun.right * fy - fx)], [0, tall, y - tall * fy]])
            self._add_mask(matrix, np.ascontiguousarray(sprite.image[:, :, 3]), sun.strength)

    def _add_mask(self, matrix: NDArray[np.floating], mask: NDArray[np.uint8], strength: float) -> None:
        height, width = mask.shape
        corners = matrix @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]], float)
        left, top = np.floor(corners.min(axis=1)).astype(int).tolist()
        right, bottom = np.ceil(corners.max(axis=1)).astype(int).tolist()
        size = (min(right - left + 1, 4096), min(bottom - top + 1, 4096))
        areas = overlap(self._map.shape[:2], (size[1], size[0]), (left, top))
        if areas is None:
            return
        moved = np.array(matrix, float)
        moved[:, 2] -= (left, top)
        drawn = cv2.warpAffine(mask, moved, size, flags=cv2.INTER_AREA)
        below, above = areas
        self._map[below] = cv2.max(self._map[below], cv2.convertScaleAbs(drawn[above], alpha=strength))

    def darken(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a copy of an ``(H, W, 3)`` image with the shadows on it."""
        soft = cv2.blur(self._map, (3, 3))
        light = cv2.bitwise_not(cv2.resize(soft, (self._size[1], self._size[0]), interpolation=cv2.INTER_LINEAR))
        return np.asarray(cv2.multiply(image, cv2.cvtColor(light, cv2.COLOR_GRAY2BGR), scale=1 / 255), np.uint8)


def _soft_disc() -> NDArray[np.uint8]:
    axis = np.linspace(-1, 1, 32)
    return np.asarray(255 * np.clip(1 - axis[:, None] ** 2 - axis[None] ** 2, 0, 1) ** 0.7).astype(np.uint8)


_CONTACT_MASK = _soft_disc()
