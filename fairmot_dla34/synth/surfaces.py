"""Procedural materials, coloured by world coordinates so that perspective comes out right."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from .draws import Rng, between, pick

Plane = NDArray[np.float32]
Material = Callable[[Plane, Plane, Plane], NDArray[np.float32]]  # u m, v m, footprint m -> (H, W, 3) BGR

_SIDE = 512


def noise_tile(rng: Rng) -> NDArray[np.float32]:
    """Return a ``(512, 512)`` tile of noise with features of 2 to 64 px, mean 0, deviation about 1."""
    total = np.zeros((_SIDE, _SIDE), np.float32)
    for cells in (8, 32, 96, 256):
        coarse = rng.standard_normal((cells, cells)).astype(np.float32)
        wrapped = np.pad(coarse, 2, mode="wrap")
        step = _SIDE // cells if _SIDE % cells == 0 else _SIDE / cells
        large = cv2.resize(wrapped, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)
        border = round(2 * step)
        total += large[border : border + _SIDE, border : border + _SIDE]
    return np.asarray(total / 2, np.float32)


def sampled(tile: NDArray[np.float32], u: Plane, v: Plane, metres: float, footprint: Plane) -> Plane:
    """Look a tile of ``metres`` up at world coordinates, faded where a px covers more than its features."""
    scale = _SIDE / metres
    values = cv2.remap(tile, (u * scale) % _SIDE, (v * scale) % _SIDE, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(values / (1 + (footprint * scale / 6) ** 2), np.float32)


def asphalt(tile: NDArray[np.float32], rng: Rng) -> Material:
    """Grey, speckled, with patches."""
    base, speck, patch = between(rng, 75, 150), between(rng, 5, 14), between(rng, 3, 10)
    tint = np.array([1.0 + between(rng, -0.02, 0.05), 1.0, 1.0 - between(rng, -0.03, 0.04)], np.float32)

    def paint(u: Plane, v: Plane, footprint: Plane) -> NDArray[np.float32]:
        value = base + speck * sampled(tile, u, v, 3, footprint) + patch * sampled(tile, v, u, 40, footprint)
        return np.asarray(value[:, :, None] * tint)

    return paint


def grass(tile: NDArray[np.float32], rng: Rng) -> Material:
    """Green to dry, tufted."""
    colour = np.array(pick(rng, ((45, 105, 85), (40, 90, 70), (60, 125, 110), (70, 120, 130))), np.float32)

    def paint(u: Plane, v: Plane, footprint: Plane) -> NDArray[np.float32]:
        value = 1 + 0.16 * sampled(tile, u, v, 2.2, footprint) + 0.12 * sampled(tile, v, u, 30, footprint)
        dry = sampled(tile, u, v, 55, footprint)[:, :, None] * np.array([2, 4, 12], np.float32)
        return np.asarray(value[:, :, None] * colour + dry)

    return paint


def paving(tile: NDArray[np.float32], rng: Rng) -> Material:
    """Slabs with joints, each of its own shade."""
    base, spread, long = between(rng, 110, 190), between(rng, 3, 12), between(rng, 0.3, 1.2)
    wide = long * pick(rng, (1.0, 1.0, 0.5, 0.33))
    tint = np.array(pick(rng, ((1, 1, 1), (0.93, 0.98, 1.03), (0.8, 0.9, 1.05), (1.03, 1, 0.98))), np.float32)
    joint_depth = between(rng, 15, 50)

    def paint(u: Plane, v: Plane, footprint: Plane) -> NDArray[np.float32]:
        row = np.floor(v / wide)
        shifted = u / long + 0.5 * (row % 2)
        column = np.floor(shifted)
        hashes = ((row * 37 + column * 11).astype(np.int32), (column * 53 + row * 7).astype(np.int32))
        hashed = tile[hashes[0] % _SIDE, hashes[1] % _SIDE]
        fade = 1 / (1 + (footprint / (0.35 * wide)) ** 2)
        beside = np.minimum(shifted - column, 1 - shifted + column) * long
        edge = np.minimum(beside, np.minimum(v / wide - row, 1 - v / wide + row) * wide)
        joint = np.clip(1 - edge / np.maximum(0.012, footprint), 0, 1)
        joint *= np.clip(0.02 / np.maximum(footprint, 1e-3), 0, 1)
        value = base + spread * hashed * fade - joint_depth * joint
        value += 5 * sampled(tile, u, v, 4, footprint) + 8 * sampled(tile, v, u, 30, footprint)
        return np.asarray(value[:, :, None] * tint, np.float32)

    return paint
