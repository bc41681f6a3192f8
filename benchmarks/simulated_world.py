"""Simulates the boxes of people who walk on a ground plane, seen by still and moving cameras.

Only boxes are simulated, no images: a minute takes a second. The world is in metres, x to the right and y ahead of the
camera's first direction. A person is an upright rectangle, projected by a pinhole camera. Whoever is nearer hides
whoever is behind, and so do poles and parked cars.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

CAMERAS = ("fixed", "pan", "shake", "carried", "drive")
FIRST_SECONDS = 5.0  # simulated before the first frame, so that people do not all start at once
RASTER_COLUMNS = 240  # visibility is measured on an image of this width
BODY_SHARE = 0.75  # share of the width of a box that hides what is behind it
MIN_HEIGHT_PX, MIN_DEPTH_M = 16.0, 1.5


@dataclass(frozen=True)
class WorldConfig:
    """Settings of a world.

    Attributes:
        seed: Seed of all random draws.
        people: People in the area, of whom the camera sees a part.
        frame_rate: Frames per second.
        seconds: Length.
        camera: One of `CAMERAS`.
        width: Image width, px.
        height: Image height, px.
    """

    seed: int
    people: int = 30
    frame_rate: float = 25.0
    seconds: float = 20.0
    camera: str = "fixed"
    width: int = 1280
    height: int = 720

    @classmethod
    def random(cls, seed: int) -> WorldConfig:
        """Draw all settings from wide ranges."""
        rng = np.random.default_rng([seed, 1])
        rate = float(rng.choice([5, 7, 10, 12.5, 15, 20, 25, 30, 60]))
        width, height = [(640, 480), (768, 576), (1280, 720), (1920, 1080)][rng.integers(4)]
        return cls(
            seed=seed,
            people=round(float(np.exp(rng.uniform(np.log(4), np.log(200))))),
            frame_rate=rate,
            seconds=float(np.clip(400 / rate, 12, 40)),
            camera=CAMERAS[rng.choice(len(CAMERAS), p=[0.4, 0.1, 0.15, 0.2, 0.15])],
            width=width,
            height=height,
        )


@dataclass(frozen=True, eq=False)
class TruthFrame:
    """People of one frame.

    Attributes:
        ids: ``(N,)`` identities, from 1.
        boxes: ``(N, 4)`` xyxy, image px; hidden parts included.
        visibility: ``(N,)`` visible share of each box, from 0 to 1.
        hidden_by: ``(N,)`` row of the person who hides most of this one, -1 for none.
        scored: ``(N,)`` whether the person is scored.
    """

    ids: NDArray[np.int64]
    boxes: FloatArray
    visibility: FloatArray
    hidden_by: NDArray[np.int64]
    scored: NDArray[np.bool_]


class _Camera:
    """Position and direction over time."""

    def __init__(self, config: WorldConfig, rng: np.random.Generator) -> None:
        self.focal_px = float(rng.uniform(0.7, 1.6)) * config.width
        moving = config.camera in {"carried", "drive"}
        self.height_m = float(rng.uniform(1.4, 2.0) if moving else np.exp(rng.uniform(np.log(1.5), np.log(10))))
        self.pitch = 0.02 if moving else float(np.arctan2(self.height_m - 1.0, rng.uniform(10, 22)))
        self.speed = {"carried": rng.uniform(0.5, 1.5), "drive": rng.uniform(3, 12)}.get(config.camera, 0.0)
        self._kind = config.camera
        self._centre = (config.width / 2, config.height / 2)
        strength = float(rng.uniform(0.4, 1.4))
        # Rows: amplitudes of yaw and pitch in rad, frequency in Hz, two phases.
        rows = {
            "pan": [(rng.uniform(0.15, 0.4), 0.01, rng.uniform(0.03, 0.1))],
            "shake": [(0.012, 0.012, 0.4), (0.005, 0.006, 1.3), (0.002, 0.002, 4.1)],
            "carried": [(0.12, 0.01, 0.07), (0.015, 0.01, 0.9), (0.006, 0.008, 1.9)],
            "drive": [(0.15, 0.0, 0.05), (0.003, 0.006, 1.7)],
        }.get(config.camera, [])
        factor = strength if config.camera != "pan" else 1.0
        self._sway = np.array([[a * factor, b * factor, f, *rng.uniform(0, 6.28, 2)] for a, b, f in rows]).reshape(
            -1, 5
        )

    def place(self, time_s: float) -> tuple[float, float, float, float]:
        """Return x, y, yaw and pitch at a time; it moves along y."""
        angle = 2 * np.pi * self._sway[:, 2] * time_s
        yaw = float((self._sway[:, 0] * np.sin(angle + self._sway[:, 3])).sum())
        pitch = float((self._sway[:, 1] * np.sin(angle + self._sway[:, 4])).sum())
        return 0.0, self.speed * time_s, yaw, self.pitch + pitch

    def boxes(self, places: FloatArray, sizes: FloatArray, time_s: float) -> tuple[FloatArray, FloatArray]:
        """Project upright rectangles at ``(N, 2)`` of sizes ``(N, 2)``; return boxes ``(N, 4)`` and depths ``(N,)``."""
        x, y, yaw, pitch = self.place(time_s)
        east, north = places[:, 0] - x, places[:, 1] - y
        across = east * np.cos(yaw) - north * np.sin(yaw)
        ahead = east * np.sin(yaw) + north * np.cos(yaw)
        rows = []
        for above in (0.0, sizes[:, 1]):
            below = self.height_m - above
            depth = np.maximum(ahead * np.cos(pitch) + below * np.sin(pitch), 0.1)
            rows.append((self.focal_px * (below * np.cos(pitch) - ahead * np.sin(pitch)) / depth, depth))
        (foot, depth), (head, _) = rows
        centre = self._centre[0] + self.focal_px * across / depth
        half = self.focal_px * sizes[:, 0] / depth / 2
        boxes = np.stack([centre - half, self._centre[1] + head, centre + half, self._centre[1] + foot], axis=1)
        return boxes, depth


class _Crowd:
    """Positions of people who walk, stand, turn, and walk in groups."""

    def __init__(self, config: WorldConfig, camera: _Camera, rng: np.random.Generator) -> None:
        self._rng, self._config, self._camera = rng, config, camera
        self._depth = 60.0 if config.camera == "drive" else float(rng.uniform(15, 45))
        self._half_width = 0.6 * self._depth * config.width / camera.focal_px
        count = config.people
        self.ids = np.arange(1, count + 1)
        self._next = count + 1
        self.places = np.stack(
            [rng.uniform(-self._half_width, self._half_width, count), rng.uniform(2, self._depth, count)], axis=1
        )
        self.sizes = self._bodies(count)
        self._speed = rng.uniform(0.7, 1.7, count)
        self._heading = self._headings(count)
        self._standing = rng.random(count) < rng.uniform(0.0, 0.4)
        self._turning = float(rng.uniform(0.05, 0.5))
        leaders = rng.permutation(count)[: count // 3]
        self._leader = np.arange(count)
        self._leader[rng.permutation(count)[: len(leaders)]] = leaders
        self._leader[leaders] = leaders
        for row in np.flatnonzero(self._leader != np.arange(count)):
            self._join(int(row))

    def step(self, seconds: float, time_s: float) -> None:
        """Move everyone."""
        rng, count = self._rng, len(self.ids)
        self._heading += rng.normal(0, self._turning * seconds**0.5, count)
        change = rng.random(count) < 0.03 * seconds
        self._standing ^= change
        turned = rng.random(count) < 0.03 * seconds
        self._heading[turned] = self._headings(int(turned.sum()))
        self._heading, self._standing = self._heading[self._leader], self._standing[self._leader]
        pace = np.where(self._standing, 0.0, self._speed[self._leader] * rng.normal(1, 0.05, count))
        direction = np.stack([np.sin(self._heading), np.cos(self._heading)], axis=1)
        self.places += direction * (pace * seconds)[:, None] + rng.normal(0, 0.05 * seconds**0.5, (count, 2))
        self._replace(time_s)

    def _replace(self, time_s: float) -> None:
        """Let people who left the area enter it anew, as others."""
        ahead = self.places[:, 1] - self._camera.place(time_s)[1]
        gone = np.flatnonzero(
            (np.abs(self.places[:, 0]) > 1.2 * self._half_width) | (ahead < 0) | (ahead > self._depth)
        )
        for row in gone:
            self.ids[row], self._next = self._next, self._next + 1
            side = self._rng.random()
            start = self._camera.place(time_s)[1]
            if self._config.camera == "drive" or side < 0.3:
                self.places[row] = (
                    self._rng.uniform(-self._half_width, self._half_width),
                    start + self._depth * self._rng.uniform(0.7, 1),
                )
                self._heading[row] = np.pi + self._rng.normal(0, 0.6)
            else:
                sign = 1 if side < 0.65 else -1
                self.places[row] = sign * 1.1 * self._half_width, start + self._rng.uniform(2, self._depth)
                self._heading[row] = -sign * np.pi / 2 + self._rng.normal(0, 0.6)
            self._leader[self._leader == row] = np.flatnonzero(self._leader == row)
            self._leader[row] = row
            self.sizes[row] = self._bodies(1)[0]

    def _join(self, row: int) -> None:
        leader = self._leader[row]
        self.places[row] = self.places[leader] + self._rng.normal(0, 0.6, 2)
        self._heading[row] = self._heading[leader]

    def _bodies(self, count: int) -> FloatArray:
        return np.stack([self._rng.normal(0.65, 0.06, count).clip(0.45), self._rng.normal(1.72, 0.09, count)], axis=1)

    def _headings(self, count: int) -> FloatArray:
        """Return directions; most people walk along one axis."""
        along = self._rng.choice([0.0, np.pi / 2, np.pi, -np.pi / 2], count)
        return along + self._rng.normal(0, 0.35, count)


def simulate(config: WorldConfig) -> list[TruthFrame]:
    """Return the people of every frame."""
    rng = np.random.default_rng([config.seed, 2])
    camera = _Camera(config, rng)
    crowd = _Crowd(config, camera, rng)
    obstacles, obstacle_sizes = _obstacles(config, rng)
    for _ in range(round(FIRST_SECONDS * 10)):
        crowd.step(0.1, 0.0)
    frames = []
    for index in range(round(config.seconds * config.frame_rate)):
        time_s = index / config.frame_rate
        places, sizes = np.concatenate([crowd.places, obstacles]), np.concatenate([crowd.sizes, obstacle_sizes])
        boxes, depths = camera.boxes(places, sizes, time_s)
        frames.append(_seen(config, crowd.ids, boxes, depths))
        crowd.step(1 / config.frame_rate, time_s)
    return frames


def _obstacles(config: WorldConfig, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return places ``(K, 2)`` and sizes ``(K, 2)`` of poles and parked cars."""
    count = int(rng.integers(0, 6)) * (6 if config.camera == "drive" else 1)
    length = config.seconds * 10 if config.camera == "drive" else 10
    places = np.stack(
        [rng.uniform(4, 12, count) * rng.choice([-1, 1], count), rng.uniform(6, 15 + length, count)], axis=1
    )
    is_car = rng.random(count) < 0.5
    return places, np.where(is_car[:, None], (4.0, 1.5), (0.4, 4.0))


