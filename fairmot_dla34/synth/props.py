"""Placing of props on the canvas and among the people, and the grain and shadows of props."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .config import BACKGROUNDS, SceneConfig
from .drawing import Brush, paste
from .prop_shapes import PROPS
from .rng import Part, Rng, choice, integer, random_stream, uniform, weighted_choice


@dataclass(frozen=True, eq=False)
class Prop:
    """A prop in its place.

    Attributes:
        image: ``(H, W, 4)`` uint8, premultiplied BGRA.
        corner: (x, y) of the image's top left corner, canvas px.
        foot: (x, y) of the point on the ground, px of ``image``.
        y: Ground distance, m.
    """

    image: NDArray[np.uint8]
    corner: tuple[int, int]
    foot: tuple[int, int]
    y: float


def place_props(config: SceneConfig, camera: Camera, background: str) -> list[Prop]:
    """Draw the props that people walk behind, ordered from far to near."""
    rng = random_stream(config.seed, Part.PROPS)
    count = integer(rng, 0, 7) if config.occluders is None else config.occluders
    near, far = 1 / camera.near_m, 1 / camera.far_m
    distances = [1 / uniform(rng, far, near) for _ in range(count)]
    return [_random_prop(camera, rng, background, y) for y in sorted(distances, reverse=True)]


def add_backdrop(canvas: NDArray[np.uint8], camera: Camera, background: str, rng: Rng) -> None:
    """Draw props behind all people onto the canvas, in place."""
    for y in sorted((uniform(rng, 1.0, 1.06) * camera.far_m for _ in range(integer(rng, 1, 13))), reverse=True):
        prop = _random_prop(camera, rng, choice(rng, (background, "street")), y)
        shade_ground(canvas, prop)
        paste(canvas, prop.image, prop.corner)


def add_litter(canvas: NDArray[np.uint8], camera: Camera, rng: Rng) -> None:
    """Draw flat things onto the ground, in place: manhole covers, stains and paper."""
    for _ in range(integer(rng, 0, 40)):
        y = 1 / uniform(rng, 1 / camera.far_m, 1 / camera.near_m)
        spot, depth = camera.project(np.array([[uniform(rng, -1, 1) * camera.half_width(y), y, 0.0]]))
        scale = camera.focal_px / float(depth[0]) * 16  # OpenCV's coordinates have four fractional bits
        kind = weighted_choice(rng, {"cover": 1, "stain": 3, "paper": 2})
        size = {"cover": 0.3, "stain": uniform(rng, 0.1, 1.2), "paper": uniform(rng, 0.05, 0.2)}[kind]
        light = uniform(rng, 150, 235) if kind == "paper" else uniform(rng, 25, 80)
        axes = (max(round(size * scale), 8), max(round(size * scale * min(camera.height_m / y, 1.0)), 5))
        centre = (round(float(spot[0, 0]) * 16), round(float(spot[0, 1]) * 16))
        over = canvas.copy() if kind == "stain" else canvas
        cv2.ellipse(over, centre, axes, 0, 0, 360, (light, light * 1.02, light * 1.04), -1, cv2.LINE_AA, 4)
        if kind == "stain":
            cv2.addWeighted(canvas, 0.8, over, 0.2, 0, dst=canvas)


def shade_ground(canvas: NDArray[np.uint8], prop: Prop) -> None:
    """Darken the ground under a prop, in place."""
    height = prop.image.shape[0]
    columns = np.flatnonzero(prop.image[max(prop.foot[1] - 3, 0) : prop.foot[1] + 1, :, 3].max(axis=0) > 127)
    if len(columns) == 0:
        return
    wide = int(1.5 * (columns[-1] - columns[0] + 3))
    deep = max(3, min(wide // 3, height // 5))
    across, down = np.linspace(-1, 1, wide)[None], np.linspace(-1, 1, deep)[:, None]
    shade = np.zeros((deep, wide, 4), np.uint8)
    shade[:, :, 3] = 150 * np.clip(1 - across**2 - down**2, 0, 1)
    left = prop.corner[0] + int(columns[0] + columns[-1] - wide) // 2
    paste(canvas, shade, (left, prop.corner[1] + prop.foot[1] - deep // 2))


def _random_prop(camera: Camera, rng: Rng, background: str, y: float) -> Prop:
    """Draw one prop of a background at a ground distance in m."""
    x = uniform(rng, -1, 1) * camera.half_width(y)
    spot, depth = camera.project(np.array([[x, y, 0.0]]))
    kind = weighted_choice(rng, BACKGROUNDS[background].props)
    image, foot = _draw_prop(rng, kind, camera.focal_px / float(depth[0]))
    corner = (round(float(spot[0, 0])) - foot[0], round(float(spot[0, 1])) - foot[1])
    return Prop(image, corner, foot, y)


def _draw_prop(rng: Rng, kind: str, px_per_m: float) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Return the image of a prop, premultiplied BGRA, and the px of it that is on the ground."""
    width_m, height_m, draw = PROPS[kind]
    size = (max(3, round(width_m * px_per_m) + 2), max(3, round((height_m + 0.3) * px_per_m) + 2))
    foot = (size[0] // 2, size[1] - 1 - round(0.25 * px_per_m))
    brush = Brush(size, scale=px_per_m, origin=foot)
    draw(brush, rng)
    return _grained(brush.image, rng), foot


def _grained(image: NDArray[np.uint8], rng: Rng) -> NDArray[np.uint8]:
    """Add grain to the flat colours of a premultiplied BGRA image, in place."""
    coarse = rng.standard_normal((max(2, image.shape[0] // 6), max(2, image.shape[1] // 6))).astype(np.float32)
    grain = np.asarray(cv2.resize(coarse, image.shape[1::-1], interpolation=cv2.INTER_CUBIC), np.float32)
    grain += 0.7 * rng.standard_normal(grain.shape).astype(np.float32)
    colours = image[:, :, :3] * (1 + 0.045 * grain[:, :, None])
    image[:, :, :3] = np.clip(np.minimum(colours, image[:, :, 3:]), 0, 255)
    return image
