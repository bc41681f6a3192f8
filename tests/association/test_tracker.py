"""Tracker: ids, lost buffer, reported tracks, memory, and numbers that must not enter its state."""

from __future__ import annotations

import gc
import subprocess
import sys
import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from fairmot_dla34.association import Tracker
from fairmot_dla34.association.config import TrackerConfig
from fairmot_dla34.association.registry import find_method, method_names
from fairmot_dla34.errors import InvalidInputError
from fairmot_dla34.values import Detections, Peaks, Track

NO_DETECTIONS = Detections([], [])
BYTE = TrackerConfig(method="byte")
JDE = TrackerConfig(method="jde")
EMBEDDINGS = np.eye(8, dtype=np.float32)  # row i: the embedding of person i


def people(*corners: tuple[float, float], score: float = 0.9, embeddings: ArrayLike | None = None) -> Detections:
    """Return detections of 40x100 px with their top left corners at ``corners``."""
    boxes = [[x, y, x + 40, y + 100] for x, y in corners]
    return Detections(boxes, [score] * len(corners), embeddings)


def ids(tracks: Iterable[Track]) -> list[int]:
    return [track.track_id for track in tracks]


def crowd(seed: int, count: int, frames: int) -> Iterator[Detections]:
    """Yield detections of people who walk, hide and return, with low scores and some empty frames."""
    rng = np.random.default_rng(seed)
    corners, speed = rng.uniform(0, 1000, (count, 2)), rng.normal(0, 3, (count, 2))
    embeddings = rng.normal(size=(count, 8))
    for _ in range(frames):
        corners = (corners + speed) % 1000
        seen = np.flatnonzero(rng.random(count) > 0.2) if rng.random() > 0.05 else np.zeros(0, int)
        boxes = np.hstack([corners[seen], corners[seen] + (40, 100)]) + rng.normal(0, 1, (len(seen), 4))
        noise = rng.normal(0, 0.1, (len(seen), 8))
        yield Detections(boxes, rng.uniform(0.05, 1, len(seen)), embeddings[seen] + noise)


def assert_state_is_valid(tracker: Tracker) -> None:
    tracklets = tracker._tracklets
    for name, column in vars(tracklets).items():
        assert len(column) == len(tracklets), name
        assert np.isfinite(column).all(), name
    assert len(np.unique(tracklets.ids)) == len(tracklets)


# ids


def test_ids_start_at_one_in_every_tracker() -> None:
    """PaddleHub's module and ifzhang/FairMOT continue the count of the previous video in a process."""
    first, second = Tracker(BYTE), Tracker(BYTE)
    assert ids(first.update(people((0, 0), (200, 0)))) == [1, 2]
    assert ids(second.update(people((0, 0)))) == [1]
    assert ids(first.update(people((1, 0), (201, 0)))) == [1, 2]


@pytest.mark.parametrize("method", method_names())
def test_interleaved_trackers_equal_separate_ones(method: str) -> None:
    frames = [list(crowd(seed, 12, 60)) for seed in (1, 2)]
    config = TrackerConfig(method=method)
    separate = [
        [tracker.update(frame) for frame in video]
        for video, tracker in zip(frames, (Tracker(config), Tracker(config)), strict=True)
    ]
    interleaved = [Tracker(config), Tracker(config)]
    for index in range(60):
        for which in (0, 1):
            assert interleaved[which].update(frames[which][index]) == separate[which][index]


@pytest.mark.parametrize("method", method_names())
def test_reset_starts_a_new_video(method: str) -> None:
    tracker, frames = Tracker(TrackerConfig(method=method)), list(crowd(3, 10, 30))
    before = [tracker.update(frame) for frame in frames]
    tracker.reset()
    assert [tracker.update(frame) for frame in frames] == before


def test_reset_forgets_the_size_of_embeddings() -> None:
    tracker = Tracker(BYTE)
    tracker.update(people((0, 0), embeddings=EMBEDDINGS[:1]))
    tracker.reset()
    assert ids(tracker.update(people((0, 0)))) == [1]


