"""Optimality of the assignment, and the meaning of its limit."""

from __future__ import annotations

import itertools

import lap
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fairmot_dla34.association.assignment import assign

Problem = tuple[NDArray[np.floating], float]  # cost matrix with forbidden pairs, and its limit


@st.composite
def problems(draw: st.DrawFn, side: int = 5) -> Problem:
    """Return a cost matrix with forbidden pairs, and a limit."""
    rows, columns = draw(st.integers(0, side)), draw(st.integers(0, side))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cost: NDArray[np.floating] = rng.uniform(0, 1, (rows, columns)).astype(
        draw(st.sampled_from([np.float32, np.float64]))
    )
    cost[rng.random(cost.shape) < draw(st.sampled_from([0, 0.3, 0.8]))] = np.inf
    return cost, draw(st.sampled_from([0.1, 0.4, 0.5, 0.7, 1.0]))


def best_by_enumeration(cost: NDArray[np.floating], limit: float) -> float:
    """Return the smallest sum of (cost - limit) over all one-to-one assignments of pairs within the limit."""
    rows, columns = cost.shape
    best = 0.0
    for count in range(1, min(rows, columns) + 1):
        for some_rows in itertools.combinations(range(rows), count):
            for some_columns in itertools.permutations(range(columns), count):
                pairs = cost[some_rows, some_columns]
                if (pairs <= limit).all():
                    best = min(best, float((pairs.astype(float) - limit).sum()))
    return best


@given(problems(side=4))
@settings(max_examples=150, deadline=None)
def test_no_other_assignment_is_cheaper(problem: Problem) -> None:
    cost, limit = problem
    got = assign(cost, limit)
    value = float((cost[got.rows, got.columns].astype(float) - limit).sum())
    assert value == pytest.approx(best_by_enumeration(cost, limit), abs=1e-6)


@given(problems(side=30))
@settings(deadline=None)
def test_equals_the_solver_on_the_whole_matrix(problem: Problem) -> None:
    """Pairs that allow only each other are matched before the solver runs, which must not change the result."""
    cost, limit = problem
    got = assign(cost, limit)
    if cost.size == 0:
        assert len(got.rows) == 0
        return
    _, column_of, _ = lap.lapjv(cost.astype(float), extend_cost=True, cost_limit=limit)
    np.testing.assert_array_equal(got.rows, np.flatnonzero(column_of >= 0))
    np.testing.assert_array_equal(got.columns, column_of[column_of >= 0])


@given(problems(side=30))
@settings(deadline=None)
def test_every_row_and_column_appears_once(problem: Problem) -> None:
    cost, limit = problem
    before = cost.copy()
    got = assign(cost, limit)
    assert sorted([*got.rows, *got.unmatched_rows]) == list(range(cost.shape[0]))
    assert sorted([*got.columns, *got.unmatched_columns]) == list(range(cost.shape[1]))
    assert (cost[got.rows, got.columns] <= limit).all()
    np.testing.assert_array_equal(cost, before)


def test_the_limit_is_the_cost_of_an_unmatched_pair() -> None:
    """The limit decides whether one very good pair or two fair ones are cheaper."""
    cost = np.array([[0.4, 0.1], [0.9, 0.4]])
    strict, lenient = assign(cost, 0.5), assign(cost, 0.8)
    assert list(zip(strict.rows, strict.columns, strict=True)) == [(0, 1)]
    assert list(zip(lenient.rows, lenient.columns, strict=True)) == [(0, 0), (1, 1)]


def test_a_pair_at_the_limit_may_match_and_one_above_may_not() -> None:
    assert len(assign(np.array([[0.5]]), 0.5).rows) == 1
    assert len(assign(np.array([[0.5000001]]), 0.5).rows) == 0
    just_above = np.array([[0.4]], np.float32)  # float32 rounds 0.4 up
    assert float(just_above[0, 0]) > 0.4
    assert len(assign(just_above, 0.4).rows) == 0


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_an_empty_matrix_has_no_matches(shape: tuple[int, int]) -> None:
    got = assign(np.zeros(shape, np.float32), 0.5)
    assert len(got.rows) == len(got.columns) == 0
    assert (len(got.unmatched_rows), len(got.unmatched_columns)) == shape


def test_forbidden_pairs_are_never_matched() -> None:
    got = assign(np.full((2, 3), np.inf), 0.5)
    assert len(got.rows) == 0
    assert list(got.unmatched_columns) == [0, 1, 2]
