"""Order, expiry and duplicates of tracklets at the end of a frame."""

from __future__ import annotations

import numpy as np
import pytest

from fairmot_dla34.association.candidates import candidates_from
from fairmot_dla34.association.lifecycle import finish_frame, without_duplicates
from fairmot_dla34.association.tracklet import Tracklets
from fairmot_dla34.values import Detections


def tracklets(
    boxes: list[list[int]],
    *,
    lost: list[bool],
    first: int | list[int] = 1,
    last: int | list[int] = 1,
    class_ids: list[int] | None = None,
) -> Tracklets:
    candidates = candidates_from(Detections(boxes, [0.9] * len(boxes), class_ids=class_ids), 0.1, 0)
    made = Tracklets.start(candidates, first_id=1, frame=1)
    made.lost[:] = lost
    made.first_frames[:] = first
    made.last_frames[:] = last
    return made


BOX = [0, 0, 40, 100]


@pytest.mark.parametrize(
    ("history_tracked", "history_lost", "kept"),
    [(9, 4, 1), (4, 9, 2), (5, 5, 2)],
    ids=["the tracked one is older", "the lost one is older", "equal histories"],
)
def test_only_the_longer_history_of_two_overlapping_tracklets_stays(
    history_tracked: int, history_lost: int, kept: int
) -> None:
    pair = tracklets([BOX, BOX], lost=[False, True], first=[10 - history_tracked, 10 - history_lost], last=10)
    assert without_duplicates(pair).ids.tolist() == [kept]


def test_different_classes_or_positions_are_not_duplicates() -> None:
    pair = tracklets([BOX, BOX], lost=[False, True], class_ids=[0, 1])
    assert without_duplicates(pair).ids.tolist() == [1, 2]
    pair = tracklets([BOX, [20, 0, 60, 100]], lost=[False, True])
    assert without_duplicates(pair).ids.tolist() == [1, 2]
    both_tracked = tracklets([BOX, BOX], lost=[False, False])
    assert without_duplicates(both_tracked).ids.tolist() == [1, 2]


def test_tracked_tracklets_come_first_then_found_then_lost_ones() -> None:
    boxes = [[100 * i, 0, 100 * i + 40, 100] for i in range(6)]
    made = tracklets(boxes, lost=[False, True, False, True, False, False], last=10)
    was_lost = np.array([False, False, True, True, False])  # the sixth is new
    got = finish_frame(made, was_lost, np.array([4]), frame=10, lost_buffer=30)
    assert got.ids.tolist() == [1, 6, 3, 4, 2]


def test_a_lost_tracklet_is_dropped_one_frame_after_its_buffer() -> None:
    made = tracklets([BOX], lost=[True], last=[10])
    was_lost, none_dropped = np.array([True]), np.zeros(0, int)
    for frame in (11, 12, 13):
        made = finish_frame(made, was_lost, none_dropped, frame=frame, lost_buffer=2)
        assert len(made) == 1
    assert made.expired.all()
    assert len(finish_frame(made, was_lost, none_dropped, frame=14, lost_buffer=2)) == 0


def test_a_tracklet_found_after_its_buffer_is_dropped_when_lost_again() -> None:
    made = tracklets([BOX], lost=[False], last=[20])
    made.expired[:] = True
    none_dropped = np.zeros(0, int)
    assert len(finish_frame(made, np.array([True]), none_dropped, frame=20, lost_buffer=2)) == 1
    made.lost[:] = True
    assert len(finish_frame(made, np.array([False]), none_dropped, frame=21, lost_buffer=2)) == 0
