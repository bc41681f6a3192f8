"""Scenes of the counting benchmark: tracks of the sample weights, ground truth, and lines and zones set by a rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from accuracy import track
from detections import detect
from numpy.typing import NDArray
from parts import ScenePart

from fairmot_dla34 import FairMOT, FrameResult, Track, TrackerConfig
from fairmot_dla34.analytics import Line, Zone
from fairmot_dla34.synth import SceneConfig

# Presets, seeds and numbers of frames. The seeds are not used in training.
SCENES = (
    ("calm", 1, 100),
    ("calm", 2, 100),
    ("calm", 3, 100),
    ("crowded", 4, 100),
    ("crowded", 5, 100),
    ("crowded", 6, 100),
    ("pan", 7, 100),
    ("shake", 8, 100),
    ("crowded", 104, 100),
    ("crowded", 105, 100),
    ("shake", 108, 100),
    ("crowded", 201, 200),
)


def counting_parts() -> list[ScenePart]:
    """Return the scenes, at 10 frames per second."""
    return [
        ScenePart(f"{preset} {seed}", SceneConfig.preset(preset, seed=seed, frame_rate=10.0, frames=frames))
        for preset, seed, frames in SCENES
    ]


def tracked(part: ScenePart, work: Path, load_model: Callable[[], FairMOT]) -> list[FrameResult]:
    """Return the results of the default tracker on a scene; the detections are kept in ``work``."""
    return track(part, detect(part, load_model, work / f"{part.name}.npz"), TrackerConfig())


def truth(part: ScenePart, work: Path) -> list[FrameResult]:
    """Return the ground truth of a scene as results; it is kept in ``work``."""
    file = work / f"{part.name}.txt"
    if not file.is_file():
        file.write_text(part.truth(), "utf-8")
    rows: dict[int, list[Track]] = defaultdict(list)
    for line in file.read_text("utf-8").splitlines():
        frame, track_id, left, top, width, height, *_ = map(float, line.split(","))
        rows[int(frame) - 1].append(Track(int(track_id), (left, top, left + width, top + height), 1.0, 0))
    rate = part.scene.frame_rate
    return [FrameResult(index, index / rate, tuple(rows[index])) for index in range(part.length)]


def foot_points(results: list[FrameResult]) -> NDArray[np.float64]:
    """Return all foot points of results, ``(N, 2)``, image px."""
    boxes = np.array([track.box for result in results for track in result.tracks])
    return np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)


def lines_of(part: ScenePart, results: list[FrameResult]) -> list[Line]:
    """Return three lines near the median foot point: upright, level, and a slanted one that people can walk round."""
    width, height = part.scene.width, part.scene.height
    # Coordinates of the truth have two decimals: with a third, no point is exactly on a line.
    x, y = (np.clip(np.median(foot_points(results), axis=0).round(2), 40, (width - 40, height - 40)) + 0.003).tolist()
    return [
        Line("upright", (x, 0), (x, height)),
        Line("level", (0, y), (width, y)),
        Line("slanted", (x - 0.15 * width, y - 0.1 * height), (x + 0.15 * width, y + 0.1 * height)),
    ]


def zones_of(results: list[FrameResult]) -> list[Zone]:
    """Return a rectangle around the middle half of the foot points in x and y, and an L around nine tenths of them."""
    points = foot_points(results)
    (x1, x2, x3, x4), (y1, y2, y3, y4) = np.percentile(points, (5, 25, 75, 95), axis=0).T.tolist()
    middle = (x1 + x4) / 2, (y1 + y4) / 2
    corners = ((x1, y1), (middle[0], y1), middle, (x4, middle[1]), (x4, y4), (x1, y4))
    return [Zone("rectangle", ((x2, y2), (x3, y2), (x3, y3), (x2, y3))), Zone("L", corners)]