@pytest.mark.parametrize("method", method_names())
@pytest.mark.parametrize("seed", range(4))
def test_ids_are_consecutive_in_the_order_of_the_first_report(method: str, seed: int) -> None:
    """A deliberate difference: JDETracker counts false alarms of one frame too, so that its ids have gaps."""
    tracker, seen = Tracker(TrackerConfig(method=method)), list[int]()
    for frame in crowd(seed, 20, 80):
        seen += [track_id for track_id in ids(tracker.update(frame)) if track_id not in seen]
    assert seen == list(range(1, len(seen) + 1))
    assert tracker._next_number > len(seen) + 1, "no tracklet went unreported, so nothing was tried"


def test_a_false_alarm_uses_up_no_id() -> None:
    tracker = Tracker(BYTE)
    tracker.update(people((0, 0)))
    tracker.update(people((0, 0), (300, 0)))  # seen once
    tracker.update(people((0, 0), (600, 0)))
    assert ids(tracker.update(people((0, 0), (600, 0)))) == [1, 2]


def test_a_track_too_small_to_report_gets_its_id_when_it_is_reported() -> None:
    """A person who comes closer: the id is new when the box passes ``min_box_area``, and stays."""
    tracker, results = Tracker(BYTE), []
    for step in range(12):
        side = 7 + step
        growing = [300, 0, 300 + side, 2 * side]
        standing = [[0, 0, 40, 100]] + [[600, 0, 640, 100]] * (step > 0)
        results.append(ids(tracker.update(Detections([growing, *standing], [0.9] * (1 + len(standing))))))
    assert results[0] == [1]
    assert results[2] == [1, 2]
    assert sorted(results[-1]) == [1, 2, 3]


def test_a_person_who_walks_keeps_the_id() -> None:
    with_embeddings = [(config, EMBEDDINGS[:1]) for config in (TrackerConfig(), BYTE, JDE)]
    for config, embeddings in (*with_embeddings, (TrackerConfig(), None), (BYTE, None)):
        tracker = Tracker(config)
        for step in range(50):
            (track,) = tracker.update(people((5 * step, 2 * step), embeddings=embeddings))
            assert (track.track_id, track.age_frames) == (1, step)


@pytest.mark.parametrize("method", method_names())
def test_crossing_people_keep_their_ids_by_embedding(method: str) -> None:
    tracker = Tracker(TrackerConfig(method=method))
    for step in range(41):
        tracks = tracker.update(people((5 * step, 0), (200 - 5 * step, 3), embeddings=EMBEDDINGS[:2]))
    left = {track.track_id: track.box[0] for track in tracks}
    assert left[1] > 150
    assert left[2] < 50


def test_a_new_track_is_reported_from_its_second_detection() -> None:
    tracker = Tracker(BYTE)
    tracker.update(people((0, 0)))
    assert ids(tracker.update(people((0, 0), (300, 0)))) == [1]
    assert ids(tracker.update(people((0, 0), (300, 0)))) == [1, 2]


def test_a_single_false_alarm_is_never_reported() -> None:
    tracker = Tracker(BYTE)
    tracker.update(people((0, 0)))
    for _ in range(3):
        assert ids(tracker.update(people((0, 0), (300, 0)))) == [1]
        assert ids(tracker.update(people((0, 0)))) == [1]


# methods


def test_the_default_is_auto_at_its_own_settings() -> None:
    assert Tracker().config == TrackerConfig() == TrackerConfig(method="auto")


def test_jde_without_embeddings_names_the_remedy_and_changes_nothing() -> None:
    tracker = Tracker(JDE)
    tracker.update(people((0, 0), embeddings=EMBEDDINGS[:1]))
    with pytest.raises(InvalidInputError, match=r'no embeddings.*TrackerConfig\(method="auto"\) or "byte"'):
        tracker.update(people((0, 0)))
    (track,) = tracker.update(people((0, 0), embeddings=EMBEDDINGS[:1]))
    assert (track.track_id, track.age_frames) == (1, 1)


