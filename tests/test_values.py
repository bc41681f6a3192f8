"""Checks of shapes and numbers when a value is made, so that the error comes from the line with the mistake."""

from __future__ import annotations

import dataclasses
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from fairmot_dla34.errors import FairMOTError, InvalidInputError
from fairmot_dla34.values import Detections, Frame, FrameResult, Peaks, Track, TrackingSummary, check_image

IMAGE = np.zeros((4, 6, 3), np.uint8)


def test_lists_become_float32_arrays() -> None:
    detections = Detections([[0, 1, 2, 3]], [0.5], embeddings=[[1, 2]], class_ids=[0])
    assert detections.embeddings is not None
    assert detections.class_ids is not None
    assert detections.boxes.dtype == detections.scores.dtype == detections.embeddings.dtype == np.float32
    assert detections.class_ids.dtype == np.int64
    assert len(detections) == 1


@pytest.mark.parametrize("boxes", [[], np.zeros((0, 4)), np.zeros((0, 5))])
def test_a_frame_without_detections_is_valid(boxes: ArrayLike) -> None:
    detections = Detections(boxes, [], embeddings=np.zeros((0, 128)))
    assert detections.boxes.shape == (0, 4)
    assert len(detections) == 0


@pytest.mark.parametrize("kind", [Detections, Peaks])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(boxes=np.zeros((2, 5)), scores=np.zeros(2)), r"boxes have shape \(2, 5\); expected \(N, 4\)"),
        (dict(boxes=np.zeros(4), scores=np.zeros(1)), r"boxes have shape \(4,\)"),
        (dict(boxes=np.zeros((2, 4)), scores=np.zeros(3)), r"scores have shape \(3,\); expected \(2,\)"),
        (dict(boxes=np.zeros((2, 4)), scores=np.zeros((2, 1))), r"scores have shape \(2, 1\)"),
        (dict(boxes=np.zeros((2, 4)), scores=np.zeros(2), embeddings=np.zeros((1, 8))), r"expected \(2, E\)"),
        (dict(boxes=np.zeros((2, 4)), scores=np.zeros(2), class_ids=[1]), r"class_ids have shape \(1,\)"),
        (dict(boxes=[["a", "b", "c", "d"]], scores=[1]), "boxes cannot be read as numbers"),
        (dict(boxes=[["0", "0", "4", "8"]], scores=[1]), r"boxes cannot be read as numbers \(dtype <U1"),
        (dict(boxes=[[0, 0, 4, None]], scores=[1]), "boxes cannot be read as numbers .dtype object"),
        (dict(boxes=[[0, 0, 4, 8j]], scores=[1]), "boxes cannot be read as numbers .dtype complex128"),
        (dict(boxes=[[0, 0, 4, 8], [0, 0]], scores=[1, 1]), "boxes cannot be read as numbers"),
        (dict(boxes=np.ma.array([[0, 0, 4, 8]], mask=True), scores=[1]), "boxes is a masked array; remove the masked"),
        (dict(boxes=np.zeros((1, 4)), scores=[True]), "scores cannot be read as numbers .dtype bool"),
        (dict(boxes=np.zeros((1, 4)), scores=[1], class_ids=[2**70]), "class_ids cannot be read as numbers"),
        (dict(boxes=np.zeros((1, 4)), scores=[1], class_ids=[2**31]), "class_ids has 2147483648; expected whole num"),
        (dict(boxes=np.zeros((1, 4)), scores=[1], class_ids=[-1]), "class_ids has -1; expected whole numbers from 0"),
        (dict(boxes=np.zeros((1, 4)), scores=[1], class_ids=[0.5]), "class_ids has 0.5; expected whole numbers"),
        (dict(boxes=np.zeros((1, 4)), scores=[1], class_ids=[np.nan]), "class_ids has nan; expected whole numbers"),
    ],
)
def test_shapes_that_do_not_fit_are_named(
    kind: type[Detections | Peaks], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        kind(**arguments)


def test_numbers_beyond_float32_become_inf_without_a_warning() -> None:
    """The tracker drops such a box; a warning per frame would only bury the log."""
    assert np.isinf(Detections([[0, 0, 1e300, 1]], [0.5]).boxes[0, 2])


def test_class_ids_may_be_whole_floats() -> None:
    """A column of a table of detections, as PaddleDetection returns it."""
    class_ids = Detections(np.zeros((2, 4)), [0.5, 0.5], class_ids=[2.0, 0.0]).class_ids
    assert class_ids is not None
    assert class_ids.tolist() == [2, 0]
    assert class_ids.dtype == np.int64


def test_values_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Track(1, (0, 0, 1, 1), 0.5, 0).track_id = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        Detections([], []).boxes = np.zeros((0, 4), np.float32)  # type: ignore[misc]


def test_a_frame_keeps_its_bgr_image() -> None:
    assert Frame(0, 0.0, IMAGE).image is IMAGE


@pytest.mark.parametrize(
    ("index", "time_s", "message"),
    [
        *(
            (-1, 0.0, "index is -1"),
            (0.5, 0.0, "index is 0.5"),
            (True, 0.0, "index is True"),
            ("1", 0.0, "index is '1'"),
        ),
        *((0, float("nan"), "time is nan"), (0, np.inf, "inf"), (0, "1", "time is '1'"), (0, 10**400, "time is 1000")),
    ],
)
def test_a_frame_with_an_impossible_position_is_refused(index: Any, time_s: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Frame(index, time_s, IMAGE)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (None, "is a NoneType; expected a BGR image"),
        ([[1, 2, 3]], "is a list"),
        (np.zeros((4, 6), np.uint8), "has shape .*cv2.COLOR_GRAY2BGR"),
        (np.zeros((4, 6, 4), np.uint8), "has shape .*alpha"),
        (np.zeros((4, 6, 3), np.float32), "has dtype float32.*astype"),
        (np.zeros((0, 6, 3), np.uint8), "is empty"),
        (np.broadcast_to(np.uint8(0), (16385, 16384, 3)), "pixels.*resize it"),
    ],
)
def test_an_invalid_image_is_refused_with_a_remedy(image: object, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message) as caught:
        check_image(image)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, FairMOTError)


