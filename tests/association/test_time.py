"""Tracks across missing frames, which `--frame-stride` or a slow camera leaves out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairmot_dla34.association import Tracker, kalman
from fairmot_dla34.association.config import TrackerConfig
from fairmot_dla34.association.registry import method_names
from fairmot_dla34.values import Detections

EMBEDDINGS = np.eye(8, dtype=np.float32)


def walker(time_s: float, speed: float = 120.0) -> Detections:
    """Return one detection of 40x100 px of a person who walks to the right."""
    left = speed * time_s
    return Detections([[left, 200, left + 40, 300]], [0.85], EMBEDDINGS[:1])


def crowd(seed: int, frames: int) -> Iterator[Detections]:
    rng = np.random.default_rng(seed)
    corners, speed = rng.uniform(0, 1000, (12, 2)), rng.normal(0, 3, (12, 2))
    for _ in range(frames):
        corners = corners + speed
        seen = rng.random(12) > 0.2
        boxes = np.hstack([corners[seen], corners[seen] + (40, 100)])
        yield Detections(boxes, rng.uniform(0.05, 1, len(boxes)), np.eye(12)[seen])


@pytest.mark.parametrize("method", method_names())
@pytest.mark.parametrize("rate", [10.0, 29.97, 30.0])
def test_times_of_consecutive_frames_change_nothing(method: str, rate: float) -> None:
    """Without missing frames, the tracks must be those without `time_s`, bit by bit."""
    timed, counted = (Tracker(TrackerConfig(method=method), rate) for _ in range(2))
    for index, frame in enumerate(crowd(0, 100)):
        assert timed.update(frame, time_s=round(index / rate, 3)) == counted.update(frame)


@pytest.mark.parametrize("method", method_names())
@pytest.mark.parametrize("stride", [2, 5, 10])
def test_a_walker_keeps_the_id_if_frames_are_skipped(method: str, stride: int) -> None:
    """At 120 px/s and every tenth of 30 frames/s, boxes 40 px wide just touch."""
    tracker = Tracker(TrackerConfig(method=method), 30.0)
    for index in range(0, 300, stride):
        (track,) = tracker.update(walker(index / 30), time_s=index / 30)
        assert (track.track_id, track.age_frames) == (1, index)


@pytest.mark.parametrize("method", method_names())
def test_a_walker_keeps_the_id_at_irregular_times(method: str) -> None:
    rng = np.random.default_rng(1)
    tracker, time_s = Tracker(TrackerConfig(method=method), 30.0), 0.0
    for _ in range(100):
        (track,) = tracker.update(walker(time_s), time_s=time_s)
        assert track.track_id == 1
        time_s += rng.choice([1, 1, 1, 2, 4, 9]) / 30 + rng.uniform(-0.004, 0.004)


@pytest.mark.parametrize("method", method_names())
@pytest.mark.parametrize("stride", [1, 3, 10])
def test_the_lost_buffer_is_in_seconds_at_any_stride(method: str, stride: int) -> None:
    """0.5 s are 15 frames, and one more as in JDETracker, whatever part of them is processed."""
    for absent, expected in ((16, 1), (17, 2)):
        tracker = Tracker(TrackerConfig(method=method, lost_buffer_s=0.5), 30.0)
        box = Detections([[500, 200, 540, 300]], [0.95], EMBEDDINGS[:1])
        for index in range(5):
            tracker.update(box, time_s=index / 30)
        for index in range(5, 5 + absent, stride):
            tracker.update(Detections([], []), time_s=index / 30)
        tracker.update(box, time_s=(5 + absent) / 30)
        assert tracker._tracklets.ids.tolist() == [expected]


@pytest.mark.parametrize("method", method_names())
@pytest.mark.parametrize("times", [[0, 0, 0, 0], [3, 2, 1, 0], [0, 1e9, 0, 1e9], [0, -1e300, 1e300, 0]])
def test_repeated_and_extreme_times_keep_the_state_finite(method: str, times: list[float]) -> None:
    tracker = Tracker(TrackerConfig(method=method), 30.0)
    for index in range(40):
        tracks = tracker.update(walker(index / 30), time_s=float(times[index % 4]))
        assert len(tracks) <= 1
        for column in vars(tracker._tracklets).values():
            assert np.isfinite(column).all()


@pytest.mark.parametrize("method", method_names())
def test_a_pause_of_years_within_the_buffer_keeps_the_state_finite(method: str) -> None:
    tracker = Tracker(TrackerConfig(method=method, lost_buffer_s=1e9), 30.0)
    for time_s in (0.0, 1 / 30, 9e8, 9e8 + 1 / 30):
        tracks = tracker.update(walker(0.0), time_s=time_s)
        assert np.isfinite([track.box for track in tracks]).all()
        for column in vars(tracker._tracklets).values():
            assert np.isfinite(column).all()


@given(st.integers(0, 2**32 - 1), st.integers(2, 30))
def test_one_long_step_equals_many_short_ones(seed: int, count: int) -> None:
    """Holds for constant heights, because the height scales the noise."""
    rng = np.random.default_rng(seed)
    height = rng.uniform(20, 300, 5)
    start = np.column_stack([rng.uniform(0, 1900, (5, 2)), rng.uniform(0.3, 1, 5), height])
    mean, covariance = kalman.initiate(start.astype(np.float32))
    mean[:, 4:6] = rng.normal(0, 5, (5, 2))
    short = mean, covariance
    for _ in range(count):
        short = kalman.predict(*short)
    long = kalman.predict(mean, covariance, count)
    np.testing.assert_allclose(long[0], short[0], rtol=1e-4, atol=1e-2)  # px, on coordinates up to 1900
    np.testing.assert_allclose(long[1], short[1], rtol=1e-3)
