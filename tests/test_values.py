"""Checks of shapes and numbers when a value is made, so that the error comes from the line with the mistake."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from fairmot_dla34.errors import FairMOTError, InvalidInputError
from fairmot_dla34.values import Detections, Frame, Peaks, Track, TrackingSummary, check_image

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
