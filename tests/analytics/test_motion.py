"""Speeds, lengths and paths, in px and in metres, and ground planes that no camera can have."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from analytics.walkers import frames, person

from fairmot_dla34 import FrameResult
from fairmot_dla34.analytics import GroundPlane, MotionTracker
from fairmot_dla34.errors import InvalidInputError

IMAGE = ((100, 300), (540, 300), (400, 100), (240, 100))
METRES = ((0, 0), (6, 0), (6, 14), (0, 14))


def plane() -> GroundPlane:
    return GroundPlane.from_points(IMAGE, METRES)


def to_image(metres: np.ndarray) -> np.ndarray:
    matrix = cv2.getPerspectiveTransform(np.array(METRES, np.float32), np.array(IMAGE, np.float32))
    points: np.ndarray = np.asarray(cv2.perspectiveTransform(metres[None].astype(np.float64), matrix))[0]
    return points


def test_an_even_walk_has_its_speed() -> None:
    tracker = MotionTracker()
    for result in frames([(100 + 3.0 * i, 200 + 4.0 * i) for i in range(20)]):
        tracker.update(result)
    motion = tracker.motions[1]
    assert motion.speed_px_s == pytest.approx(50)
    assert motion.velocity_px_s == pytest.approx((30, 40))
    assert (motion.place_m, motion.speed_m_s) == (None, None)


def test_the_speed_on_the_ground_is_even_where_perspective_makes_it_uneven_in_the_image() -> None:
    tracker = MotionTracker(plane())
    walk = np.stack([np.full(60, 3.0), np.arange(60) * 0.14], axis=1)  # away from the camera at 1.4 m/s
    for result in frames([tuple(point) for point in to_image(walk).tolist()]):
        tracker.update(result)
        motion = tracker.motions[1]
        if result.time_s >= 0.5:
            assert motion.speed_m_s == pytest.approx(1.4, rel=1e-4)
    assert motion.place_m == pytest.approx((3.0, 59 * 0.14), abs=1e-4)
    (path,) = tracker.finish()
    assert path.length_m == pytest.approx(59 * 0.14, rel=1e-4)
    assert path.duration_s == pytest.approx(5.9)


def test_there_is_no_speed_before_half_the_smoothing_time() -> None:
    tracker = MotionTracker(smoothing_s=1.0)
    for result in frames([(10.0 * i, 100.0) for i in range(6)]):
        tracker.update(result)
        assert (tracker.motions[1].speed_px_s is None) == (result.time_s < 0.5)


def test_jitter_is_smoothed_in_speeds_and_lengths() -> None:
    """A person who stands still with a jitter of 2 px: raw steps would add up to about 35 px/s."""
    rng = np.random.default_rng(0)
    tracker = MotionTracker(smoothing_s=1.0)
    for result in frames([tuple(point) for point in (200 + rng.normal(0, 2, (100, 2))).tolist()]):
        tracker.update(result)
        assert (tracker.motions[1].speed_px_s or 0) < 10
    assert tracker.finish()[0].length_px < 60


def test_uneven_frame_times_and_gaps_do_not_change_the_speed() -> None:
    rng = np.random.default_rng(0)
    tracker = MotionTracker()
    for index, time_s in enumerate(np.cumsum(rng.uniform(0.01, 0.4, 40)).tolist()):
        tracker.update(FrameResult(index, time_s, (person(1, 30 * time_s, 40 * time_s),)))
        if index > 10:
            assert tracker.motions[1].speed_px_s in (None, pytest.approx(50))


def test_a_path_ends_after_the_gap_and_has_a_bounded_number_of_points() -> None:
    tracker = MotionTracker(gap_s=1.0)
    points = [(100 + 0.1 * i, 200.0) for i in range(1000)]
    ended = [path for result in frames([*points, *[None] * 12]) for path in tracker.update(result)]
    (path,) = ended
    assert len(path.points) <= 128
    assert (path.times_s[0], path.times_s[-1]) == pytest.approx((0.0, 99.9))
    assert path.length_px == pytest.approx(99.9)
    assert len(tracker._walks) == 0


def test_the_plane_agrees_with_opencv() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        image = np.array(IMAGE) + rng.uniform(-30, 30, (4, 2))
        ours = GroundPlane.from_points(image, METRES)
        points = rng.uniform((200, 150), (400, 300), (20, 2))
        matrix, _ = cv2.findHomography(image, np.array(METRES, float))
        theirs = cv2.perspectiveTransform(points[None], matrix)[0]
        assert ours.to_metres(points) == pytest.approx(theirs, abs=1e-6)
        assert ours.error_m == pytest.approx(0, abs=1e-9)


def test_more_points_than_four_are_fitted_and_their_error_is_given() -> None:
    metres = np.array([(x, y) for x in (0.0, 3.0, 6.0) for y in (0.0, 7.0, 14.0)])
    image = to_image(metres) + np.random.default_rng(0).normal(0, 1, (9, 2))
    fitted = GroundPlane.from_points(image, metres)
    assert 0 < fitted.error_m < 0.5
    assert fitted.to_metres(to_image(metres)) == pytest.approx(metres, abs=0.6)


def test_there_is_no_place_above_the_horizon() -> None:
    assert np.isnan(plane().to_metres(np.array([[320.0, -300.0]]))).all()
    tracker = MotionTracker(plane())
    for result in frames([(320.0, -300.0)] * 10):
        tracker.update(result)
    assert (tracker.motions[1].place_m, tracker.motions[1].speed_m_s) == (None, None)
    assert tracker.finish()[0].length_m is None


@pytest.mark.parametrize(
    ("image", "metres", "message"),
    [
        (IMAGE[:3], METRES[:3], "has 3 points; expected at least 4"),
        (IMAGE, METRES[:3], "has 3 points; expected at least 4"),
        (IMAGE, (*METRES, (1, 1)), "4 points in the image and 5 in metres"),
        (((0, 0), (1, 1), (2, 2), (3, 3)), METRES, "one line"),
        (((0, 0), (10, 10), (20, 20), (30, 0)), METRES, "one line"),
        (((5, 5), (5, 5), (5, 5), (5, 5)), METRES, "one line or at one place"),
        (((0, 0), (0, 0), (20, 20), (30, 0)), METRES, "one line"),
        (IMAGE, ((0, 0), (1, 0), (2, 0), (0, 5)), "one line"),
        (IMAGE, (METRES[0], METRES[2], METRES[1], METRES[3]), "same order"),
        (((0, 0), (1, 0), (1, 1), (0, float("nan"))), METRES, "coordinate nan"),
        ("points", METRES, "Ground, image is 'points'"),
    ],
)
def test_wrong_ground_planes_are_refused(image: Any, metres: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        GroundPlane.from_points(image, metres)


@pytest.mark.parametrize("smoothing_s", [0, -1, float("nan"), "1"])
def test_wrong_smoothing_times_are_refused(smoothing_s: object) -> None:
    with pytest.raises(InvalidInputError, match="smoothing_s is"):
        MotionTracker(smoothing_s=smoothing_s)  # type: ignore[arg-type]


def test_only_feet_are_on_the_ground() -> None:
    with pytest.raises(InvalidInputError, match="expected 'foot'"):
        MotionTracker(plane(), anchor="head")
