"""Costs of matches: a wrong sign or a NaN would swap people."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairmot_dla34.association import costs
from fairmot_dla34.association.candidates import unit_rows


def test_iou_distance_is_zero_for_equal_boxes_and_one_for_distant_boxes() -> None:
    a = np.array([[0, 0, 10, 20], [500, 500, 520, 550]], np.float32)
    np.testing.assert_allclose(costs.iou_distance(a, a), [[0, 1], [1, 0]])


@given(st.integers(0, 2**32 - 1), st.integers(0, 5), st.integers(0, 5))
def test_cosine_distance_equals_its_definition(seed: int, rows: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(rows, 16)), rng.normal(size=(columns, 16))
    distance = costs.cosine_distance(unit_rows(a.astype(np.float32)), unit_rows(b.astype(np.float32)))
    lengths = np.linalg.norm(a, axis=1)[:, None] * np.linalg.norm(b, axis=1)
    assert distance.shape == (rows, columns)
    np.testing.assert_allclose(distance, 1 - a @ b.T / lengths, atol=1e-5)
    assert (distance >= 0).all()


def test_an_unknown_embedding_matches_nobody() -> None:
    known, unknown = np.array([[1, 0]], np.float32), np.array([[0, 0]], np.float32)
    assert np.isinf(costs.cosine_distance(known, unknown)).all()
    assert np.isinf(costs.cosine_distance(unknown, known)).all()


def test_motion_adds_to_the_cost_and_forbids_pairs_beyond_the_gate() -> None:
    appearance = np.array([[0.2, 0.2, np.inf]], np.float32)
    gating = np.array([[5.0, 10.0, 1.0]], np.float32)
    cost = costs.fuse_motion(appearance, gating, gate=9.4877)
    assert cost[0, 0] == pytest.approx(0.98 * 0.2 + 0.02 * 5)
    assert np.isinf(cost[0, 1:]).all()
    np.testing.assert_array_equal(appearance, np.array([[0.2, 0.2, np.inf]], np.float32))
    np.testing.assert_array_equal(gating, np.array([[5.0, 10.0, 1.0]], np.float32))


def test_other_classes_are_forbidden() -> None:
    cost = np.array([[0.1, 0.2], [0.3, 0.4]], np.float32)
    got = costs.forbid_other_classes(cost, np.array([0, 1]), np.array([1, 0]))
    np.testing.assert_array_equal(got, np.array([[np.inf, 0.2], [0.3, np.inf]], np.float32))
    same = costs.forbid_other_classes(cost, np.array([3, 3]), np.array([3, 3]))
    np.testing.assert_array_equal(same, cost)
    assert costs.forbid_other_classes(cost[:0], np.array([], int), np.array([1, 0])).shape == (0, 2)
