"""Heat maps against truth: their sum is the tracked time within the image, and each cell equals dense sampling."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from analytics.walkers import SIZE, frames, random_walks, scene_paths
from counting_truth import walks_of

from fairmot_dla34 import FrameResult, Track
from fairmot_dla34.analytics import HeatMap
from fairmot_dla34.errors import InvalidInputError

GAP_S = 1.0


def heated(results: list[FrameResult], cell_px: float, of: str = "foot") -> HeatMap:
    heat = HeatMap(SIZE, cell_px, of=of, gap_s=GAP_S)  # type: ignore[arg-type]
    for result in results:
        heat.update(result)
    return heat


def seconds_inside(a: np.ndarray, b: np.ndarray) -> float:
    """Share of a step within the image, by clipping at its four sides."""
    low, high = 0.0, 1.0
    for axis in (0, 1):
        step = b[axis] - a[axis]
        if step == 0:
            if not 0 <= a[axis] < SIZE[axis]:
                return 0.0
            continue
        ends = sorted(((0 - a[axis]) / step, (SIZE[axis] - a[axis]) / step))
        low, high = max(low, ends[0]), min(high, ends[1])
    return max(high - low, 0.0)


def test_the_sum_is_the_tracked_time_within_the_image() -> None:
    """60 scenes, with any size of the cells."""
    for seed in range(60):
        results = random_walks(seed // 2) if seed % 2 else scene_paths(seed // 2)
        cell_px = float(np.random.default_rng(seed).uniform(3, 90))
        tracked_s = 0.0
        for _, walk in walks_of(results, GAP_S):
            points = np.array(walk)
            for a, b in pairwise(points):
                tracked_s += seconds_inside(a[1:3], b[1:3]) * (b[0] - a[0])
        assert heated(results, cell_px).total_s == pytest.approx(tracked_s, abs=1e-6), f"seed {seed}"


def test_each_cell_equals_dense_sampling() -> None:
    samples = 2000
    share = (np.arange(samples) + 0.5) / samples
    for seed in range(6):
        results, cell_px = random_walks(seed, 2, 60), 37.0
        truth = np.zeros((10, 18))
        for _, walk in walks_of(results, GAP_S):
            points = np.array(walk)
            for a, b in pairwise(points):
                x, y = (a[1:3] + share[:, None] * (b - a)[1:3]).T
                inside = (x >= 0) & (y >= 0) & (x < SIZE[0]) & (y < SIZE[1])
                cells = (y[inside] // cell_px).astype(int), (x[inside] // cell_px).astype(int)
                np.add.at(truth, cells, (b[0] - a[0]) / samples)
        assert heated(results, cell_px).seconds == pytest.approx(truth, abs=5e-3)


def test_a_box_spreads_its_seconds_over_its_part_within_the_image() -> None:
    """A box of 40 x 40 px, half of it outside on the left, for 2 s."""
    track = Track(1, (-20.0, 10.0, 20.0, 50.0), 0.9, 0)
    heat = heated([FrameResult(0, 0.0, (track,)), FrameResult(9, 0.9, (track,))], 10.0, "boxes")
    assert heat.total_s == pytest.approx(0.9)
    assert heat.seconds[1:5, :2] == pytest.approx(np.full((4, 2), 0.9 / 8))
    assert heat.seconds[5:].sum() == heat.seconds[:, 2:].sum() == 0


def test_the_sum_of_boxes_is_the_tracked_time_of_boxes_that_meet_the_image() -> None:
    for seed in range(20):
        results = random_walks(seed, 3, 60)
        tracked_s = sum(walk[-1][0] - walk[0][0] for _, walk in walks_of(results, GAP_S))
        assert 0 < heated(results, 20.0, "boxes").total_s <= tracked_s + 1e-9
        inside = [
            FrameResult(
                result.index,
                result.time_s,
                tuple(
                    Track(track.track_id, (100 + x / 10, 100 + y / 10, 120 + x / 10, 150 + y / 10), 1.0, 0)
                    for track in result.tracks
                    for x, y in [track.box[:2]]
                ),
            )
            for result in results
        ]
        assert heated(inside, 20.0, "boxes").total_s == pytest.approx(tracked_s)


def test_the_heat_does_not_depend_on_frames_that_are_left_out() -> None:
    """A person who walks evenly leaves the same heat at 10, 5 and 2 frames per second."""
    results = frames([(100 + 4.0 * i, 200.0) for i in range(101)])
    full = heated(results, 16.0).seconds
    for stride in (2, 5):
        assert heated(results[::stride], 16.0).seconds == pytest.approx(full)


def test_a_track_that_is_seen_again_after_the_gap_leaves_no_heat_meanwhile() -> None:
    results = frames([(100.0, 200.0), (100.0, 200.0), *[None] * 20, (300.0, 200.0), (300.0, 200.0)])
    assert heated(results, 16.0).total_s == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("size", "cell_px", "of", "message"),
    [
        ((640, 360), 0, "foot", "cell_px is 0"),
        ((640, 360), float("nan"), "foot", "cell_px is nan"),
        ((640, 360), 16, "feet", "expected one of foot"),
        ((0, 360), 16, "foot", "frame_size is"),
        ((100_000, 100_000), 1, "foot", "Make cell_px larger"),
    ],
)
def test_wrong_settings_are_refused(size: tuple[int, int], cell_px: float, of: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        HeatMap(size, cell_px, of=of)  # type: ignore[arg-type]
