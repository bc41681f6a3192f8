"""Measures the time of each analysis per frame, with people who walk evenly over a Full HD frame."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from fairmot_dla34 import FrameResult, Track
from fairmot_dla34.analytics import (
    Analysis,
    AnalyticsConfig,
    HeatMap,
    HeatSettings,
    Line,
    LineCounter,
    MotionTracker,
    Zone,
    ZoneMonitor,
)

SIZE = (1920, 1080)
FRAMES, RATE = 150, 25.0
LINES = tuple(Line(f"line {i}", (100, 300 + 200 * i), (1800, 250 + 200 * i)) for i in range(3))
_ANGLES = np.linspace(0, 2 * np.pi, 8, endpoint=False)
ZONES = tuple(
    Zone(f"zone {i}", tuple((600 + 700 * i + 300 * float(np.cos(a)), 540 + 300 * float(np.sin(a))) for a in _ANGLES))
    for i in range(2)
)


def crowd(people: int) -> list[FrameResult]:
    """Return results of people who walk 4 px per frame with a jitter of 2 px."""
    rng = np.random.default_rng(people)
    start, heading = rng.uniform(0, SIZE, (people, 2)), rng.uniform(0, 2 * np.pi, people)
    step = 4 * np.stack([np.cos(heading), np.sin(heading)], axis=1)
    results = []
    for index in range(FRAMES):
        feet = (start + index * step) % SIZE + rng.normal(0, 2, (people, 2))
        tracks = tuple(Track(i + 1, (x - 20, y - 100, x + 20, y), 0.9, index) for i, (x, y) in enumerate(feet.tolist()))
        results.append(FrameResult(index, index / RATE, tracks))
    return results


def measure(update: Callable[[FrameResult], object], results: list[FrameResult]) -> float:
    """Return the processor time of an update in ms per frame."""
    start = time.process_time()
    for result in results:
        update(result)
    return 1000 * (time.process_time() - start) / len(results)


def _with_speeds(tracker: MotionTracker) -> Callable[[FrameResult], object]:
    return lambda result: (tracker.update(result), tracker.motions)


def speed_rows() -> list[list[str]]:
    """Return the name of each analysis and its ms per frame with 20, 100 and 500 people; each is the best of three."""
    config = AnalyticsConfig(LINES, ZONES, HeatSettings())
    analyses: dict[str, Callable[[], Callable[[FrameResult], object]]] = {
        "one line": lambda: LineCounter(LINES[0]).update,
        "one zone, 8 corners": lambda: ZoneMonitor(ZONES[0]).update,
        "heat map, foot points": lambda: HeatMap(SIZE).update,
        "heat map, boxes": lambda: HeatMap(SIZE, of="boxes").update,
        "paths": lambda: MotionTracker().update,
        "paths and speeds": lambda: _with_speeds(MotionTracker()),
        "all: 3 lines, 2 zones, heat map, paths": lambda: Analysis(config, SIZE, RATE).update,
    }
    crowds = [crowd(people) for people in (20, 100, 500)]
    return [
        [name, *(f"{min(measure(make(), results) for _ in range(3)):.2f}" for results in crowds)]
        for name, make in analyses.items()
    ]
