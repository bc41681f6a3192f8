"""Draws one person in one pose, seen from one side."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from .appearance import Appearance
from .bags import draw_backpack, draw_shoulder_bag
from .brush import Brush
from .figure import Figure, Pose
from .folds import fold_picture
from .head import draw_head
from .limbs import draw_arm, draw_leg
from .trunk import draw_trunk

# Light on cloth by how much of the body is around a px towards the light, 128 for the colour as it is.
_LIGHT = np.clip(82 + 56 * np.linspace(0, 1, 256), 0, 255).astype(np.uint8)


def draw_walker(person: Appearance, pose: Pose, px_per_m: float) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """Draw a person.

    Returns:
        ``(H, W, 4)`` uint8, premultiplied BGRA, and the px where the middle of the feet is on the ground.
    """
    scale = person.stature_m * px_per_m
    width, height = math.ceil(1.1 * scale) + 4, math.ceil((1.12 + 0.35 * math.sin(pose.elevation)) * scale) + 4
    origin = (width / 2, 1.1 * scale + 2)
    brush = Brush((width, height), scale=scale, origin=origin)
    figure = Figure(person, pose, brush)
    for _, paint in sorted(_parts(figure), key=lambda part: -part[0]):
        paint()
    return _lit(brush.image, person, scale), origin


def _parts(figure: Figure) -> list[tuple[float, Callable[[], None]]]:
    """Return the parts of a person, each with its distance behind the trunk."""
    found: list[tuple[float, Callable[[], None]]] = []
    up = math.sqrt(1 - figure.rise**2)
    for side in "lr":
        hip, knee, shoulder, hand = (figure.flat[f"{name}_{side}"] for name in ("hip", "knee", "shoulder", "hand"))
        found.append((0.3 + 0.01 * (hip[2] + knee[2]), partial(draw_leg, figure, side)))
        away = hand[2] + shoulder[2] - 2 * figure.flat["chest"][2] + 0.2 * up
        found.append((0.2 * away - 0.02, partial(draw_arm, figure, side)))
    found.append((0.0, partial(draw_trunk, figure)))
    found.append((-0.001 if figure.cos < 0.6 else -0.002, partial(draw_head, figure)))
    if figure.person.bag == "backpack":
        found.append((0.1 if figure.cos < 0 else -0.0005, partial(draw_backpack, figure)))
    elif figure.person.bag == "shoulder":
        found.append((-0.0004 if figure.sin < 0.3 else 0.1, partial(draw_shoulder_bag, figure)))
    return found


def _lit(image: NDArray[np.uint8], person: Appearance, scale: float) -> NDArray[np.uint8]:
    """Round the flat shapes: light from the upper left, darker towards the other edge, folds of cloth."""
    alpha = cv2.extractChannel(image, 3)
    height, width = alpha.shape
    reach = max(3, int(0.07 * scale) | 1)
    left, top, wide, high = cv2.boundingRect(alpha)
    body = (slice(max(top - reach, 0), top + high + reach), slice(max(left - reach, 0), left + wide + reach))
    shift = max(1, round(0.03 * scale))
    soft = cv2.blur(np.ascontiguousarray(alpha[body]), (reach, reach))
    moved = np.zeros_like(soft)
    moved[: soft.shape[0] - (shift + 1) // 2, : soft.shape[1] - shift] = soft[(shift + 1) // 2 :, shift:]
    light = cv2.LUT(moved, _LIGHT)  # the body ends where the moved silhouette is thin
    folds = fold_picture(person.cloth, width, height, scale)[body]
    light = cv2.multiply(light, np.ascontiguousarray(folds), scale=1 / 128)
    every = cv2.merge([light, light, light, np.full_like(light, 128)])
    image[body] = cv2.multiply(np.ascontiguousarray(image[body]), every, scale=1 / 128)
    return image
