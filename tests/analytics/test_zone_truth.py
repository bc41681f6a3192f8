"""Visits and dwell times against truth: a brute-force search over whole walks, and visits that are known beforehand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from analytics.walkers import person, random_walks, scene_paths
from counting_truth import Border, visits_of, walks_of

from fairmot_dla34 import FrameResult
from fairmot_dla34.analytics import Visit, Zone, ZoneMonitor

GRACE_S = 1.0


def random_zone(seed: int) -> Zone:
    """A star-shaped polygon, most often concave."""
    rng = np.random.default_rng(2000 + seed)
    corners = rng.integers(3, 9)
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    while np.diff(angles, append=angles[0] + 2 * np.pi).max() > 3:
        angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radius = rng.uniform(40, 150, corners)
    centre = rng.uniform((200, 150), (440, 260))
    points = centre + radius[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return Zone("queue", tuple(map(tuple, points.tolist())))


def visited(zone: Zone, results: list[FrameResult], grace_s: float = GRACE_S) -> list[Visit]:
    monitor = ZoneMonitor(zone, grace_s=grace_s)
    events = [event for result in results for event in monitor.update(result)] + monitor.finish()
    entered = sorted((event.track_id, event.time_s) for event in events if event.kind == "enter")
    visits = [event.visit for event in events if event.visit]
    assert entered == sorted((visit.track_id, visit.entered_s) for visit in visits)
    assert monitor.unique_ids == len({visit.track_id for visit in visits})
    return sorted(visits, key=lambda visit: (visit.track_id, visit.entered_s))


@pytest.mark.parametrize("kind", ["walks", "scenes"])
def test_visits_equal_brute_force(kind: str) -> None:
    """200 scenes: people who wander, jitter, stop and get lost, and the paths of synthetic scenes."""
    total = 0
    for seed in range(100):
        results = random_walks(seed) if kind == "walks" else scene_paths(seed)
        zone = random_zone(seed)
        border = Border(zone)
        truth = sorted(
            (track_id, *visit)
            for track_id, walk in walks_of(results, GRACE_S)
            for visit in visits_of(border, walk, GRACE_S)
        )
        found = [(v.track_id, v.entered_s, v.left_s, v.dwell_s) for v in visited(zone, results)]
        # OpenCV works in float32: 1e-4 px, which slow people take some milliseconds for.
        assert np.array(found).ravel() == pytest.approx(np.array(truth).ravel(), abs=0.01), f"seed {seed}"
        total += len(truth)
    assert total > 100


def test_people_who_walk_straight_through_a_convex_zone_stay_for_the_known_time() -> None:
    """Entry, exit and dwell follow from the ends of the walk and the edges, by clipping."""
    for seed in range(200):
        rng = np.random.default_rng(seed)
        centre, angle = rng.uniform(120, 240, 2), rng.uniform(0, np.pi)
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        half = rng.uniform(20, 80, 2)
        corners = centre + (np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half) @ turn.T
        start, end = rng.uniform(0, 360, (2, 2))
        times = np.sort(rng.uniform(0, 6, 30))
        share = (times - times[0]) / (times[-1] - times[0])
        path = start + share[:, None] * (end - start)
        results = [
            FrameResult(i, float(times[i]), (person(1, float(path[i, 0]), float(path[i, 1]), 1.0),))
            for i in range(len(times))
        ]
        found = visited(Zone("queue", tuple(map(tuple, corners.tolist()))), results, 10.0)
        a, b = (start - centre) @ turn, (end - centre) @ turn  # in the frame of the rectangle
        with np.errstate(divide="ignore"):
            near, far = np.sort(np.stack([(-half - a) / (b - a), (half - a) / (b - a)]), axis=0)
        low, high = max(near.max(), 0), min(far.min(), 1)
        depth = (half - np.abs(a + share[:, None] * (b - a))).min(axis=1)
        if depth.max() < 0.1:
            continue  # nobody is seen beyond the band
        (visit,) = found
        low_s, high_s = times[0] + np.array([low, high]) * (times[-1] - times[0])
        assert (visit.entered_s, visit.left_s) == pytest.approx((low_s, high_s), abs=1e-6)
        assert visit.dwell_s == pytest.approx(high_s - low_s, abs=1e-6)
