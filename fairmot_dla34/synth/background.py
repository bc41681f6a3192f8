"""The empty scene on the whole canvas: ground in zones, a wall, the sky."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from ..config import SCENE_BACKGROUNDS
from .camera import Camera
from .draws import Rng, between, chance, pick
from .facade import facade
from .surfaces import Plane, asphalt, grass, noise_tile, paving

# Kinds of ground from near to far, in turn.
_ZONES = {
    "street": ("paving", "asphalt", "paving"),
    "plaza": ("paving", "paving"),
    "park": ("grass", "asphalt", "grass", "paving"),
    "car_park": ("asphalt", "asphalt", "grass"),
    "hall": ("paving",),
}
_MATERIALS = {"paving": paving, "asphalt": asphalt, "grass": grass}


def draw_kind(rng: Rng) -> str:
    """Draw a kind of background."""
    return pick(rng, SCENE_BACKGROUNDS)


def draw_background(kind: str, camera: Camera, rng: Rng) -> NDArray[np.uint8]:
    """Draw the canvas without people and things.

    Returns:
        ``(canvas height, canvas width, 3)`` uint8 BGR.
    """
    tile = noise_tile(rng)
    turn = between(rng, -0.3, 0.3)
    wall_m = 1.06 * camera.far_m + between(rng, 0.0, 0.5) * camera.far_m
    wall_m += 2 * abs(turn) * camera.half_width(camera.far_m)  # a slanted wall stands behind everyone
    right, forward, up = _rays(camera)
    reach = right * math.sin(turn) + forward * math.cos(turn)
    with np.errstate(divide="ignore", invalid="ignore"):
        to_ground = np.where(up < -1e-4, camera.height_m / -up, np.inf).astype(np.float32)
        to_wall = np.where(reach > 1e-4, wall_m / reach, np.inf).astype(np.float32)
    is_wall = to_wall < to_ground
    far = np.minimum(np.minimum(to_wall, to_ground), 4000.0)
    u, v = (right * math.cos(turn) - forward * math.sin(turn)) * far, reach * far
    image = _ground(kind, camera, tile, rng, (u, v, far))
    rows = np.flatnonzero(is_wall.any(axis=1))
    if len(rows):
        last = rows[-1] + 1
        high = camera.height_m + up[:last] * far[:last]
        footprint = np.asarray(far[:last] / camera.focal_px, np.float32)
        wall = facade(tile, rng)(u[:last], np.asarray(high, np.float32), footprint)
        tall = between(rng, 4, 18) if chance(rng, 0.6) and kind != "hall" else 60.0
        wall = np.where((high > tall)[:, :, None], _sky(rng, up[:last]), wall)
        image[:last] = np.where(is_wall[:last, :, None], wall, image[:last])
    return np.asarray(cv2.GaussianBlur(np.clip(image, 0, 255), (3, 3), 0.6).astype(np.uint8))


def _rays(camera: Camera) -> tuple[Plane, Plane, Plane]:
    """Return the direction of view of every canvas px, right, forward and up, ``(H, W)`` each."""
    width, height = camera.canvas
    across = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / camera.focal_px
    down = (np.arange(height, dtype=np.float32) + 0.5 - height / 2) / camera.focal_px
    sine, cosine = math.sin(camera.tilt), math.cos(camera.tilt)
    shape = (height, width)
    right = np.broadcast_to(across[None], shape).astype(np.float32)
    forward = np.broadcast_to((cosine - down * sine)[:, None], shape).astype(np.float32)
    up = np.broadcast_to((-sine - down * cosine)[:, None], shape).astype(np.float32)
    return right, forward, up


def _ground(
    kind: str, camera: Camera, tile: NDArray[np.float32], rng: Rng, place: tuple[Plane, Plane, Plane]
) -> NDArray[np.float32]:
    """Paint the ground; ``place`` is where each px looks: along the wall, towards it, and how far away, m."""
    u, v, far = place
    names = _ZONES[kind]
    footprint = far * far / (camera.focal_px * camera.height_m)  # m of ground that a px covers in depth
    bend = between(rng, -0.25, 0.25)
    depth = v + bend * u + between(rng, 0, 0.4) * np.sin(u / between(rng, 3, 9))
    image = np.zeros((*u.shape, 3), np.float32)
    paved = np.zeros(u.shape, bool)
    edges = sorted(between(rng, 0.9 * camera.near_m, camera.far_m) for _ in names[1:])
    for name, low, high in zip(names, [-math.inf, *edges], [*edges, math.inf], strict=True):
        zone = (depth >= low) & (depth < high)
        painted = _MATERIALS[name](tile, rng)(u, v, footprint)
        image = np.where(zone[:, :, None], painted, image)
        paved |= zone & (name == "asphalt")
        if low > 0:
            kerb = np.abs(depth - low) < np.maximum(0.1, 0.3 * footprint)
            image = np.where(kerb[:, :, None], np.float32(between(rng, 90, 200)), image)
    if kind in {"street", "car_park"} or chance(rng, 0.15):
        only_paved = np.where(paved, depth, np.float32(-1e6))
        _markings(image, rng, (u, only_paved), (camera.near_m, camera.far_m), striped=kind == "car_park")
    return image


def _markings(
    image: NDArray[np.float32], rng: Rng, place: tuple[Plane, Plane], span: tuple[float, float], *, striped: bool
) -> None:
    """Paint lines on the ground, in place."""
    u, depth = place
    colour = np.array(pick(rng, ((215, 218, 220), (90, 190, 215))), np.float32)
    for _ in range(2):
        middle = between(rng, *span)
        if striped:
            line = (u % between(rng, 2.3, 3.2) < 0.12) & (np.abs(depth - middle) < 2.4)
        else:
            line = (np.abs(depth - middle) < 0.08) & (u % 5 < pick(rng, (2.0, 5.0)))
        image[line] = 0.35 * image[line] + 0.65 * colour


def _sky(rng: Rng, up: Plane) -> NDArray[np.float32]:
    low, high = np.array(
        pick(rng, (((235, 232, 230), (215, 205, 200)), ((240, 225, 205), (215, 170, 125)))), np.float32
    )
    part = np.clip(up * 3, 0, 1)[:, :, None]
    return np.asarray(low + (high - low) * part, np.float32)
