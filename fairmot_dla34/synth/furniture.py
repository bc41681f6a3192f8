"""Which things stand where."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .blending import paste
from .camera import Camera
from .config import SceneConfig
from .draws import Rng, between, pick, stream, weighted, whole
from .props import Prop, draw_prop

_KINDS: dict[str, dict[str, float]] = {
    "street": {
        "pole": 3,
        "sign": 2,
        "car": 2,
        "bin": 1,
        "bollards": 1.5,
        "tree": 1.5,
        "kiosk": 1,
        "bench": 1,
        "board": 1,
    },
    "plaza": {"pole": 2, "tree": 2, "bench": 2, "kiosk": 1.5, "bin": 1, "board": 1, "bush": 1},
    "park": {"tree": 4, "bush": 2, "bench": 2, "pole": 1, "bin": 1, "sign": 1},
    "car_park": {"car": 3, "pole": 2, "sign": 2, "fence": 1, "bollards": 1},
    "hall": {"kiosk": 2, "board": 2, "bin": 2, "fence": 1.5, "bench": 1, "sign": 1},
}


def place_props(config: SceneConfig, camera: Camera, kind: str) -> list[Prop]:
    """Draw the things that people walk behind, far ones first."""
    rng = stream(config.seed, 4)
    count = whole(rng, 0, 7) if config.occluders is None else config.occluders
    near, far = 1 / camera.near_m, 1 / camera.far_m
    places = [1 / between(rng, far, near) for _ in range(count)]
    return [_placed(camera, rng, kind, y) for y in sorted(places, reverse=True)]


def add_backdrop(image: NDArray[np.uint8], camera: Camera, kind: str, rng: Rng) -> None:
    """Draw things behind everyone onto the canvas, in place."""
    for y in sorted((between(rng, 1.0, 1.06) * camera.far_m for _ in range(whole(rng, 1, 13))), reverse=True):
        prop = _placed(camera, rng, pick(rng, (kind, "street")), y)
        shade_ground(image, prop)
        paste(image, prop.image, prop.corner)


def add_litter(image: NDArray[np.uint8], camera: Camera, rng: Rng) -> None:
    """Draw flat things onto the ground, in place: covers, puddles, leaves, paper, cracks."""
    for _ in range(whole(rng, 0, 40)):
        y = 1 / between(rng, 1 / camera.far_m, 1 / camera.near_m)
        spot, depth = camera.project(np.array([[between(rng, -1, 1) * camera.half_width(y), y, 0.0]]))
        scale = camera.focal_px / float(depth[0]) * 16  # four sub-pixel bits
        kind = weighted(rng, {"cover": 1, "stain": 3, "paper": 2})
        size = {"cover": 0.3, "stain": between(rng, 0.1, 1.2), "paper": between(rng, 0.05, 0.2)}[kind]
        light = between(rng, 150, 235) if kind == "paper" else between(rng, 25, 80)
        axes = (max(round(size * scale), 8), max(round(size * scale * min(camera.height_m / y, 1.0)), 5))
        centre = (round(float(spot[0, 0]) * 16), round(float(spot[0, 1]) * 16))
        over = image.copy() if kind == "stain" else image
        cv2.ellipse(over, centre, axes, 0, 0, 360, (light, light * 1.02, light * 1.04), -1, cv2.LINE_AA, 4)
        if kind == "stain":
            cv2.addWeighted(image, 0.8, over, 0.2, 0, dst=image)


def shade_ground(image: NDArray[np.uint8], prop: Prop) -> None:
    """Darken the ground where a thing stands, in place."""
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
    paste(image, shade, (left, prop.corner[1] + prop.foot[1] - deep // 2))


def _placed(camera: Camera, rng: Rng, kind: str, y: float) -> Prop:
    x = between(rng, -1, 1) * camera.half_width(y)
    spot, depth = camera.project(np.array([[x, y, 0.0]]))
    picture, foot = draw_prop(rng, weighted(rng, _KINDS[kind]), camera.focal_px / float(depth[0]))
    corner = (round(float(spot[0, 0])) - foot[0], round(float(spot[0, 1])) - foot[1])
    return Prop(picture, corner, foot, y)
