"""What `steady` promises: people keep their ids behind obstacles, under a moving camera, in faint detections."""

from __future__ import annotations

import numpy as np
import pytest

from fairmot_dla34.association import Tracker
from fairmot_dla34.association.config import TrackerConfig
from fairmot_dla34.values import Detections

STEADY = TrackerConfig(method="steady")
NOTHING = Detections([], [])


def people(places, score: float = 0.85, looks=None) -> Detections:
    """Boxes of 40x100 px with their left top corners at ``places``."""
    corner = np.asarray(places, float).reshape(-1, 2)
    return Detections(np.hstack([corner, np.add(corner, (40, 100))]), np.full(len(corner), score), looks)


def ids(tracks) -> list[int]:
    return [track.track_id for track in tracks]


def street(seed: int, frames: int, count: int = 15):
    """People who walk and hide, seen by a camera that shakes, with faint and false detections."""
    rng = np.random.default_rng(seed)
    places, speed = rng.uniform(0, 1500, (count, 2)), rng.normal(0, 2, (count, 2))
    for _ in range(frames):
        places = places + speed
        seen = places[rng.random(count) > 0.2] + rng.normal(0, 12, 2)
        false = rng.uniform(0, 1500, (rng.poisson(1), 2))
        found = np.concatenate([seen, false]) if rng.random() > 0.05 else np.zeros((0, 2))
        boxes = np.hstack([found, np.add(found, (40, 100))]) + rng.normal(0, 1, (len(found), 4))
        yield Detections(boxes, rng.uniform(0.1, 1, len(found)))


@pytest.mark.parametrize("frame_rate", [10.0, 30.0, 60.0])
def test_who_walks_behind_a_pillar_comes_out_with_the_same_id(frame_rate):
    """100 px/s, hidden for 1.5 s: further than the box is wide, and longer than JDETracker's second."""
    step = 100 / frame_rate
    tracker = Tracker(STEADY, frame_rate)
    hidden = range(int(3 * frame_rate), int(4.5 * frame_rate))
    for index in range(int(6 * frame_rate)):
        tracks = tracker.update(NOTHING if index in hidden else people([(step * index, 200)]))
    assert ids(tracks) == [1]


def test_who_is_gone_for_longer_than_the_buffer_is_new():
    for absent, expected in ((61, [1]), (62, [2])):
        tracker = Tracker(STEADY, 30.0)
        for _ in range(5):
            tracker.update(people([(500, 200)], score=0.95))
        for _ in range(absent):
            assert tracker.update(NOTHING) == ()
        assert ids(tracker.update(people([(500, 200)], score=0.95))) == expected


@pytest.mark.parametrize(("method", "kept"), [("byte", False), ("steady", True)])
def test_a_camera_that_jerks_by_a_box_changes_no_id(method, kept):
    """The picture jumps by more than a box is wide, there and back: only those who see that it is the camera follow."""
    places = np.array([(150.0 * column, 250.0 * row) for column in range(6) for row in range(2)])
    tracker = Tracker(TrackerConfig(method=method), 30.0)
    for _ in range(10):
        before = tracker.update(people(places))
    by_place = {round(track.box[0]) // 100 + 100 * (round(track.box[1]) // 100): track.track_id for track in before}
    after = tracker.update(people(np.add(places, (44, 5))))
    same = {round(track.box[0] - 44) // 100 + 100 * (round(track.box[1] - 5) // 100): track.track_id for track in after}
    assert (len(same) == 12 and set(same.values()) == set(by_place.values())) == kept


def test_faint_detections_keep_a_track_and_begin_none():
    tracker = Tracker(STEADY)
    assert ids(tracker.update(people([(0, 0)]))) == [1]
    for step in range(5):
        assert ids(tracker.update(people([(step, 0), (400, 0)], score=0.3))) == [1]
    for score in (0.3, 0.45):
        for _ in range(3):
            assert ids(tracker.update(people([(800, 0)], score=score))) == []


def test_a_newcomer_is_reported_at_once_when_sure_and_at_the_second_sight_otherwise():
    for score, first in ((0.85, []), (0.95, [2])):
        tracker = Tracker(STEADY)
        tracker.update(people([(0, 0)]))
        assert ids(tracker.update(Detections([[500, 0, 540, 100]], [score]))) == first
        assert ids(tracker.update(Detections([[500, 0, 540, 100]], [score]))) == [2]


def test_two_who_cross_keep_their_ids_by_their_looks():
    looks = np.eye(8, dtype=np.float32)[:2]
    tracker = Tracker(STEADY)
    for step in range(41):
        tracks = tracker.update(people([(5 * step, 0), (200 - 5 * step, 3)], looks=looks))
    left = {track.track_id: track.box[0] for track in tracks}
    assert left[1] > 150
    assert left[2] < 50


def test_classes_never_mix():
    box = [[0, 0, 40, 100]]
    tracker = Tracker(STEADY)
    assert ids(tracker.update(Detections(box, [0.95], class_ids=[2]))) == [1]
    (track,) = tracker.update(Detections(box, [0.95], class_ids=[5]))
    assert (track.track_id, track.class_id) == (2, 5)


def test_the_same_video_gives_the_same_tracks():
    first, second = (
        [tracker.update(frame) for frame in street(1, 150)] for tracker in (Tracker(STEADY), Tracker(STEADY))
    )
    assert first == second
    assert any(first)


@pytest.mark.parametrize("seed", range(3))
def test_ids_are_unique_in_a_frame_and_boxes_are_numbers(seed):
    tracker = Tracker(STEADY, 25.0)
    for frame in street(seed, 200):
        tracks = tracker.update(frame)
        assert len(set(ids(tracks))) == len(tracks)
        assert np.isfinite([track.box for track in tracks]).all()
        for column in vars(tracker._tracklets).values():
            assert np.isfinite(column).all()


def test_the_frame_rate_does_not_change_what_people_do():
    """One walk at 60 and at 15 frames/s: the unit of the motion model is the second's thirtieth, not the frame."""
    for rate in (15, 60):
        tracker = Tracker(STEADY, rate)
        for index in range(4 * rate):
            tracks = tracker.update(people([(300 * index / rate, 100)]))
        assert ids(tracks) == [1]