def test_jde_accepts_an_empty_frame_without_embeddings() -> None:
    tracker = Tracker(JDE)
    assert tracker.update(NO_DETECTIONS) == ()
    tracker.update(people((0, 0), embeddings=EMBEDDINGS[:1]))
    assert tracker.update(NO_DETECTIONS) == ()


@pytest.mark.parametrize("method", ["auto", "byte"])
def test_without_embeddings_tracks_equal_those_of_boxes_alone(method: str) -> None:
    """``use_embeddings=False`` must have the effect of detections that have none, whatever their embeddings are."""
    unused = Tracker(TrackerConfig(method=method, use_embeddings=False))
    boxes_only = Tracker(TrackerConfig(method=method))
    used = Tracker(TrackerConfig(method=method))
    results = []
    for frame in crowd(4, 12, 60):
        expected = boxes_only.update(replace(frame, embeddings=None))
        assert unused.update(frame) == expected
        results.append(used.update(frame) == expected)
    assert not all(results)
    assert unused.update(NO_DETECTIONS) == ()
    unused.update(people((0, 0), embeddings=EMBEDDINGS[:1, :4]))  # of any size


@pytest.mark.parametrize("method", method_names())
def test_settings_that_the_method_does_not_use_change_nothing_and_are_refused(method: str) -> None:
    frames = list(crowd(6, 12, 40))
    unused = find_method(method).unused_settings
    assert unused
    default = Tracker(TrackerConfig(method))
    expected = [default.update(frame) for frame in frames]
    for name in unused:
        for value in (0.05, 0.95):
            with pytest.raises(InvalidInputError, match=f"{name} is {value}, but method '{method}' does not use it"):
                TrackerConfig.from_mapping({"method": method, name: value})
            config = TrackerConfig(method)
            object.__setattr__(config, name, value)
            changed = Tracker(config)
            assert [changed.update(frame) for frame in frames] == expected, name


@pytest.mark.parametrize("config", [{}, [], "byte", 1, TrackerConfig])
def test_other_settings_than_a_tracker_config_are_refused(config: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"config is .*expected a TrackerConfig"):
        Tracker(config)


@pytest.mark.parametrize("detections", [None, [], [[0, 0, 40, 100]], {}, Detections, Peaks([], [])])
def test_other_values_than_detections_are_refused(detections: Any) -> None:
    """Peaks are in network px: their tracks would have wrong boxes."""
    with pytest.raises(InvalidInputError, match=r"expected Detections\(boxes, scores\)"):
        Tracker(BYTE).update(detections)


def test_embeddings_may_not_change_their_size() -> None:
    tracker = Tracker(BYTE)
    tracker.update(people((0, 0), embeddings=EMBEDDINGS[:1]))
    with pytest.raises(InvalidInputError, match="embeddings of 4 numbers, earlier frames had 8"):
        tracker.update(people((0, 0), embeddings=EMBEDDINGS[:1, :4]))
    with pytest.raises(InvalidInputError, match=r"embeddings of 0 numbers.*reset\(\)"):
        tracker.update(people((0, 0)))


def test_byte_and_auto_keep_a_person_through_low_scores_and_jde_does_not() -> None:
    for config, expected in ((BYTE, [1]), (TrackerConfig(), [1]), (JDE, [])):
        tracker = Tracker(config)
        tracker.update(people((0, 0), embeddings=EMBEDDINGS[:1]))
        assert ids(tracker.update(people((1, 0), score=0.3, embeddings=EMBEDDINGS[:1]))) == expected


def test_low_scores_start_no_track() -> None:
    tracker = Tracker(BYTE)
    for score in (0.3, 0.45):  # below conf_thres; above it, but not by 0.1
        for _ in range(3):
            assert tracker.update(people((0, 0), score=score)) == ()


