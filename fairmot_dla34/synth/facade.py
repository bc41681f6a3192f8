"""The wall behind the scene: floors of windows over shop fronts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .draws import Rng, between, chance, pick
from .surfaces import Material, Plane, sampled

_WALLS = (
    (120, 140, 165), (75, 95, 135), (60, 75, 105), (170, 175, 180), (140, 150, 150), (190, 200, 205), (95, 90, 88),
)  # fmt: skip


def facade(tile: NDArray[np.float32], rng: Rng) -> Material:
    """Return the material of a wall; u runs along it and v up, both in m."""
    wall = np.array(pick(rng, _WALLS), np.float32)
    cell, floor, ground = between(rng, 1.6, 4.5), between(rng, 2.7, 3.6), between(rng, 2.8, 4.2)
    share = (between(rng, 0.45, 0.9), between(rng, 0.4, 0.8))
    shops, lit, brick = chance(rng, 0.65), between(rng, 0.0, 0.5), between(rng, 0, 18)
    table = rng.random((64, 64, 8)).astype(np.float32)
    glass = np.array(pick(rng, ((70, 62, 55), (95, 85, 75), (50, 48, 46), (120, 110, 95))), np.float32)

    def paint(u: Plane, v: Plane, footprint: Plane) -> NDArray[np.float32]:
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
        grain = courses + 7 * sampled(tile, u, v, 3, footprint) + 9 * sampled(tile, v, u, 25, footprint)
        value = wall + grain[:, :, None]
        inner = _window(look, u, v, glass, lit, sampled(tile, u, v, 6, footprint))
        value = np.where((inside & (upper | shops))[:, :, None], inner, value)
        value = np.where((frame & (upper | shops))[:, :, None], np.float32(215 if share[0] > 0.6 else 60), value)
        sign = shops & ~upper & (above > 0.83) & (above < 0.97)
        signs = np.stack([look[:, :, 4] * 200 + 20, look[:, :, 5] * 180 + 20, look[:, :, 6] * 220 + 20], axis=2)
        value = np.where(sign[:, :, None], signs * 0.75, value)
        value = np.where((v < 0.35)[:, :, None], value * 0.7, value)
        return np.asarray(value, np.float32)

    return paint


def _window(
    look: NDArray[np.float32], u: Plane, v: Plane, glass: NDArray[np.float32], lit: float, cloudy: Plane
) -> NDArray[np.float32]:
    """Return what is seen in the windows: reflections, blinds, lit rooms, goods and posters on display."""
    value = glass * (0.7 + 0.6 * look[:, :, :1]) + 14 * cloudy[:, :, None]
    room = np.array([120, 175, 205], np.float32) * (0.6 + 0.5 * look[:, :, 1:2]) + 18 * cloudy[:, :, None]
    value = np.where(look[:, :, 2:3] < lit, room, value)
    value = np.where((look[:, :, 3] > 0.8)[:, :, None], 190 - 25 * (np.floor(v * 14) % 2)[:, :, None], value)
    goods = (np.abs((u * (0.8 + look[:, :, 5])) % 1.3 - 0.5) < 0.2) & (v < 0.5 + 1.3 * look[:, :, 6])
    goods &= look[:, :, 7] > 0.45
    shade = np.stack([look[:, :, 4] * 160 + 20, look[:, :, 0] * 130 + 20, look[:, :, 3] * 170 + 20], axis=2)
    return np.asarray(np.where(goods[:, :, None], shade * (0.8 + 0.3 * (np.floor(v * 3.1) % 2))[:, :, None], value))
