"""Procedural materials of the ground and of walls.

A material is a function of world coordinates, so perspective needs no texture mapping of its own.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from .rng import Rng, chance, choice, uniform

Plane = NDArray[np.float32]  # (H, W), one value per canvas px
# Colours BGR (H, W, 3) from the world coordinates u, v in m and the footprint, the metres that one px covers.
Material = Callable[[Plane, Plane, Plane], NDArray[np.float32]]

_TILE_SIDE = 512
_WALLS = (
    (120, 140, 165), (75, 95, 135), (60, 75, 105), (170, 175, 180), (140, 150, 150), (190, 200, 205), (95, 90, 88),
)  # fmt: skip


def noise_tile(rng: Rng) -> NDArray[np.float32]:
    """Return a ``(512, 512)`` tile of noise with features of 2 to 64 px, mean 0, standard deviation about 1."""
    total = np.zeros((_TILE_SIDE, _TILE_SIDE), np.float32)
    for cells in (8, 32, 96, 256):
        coarse = rng.standard_normal((cells, cells)).astype(np.float32)
        wrapped = np.pad(coarse, 2, mode="wrap")
        step = _TILE_SIDE // cells if _TILE_SIDE % cells == 0 else _TILE_SIDE / cells
        large = cv2.resize(wrapped, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)
        border = round(2 * step)
        total += large[border : border + _TILE_SIDE, border : border + _TILE_SIDE]
    return np.asarray(total / 2, np.float32)


def _noise(tile: NDArray[np.float32], u: Plane, v: Plane, period_m: float, footprint: Plane) -> Plane:
    """Sample a tile that repeats every ``period_m`` metres; it fades where one px covers more than its features."""
    scale = _TILE_SIDE / period_m
    columns, rows = (u * scale) % _TILE_SIDE, (v * scale) % _TILE_SIDE
    values = cv2.remap(tile, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(values / (1 + (footprint * scale / 6) ** 2), np.float32)


def _asphalt(tile: NDArray[np.float32], rng: Rng) -> Material:
    """Return a grey material with speckles and patches."""
    base, speckle, patch = uniform(rng, 75, 150), uniform(rng, 5, 14), uniform(rng, 3, 10)
    tint = np.array([1.0 + uniform(rng, -0.02, 0.05), 1.0, 1.0 - uniform(rng, -0.03, 0.04)], np.float32)

    def material(u: Plane, v: Plane, footprint: Plane) -> NDArray[np.float32]:
        value = base + speckle * _noise(tile, u, v, 3, footprint) + patch * _noise(tile, v, u, 40, footprint)
        return np.asarray(value[:, :, None] * tint)

    return material


def _grass(tile: NDArray[np.float32], rng: Rng) -> Material:
    """Return a green material with tufts and dry areas."""
    colour = np.array(choice(rng, ((45, 105, 85), (40, 90, 70), (60, 125, 110), (70, 120, 130))), np.float32)

    def material(u: Plane, v: Plane, footprint: Plane) -> NDArray[np.float32]:
        value = 1 + 0.16 * _noise(tile, u, v, 2.2, footprint) + 0.12 * _noise(tile, v, u, 30, footprint)
        dry = _noise(tile, u, v, 55, footprint)[:, :, None] * np.array([2, 4, 12], np.float32)
        return np.asarray(value[:, :, None] * colour + dry)

    return material


def _paving(tile: NDArray[np.float32], rng: Rng) -> Material:
    """Return a material of slabs in several shades, with joints."""
    base, spread, long = uniform(rng, 110, 190), uniform(rng, 3, 12), uniform(rng, 0.3, 1.2)
    wide = long * choice(rng, (1.0, 1.0, 0.5, 0.33))
    tint = np.array(choice(rng, ((1, 1, 1), (0.93, 0.98, 1.03), (0.8, 0.9, 1.05), (1.03, 1, 0.98))), np.float32)
    joint_depth = uniform(rng, 15, 50)

    def material(u: Plane, v: Plane, footprint: Plane) -> NDArray[np.float32]:
        row = np.floor(v / wide)
        shifted = u / long + 0.5 * (row % 2)
        column = np.floor(shifted)
        hashes = ((row * 37 + column * 11).astype(np.int32), (column * 53 + row * 7).astype(np.int32))
        hashed = tile[hashes[0] % _TILE_SIDE, hashes[1] % _TILE_SIDE]
        fade = 1 / (1 + (footprint / (0.35 * wide)) ** 2)
        beside = np.minimum(shifted - column, 1 - shifted + column) * long
        edge = np.minimum(beside, np.minimum(v / wide - row, 1 - v / wide + row) * wide)
        joint = np.clip(1 - edge / np.maximum(0.012, footprint), 0, 1)
        joint *= np.clip(0.02 / np.maximum(footprint, 1e-3), 0, 1)
        value = base + spread * hashed * fade - joint_depth * joint
        value += 5 * _noise(tile, u, v, 4, footprint) + 8 * _noise(tile, v, u, 30, footprint)
        return np.asarray(value[:, :, None] * tint, np.float32)

    return material


GROUND = {"paving": _paving, "asphalt": _asphalt, "grass": _grass}


def facade(tile: NDArray[np.float32], rng: Rng) -> Material:
    """Return the material of a wall with floors of windows above shop fronts; v is the height above the ground."""
    wall = np.array(choice(rng, _WALLS), np.float32)
    cell, floor, ground = uniform(rng, 1.6, 4.5), uniform(rng, 2.7, 3.6), uniform(rng, 2.8, 4.2)
    share = (uniform(rng, 0.45, 0.9), uniform(rng, 0.4, 0.8))
    shops, lit, brick = chance(rng, 0.65), uniform(rng, 0.0, 0.5), uniform(rng, 0, 18)
    table = rng.random((64, 64, 8)).astype(np.float32)
    glass = np.array(choice(rng, ((70, 62, 55), (95, 85, 75), (50, 48, 46), (120, 110, 95))), np.float32)

    def material(u: Plane, v: Plane, footprint: Plane) -> NDArray[np.float32]:
        upper = v >= ground
        column = np.floor(u / np.where(upper, cell, 1.7 * cell))
        row = np.where(upper, np.floor((v - ground) / floor) + 1, 0)
        look = table[column.astype(np.int32) % 64, row.astype(np.int32) % 64]  # (H, W, 8)
        along = u / np.where(upper, cell, 1.7 * cell) - column
        above = np.where(upper, (v - ground) / floor - row + 1, v / ground)
        high = np.where(upper, share[1], 0.74)
        inside = (np.abs(along - 0.5) < share[0] / 2) & (np.abs(above - np.where(upper, 0.5, 0.43)) < high / 2)
        frame = inside & ((np.abs(along - 0.5) > share[0] / 2 - 0.025) | (np.abs(along - 0.5) < 0.012))
        courses = np.where(v * 13 % 1 < 0.25, -brick, 0.0) / (1 + (footprint / 0.03) ** 2)
        grain = courses + 7 * _noise(tile, u, v, 3, footprint) + 9 * _noise(tile, v, u, 25, footprint)
        value = wall + grain[:, :, None]
        window = _window(look, u, v, glass, lit, _noise(tile, u, v, 6, footprint))
        value = np.where((inside & (upper | shops))[:, :, None], window, value)
        value = np.where((frame & (upper | shops))[:, :, None], np.float32(215 if share[0] > 0.6 else 60), value)
        sign = shops & ~upper & (above > 0.83) & (above < 0.97)
        signs = np.stack([look[:, :, 4] * 200 + 20, look[:, :, 5] * 180 + 20, look[:, :, 6] * 220 + 20], axis=2)
        value = np.where(sign[:, :, None], signs * 0.75, value)
        value = np.where((v < 0.35)[:, :, None], value * 0.7, value)
        return np.asarray(value, np.float32)

    return material


def _window(
    look: NDArray[np.float32], u: Plane, v: Plane, glass: NDArray[np.float32], lit: float, cloudy: Plane
) -> NDArray[np.float32]:
    """Return the colours of windows: reflections, blinds, lit rooms, and goods and posters on display."""
    value = glass * (0.7 + 0.6 * look[:, :, :1]) + 14 * cloudy[:, :, None]
    room = np.array([120, 175, 205], np.float32) * (0.6 + 0.5 * look[:, :, 1:2]) + 18 * cloudy[:, :, None]
    value = np.where(look[:, :, 2:3] < lit, room, value)
    value = np.where((look[:, :, 3] > 0.8)[:, :, None], 190 - 25 * (np.floor(v * 14) % 2)[:, :, None], value)
    goods = (np.abs((u * (0.8 + look[:, :, 5])) % 1.3 - 0.5) < 0.2) & (v < 0.5 + 1.3 * look[:, :, 6])
    goods &= look[:, :, 7] > 0.45
    shade = np.stack([look[:, :, 4] * 160 + 20, look[:, :, 0] * 130 + 20, look[:, :, 3] * 170 + 20], axis=2)
    return np.asarray(np.where(goods[:, :, None], shade * (0.8 + 0.3 * (np.floor(v * 3.1) % 2))[:, :, None], value))