def test_refused_detections_do_not_set_the_size_of_embeddings() -> None:
    tracker = Tracker()
    with pytest.raises(InvalidInputError, match="time_s"):
        tracker.update(people((0, 0), embeddings=EMBEDDINGS[:1, :4]), time_s=float("nan"))
    assert ids(tracker.update(people((0, 0), embeddings=EMBEDDINGS[:1]))) == [1]


@pytest.mark.parametrize("method", method_names())
def test_tracks_never_change_class(method: str) -> None:
    tracker = Tracker(TrackerConfig(method=method))
    box, embedding = [[0, 0, 40, 100]], EMBEDDINGS[:1]
    (track,) = tracker.update(Detections(box, [0.9], embedding, class_ids=[2]))
    assert (track.track_id, track.class_id) == (1, 2)
    tracker.update(Detections(box, [0.9], embedding, class_ids=[5]))
    (track,) = tracker.update(Detections(box, [0.9], embedding, class_ids=[5]))
    assert (track.track_id, track.class_id) == (2, 5)


# the lost buffer


@pytest.mark.parametrize("frame_rate", [10, 29.97, 60])
@pytest.mark.parametrize("seconds", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("method", method_names())
def test_a_person_is_found_again_within_the_buffer_at_any_frame_rate(
    frame_rate: float, seconds: float, method: str
) -> None:
    """As in JDETracker, a person can still be found in the frame after the one in which the buffer runs out."""
    buffer = int(seconds * frame_rate)
    for absent, expected in ((buffer + 1, [1]), (buffer + 2, [])):
        tracker = Tracker(TrackerConfig(method=method, lost_buffer_s=seconds), frame_rate=frame_rate)
        for _ in range(5):
            tracker.update(people((500, 500), embeddings=EMBEDDINGS[:1]))
        for _ in range(absent):
            assert tracker.update(NO_DETECTIONS) == ()
        assert ids(tracker.update(people((500, 500), embeddings=EMBEDDINGS[:1]))) == expected


def test_the_lost_buffer_is_not_shortened_by_rounding() -> None:
    assert Tracker(TrackerConfig(lost_buffer_s=0.29), frame_rate=100)._lost_buffer == 29


@pytest.mark.parametrize("method", method_names())
def test_the_score_of_a_person_found_again_is_the_new_one(method: str) -> None:
    """A deliberate difference: JDETracker continues to report the score from before the person was lost."""
    tracker = Tracker(TrackerConfig(method=method))
    tracker.update(people((0, 0), score=0.9, embeddings=EMBEDDINGS[:1]))
    tracker.update(NO_DETECTIONS)
    (track,) = tracker.update(people((0, 0), score=0.5, embeddings=EMBEDDINGS[:1]))
    assert (track.track_id, track.score) == (1, 0.5)


# reported tracks


def test_small_and_wide_boxes_are_tracked_but_not_reported() -> None:
    tracker = Tracker(BYTE)
    boxes = [[0, 0, 10, 20], [100, 0, 200, 50], [300, 0, 340, 100], [500, 0, 511, 20]]
    for _ in range(2):
        assert ids(tracker.update(Detections(boxes, [0.9] * 4))) == [1, 2]  # 200 px^2 is not above 200
    assert [track.box[0] for track in tracker.update(Detections(boxes, [0.9] * 4))] == pytest.approx([300, 500], abs=1)
    everything = Tracker(TrackerConfig(method="byte", min_box_area=0, vertical_ratio=0))
    assert ids(everything.update(Detections(boxes, [0.9] * 4))) == [1, 2, 3, 4]


def test_tracks_hold_plain_python_numbers() -> None:
    """json.dumps must accept them."""
    (track,) = Tracker(BYTE).update(people((0, 0)))
    assert [type(value) for value in (track.track_id, track.score, track.age_frames, track.class_id)] == [
        int,
        float,
        int,
        int,
    ]
    assert [type(value) for value in track.box] == [float] * 4
    assert track.box == pytest.approx((0, 0, 40, 100), abs=1e-4)


# bad numbers, empty frames, memory


def test_frames_without_detections_are_accepted_at_any_time() -> None:
    tracker = Tracker(BYTE)
    for _ in range(3):
        assert tracker.update(NO_DETECTIONS) == ()
    tracker.update(people((0, 0)))
    assert ids(tracker.update(people((0, 0)))) == [1]
    for _ in range(100):
        assert tracker.update(NO_DETECTIONS) == ()
    assert len(tracker._tracklets) == 0


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from(method_names()))
def test_bad_numbers_never_enter_the_state(seed: int, method: str) -> None:
    """Detections with NaN, inf, zeros and extreme sizes among good ones must not change the tracks."""
    rng = np.random.default_rng(seed)
    bad = np.array([np.nan, np.inf, -np.inf, 0.0, 1e30, -1e30, 1e-30])
    tracker, clean = Tracker(TrackerConfig(method=method)), Tracker(TrackerConfig(method=method))
    for frame in crowd(seed, 6, 12):
        count = int(rng.integers(1, 5))
        boxes = np.tile(np.array([100, 100, 140, 200], np.float32), (count, 1))
        boxes[np.arange(count), rng.integers(0, 4, count)] = rng.choice([np.nan, np.inf, -np.inf, 1e30, -1e30], count)
        embeddings = rng.choice(bad, (count, 8))
        corrupted = Detections(
            np.concatenate([frame.boxes, boxes, [[5, 5, 5, 50]], [[5, 5, 45, 105]]]),
            np.concatenate([frame.scores, np.full(count + 1, 0.9), [np.nan]]),
            np.concatenate([frame.embeddings, embeddings, embeddings[:1], embeddings[:1]]),
        )
        assert tracker.update(corrupted) == clean.update(frame)
        assert_state_is_valid(tracker)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from(method_names()))