@pytest.mark.parametrize(("seconds", "rate"), [(2.0, 5.0), (0.0, 0.0)])
def test_the_summary_has_the_frames_per_second_of_the_run(seconds: float, rate: float) -> None:
    summary = TrackingSummary("a", (), 10, 0, 0, 3, seconds, {}, "fake")
    assert summary.frames_per_second == rate


THREE = Detections(np.arange(12).reshape(3, 4), [0.9, 0.5, 0.1], np.eye(3), [0, 1, 0])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([True, False, True], [0, 2]),
        (THREE.scores > 0.3, [0, 1]),
        (np.zeros(3, bool), []),
        ([2, 0], [2, 0]),
        (np.array([-1], np.int8), [2]),
        ([], []),
        (slice(2), [0, 1]),
        (slice(None, None, -1), [2, 1, 0]),
    ],
)
def test_detections_are_filtered_with_all_their_columns(rows: Any, expected: list[int]) -> None:
    some = THREE[rows]
    assert type(some) is Detections
    for name in ("boxes", "scores", "embeddings", "class_ids"):
        np.testing.assert_array_equal(getattr(some, name), getattr(THREE, name)[expected])
    plain = Detections(THREE.boxes, THREE.scores)[rows]
    assert (len(plain), plain.embeddings, plain.class_ids) == (len(expected), None, None)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([True], "has 1 truth values; expected 3, one per box"),
        (np.ones(4, bool), "has 4 truth values; expected 3"),
        (np.zeros(0, bool), "has 0 truth values; expected 3"),
        ([3], "has 3; expected 3 truth values, positions from -3 to 2, or a slice"),
        ([0, -4], "has -4; expected"),
        (1, r"is 1; .* For one row use \[\[1\]\]"),
        (1.0, "has dtype float64"),
        ([0.0, 1.0], "has dtype float64 and shape .2,."),
        (True, "has dtype bool and shape"),
        (np.ones((3, 1), bool), r"shape \(3, 1\)"),
        ("0", "has dtype <U1"),
        (None, "has dtype object"),
        ([[0], [1, 2]], "cannot be read"),
        (np.ma.array([True, True, True], mask=[False, True, False]), "has dtype bool"),
    ],
)
def test_a_filter_that_does_not_fit_is_refused(rows: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        THREE[rows]


def test_detections_are_filtered_not_iterated() -> None:
    with pytest.raises(TypeError, match="not iterable"):
        iter(THREE)


RESULT = FrameResult(
    4, 1 / 7, (Track(1, (0.1, -2.0, 30.3, 40.4), 0.87, 4), Track(9, (5.0, 6.0, 7.0, 8.0), 0.5, 0, 2, filled=True))
)


def test_a_result_survives_json() -> None:
    text = json.dumps(RESULT.to_dict())
    assert json.loads(text) == {
        "frame": 5,
        "time_s": 1 / 7,
        "tracks": [
            {"id": 1, "box": [0.1, -2.0, 30.3, 40.4], "score": 0.87, "age_frames": 4, "class_id": 0},
            {"id": 9, "box": [5.0, 6.0, 7.0, 8.0], "score": 0.5, "age_frames": 0, "class_id": 2, "filled": True},
        ],
    }
    assert FrameResult.from_dict(json.loads(text)) == RESULT


def test_a_dictionary_has_plain_numbers_whatever_the_result_has() -> None:
    box: Any = tuple(np.array([1.5, 2.25, 3.125, 4.0], np.float32))
    numbers: list[Any] = [np.int64(3), np.float64(0.5), np.int32(2), np.float32(0.5), np.array([True])[0]]
    index, time_s, track_id, score, filled = numbers
    result = FrameResult(index, time_s, (Track(track_id, box, score, 1, 0, filled),))
    assert FrameResult.from_dict(json.loads(json.dumps(result.to_dict()))) == result


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (None, "FrameResult is None; expected a dictionary with frame, time_s, tracks"),
        ([], r"FrameResult is \[\]"),
        ({"frame": 0}, "FrameResult has frame=0; expected a whole number from 1 to"),
        ({"frame": True}, "frame=True"),
        ({"frame": 2**70}, "frame=1180591620717411303424"),
        ({"frame": "1"}, "frame='1'"),
        ({"time_s": float("nan")}, "time_s=nan; expected a finite number"),
        ({"tracks": {}}, r"tracks=\{\}; expected a list"),
        ({"tracks": [3]}, "Track is 3; expected a dictionary"),
        ({"people": []}, "has the key 'people'; expected only frame, time_s, tracks"),
        ({"tracks": [{"id": 1}]}, "Track has no 'box'; expected 4 finite numbers: left, top, right, bottom"),
        ({"tracks": [{"id": 1, "box": [1, 2, 3]}]}, r"box=\[1, 2, 3\]; expected 4 finite numbers"),
        ({"tracks": [{"id": 1, "box": [1, 2, 3, None]}]}, r"None\]; expected 4 finite numbers"),
        ({"tracks": [{**RESULT.to_dict()["tracks"][0], "filled": 1}]}, "filled=1; expected true or false"),
        (
            {"tracks": [{**RESULT.to_dict()["tracks"][0], "class_id": -1}]},
            "class_id=-1; expected a whole number from 0 to",
        ),
    ],
)
def test_a_dictionary_that_is_not_a_result_is_refused(change: Any, message: str) -> None:
    fields = {**RESULT.to_dict(), **change} if isinstance(change, dict) else change
    with pytest.raises(InvalidInputError, match=message):
        FrameResult.from_dict(fields)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@given(st.data())
