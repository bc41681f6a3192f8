"""Line counts against truth: a brute-force count of whole walks, and people whose crossings are known beforehand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from analytics.walkers import SIZE, person, random_walks, scene_paths
from counting_truth import crossings_of, walks_of

from fairmot_dla34 import FrameResult
from fairmot_dla34.analytics import Crossing, Line, LineCounter

GAP_S = 1.0


def random_line(seed: int) -> Line:
    rng = np.random.default_rng(1000 + seed)
    while True:
        ends = rng.uniform((0, 80), SIZE, (2, 2)).tolist()
        if math.dist(*ends) > 60:
            return Line("door", tuple(ends[0]), tuple(ends[1]), dead_band_px=None if seed % 2 else 0.0)


def counted(line: Line, results: list[FrameResult], gap_s: float = GAP_S) -> list[Crossing]:
    counter = LineCounter(line, gap_s=gap_s)
    found = [crossing for result in results for crossing in counter.update(result)]
    return found + counter.finish()


@pytest.mark.parametrize("kind", ["walks", "scenes"])
def test_counts_equal_brute_force(kind: str) -> None:
    """200 scenes: people who wander, jitter, stop and get lost, and the paths of synthetic scenes."""
    total = 0
    for seed in range(100):
        results = random_walks(seed) if kind == "walks" else scene_paths(seed)
        line = random_line(seed)
        truth: dict[int, list[int]] = {}
        for track_id, walk in walks_of(results, GAP_S):
            truth.setdefault(track_id, []).extend(crossings_of(line, walk))
        found: dict[int, list[int]] = {track_id: [] for track_id in truth}
        for crossing in sorted(counted(line, results), key=lambda one: one.time_s):
            found[crossing.track_id].append(1 if crossing.direction == "in" else -1)
        assert found == truth, f"seed {seed}"
        total += sum(len(directions) for directions in truth.values())
    assert total > 40


def test_people_who_walk_straight_cross_at_the_known_time() -> None:
    """The time, place and direction follow from the ends of the walk, whatever frames are missing."""
    for seed in range(200):
        rng = np.random.default_rng(seed)
        line = Line("door", *map(tuple, rng.uniform(50, 300, (2, 2)).tolist()))
        start, end = rng.uniform(0, 350, (2, 2))
        times = np.sort(rng.uniform(0, 5, 40))
        share = (times - times[0]) / (times[-1] - times[0])
        path = start + share[:, None] * (end - start)
        results = [
            FrameResult(i, float(times[i]), (person(1, float(path[i, 0]), float(path[i, 1]), 10.0),))
            for i in range(len(times))
        ]
        # Both lines as p + s * d: solve for the two shares.
        d = np.subtract(line.end, line.start)
        s, t = np.linalg.solve(np.stack([end - start, -d], axis=1), np.subtract(line.start, start))
        found = counted(line, results, gap_s=5.0)
        if 0 <= s <= 1 and 0 <= t <= 1:
            (crossing,) = found
            assert crossing.time_s == pytest.approx(times[0] + s * (times[-1] - times[0]), abs=1e-6)
            assert crossing.point == pytest.approx(tuple(start + s * (end - start)), abs=1e-6)
            assert crossing.age_s == pytest.approx(crossing.time_s - times[0])
            right_hand = d[0] * (end - start)[1] - d[1] * (end - start)[0] > 0
            assert crossing.direction == ("in" if right_hand else "out")
        else:
            assert not found
