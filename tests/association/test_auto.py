"""The method `auto`: people keep their ids behind obstacles, with a moving camera and at low scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pytest
from numpy.typing import ArrayLike

from fairmot_dla34.association import Tracker
from fairmot_dla34.association.config import TrackerConfig
from fairmot_dla34.values import Detections, Track

AUTO = TrackerConfig(method="auto")
NO_DETECTIONS = Detections([], [])


def people(corners: ArrayLike, score: float = 0.85, embeddings: ArrayLike | None = None) -> Detections:
    """Return detections of 40x100 px with their top left corners at ``corners``."""
    corner = np.asarray(corners, float).reshape(-1, 2)
    return Detections(np.hstack([corner, np.add(corner, (40, 100))]), np.full(len(corner), score), embeddings)


def ids(tracks: Iterable[Track]) -> list[int]:
    return [track.track_id for track in tracks]


def street(seed: int, frames: int, count: int = 15) -> Iterator[Detections]:
    """Yield detections of people who walk and hide, with a shaking camera, low scores and false alarms."""
    rng = np.random.default_rng(seed)
    corners, speed = rng.uniform(0, 1500, (count, 2)), rng.normal(0, 2, (count, 2))
    for _ in range(frames):
        corners = corners + speed
        seen = corners[rng.random(count) > 0.2] + rng.normal(0, 12, 2)
        false = rng.uniform(0, 1500, (rng.poisson(1), 2))
        found = np.concatenate([seen, false]) if rng.random() > 0.05 else np.zeros((0, 2))
        boxes = np.hstack([found, np.add(found, (40, 100))]) + rng.normal(0, 1, (len(found), 4))
        yield Detections(boxes, rng.uniform(0.1, 1, len(found)))


@pytest.mark.parametrize("frame_rate", [10.0, 30.0, 60.0])
def test_a_walker_hidden_by_a_pillar_keeps_the_id(frame_rate: float) -> None:
    """At 100 px/s for 1.5 s, a walker moves further than the box is wide; JDETracker's lost buffer is 1 s."""
    step = 100 / frame_rate
    tracker = Tracker(AUTO, frame_rate)
    hidden = range(int(3 * frame_rate), int(4.5 * frame_rate))
    for index in range(int(6 * frame_rate)):
        tracks = tracker.update(NO_DETECTIONS if index in hidden else people([(step * index, 200)]))
    assert ids(tracks) == [1]


def test_a_person_unseen_for_longer_than_the_buffer_gets_a_new_id() -> None:
    for absent, expected in ((61, [1]), (62, [2])):
        tracker = Tracker(AUTO, 30.0)
        for _ in range(5):
            tracker.update(people([(500, 200)], score=0.95))
        for _ in range(absent):
            assert tracker.update(NO_DETECTIONS) == ()
        for _ in range(2):
            found = ids(tracker.update(people([(500, 200)], score=0.95)))
        assert found == expected


@pytest.mark.parametrize(("method", "kept"), [("byte", False), ("auto", True)])
def test_a_camera_jerk_by_the_width_of_a_box_changes_no_id(method: str, kept: bool) -> None:
    """The image jumps by more than the width of a box: ids stay only if the jump is attributed to the camera."""
    corners = np.array([(150.0 * column, 250.0 * row) for column in range(6) for row in range(2)])
    tracker = Tracker(TrackerConfig(method=method), 30.0)
    for _ in range(10):
        before = tracker.update(people(corners))
    by_place = {round(track.box[0]) // 100 + 100 * (round(track.box[1]) // 100): track.track_id for track in before}
    after = tracker.update(people(np.add(corners, (44, 5))))
    same = {round(track.box[0] - 44) // 100 + 100 * (round(track.box[1] - 5) // 100): track.track_id for track in after}
    assert (len(same) == 12 and set(same.values()) == set(by_place.values())) == kept


def test_low_scores_keep_a_track_and_start_none() -> None:
    tracker = Tracker(AUTO)
    assert ids(tracker.update(people([(0, 0)]))) == [1]
    for step in range(5):
        assert ids(tracker.update(people([(step, 0), (400, 0)], score=0.3))) == [1]
    for score in (0.3, 0.45):
        for _ in range(3):
            assert ids(tracker.update(people([(800, 0)], score=score))) == []


@pytest.mark.parametrize(("score", "detections"), [(0.95, 2), (0.6, 3), (0.46, 4)])
def test_a_new_track_is_reported_once_its_scores_add_up(score: float, detections: int) -> None:
    tracker = Tracker(AUTO)
    tracker.update(people([(0, 0)]))
    for count in range(1, 6):
        reported = ids(tracker.update(Detections([[500, 0, 540, 100]], [score])))
        assert reported == ([2] if count >= detections else [])


def test_crossing_people_keep_their_ids_by_embedding() -> None:
    embeddings = np.eye(8, dtype=np.float32)[:2]
    tracker = Tracker(AUTO)
    for step in range(41):
        tracks = tracker.update(people([(5 * step, 0), (200 - 5 * step, 3)], embeddings=embeddings))
    left = {track.track_id: track.box[0] for track in tracks}
    assert left[1] > 150
    assert left[2] < 50


def test_classes_never_mix() -> None:
    box = [[0, 0, 40, 100]]
    tracker = Tracker(AUTO)
    assert ids(tracker.update(Detections(box, [0.95], class_ids=[2]))) == [1]
    for _ in range(2):
        tracks = tracker.update(Detections(box, [0.95], class_ids=[5]))
    assert [(track.track_id, track.class_id) for track in tracks] == [(2, 5)]


@pytest.mark.parametrize("scale", [0.3, 1.0])
def test_a_detector_of_low_scores_is_tracked_as_well_as_one_of_high_scores(scale: float) -> None:
    """The same people with a third of the scores: false alarms at half the score of people start no track."""
    tracker = Tracker(AUTO, 25.0)
    for index in range(200):
        boxes = [[3 * index, 100, 3 * index + 40, 200], [800, 100, 840, 200]]
        scores = [0.95 * scale, 0.95 * scale]
        if index > 100:
            boxes.append([300, 500, 340, 600])
            scores.append(0.45 * scale)
        tracks = tracker.update(Detections(boxes, scores))
    assert ids(tracks) == [1, 2]


def test_the_same_video_gives_the_same_tracks() -> None:
    first, second = ([tracker.update(frame) for frame in street(1, 150)] for tracker in (Tracker(AUTO), Tracker(AUTO)))
    assert first == second
    assert any(first)


@pytest.mark.parametrize("seed", range(3))
def test_ids_are_unique_in_a_frame_and_boxes_are_finite(seed: int) -> None:
    tracker = Tracker(AUTO, 25.0)
    for frame in street(seed, 200):
        tracks = tracker.update(frame)
        assert len(set(ids(tracks))) == len(tracks)
        assert np.isfinite([track.box for track in tracks]).all()
        for column in vars(tracker._tracklets).values():
            assert np.isfinite(column).all()


def test_the_motion_model_does_not_depend_on_the_frame_rate() -> None:
    """One walk at 15 and at 60 frames/s: the unit of the motion model is 1/30 s, not the frame."""
    for rate in (15, 60):
        tracker = Tracker(AUTO, rate)
        for index in range(4 * rate):
            tracks = tracker.update(people([(300 * index / rate, 100)]))
        assert ids(tracks) == [1]
