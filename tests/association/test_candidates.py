"""Selection of detections: a single NaN in the state would lose every person near it for the rest of the video."""

from __future__ import annotations

import numpy as np
import pytest

from fairmot_dla34.association.candidates import candidates_from, unit_rows
from fairmot_dla34.values import Detections

GOOD = [10.0, 20, 40, 90]
BAD_BOXES = {
    "nan": [np.nan, 20, 40, 90],
    "inf": [10, 20, np.inf, 90],
    "minus inf": [-np.inf, 20, 40, 90],
    "all nan": [np.nan] * 4,
    "beyond float32": [10, 20, 1e300, 90],
    "beyond any image": [10, 20, 1e9, 90],
    "no width": [10, 20, 10, 90],
    "no height": [10, 20, 40, 20],
    "inverted": [40, 90, 10, 20],
    "all zero": [0, 0, 0, 0],
    "width of 0.0001 px": [10, 20, 10.0001, 90],
}


@pytest.mark.parametrize("bad", BAD_BOXES.values(), ids=BAD_BOXES.keys())
def test_bad_boxes_are_dropped_and_their_neighbours_stay(bad: list[float]) -> None:
    kept = candidates_from(Detections([GOOD, bad, GOOD], [0.7, 0.8, 0.9]), 0.1, 0)
    np.testing.assert_array_equal(kept.boxes, np.array([GOOD, GOOD], np.float32))
    np.testing.assert_array_equal(kept.scores, np.array([0.7, 0.9], np.float32))
    assert np.isfinite(kept.measurements).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_bad_scores_are_dropped(bad: float) -> None:
    assert len(candidates_from(Detections([GOOD, GOOD], [bad, 0.7]), 0.1, 0)) == 1


def test_the_score_must_be_above_the_bound() -> None:
    kept = candidates_from(Detections([GOOD] * 3, [0.39, 0.4, 0.41]), 0.4, 0)
    np.testing.assert_array_equal(kept.scores, np.array([0.41], np.float32))


def test_embeddings_get_unit_length_and_bad_ones_become_zeros() -> None:
    embeddings = np.array([[3, 4], [0, 0], [np.nan, 1], [np.inf, 1], [3e38, 3e38], [1e-30, 0]], np.float32)
    kept = candidates_from(Detections([GOOD] * 6, [0.9] * 6, embeddings), 0.1, 2)
    assert len(kept) == 6
    np.testing.assert_allclose(kept.embeddings, np.array([[0.6, 0.8], [0, 0], [0, 0], [0, 0], [0, 0], [1, 0]]))


def test_the_callers_arrays_are_not_changed() -> None:
    """PaddleDetection normalises the caller's embeddings in place."""
    boxes, scores, embeddings = (
        np.array([GOOD], np.float32),
        np.array([0.9], np.float32),
        np.array([[3, 4]], np.float32),
    )
    kept = candidates_from(Detections(boxes, scores, embeddings), 0.1, 2)
    np.testing.assert_array_equal(embeddings, [[3, 4]])
    assert not np.shares_memory(kept.boxes, boxes)
    assert not np.shares_memory(kept.scores, scores)
    assert not np.shares_memory(kept.embeddings, embeddings)


def test_detections_without_embeddings_or_classes_are_accepted() -> None:
    kept = candidates_from(Detections([GOOD], [0.9]), 0.1, 0)
    assert kept.embeddings.shape == (1, 0)
    np.testing.assert_array_equal(kept.class_ids, [0])


def test_unit_rows_accept_an_empty_array() -> None:
    assert unit_rows(np.zeros((0, 8), np.float32)).shape == (0, 8)