def test_any_json_is_a_result_or_refused_with_a_message(data: st.DataObject) -> None:
    track = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys([*RESULT.tracks[0].to_dict(), "filled"], JSON)))
    fields: Any = data.draw(
        JSON
        | st.fixed_dictionaries({"frame": JSON | st.just(1), "time_s": JSON | st.just(0), "tracks": st.just([track])})
    )
    try:
        result = FrameResult.from_dict(fields)
    except InvalidInputError:
        return
    assert FrameResult.from_dict(json.loads(json.dumps(result.to_dict()))) == result


def test_a_dictionary_without_a_required_key_is_refused() -> None:
    for name in ("frame", "time_s", "tracks"):
        fields = {key: value for key, value in RESULT.to_dict().items() if key != name}
        with pytest.raises(InvalidInputError, match=f"FrameResult has no '{name}'"):
            FrameResult.from_dict(fields)


def test_values_are_pickled_to_another_process() -> None:
    summary = TrackingSummary("a", (Path("a.txt"),), 10, 0, 0, 3, 1.5, {"network": 1.0}, "fake")
    code = (
        "import pickle, sys; values = pickle.load(sys.stdin.buffer);"
        "sys.stdout.buffer.write(pickle.dumps((values, [type(v).__name__ for v in values], values[2].scores.sum())))"
    )
    sent = (RESULT.tracks[1], RESULT, THREE, summary, Frame(0, 0.5, IMAGE))
    process = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(sent), capture_output=True, check=True)
    values, kinds, total = pickle.loads(process.stdout)
    assert kinds == ["Track", "FrameResult", "Detections", "TrackingSummary", "Frame"]
    assert (values[0], values[1], values[3]) == (sent[0], sent[1], sent[3])
    assert total == pytest.approx(1.5)
    np.testing.assert_array_equal(values[2].boxes, THREE.boxes)
    np.testing.assert_array_equal(values[4].image, IMAGE)
