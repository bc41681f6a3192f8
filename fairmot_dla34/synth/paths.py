"""Ways over the ground and how they are walked: positions as functions of time, free of the frame rate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .camera import PERSON_M, Camera
from .draws import Rng, between, chance, weighted

STEP_S = 0.1  # of the time grid that walks are planned on
_EDGE_M = 0.8  # how far outside the canvas people start and end


@dataclass(frozen=True, eq=False)
class Walk:
    """One way, walked once.

    Attributes:
        xy: ``(T, 2)`` ground positions every `STEP_S` seconds, m.
        distance: ``(T,)`` walked so far, m.
    """

    xy: NDArray[np.float64]
    distance: NDArray[np.float64]

    @property
    def duration_s(self) -> float:
        """Seconds from the first position to the last."""
        return (len(self.xy) - 1) * STEP_S


def draw_walk(camera: Camera, rng: Rng) -> Walk:
    """Draw a way through the view: in at one side, out at a side or below, with or without a stop."""
    points = _waypoints(camera, rng)
    way = _rounded(points)
    speed = min(max(1.3 + 0.22 * float(rng.standard_normal()), 0.6), 2.2)
    if chance(rng, 0.03):
        speed = between(rng, 2.4, 3.6)  # in a hurry
    return _walked(way, speed, _stops(rng))


def _waypoints(camera: Camera, rng: Rng) -> NDArray[np.float64]:
    side = -1.0 if chance(rng, 0.5) else 1.0
    first, last = _depth(camera, rng), _depth(camera, rng)
    kind = weighted(rng, {"across": 0.5, "slanted": 0.3, "back": 0.06, "below": 0.14})
    if kind == "across":
        last = first * between(rng, 0.85, 1.15)
    end = (side if kind == "back" else -side) * _outside(camera, last)
    if kind == "below":
        last = _below(camera)
        end = between(rng, -0.8, 0.8) * camera.half_width(last)
    points = [(side * _outside(camera, first), first)]
    count = 1 if chance(rng, 0.6) else 2
    for index in range(count):
        part = (index + 1) / (count + 1)
        y = first + (last - first) * part
        y = min(max(y * between(rng, 0.85, 1.18), camera.near_m * 0.95), camera.far_m)
        x = points[0][0] + (end - points[0][0]) * part
        points.append((x + between(rng, -0.35, 0.35) * camera.half_width(y), y))
    points.append((end, last))
    way = np.array(points)
    return way[::-1].copy() if chance(rng, 0.5) else way


def _depth(camera: Camera, rng: Rng) -> float:
    near, far = 1 / camera.near_m, 1 / camera.far_m
    return float(1 / (far + (near - far) * rng.random() ** 1.15))


def _outside(camera: Camera, y: float) -> float:
    return camera.half_width(y) + _EDGE_M


def _below(camera: Camera) -> float:
    """Return a distance so near that people there are below the picture, or the nearest one if there is none."""
    for share in (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3):
        y = camera.near_m * share
        spot, depth = camera.project(np.array([[0.0, y, 1.2 * PERSON_M]]))
        if float(spot[0, 1]) > camera.canvas[1] + 2 and float(depth[0]) > 1:
            return y
    return camera.near_m


def _rounded(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut corners three times (Chaikin): a smooth way with the same ends."""
    for _ in range(3):
        ahead = 0.75 * points[:-1] + 0.25 * points[1:]
        behind = 0.25 * points[:-1] + 0.75 * points[1:]
        inner = np.stack([ahead, behind], axis=1).reshape(-1, 2)
        points = np.concatenate([points[:1], inner, points[-1:]])
    return points


def _stops(rng: Rng) -> list[tuple[float, float]]:
    """Return stops as (share of the way, seconds)."""
    if not chance(rng, 0.2):
        return []
    return [(between(rng, 0.25, 0.75), between(rng, 3, 40))]


def _walked(way: NDArray[np.float64], speed: float, stops: list[tuple[float, float]]) -> Walk:
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(way, axis=0).T))])
    knots: list[tuple[float, float]] = [(0.0, 0.0)]
    for share, rest_s in stops:
        arrival = knots[-1][0] + (share * length[-1] - knots[-1][1]) / speed
        knots += [(arrival, share * length[-1]), (arrival + rest_s, share * length[-1])]
    knots.append((knots[-1][0] + (length[-1] - knots[-1][1]) / speed, float(length[-1])))
    times, places = np.array(knots).T
    grid = np.arange(math.ceil(times[-1] / STEP_S) + 1) * STEP_S
    distance = np.interp(grid, times, places)
    if len(distance) > 12:  # nobody starts or stops at once
        padded = np.pad(distance, 4, mode="edge")
        distance = np.convolve(padded, np.ones(9) / 9, mode="valid")
    xy = np.stack([np.interp(distance, length, way[:, axis]) for axis in (0, 1)], axis=1)
    return Walk(xy, distance)
