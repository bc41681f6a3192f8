"""Frames with thousands of detections: the sparse assignment, and the bounds on detections and tracklets."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fairmot_dla34.association import Tracker, TrackerConfig, costs, large
from fairmot_dla34.association import assignment as dense
from fairmot_dla34.association.candidates import MAX_CANDIDATES, candidates_from, unit_rows
from fairmot_dla34.association.large import MAX_CHOICES, assign_sparse
from fairmot_dla34.association.lifecycle import MAX_TRACKLETS, without_excess
from fairmot_dla34.association.tracklet import Tracklets
from fairmot_dla34.values import Detections


def gain(cost: NDArray[np.floating[Any]], limit: float, column_of: NDArray[np.intp]) -> float:
    rows = np.flatnonzero(column_of >= 0)
    assert len(np.unique(column_of[rows])) == len(rows), "a column is matched twice"
    assert (cost[rows, column_of[rows]] <= limit).all(), "a pair costs more than the limit"
    return float((limit - cost[rows, column_of[rows]].astype(np.float64)).sum())


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    decimals=st.sampled_from([1, 2, 7]),
    forbidden=st.sampled_from([0.0, 0.5, 0.95]),
    limit=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
)
def test_sparse_equals_dense_if_choices_are_few(
    seed: int, rows: int, columns: int, decimals: int, forbidden: float, limit: float
) -> None:
    """The sum is the same; the pairs are too, unless several assignments are equally good."""
    rng = np.random.default_rng(seed)
    cost = rng.random((rows, columns)).round(decimals).astype(np.float32)
    cost[rng.random(cost.shape) < forbidden] = np.inf
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(large, "MAX_PAIRS", 0)
        truncated = assign_sparse(cost, limit)
    sparse, best = assign_sparse(cost, limit), dense._solve(cost, limit)
    assert gain(cost, limit, sparse) == pytest.approx(gain(cost, limit, best), abs=1e-5)
    allowed = cost <= limit
    if max(allowed.sum(axis=0).max(), allowed.sum(axis=1).max()) <= MAX_CHOICES:
        assert gain(cost, limit, truncated) == pytest.approx(gain(cost, limit, best), abs=1e-5)
    else:
        assert 0 <= gain(cost, limit, truncated) <= gain(cost, limit, best) + 1e-5


def test_people_who_are_not_stacked_are_matched_as_by_the_dense_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 1000, (400, 2))
    moved = places[rng.permutation(400)] + rng.normal(0, 8, (400, 2))
    cost = (np.linalg.norm(places[:, None] - moved, axis=2) / 40).astype(np.float32)
    expected = dense.assign(cost, 1.0)
    monkeypatch.setattr(dense, "MAX_DENSE", 0)
    found = dense.assign(cost, 1.0)
    for name in expected._fields:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


@pytest.mark.parametrize("kind", ["equal", "one order of preference"])
def test_everyone_finds_a_match_if_all_pairs_are_allowed(kind: str) -> None:
    """Thousands of boxes at one place: no choice of 16 pairs may leave most of them unmatched."""
    rank = np.linspace(0.1, 1, 600, dtype=np.float32)
    cost = np.full((600, 600), 0.5, np.float32) if kind == "equal" else rank[:, None] * rank
    assert np.count_nonzero(assign_sparse(cost, 0.8) >= 0) > 540


def crowd(count: int, width: float, seed: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, width, (count, 2))
    return np.hstack([corners, corners + rng.uniform(20, 120, (count, 2))]).astype(np.float32)


@pytest.mark.parametrize("width", [50.0, 1000.0, 20000.0])
def test_the_distance_of_many_boxes_is_that_of_a_few_at_a_time(width: float) -> None:
    """All of them overlap, some do, hardly any do: three ways to the same numbers."""
    a, b, rng = crowd(300, width, 1), crowd(400, width, 2), np.random.default_rng(3)
    scale = (1 + rng.choice([0, 2], 300) * rng.random(300)).astype(np.float32)
    for power in (0.0, 0.7, 2.0):
        few = [costs.buffered_iou_distance(a[i : i + 5], b, scale[i : i + 5], power) for i in range(0, 300, 5)]
        np.testing.assert_array_equal(costs.buffered_iou_distance(a, b, scale, power), np.concatenate(few))


def test_the_cosine_distance_of_pairs_is_that_of_the_matrix() -> None:
    rng = np.random.default_rng(0)
    a, b = unit_rows(rng.normal(size=(60, 32)).astype(np.float32)), unit_rows(rng.normal(size=(90, 32)).astype("f4"))
    a[7], b[11] = 0, 0
    expected = costs.cosine_distance(a, b).ravel()
    for count in (0, 3, 5400):
        pairs = np.sort(rng.permutation(5400)[:count])
        np.testing.assert_allclose(costs.cosine_distance_of_pairs(a, b, pairs), expected[pairs], atol=1e-6)


def test_of_too_many_detections_those_of_the_highest_scores_are_used_in_their_order() -> None:
    rng = np.random.default_rng(0)
    scores = rng.permutation(np.linspace(0.3, 0.9, MAX_CANDIDATES + 500)).astype(np.float32)
    boxes = np.arange(len(scores))[:, None] + np.array([0, 0, 40, 100])
    candidates = candidates_from(Detections(boxes, scores), above_score=0.1, embedding_size=0)
    used = scores >= np.sort(scores)[500]
    np.testing.assert_array_equal(candidates.scores, scores[used])
    np.testing.assert_array_equal(candidates.boxes, boxes[used])
    assert (len(candidates), candidates.left_out) == (MAX_CANDIDATES, 500)
    equal = candidates_from(Detections(boxes, np.full(len(boxes), 0.5)), above_score=0.1, embedding_size=0)
    np.testing.assert_array_equal(equal.boxes, boxes[:MAX_CANDIDATES])
    below = candidates_from(Detections(boxes, scores), above_score=0.6, embedding_size=0)
    assert below.left_out == 0


def test_of_too_many_tracklets_those_lost_first_are_dropped() -> None:
    count = MAX_TRACKLETS + 30
    boxes = np.tile(np.array([0, 0, 40, 100], np.float32), (count, 1))
    parts = [candidates_from(Detections(boxes[:1000], np.full(1000, 0.9)), 0.1, 0) for _ in range(count // 1000 + 1)]
    made = Tracklets.start(parts[0], 1, 1)
    for part in parts[1:]:
        made = made.joined(Tracklets.start(part, len(made) + 1, 1))
    made = made.take(np.arange(count))
    made.lost[50:] = True
    assert without_excess(made).ids.tolist() == [*range(1, 51), *range(81, count + 1)]
    fewer = made.take(np.arange(MAX_TRACKLETS))
    assert without_excess(fewer) is fewer


@pytest.mark.parametrize("method", ["jde", "byte", "auto"])
def test_detections_left_out_are_logged_once(method: str, caplog: pytest.LogCaptureFixture) -> None:
    rng = np.random.default_rng(0)
    corners = np.stack(np.meshgrid(np.arange(50) * 60, np.arange(50) * 120), axis=-1).reshape(-1, 2)
    people = Detections(
        np.hstack([corners, corners + np.array([40, 100])]), np.full(2500, 0.9), rng.normal(size=(2500, 64))
    )
    tracker = Tracker(TrackerConfig(method=method))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert len(tracker.update(people)) == MAX_CANDIDATES
    assert caplog.messages == [
        "A frame has 2500 detections; only the 2000 of the highest scores are tracked, in this and later frames"
    ]
