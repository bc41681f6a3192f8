"""Tracks and detections in a real supervision, and back."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from outputs.results import sample_results
from videos import walking_boxes

from fairmot_dla34 import Detections, FairMOT, FrameResult, Tracker, TrackerConfig
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.errors import InvalidInputError, PackageUnavailableError
from fairmot_dla34.interop import from_supervision, to_supervision

RESULT = [result for _, result in sample_results()][2]  # two tracks
EMPTY = FrameResult(0, 0.0, ())


def test_tracks_have_ids_boxes_scores_and_classes(supervision: Any) -> None:
    for given in (RESULT, RESULT.tracks):
        found = to_supervision(given)
        assert type(found) is supervision.Detections
        np.testing.assert_array_equal(found.tracker_id, [7, 12])
        np.testing.assert_allclose(found.xyxy, [track.box for track in RESULT.tracks], rtol=1e-6)
        np.testing.assert_allclose(found.confidence, [0.912345, 0.4], rtol=1e-6)
        np.testing.assert_array_equal(found.class_id, [0, 1])
        np.testing.assert_array_equal(found.data["age_frames"], [2, 3])
        np.testing.assert_array_equal(found.data["filled"], [False, False])


def test_no_tracks_are_empty_and_have_ids(supervision: Any) -> None:
    """Annotators refuse ``tracker_id=None``, which ``Detections.empty()`` has."""
    for given in (EMPTY, ()):
        found = to_supervision(given)
        assert found.is_empty()
        assert found.tracker_id.shape == (0,)
    assert len(supervision.Detections.merge([to_supervision(EMPTY), to_supervision(RESULT)])) == 2


def test_annotators_zones_and_filters_take_the_tracks(supervision: Any) -> None:
    zone = supervision.PolygonZone(np.array([[0, 0], [320, 0], [320, 110], [0, 110]]))
    line = supervision.LineZone(supervision.Point(40, 192), supervision.Point(40, 0))
    boxes, trace = supervision.BoxAnnotator(), supervision.TraceAnnotator()
    for frame, result in FairMOT.from_backend(FakeBackend()).track(walking_boxes(30), with_frames=True):
        found = to_supervision(result)
        before = frame.image.copy()
        drawn = trace.annotate(boxes.annotate(frame.image.copy(), found), found)
        np.testing.assert_array_equal(frame.image, before)
        assert (drawn != before).any()
        assert zone.trigger(found).sum() == 1  # the feet of the first person
        line.trigger(found)
        assert found[found.tracker_id == 2].tracker_id.tolist() == [2]
        nothing = to_supervision(EMPTY)
        np.testing.assert_array_equal(trace.annotate(boxes.annotate(before.copy(), nothing), nothing), before)
    assert line.in_count + line.out_count == 1


@pytest.mark.parametrize("class_ids", [None, [0, 2, 0]])
def test_detections_keep_boxes_scores_classes_and_embeddings(supervision: Any, class_ids: list[int] | None) -> None:
    boxes, scores, embeddings = np.arange(12.0).reshape(3, 4), np.array([0.9, 0.5, 0.1]), np.eye(3)
    given = supervision.Detections(
        xyxy=boxes,
        confidence=scores,
        class_id=None if class_ids is None else np.array(class_ids),
        data={"embeddings": embeddings, "class_name": np.array(["person", "car", "person"])},
    )
    found = from_supervision(given)
    assert type(found) is Detections
    np.testing.assert_allclose(found.boxes, boxes)
    np.testing.assert_allclose(found.scores, scores)
    assert found.embeddings is not None
    np.testing.assert_allclose(found.embeddings, embeddings)
    assert (None if found.class_ids is None else found.class_ids.tolist()) == class_ids
    given.data.pop("embeddings")
    assert from_supervision(given).embeddings is None


def test_no_detections_need_no_confidence(supervision: Any) -> None:
    for given in (supervision.Detections.empty(), supervision.Detections(xyxy=np.empty((0, 4)))):
        found = from_supervision(given)
        assert (len(found), found.boxes.shape) == (0, (0, 4))


def test_detections_without_scores_are_refused(supervision: Any) -> None:
    given = supervision.Detections(xyxy=np.zeros((2, 4)))
    with pytest.raises(InvalidInputError, match=r"The 2 detections have confidence=None.*np\.ones"):
        from_supervision(given)
    given.confidence = np.ones(2)
    assert from_supervision(given).scores.tolist() == [1, 1]


def test_bad_embeddings_are_refused(supervision: Any) -> None:
    given = supervision.Detections(xyxy=np.zeros((2, 4)), confidence=np.ones(2), data={"embeddings": ["a", "b"]})
    with pytest.raises(InvalidInputError, match="embeddings cannot be read as numbers"):
        from_supervision(given)


@pytest.mark.parametrize("value", [None, Detections([], []), RESULT, SimpleNamespace(xyxy=[], boxes=[])])
def test_values_of_other_libraries_are_refused_with_the_way(supervision: Any, value: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"expected a supervision\.Detections.*from_ultralytics"):
        from_supervision(value)


@pytest.mark.parametrize("value", [None, "track", 3, [RESULT], Detections([], []), list(sample_results())[1]])
def test_values_that_are_not_tracks_are_refused(supervision: Any, value: Any) -> None:
    with pytest.raises(InvalidInputError, match="expected the FrameResult of one frame, or its tracks"):
        to_supervision(value)


def test_a_detector_of_ultralytics_is_tracked(supervision: Any) -> None:
    """Their results as supervision reads them, with a car that our filter removes."""
    tracker, ids = Tracker(TrackerConfig(), frame_rate=30.0), []
    detector = FakeBackend()
    for image in walking_boxes(20):
        peaks = detector.infer(image)
        boxes = SimpleNamespace(
            xyxy=np.vstack([peaks.boxes, [[200, 150, 260, 190]]]),
            conf=np.append(peaks.scores, 0.8),
            cls=np.array([0.0] * len(peaks) + [2.0]),
            id=None,
        )
        results = SimpleNamespace(names={0: "person", 2: "car"}, boxes=boxes, obb=None, masks=None)
        detections = from_supervision(supervision.Detections.from_ultralytics(results))
        assert detections.class_ids is not None
        tracks = tracker.update(detections[detections.class_ids == 0])
        ids.append(to_supervision(tracks).tracker_id.tolist())
    assert ids == [[1, 2]] * 20


def test_a_missing_package_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(PackageUnavailableError, match=r"to_supervision needs .*install it: pip install supervision$"):
        to_supervision(RESULT)
    with pytest.raises(InvalidInputError, match=r"expected a supervision\.Detections"):
        from_supervision(RESULT)  # type: ignore[arg-type, unused-ignore]


def test_the_conversions_are_imported_without_the_libraries() -> None:
    code = (
        "import sys, fairmot_dla34.interop;"
        "print([name for name in ('pandas', 'supervision', 'cv2', 'openvino', 'torch') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
