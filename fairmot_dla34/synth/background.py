"""The empty scene on the whole canvas: ground in zones of procedural materials, a wall with windows, and the sky."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .config import BACKGROUNDS
from .materials import GROUND, Plane, facade, noise_tile
from .rng import Rng, chance, choice, uniform


def random_background(rng: Rng) -> str:
    """Draw the name of a background."""
    return choice(rng, tuple(BACKGROUNDS))


def draw_background(name: str, camera: Camera, rng: Rng) -> NDArray[np.uint8]:
    """Draw the canvas without people and props.

    Args:
        name: Key of `config.BACKGROUNDS`.
        camera: Camera of the scene.
        rng: Source of the draws.

    Returns:
        ``(canvas height, canvas width, 3)`` uint8 BGR.
    """
    tile = noise_tile(rng)
    turn = uniform(rng, -0.3, 0.3)
    wall_m = 1.06 * camera.far_m + uniform(rng, 0.0, 0.5) * camera.far_m
    wall_m += 2 * abs(turn) * camera.half_width(camera.far_m)  # a slanted wall is behind everyone
    right, forward, up = _rays(camera)
    reach = right * math.sin(turn) + forward * math.cos(turn)
    with np.errstate(divide="ignore", invalid="ignore"):
        to_ground = np.where(up < -1e-4, camera.height_m / -up, np.inf).astype(np.float32)
        to_wall = np.where(reach > 1e-4, wall_m / reach, np.inf).astype(np.float32)
    is_wall = to_wall < to_ground
    distance = np.minimum(np.minimum(to_wall, to_ground), 4000.0)
    u, v = (right * math.cos(turn) - forward * math.sin(turn)) * distance, reach * distance
    image = _draw_ground(name, camera, tile, rng, (u, v, distance))
    rows = np.flatnonzero(is_wall.any(axis=1))
    if len(rows):
        last = rows[-1] + 1
        height = camera.height_m + up[:last] * distance[:last]
        footprint = np.asarray(distance[:last] / camera.focal_px, np.float32)
        wall = facade(tile, rng)(u[:last], np.asarray(height, np.float32), footprint)
        top = uniform(rng, 4, 18) if chance(rng, 0.6) and BACKGROUNDS[name].open_air else 60.0
        wall = np.where((height > top)[:, :, None], _draw_sky(rng, up[:last]), wall)
        image[:last] = np.where(is_wall[:last, :, None], wall, image[:last])
    return np.asarray(cv2.GaussianBlur(np.clip(image, 0, 255), (3, 3), 0.6).astype(np.uint8))


def _rays(camera: Camera) -> tuple[Plane, Plane, Plane]:
    """Return the direction of view of every canvas px: right, forward and up."""
    width, height = camera.canvas
    across = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / camera.focal_px
    down = (np.arange(height, dtype=np.float32) + 0.5 - height / 2) / camera.focal_px
    sine, cosine = math.sin(camera.tilt), math.cos(camera.tilt)
    shape = (height, width)
    right = np.broadcast_to(across[None], shape).astype(np.float32)
    forward = np.broadcast_to((cosine - down * sine)[:, None], shape).astype(np.float32)
    up = np.broadcast_to((-sine - down * cosine)[:, None], shape).astype(np.float32)
    return right, forward, up


def _draw_ground(
    name: str, camera: Camera, tile: NDArray[np.float32], rng: Rng, seen: tuple[Plane, Plane, Plane]
) -> NDArray[np.float32]:
    """Draw the ground.

    Args:
        name: Key of `config.BACKGROUNDS`.
        camera: Camera of the scene.
        tile: Noise for the materials.
        rng: Source of the draws.
        seen: Point that each px shows, in m: coordinate along the wall, towards it, and distance from the camera.

    Returns:
        ``(H, W, 3)`` BGR, 0 to 255.
    """
    u, v, distance = seen
    names = BACKGROUNDS[name].ground
    footprint = distance * distance / (camera.focal_px * camera.height_m)  # along the direction of view
    bend = uniform(rng, -0.25, 0.25)
    depth = v + bend * u + uniform(rng, 0, 0.4) * np.sin(u / uniform(rng, 3, 9))
    image = np.zeros((*u.shape, 3), np.float32)
    is_asphalt = np.zeros(u.shape, bool)
    edges = sorted(uniform(rng, 0.9 * camera.near_m, camera.far_m) for _ in names[1:])
    for material, low, high in zip(names, [-math.inf, *edges], [*edges, math.inf], strict=True):
        zone = (depth >= low) & (depth < high)
        colours = GROUND[material](tile, rng)(u, v, footprint)
        image = np.where(zone[:, :, None], colours, image)
        is_asphalt |= zone & (material == "asphalt")
        if low > 0:
            kerb = np.abs(depth - low) < np.maximum(0.1, 0.3 * footprint)
            image = np.where(kerb[:, :, None], np.float32(uniform(rng, 90, 200)), image)
    markings = BACKGROUNDS[name].markings
    if markings is not None or chance(rng, 0.15):
        asphalt_depth = np.where(is_asphalt, depth, np.float32(-1e6))
        _add_markings(image, rng, (u, asphalt_depth), (camera.near_m, camera.far_m), bays=markings == "bays")
    return image


def _add_markings(
    image: NDArray[np.float32], rng: Rng, ground: tuple[Plane, Plane], span: tuple[float, float], *, bays: bool
) -> None:
    """Draw two lines across the ground, or two rows of parking bays, in place."""
    u, depth = ground
    colour = np.array(choice(rng, ((215, 218, 220), (90, 190, 215))), np.float32)
    for _ in range(2):
        middle = uniform(rng, *span)
        if bays:
            line = (u % uniform(rng, 2.3, 3.2) < 0.12) & (np.abs(depth - middle) < 2.4)
        else:
            line = (np.abs(depth - middle) < 0.08) & (u % 5 < choice(rng, (2.0, 5.0)))
        image[line] = 0.35 * image[line] + 0.65 * colour


def _draw_sky(rng: Rng, up: Plane) -> NDArray[np.float32]:
    low, high = np.array(
        choice(rng, (((235, 232, 230), (215, 205, 200)), ((240, 225, 205), (215, 170, 125)))), np.float32
    )
    part = np.clip(up * 3, 0, 1)[:, :, None]
    return np.asarray(low + (high - low) * part, np.float32)
