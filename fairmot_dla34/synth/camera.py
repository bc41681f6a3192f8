"""The camera: a pinhole over a plane, and the way the picture moves.

World: x to the right, y away from the camera, z up, metres, the camera at ``(0, 0, height_m)`` looking down by
``tilt``. It projects onto a canvas larger than the picture; the picture is a window that moves over the canvas in
whole px, so that ground, things and people move together exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .config import SceneConfig
from .draws import Rng, between, stream, weighted

PERSON_M = 1.72
# (far, near) share of the picture's height, and the share of it that the feet's rows span
_VIEWS = {
    "eye": ((0.16, 0.38), (0.42, 0.95), (0.28, 0.5)),
    "low": ((0.10, 0.20), (0.28, 0.55), (0.5, 0.75)),
    "high": ((0.07, 0.13), (0.15, 0.28), (0.7, 0.95)),
}
_VIEW_WEIGHTS = {"eye": 0.33, "low": 0.37, "high": 0.30}


@dataclass(frozen=True)
class Camera:
    """Where the camera stands and what it sees.

    Attributes:
        focal_px: Focal length.
        height_m: Above the ground.
        tilt: Downwards, rad.
        near_m: Ground distance of the nearest people.
        far_m: Ground distance of the farthest people.
        canvas: (width, height) of the canvas, px.
        margin: (x, y) of the picture at rest within the canvas, px.
        sway: Amplitudes and frequencies of the window's movement, ``(K, 5)``: x px, y px, Hz, phase x, phase y.
    """

    focal_px: float
    height_m: float
    tilt: float
    near_m: float
    far_m: float
    canvas: tuple[int, int]
    margin: tuple[int, int]
    sway: NDArray[np.float64]

    def project(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return where world points ``(N, 3)`` fall, ``(N, 2)`` canvas px, and their depths ``(N,)`` in m."""
        sine, cosine = math.sin(self.tilt), math.cos(self.tilt)
        below = points[:, 2] - self.height_m
        depth = np.maximum(points[:, 1] * cosine - below * sine, 0.1)
        down = -points[:, 1] * sine - below * cosine
        x = self.focal_px * points[:, 0] / depth + self.canvas[0] / 2
        y = self.focal_px * down / depth + self.canvas[1] / 2
        return np.stack([x, y], axis=1), depth

    def half_width(self, y: float) -> float:
        """Return how far to each side the canvas shows the ground at distance ``y``, both in m."""
        depth = y * math.cos(self.tilt) + self.height_m * math.sin(self.tilt)
        reach = min(self.canvas[0] / 2, (self.canvas[0] / 2 - self.margin[0]) * 1.5)
        return reach / self.focal_px * depth

    def window(self, time_s: float) -> tuple[int, int]:
        """Return the picture's left upper corner on the canvas at a time, whole px."""
        x, y = self.margin
        angle = 2 * np.pi * self.sway[:, 2] * time_s
        dx = float((self.sway[:, 0] * np.sin(angle + self.sway[:, 3])).sum())
        dy = float((self.sway[:, 1] * np.sin(angle + self.sway[:, 4])).sum())
        return min(max(round(x + dx), 0), 2 * x), min(max(round(y + dy), 0), 2 * y)


def plan_camera(config: SceneConfig) -> Camera:
    """Place the camera so that people have the sizes asked for."""
    rng = stream(config.seed, 1)
    view = _VIEWS[weighted(rng, _VIEW_WEIGHTS)]
    far_share, near_share, span = (between(rng, *bounds) for bounds in view)
    if config.person_height is not None:
        far_share, near_share = config.person_height
    # The feet's rows span height_m / PERSON_M * (near_share - far_share) of the picture.
    height_m = min(max(PERSON_M * span / (near_share - far_share), 1.2), 16.0)
    focal_px = between(rng, 0.75, 1.7) * max(config.width, config.height)
    near_m = PERSON_M * focal_px / (near_share * config.height)
    far_m = PERSON_M * focal_px / (far_share * config.height)
    feet_row = (between(rng, 0.93, 1.06) - 0.5) * config.height  # of the nearest people, below the middle
    tilt = math.atan2(height_m, near_m) - math.atan2(feet_row, focal_px)
    margin, sway = _movement(config, rng)
    canvas = (config.width + 2 * margin[0], config.height + 2 * margin[1])
    return Camera(focal_px, height_m, tilt, near_m, far_m, canvas, margin, sway)


def _movement(config: SceneConfig, rng: Rng) -> tuple[tuple[int, int], NDArray[np.float64]]:
    size = float(config.width)
    rows = []
    if config.camera == "pan":
        reach = between(rng, 0.2, 0.45) * size
        rows.append([reach, between(rng, 0.0, 0.03) * size, between(rng, 0.03, 0.08)])
        rows.append([0.001 * size, 0.001 * size, between(rng, 0.7, 1.5)])
    if config.camera == "shake":
        strength = between(rng, 0.5, 1.5) * size
        rows.extend(
            [share * strength * between(rng, 0.5, 1.0), share * strength * between(rng, 0.5, 1.0), rate]
            for share, rate in ((0.012, 0.31), (0.006, 0.83), (0.003, 2.3), (0.0015, 5.1))
        )
    if not rows:
        return (0, 0), np.zeros((0, 5))
    sway = np.array([[*row, between(rng, 0, 6.283), between(rng, 0, 6.283)] for row in rows])
    margin_x, margin_y = (math.ceil(value) + 1 for value in sway[:, :2].sum(axis=0))
    return (margin_x, margin_y), sway
