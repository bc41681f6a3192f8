"""Walking motion: paths over the ground, and positions and steps as functions of time.

Motion is planned on a time grid of its own, `STEP_S`, so that it does not depend on the frame rate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .camera import PERSON_M, Camera
from .rng import Rng, chance, uniform, weighted_choice

STEP_S = 0.1  # interval of the time grid
_OUTSIDE_M = 0.8  # how far outside the canvas people start and end
_STRIDE = 0.82  # metres walked in one cycle of two steps, per metre of stature


@dataclass(frozen=True, eq=False)
class Walk:
    """One walk along a path, with its stops.

    Attributes:
        xy: ``(T, 2)`` ground positions every `STEP_S` seconds, m.
        distance: ``(T,)`` distance walked so far, m.
    """

    xy: NDArray[np.float64]
    distance: NDArray[np.float64]

    @property
    def duration_s(self) -> float:
        """Seconds from the first position to the last."""
        return (len(self.xy) - 1) * STEP_S


class Motion(NamedTuple):
    """Position and movement of a person at one time.

    Attributes:
        x: Ground position to the right, m.
        y: Ground position away from the camera, m.
        phase: Phase of the step cycle, rad.
        heading: Direction of the body in the world, rad from the x axis.
        amplitude: Amplitude of the step, 0 (standing) to 1 (brisk walk).
    """

    x: float
    y: float
    phase: float
    heading: float
    amplitude: float


@dataclass(frozen=True, eq=False)
class Visit:
    """One stay of a person in the scene. A person who returns has a second visit.

    Attributes:
        person: Index of the person's appearance.
        start_s: Start time; negative if the visit starts before the scene.
        xy: ``(T, 2)`` ground positions every `STEP_S` seconds, m.
        phase: ``(T,)`` phase of the step cycle, rad, unwrapped.
        heading: ``(T,)`` direction of the body in the world, rad, unwrapped.
        amplitude: ``(T,)`` amplitude of the step, 0 to 1.
    """

    person: int
    start_s: float
    xy: NDArray[np.float64]
    phase: NDArray[np.float64]
    heading: NDArray[np.float64]
    amplitude: NDArray[np.float64]

    @property
    def end_s(self) -> float:
        """End time, s."""
        return self.start_s + (len(self.xy) - 1) * STEP_S

    def at(self, time_s: float) -> Motion:
        """Return the motion at a time within the visit, interpolated linearly."""
        place = (time_s - self.start_s) / STEP_S
        index = min(max(int(place), 0), len(self.xy) - 2)
        part = place - index
        return Motion(
            *(
                float(row[index] + part * (row[index + 1] - row[index]))
                for row in (self.xy[:, 0], self.xy[:, 1], self.phase, self.heading, self.amplitude)
            )
        )


def plan_walk(camera: Camera, rng: Rng) -> Walk:
    """Choose a walk through the view, with or without a stop.

    It leads from one side to the other, back to the same side, or to a point below the image, in either direction.
    """
    path = _rounded(_plan_waypoints(camera, rng))
    speed = min(max(1.3 + 0.22 * float(rng.standard_normal()), 0.6), 2.2)
    if chance(rng, 0.03):
        speed = uniform(rng, 2.4, 3.6)  # running
    return _walk_along(path, speed, _plan_stops(rng))


def _plan_waypoints(camera: Camera, rng: Rng) -> NDArray[np.float64]:
    side = -1.0 if chance(rng, 0.5) else 1.0
    first, last = _random_distance(camera, rng), _random_distance(camera, rng)
    kind = weighted_choice(rng, {"across": 0.5, "slanted": 0.3, "back": 0.06, "below": 0.14})
    if kind == "across":
        last = first * uniform(rng, 0.85, 1.15)
    end = (side if kind == "back" else -side) * (camera.half_width(last) + _OUTSIDE_M)
    if kind == "below":
        last = _distance_below_image(camera)
        end = uniform(rng, -0.8, 0.8) * camera.half_width(last)
    points = [(side * (camera.half_width(first) + _OUTSIDE_M), first)]
    count = 1 if chance(rng, 0.6) else 2
    for index in range(count):
        part = (index + 1) / (count + 1)
        y = first + (last - first) * part
        y = min(max(y * uniform(rng, 0.85, 1.18), camera.near_m * 0.95), camera.far_m)
        x = points[0][0] + (end - points[0][0]) * part
        points.append((x + uniform(rng, -0.35, 0.35) * camera.half_width(y), y))
    points.append((end, last))
    path = np.array(points)
    return path[::-1].copy() if chance(rng, 0.5) else path


def _random_distance(camera: Camera, rng: Rng) -> float:
    """Return a ground distance in m, drawn almost uniformly over image rows."""
    near, far = 1 / camera.near_m, 1 / camera.far_m
    return float(1 / (far + (near - far) * rng.random() ** 1.15))


def _distance_below_image(camera: Camera) -> float:
    """Return a ground distance at which people are wholly below the image; ``camera.near_m`` if none is found."""
    for share in (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3):
        y = camera.near_m * share
        head, depth = camera.project(np.array([[0.0, y, 1.2 * PERSON_M]]))
        if float(head[0, 1]) > camera.canvas[1] + 2 and float(depth[0]) > 1:
            return y
    return camera.near_m


def _rounded(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut the corners of a path three times (Chaikin's algorithm); its ends stay."""
    for _ in range(3):
        ahead = 0.75 * points[:-1] + 0.25 * points[1:]
        behind = 0.25 * points[:-1] + 0.75 * points[1:]
        inner = np.stack([ahead, behind], axis=1).reshape(-1, 2)
        points = np.concatenate([points[:1], inner, points[-1:]])
    return points


