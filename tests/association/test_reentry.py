"""People who come back after the lost buffer get their old id again, and nobody else does."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from fairmot_dla34.association import Tracker
from fairmot_dla34.association.candidates import Candidates
from fairmot_dla34.association.config import TrackerConfig
from fairmot_dla34.association.gallery import MAX_LEFT, Gallery
from fairmot_dla34.association.gaps import with_filled_gaps
from fairmot_dla34.association.tracklet import Tracklets
from fairmot_dla34.errors import InvalidInputError
from fairmot_dla34.values import Detections, FrameResult, Track

RATE = 10.0
REENTRY = TrackerConfig(reid_buffer_s=20.0)
LOOKS = np.linalg.qr(np.random.default_rng(0).normal(size=(64, 64)))[0].astype(np.float32)  # all at right angles
SEEDS = itertools.count()
EMPTY = Detections([], [], np.zeros((0, 64)))


def people(looks: ArrayLike, noise: float = 0.01, rng: np.random.Generator | None = None) -> Detections:
    """Return one detection per embedding, side by side."""
    rng = rng or np.random.default_rng(next(SEEDS))  # noise that repeats would tell twins apart
    plain = np.asarray(looks, np.float32).reshape(-1, 64)
    embeddings = plain + rng.normal(0, noise, plain.shape)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    left = 150.0 * np.arange(len(embeddings))
    return Detections(
        np.stack([left, left * 0 + 50, left + 40, left * 0 + 150], axis=1), np.full(len(left), 0.9), embeddings
    )


def watch(tracker: Tracker, looks: ArrayLike, seconds: float = 4.0) -> list[int]:
    """Show people for some seconds; return the ids of the last frame, in the order of the people."""
    tracks: tuple[Track, ...] = ()
    for _ in range(round(seconds * tracker.frame_rate)):
        tracks = tracker.update(people(looks))
    return [track.track_id for track in sorted(tracks, key=lambda track: track.box[0])]


def wait(tracker: Tracker, seconds: float = 5.0) -> None:
    for _ in range(round(seconds * tracker.frame_rate)):
        assert tracker.update(EMPTY) == ()


def after_four_left(config: TrackerConfig = REENTRY, seconds: float = 5.0) -> Tracker:
    """Return a tracker that saw four people, who then left."""
    tracker = Tracker(config, RATE)
    assert watch(tracker, LOOKS[:4]) == [1, 2, 3, 4]
    wait(tracker, seconds)
    return tracker


def between(one: NDArray[np.float32], other: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    mixed: NDArray[np.float32] = (1 - share) * one + share * other
    mixed /= np.linalg.norm(mixed)
    return mixed


def test_whoever_comes_back_gets_the_old_id() -> None:
    tracker = after_four_left()
    assert watch(tracker, LOOKS[[2, 0]]) == [3, 1]
    wait(tracker)
    assert watch(tracker, LOOKS[[3, 2]]) == [4, 3]
    wait(tracker)
    assert watch(tracker, LOOKS[[9]]) == [5]


def test_the_old_id_is_given_in_the_first_report_and_the_age_continues() -> None:
    tracker = after_four_left()
    reports = [tracker.update(people(LOOKS[[1]])) for _ in range(5)]
    assert [[track.track_id for track in tracks] for tracks in reports] == [[], [2], [2], [2], [2]]
    assert reports[-1][0].age_frames == 94


def test_without_the_setting_everybody_who_comes_back_gets_a_new_id() -> None:
    assert watch(after_four_left(TrackerConfig()), LOOKS[[2, 0]]) == [5, 6]


@pytest.mark.parametrize("alike", [0.0, 0.3])
def test_a_stranger_gets_a_new_id(alike: float) -> None:
    assert watch(after_four_left(), [between(LOOKS[9], LOOKS[1], alike)]) == [5]


def test_nobody_gets_the_id_of_one_of_two_who_look_alike() -> None:
    tracker = Tracker(REENTRY, RATE)
    twin = between(LOOKS[0], LOOKS[9], 0.05)
    assert watch(tracker, [LOOKS[0], twin, *LOOKS[1:4]]) == [1, 2, 3, 4, 5]
    wait(tracker)
    assert watch(tracker, LOOKS[[0, 2]]) == [6, 4]


def test_the_id_of_a_look_alike_in_view_warns() -> None:
    """One of two who look alike stays: the next one who looks like both may be a third."""
    tracker = Tracker(REENTRY, RATE)
    both = [LOOKS[0], LOOKS[0]]
    assert watch(tracker, [*both, *LOOKS[1:4]]) == [1, 2, 3, 4, 5]
    for _ in range(50):
        tracker.update(people(both[:1]))
    assert watch(tracker, both) == [1, 6]


def test_two_who_come_back_at_once_and_look_like_one_both_get_new_ids() -> None:
    assert watch(after_four_left(), LOOKS[[2, 2, 0]]) == [5, 6, 1]


def test_no_id_is_in_a_frame_twice() -> None:
    rng = np.random.default_rng(5)
    tracker = Tracker(TrackerConfig(reid_buffer_s=60.0, lost_buffer_s=0.5), RATE)
    returned, highest = 0, 0
    for _ in range(30):
        chosen = LOOKS[rng.choice(12, rng.integers(1, 6), replace=False)]
        for _ in range(15):
            ids = [track.track_id for track in tracker.update(people(chosen, 0.02, rng))]
            assert len(set(ids)) == len(ids)
        returned += sum(one <= highest for one in ids)
        highest = max(highest, *ids)
        wait(tracker, 1.0)
    assert returned > 50


@pytest.mark.parametrize(("absent", "expected"), [(21.0, 3), (23.0, 5)])
def test_people_are_kept_for_the_lost_buffer_and_the_time_that_was_asked_for(absent: float, expected: int) -> None:
    assert watch(after_four_left(seconds=absent), LOOKS[[2]]) == [expected]


@pytest.mark.parametrize(("absent", "expected"), [(21.0, 3), (23.0, 5), (1e9, 5)])
def test_frames_left_out_count(absent: float, expected: int) -> None:
    tracker = Tracker(REENTRY, RATE)
    for index in range(40):
        tracker.update(people(LOOKS[:4]), time_s=index / RATE)
    for index in range(40, 45):
        tracks = tracker.update(people(LOOKS[[2]]), time_s=absent + index / RATE)
    assert [track.track_id for track in tracks] == [expected]


@pytest.mark.parametrize("stride", [1, 2, 5])
def test_a_stride_changes_nothing(stride: int) -> None:
    tracker = Tracker(REENTRY, RATE)
    ids = []
    for index in range(0, 140, stride):
        shown = LOOKS[:4] if index < 40 else LOOKS[[2, 0]] if index >= 90 else LOOKS[:0]
        ids = [track.track_id for track in tracker.update(people(shown), time_s=index / RATE)]
    assert sorted(ids) == [1, 3]


def test_people_of_another_class_are_others() -> None:
    tracker = after_four_left()
    for _ in range(5):
        found = people(LOOKS[[1]])
        tracks = tracker.update(Detections(found.boxes, found.scores, found.embeddings, class_ids=[1]))
    assert [track.track_id for track in tracks] == [5]


@pytest.mark.parametrize("max_gap", [20, 60])
def test_gaps_are_filled_up_to_their_limit_only(max_gap: int) -> None:
    tracker = Tracker(REENTRY, RATE)
    shown = [LOOKS[:4]] * 40 + [LOOKS[:0]] * 49 + [LOOKS[[2]]] * 5
    results = [FrameResult(i, i / RATE, tracker.update(people(looks))) for i, looks in enumerate(shown)]
    filled = [one for result in with_filled_gaps(results, max_gap) for one in result.tracks if one.filled]
    assert len(filled) == (50 if max_gap == 60 else 0)  # the first frame after the return has no report yet
    assert {one.track_id for one in filled} <= {3}


def test_reset_forgets_everybody() -> None:
    tracker = after_four_left()
    tracker.reset()
    assert tracker.nbytes == 0
    assert watch(tracker, LOOKS[[2]]) == [1]


def test_unknown_embeddings_are_nobody() -> None:
    """Zeros stand for an unknown embedding: whoever has one is not compared."""
    tracker = Tracker(REENTRY, RATE)
    found = people(LOOKS[:1])
    unknown = Detections(found.boxes, found.scores, np.zeros((1, 64)))
    for expected in (1, 2):
        for _ in range(40):
            tracks = tracker.update(unknown)
        assert [track.track_id for track in tracks] == [expected]
        wait(tracker)


def test_memory_is_bounded_and_the_last_who_left_are_kept() -> None:
    """100,000 people pass, 1,000 at a time."""
    rng = np.random.default_rng(3)
    gallery, gone, sizes = Gallery(RATE, keep_frames=10**9), Tracklets.empty(8), []
    for start in range(0, 100_000, 1_000):
        looks = rng.normal(size=(1_000, 8)).astype(np.float32)
        boxes = np.tile(np.array([[0, 0, 40, 100]], np.float32), (1_000, 1))
        candidates = Candidates(boxes, boxes, np.full(1_000, 0.9, np.float32), looks, np.zeros(1_000, np.int64))
        tracklets = Tracklets.start(candidates, first_id=1, frame=start)
        tracklets.track_ids[:] = np.arange(start + 1, start + 1_001)
        for frame in (start, start + 50):
            gallery.look(tracklets, np.arange(1_000), frame)
        gallery.leave(tracklets, gone)
        sizes.append(gallery.nbytes)
    assert list(gallery.left) == list(range(99_001, 100_001))
    assert len(gallery.left) == MAX_LEFT
    assert not gallery.present
    assert max(sizes) == sizes[0]


def test_the_gallery_counts_as_memory_of_the_tracker() -> None:
    tracker = Tracker(REENTRY, RATE)
    watch(tracker, LOOKS[:4], 1.5)
    plain = Tracker(TrackerConfig(), RATE)
    watch(plain, LOOKS[:4], 1.5)
    assert tracker.nbytes == plain.nbytes + 4 * 3 * 64 * 4  # the first embedding, and two views


def test_results_are_the_same_until_somebody_comes_back() -> None:
    rng = np.random.default_rng(2)
    plain, kept = Tracker(TrackerConfig(), RATE), Tracker(REENTRY, RATE)
    for _ in range(100):
        found = people(LOOKS[: rng.integers(1, 8)], 0.1, rng)
        expected = plain.update(found)
        assert kept.update(found) == expected


@pytest.mark.parametrize("settings", [{"method": "jde"}, {"method": "byte"}, {"use_embeddings": False}])
def test_methods_that_do_not_learn_appearance_refuse_it(settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=r"reid_buffer_s is 5.0, but with .*expected 0, or method='auto'"):
        TrackerConfig(reid_buffer_s=5, **settings)
    assert TrackerConfig(reid_buffer_s=0, **settings).reid_buffer_s == 0


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "2", None, True])
def test_the_time_is_a_number(value: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"reid_buffer_s is .*expected a number >= 0"):
        TrackerConfig(reid_buffer_s=value)


def test_detections_without_embeddings_are_refused() -> None:
    tracker = after_four_left()
    with pytest.raises(InvalidInputError, match=r"no embeddings, which reid_buffer_s=20 compares"):
        tracker.update(Detections([[0, 0, 40, 100]], [0.9]))
    assert tracker.update(Detections([], [])) == ()
    assert watch(tracker, LOOKS[[2]]) == [3]