def _seen(config: WorldConfig, ids: NDArray[np.int64], boxes: FloatArray, depths: FloatArray) -> TruthFrame:
    """Select the people in the image and measure how much of each is visible."""
    people = len(ids)
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    size = np.array([config.width, config.height])
    inside = (boxes[:, 2:] > 0).all(axis=1) & (boxes[:, :2] < size).all(axis=1) & (depths > MIN_DEPTH_M)
    drawn = np.flatnonzero(inside)[np.argsort(-depths[inside], kind="stable")]  # far to near
    scale = RASTER_COLUMNS / config.width
    raster = np.full((int(config.height * scale) + 1, RASTER_COLUMNS), -1)
    spans = []
    for row in drawn:
        half = BODY_SHARE * (boxes[row, 2] - boxes[row, 0]) / 2
        left, right = (centre[row, 0] - half) * scale, (centre[row, 0] + half) * scale
        top, bottom = boxes[row, 1] * scale, boxes[row, 3] * scale
        area = max(round((right - left) * (bottom - top)), 1)
        columns, lines = (
            slice(max(round(left), 0), max(round(right), 0)),
            slice(max(round(top), 0), max(round(bottom), 0)),
        )
        raster[lines, columns] = row
        spans.append((row, lines, columns, area))
    shown = (centre > 0).all(axis=1) & (centre < size).all(axis=1) & (boxes[:, 3] - boxes[:, 1] >= MIN_HEIGHT_PX)
    rows = [span for span in spans if span[0] < people and shown[span[0]]]
    index = np.array([row for row, *_ in rows], np.intp)
    position = np.full(len(boxes) + 1, -1)
    position[index] = np.arange(len(index))
    visibility, hidden_by = np.zeros(len(rows)), np.full(len(rows), -1)
    for number, (row, lines, columns, area) in enumerate(rows):
        values = raster[lines, columns].ravel()
        visibility[number] = min(np.count_nonzero(values == row) / max(area, 1), 1.0)
        others = values[values != row]
        if len(others):
            hidden_by[number] = position[np.bincount(others).argmax()]
    return TruthFrame(ids[index], boxes[index], visibility, hidden_by, np.ones(len(rows), bool))
