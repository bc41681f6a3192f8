"""Camera geometry: a pinhole camera over a ground plane, and the movement of its view.

World frame: x to the right, y away from the camera, z up, in metres. The camera is at ``(0, 0, height_m)`` and looks
down by ``tilt``. It projects onto a canvas that is larger than the image; the image is a window that moves over the
canvas by whole px, so that ground, props and people shift by exactly the same amount.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .config import SceneConfig
from .rng import Part, Rng, random_stream, uniform, weighted_choice

PERSON_M = 1.72  # mean stature
_VIEW_WEIGHTS = {"eye": 0.33, "low": 0.37, "high": 0.30}
# Ranges of: the farthest people's share of the image height, the nearest people's, the share that their feet span.
_VIEWS = {
    "eye": ((0.16, 0.38), (0.42, 0.95), (0.28, 0.5)),
    "low": ((0.10, 0.20), (0.28, 0.55), (0.5, 0.75)),
    "high": ((0.07, 0.13), (0.15, 0.28), (0.7, 0.95)),
}


@dataclass(frozen=True)
class Camera:
    """Position, view and movement of the camera.

    Attributes:
        focal_px: Focal length, px.
        height_m: Height above the ground, m.
        tilt: Downward angle of the optical axis, rad.
        near_m: Ground distance of the nearest people, m.
        far_m: Ground distance of the farthest people, m.
        canvas: (width, height) of the canvas, px.
        margin: (x, y) of the image at rest within the canvas, px.
        sway: ``(K, 5)`` sine components of the window's movement: amplitudes x and y in px, frequency in Hz, phases x
            and y in rad.
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
        """Project world points onto the canvas.

        Args:
            points: ``(N, 3)`` in m.

        Returns:
            ``(N, 2)`` canvas px, and ``(N,)`` depths in m, at least 0.1.
        """
        sine, cosine = math.sin(self.tilt), math.cos(self.tilt)
        below = points[:, 2] - self.height_m
        depth = np.maximum(points[:, 1] * cosine - below * sine, 0.1)
        down = -points[:, 1] * sine - below * cosine
        x = self.focal_px * points[:, 0] / depth + self.canvas[0] / 2
        y = self.focal_px * down / depth + self.canvas[1] / 2
        return np.stack([x, y], axis=1), depth

    def half_width(self, y: float) -> float:
        """Return how far the walked ground reaches to each side at distance ``y``, both in m.

        That is the ground on the canvas, but at most 1.5 times what the image at rest shows.
        """
        depth = y * math.cos(self.tilt) + self.height_m * math.sin(self.tilt)
        reach = min(self.canvas[0] / 2, (self.canvas[0] / 2 - self.margin[0]) * 1.5)
        return reach / self.focal_px * depth

    def window(self, time_s: float) -> tuple[int, int]:
        """Return (x, y) of the image's top left corner on the canvas at a time, whole px."""
        x, y = self.margin
        angle = 2 * np.pi * self.sway[:, 2] * time_s
        dx = float((self.sway[:, 0] * np.sin(angle + self.sway[:, 3])).sum())
        dy = float((self.sway[:, 1] * np.sin(angle + self.sway[:, 4])).sum())
        return min(max(round(x + dx), 0), 2 * x), min(max(round(y + dy), 0), 2 * y)


def plan_camera(config: SceneConfig) -> Camera:
    """Choose a camera that shows people at the configured heights."""
    rng = random_stream(config.seed, Part.CAMERA)
    view = _VIEWS[weighted_choice(rng, _VIEW_WEIGHTS)]
    far_share, near_share, span = (uniform(rng, *bounds) for bounds in view)
    if config.person_height is not None:
        far_share, near_share = config.person_height
    # The rows of the feet span height_m / PERSON_M * (near_share - far_share) of the image height.
    height_m = min(max(PERSON_M * span / (near_share - far_share), 1.2), 16.0)
    focal_px = uniform(rng, 0.75, 1.7) * max(config.width, config.height)
    near_m = PERSON_M * focal_px / (near_share * config.height)
    far_m = PERSON_M * focal_px / (far_share * config.height)
    feet_row = (uniform(rng, 0.93, 1.06) - 0.5) * config.height  # nearest people, px below the image centre
    tilt = math.atan2(height_m, near_m) - math.atan2(feet_row, focal_px)
    margin, sway = _plan_movement(config, rng)
    canvas = (config.width + 2 * margin[0], config.height + 2 * margin[1])
    return Camera(focal_px, height_m, tilt, near_m, far_m, canvas, margin, sway)


def _plan_movement(config: SceneConfig, rng: Rng) -> tuple[tuple[int, int], NDArray[np.float64]]:
    """Return the canvas margin and the sway, see `Camera`."""
    size = float(config.width)
    rows = []
    if config.camera == "pan":
        reach = uniform(rng, 0.2, 0.45) * size
        rows.append([reach, uniform(rng, 0.0, 0.03) * size, uniform(rng, 0.03, 0.08)])
        rows.append([0.001 * size, 0.001 * size, uniform(rng, 0.7, 1.5)])
    if config.camera == "shake":
        strength = uniform(rng, 0.5, 1.5) * size
        rows.extend(
            [share * strength * uniform(rng, 0.5, 1.0), share * strength * uniform(rng, 0.5, 1.0), rate]
            for share, rate in ((0.012, 0.31), (0.006, 0.83), (0.003, 2.3), (0.0015, 5.1))
        )
    if not rows:
        return (0, 0), np.zeros((0, 5))
    sway = np.array([[*row, uniform(rng, 0, 6.283), uniform(rng, 0, 6.283)] for row in rows])
    margin_x, margin_y = (math.ceil(value) + 1 for value in sway[:, :2].sum(axis=0))
    return (margin_x, margin_y), sway
