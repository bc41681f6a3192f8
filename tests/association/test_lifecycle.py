"""What is kept and what is forgotten at the end of a frame."""

from __future__ import annotations

import numpy as np
import pytest

from fairmot_dla34.association.candidates import candidates_from
from fairmot_dla34.association.lifecycle import finish_frame, without_duplicates
from fairmot_dla34.association.tracklet import Tracklets
from fairmot_dla34.values import Detections


def tracklets(boxes, *, lost, first=1, last=1, class_ids=None) -> Tracklets:
    candidates = candidates_from(Detections(boxes, [0.9] * len(boxes), class_ids=class_ids), 0.1, 0)
    made = Tracklets.start(candidates, first_id=1, frame=1)
    made.lost[:] = lost
    made.first_frames[:] = first
    made.last_frames[:] = last
    return made


BOX = [0, 0, 40, 100]


@pytest.mark.parametrize(
    ("followed_tracked", "followed_lost", "kept"),
    [(9, 4, 1), (4, 9, 2), (5, 5, 2)],
    ids=["the tracked one is older", "the lost one is older", "equal times"],
)
def test_of_two_on_one_place_the_one_followed_longer_stays(followed_tracked, followed_lost, kept):
    pair = tracklets([BOX, BOX], lost=[False, True], first=[10 - followed_tracked, 10 - followed_lost], last=10)
    assert without_duplicates(pair).ids.tolist() == [kept]


def test_different_classes_or_places_are_no_duplicates():
    pair = tracklets([BOX, BOX], lost=[False, True], class_ids=[0, 1])
    assert without_duplicates(pair).ids.tolist() == [1, 2]
    pair = tracklets([BOX, [20, 0, 60, 100]], lost=[False, True])
    assert without_duplicates(pair).ids.tolist() == [1, 2]
    both_tracked = tracklets([BOX, BOX], lost=[False, False])
    assert without_duplicates(both_tracked).ids.tolist() == [1, 2]


def test_tracked_come_first_then_found_then_lost():
    boxes = [[100 * i, 0, 100 * i + 40, 100] for i in range(6)]
    made = tracklets(boxes, lost=[False, True, False, True, False, False], last=10)
    was_lost = np.array([False, False, True, True, False])  # the sixth is new
    got = finish_frame(made, was_lost, np.array([4]), frame=10, lost_buffer=30)
    assert got.ids.tolist() == [1, 6, 3, 4, 2]


def test_a_lost_tracklet_is_forgotten_one_frame_after_its_buffer():
    made = tracklets([BOX], lost=[True], last=[10])
    was_lost, nobody = np.array([True]), np.zeros(0, int)
    for frame in (11, 12, 13):
        made = finish_frame(made, was_lost, nobody, frame=frame, lost_buffer=2)
        assert len(made) == 1
    assert made.expired.all()
    assert len(finish_frame(made, was_lost, nobody, frame=14, lost_buffer=2)) == 0


def test_one_found_after_its_buffer_is_forgotten_when_lost_again():
    made = tracklets([BOX], lost=[False], last=[20])
    made.expired[:] = True
    nobody = np.zeros(0, int)
    assert len(finish_frame(made, np.array([True]), nobody, frame=20, lost_buffer=2)) == 1
    made.lost[:] = True
    assert len(finish_frame(made, np.array([False]), nobody, frame=21, lost_buffer=2)) == 0