def test_any_finite_boxes_leave_a_valid_state(seed: int, method: str) -> None:
    """Boxes of extreme sizes at changing positions must not overflow the filter."""
    rng = np.random.default_rng(seed)
    limits = dict.fromkeys(("match_thres", "unconfirmed_thresh", "r_tracked_thresh", "tracked_thresh"), 1)
    used = {name: value for name, value in limits.items() if name not in find_method(method).unused_settings}
    tracker = Tracker(TrackerConfig.from_mapping({"method": method, "min_box_area": 0, "vertical_ratio": 0} | used))
    for _ in range(20):
        corner = rng.uniform(-1, 1, (5, 2)) * 10.0 ** rng.integers(-3, 6)
        sides = 10.0 ** rng.uniform(-4, 5.5, (5, 2))
        embeddings = rng.normal(size=(5, 3)) * rng.choice([0, 1e-20, 1, 1e20, np.nan], (5, 1))
        tracks = tracker.update(Detections(np.hstack([corner, corner + sides]), rng.random(5), embeddings))
        assert_state_is_valid(tracker)
        assert np.isfinite([track.box for track in tracks]).all()


@pytest.mark.parametrize("method", ["auto", "jde"])
def test_a_person_with_a_bad_embedding_is_still_matched_by_the_box(method: str) -> None:
    """A deliberate difference: JDETracker divides by zero, and the NaN stays in the track."""
    tracker = Tracker(TrackerConfig(method=method))
    tracker.update(people((0, 0), embeddings=EMBEDDINGS[:1]))
    for bad in (np.zeros((1, 8)), np.full((1, 8), np.nan)):
        assert ids(tracker.update(people((1, 0), embeddings=bad))) == [1]
    np.testing.assert_allclose(tracker._tracklets.embeddings, EMBEDDINGS[:1])


@pytest.mark.parametrize("method", ["auto", "jde"])
def test_a_person_first_seen_with_a_bad_embedding_gets_one_later(method: str) -> None:
    tracker = Tracker(TrackerConfig(method=method))
    tracker.update(people((0, 0), embeddings=np.zeros((1, 8))))
    assert ids(tracker.update(people((1, 0), embeddings=EMBEDDINGS[:1]))) == [1]
    np.testing.assert_allclose(tracker._tracklets.embeddings, EMBEDDINGS[:1])