def _plan_stops(rng: Rng) -> list[tuple[float, float]]:
    """Return stops as (share of the path, seconds)."""
    if not chance(rng, 0.2):
        return []
    return [(uniform(rng, 0.25, 0.75), uniform(rng, 3, 40))]


def _walk_along(path: NDArray[np.float64], speed: float, stops: list[tuple[float, float]]) -> Walk:
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    knots: list[tuple[float, float]] = [(0.0, 0.0)]  # time, distance
    for share, rest_s in stops:
        arrival = knots[-1][0] + (share * length[-1] - knots[-1][1]) / speed
        knots += [(arrival, share * length[-1]), (arrival + rest_s, share * length[-1])]
    knots.append((knots[-1][0] + (length[-1] - knots[-1][1]) / speed, float(length[-1])))
    times, places = np.array(knots).T
    grid = np.arange(math.ceil(times[-1] / STEP_S) + 1) * STEP_S
    distance = np.interp(grid, times, places)
    if len(distance) > 12:  # the speed changes gradually at starts and stops
        padded = np.pad(distance, 4, mode="edge")
        distance = np.convolve(padded, np.ones(9) / 9, mode="valid")
    xy = np.stack([np.interp(distance, length, path[:, axis]) for axis in (0, 1)], axis=1)
    return Walk(xy, distance)


def make_visit(
    person: int, start_s: float, walk: Walk, offset_m: tuple[float, float], stature_m: float, rng: Rng
) -> Visit:
    """Return the visit of one person who takes a walk.

    Args:
        person: Index of the person's appearance.
        start_s: Start time, s.
        walk: The walk, which members of a group share.
        offset_m: (left, ahead): the person's place beside and along the path, m.
        stature_m: Stature, which sets the length of the stride, m.
        rng: Source of the individual gait.
    """
    velocity = np.gradient(walk.xy, STEP_S, axis=0)
    speed = np.gradient(walk.distance, STEP_S)
    heading = moving_mean(_held_heading(velocity, speed), 7)
    sway = 0.08 * np.sin(np.arange(len(heading)) * STEP_S * uniform(rng, 0.5, 1.2) + uniform(rng, 0, 6))
    left, ahead = offset_m[0] + sway, offset_m[1]
    across = np.stack([-np.sin(heading), np.cos(heading)], axis=1) * left[:, None]
    along = np.stack([np.cos(heading), np.sin(heading)], axis=1) * ahead
    turned = np.where(speed < 0.2, uniform(rng, -1.5, 1.5), 0.0)  # a standing person turns aside
    stride = _STRIDE * stature_m * uniform(rng, 0.93, 1.07)
    phase = 2 * math.pi * walk.distance / stride + uniform(rng, 0, 6.28)
    amplitude = np.clip(speed / 1.35, 0, 1)
    return Visit(person, start_s, walk.xy + across + along, phase, heading + moving_mean(turned, 11), amplitude)


def _held_heading(velocity: NDArray[np.float64], speed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the direction of movement, ``(T,)`` rad; it keeps its last value during a stop."""
    heading = np.arctan2(velocity[:, 1], velocity[:, 0])
    moving = np.flatnonzero(speed > 0.1)
    if len(moving):
        latest = moving[np.maximum(np.searchsorted(moving, np.arange(len(heading)), side="right") - 1, 0)]
        heading = heading[latest]
    return np.asarray(np.unwrap(heading))


def moving_mean(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return the moving mean of ``(T,)`` values over ``width`` steps, an odd number; the ends are padded."""
    padded = np.pad(values, width // 2, mode="edge")
    return np.convolve(padded, np.ones(width) / width, mode="valid")