@pytest.mark.parametrize("method", method_names())
def test_arguments_are_never_changed(method: str) -> None:
    tracker = Tracker(TrackerConfig(method=method))
    for frame in crowd(5, 10, 20):
        assert frame.embeddings is not None
        arrays = [frame.boxes, frame.scores, frame.embeddings]
        copies = [array.copy() for array in arrays]
        for array in arrays:
            array.setflags(write=False)
        tracker.update(frame)
        for array, copy in zip(arrays, copies, strict=True):
            np.testing.assert_array_equal(array, copy)


def test_the_state_does_not_share_the_callers_arrays() -> None:
    """A caller may reuse one buffer for every frame."""
    boxes, embeddings = np.array([[0, 0, 40, 100]], np.float32), EMBEDDINGS[:1].copy()
    tracker = Tracker()
    tracker.update(Detections(boxes, [0.9], embeddings))
    boxes[:], embeddings[:] = np.nan, np.nan
    assert_state_is_valid(tracker)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from(method_names()))
def test_the_order_of_detections_does_not_matter(seed: int, method: str) -> None:
    """Ids follow the order of detections, so only they may differ; boxes and scores must be the same."""
    rng = np.random.default_rng(seed)
    tracker, shuffled = Tracker(TrackerConfig(method=method)), Tracker(TrackerConfig(method=method))
    renamed: dict[int, int] = {}
    for frame in crowd(seed, 8, 25):
        assert frame.embeddings is not None
        order = rng.permutation(len(frame))
        a = tracker.update(frame)
        b = shuffled.update(Detections(frame.boxes[order], frame.scores[order], frame.embeddings[order]))
        by_box = {track.box: track for track in b}
        assert {track.box for track in a} == set(by_box)
        for track in a:
            other = by_box[track.box]
            assert (track.score, track.age_frames) == (other.score, other.age_frames)
            assert renamed.setdefault(track.track_id, other.track_id) == other.track_id


@pytest.mark.parametrize("method", method_names())
def test_memory_does_not_grow_with_the_length_of_the_video(method: str) -> None:
    """5,000 frames with hundreds of ids, every one of which JDETracker keeps until the end."""
    tracker = Tracker(TrackerConfig(method=method, lost_buffer_s=0.3))
    frames, largest, traced, last_id = list(crowd(11, 10, 250)), [0] * 20, [], 0
    for turn in range(20):
        for frame in frames:
            last_id = max([last_id, *ids(tracker.update(frame))])
            largest[turn] = max(largest[turn], tracker.nbytes)
        if turn == 1:
            tracemalloc.start()
        elif turn in {2, 18}:
            gc.collect()  # the interpreter's free lists are not the tracker's
            traced.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert last_id > 400
    assert max(largest) <= 1.5 * max(largest[:4])
    assert traced[1] - traced[0] < 50_000  # after 4,000 more frames, the current state included


# arguments


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), None, "30"])
def test_impossible_frame_rates_are_refused(rate: Any) -> None:
    with pytest.raises(InvalidInputError, match="frame_rate"):
        Tracker(BYTE, frame_rate=rate)


@pytest.mark.parametrize("time_s", [float("nan"), float("inf")])
def test_impossible_times_are_refused(time_s: float) -> None:
    with pytest.raises(InvalidInputError, match="time_s"):
        Tracker(BYTE).update(NO_DETECTIONS, time_s=time_s)
    assert Tracker(BYTE).update(people((0, 0)), time_s=0.033)


def test_the_association_needs_neither_opencv_nor_a_network() -> None:
    """The tracker alone must start fast and run without a network backend."""
    code = (
        "import sys; from fairmot_dla34.association import Tracker; "
        "sys.exit(bool({'cv2', 'openvino', 'paddle', 'onnxruntime', 'av', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
