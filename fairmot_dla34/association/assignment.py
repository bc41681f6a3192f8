"""Cheapest one-to-one assignment in which no pair costs more than a limit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .large import assign_sparse

IntArray = NDArray[np.intp]

MAX_DENSE = 1000  # rows and columns; lapjv may take 0.5 s for them, 12 s for 3,000


class Assignment(NamedTuple):
    """Indices into the rows and columns of a cost matrix.

    Attributes:
        rows: ``(K,)`` matched rows, ascending.
        columns: ``(K,)`` column matched with each of ``rows``.
        unmatched_rows: Rows without a match, ascending.
        unmatched_columns: Columns without a match, ascending.
    """

    rows: IntArray
    columns: IntArray
    unmatched_rows: IntArray
    unmatched_columns: IntArray


def assign(cost: NDArray[np.floating], limit: float) -> Assignment:
    """Match rows with columns so that the sum of (cost - limit) over the matched pairs is smallest.

    This is ``lap.lapjv(cost, extend_cost=True, cost_limit=limit)``, as ``linear_assignment`` in PaddleDetection's
    ``jde_matching.py`` calls it: an unmatched row and an unmatched column together cost as much as one pair at the
    limit. A row and a column that allow only each other are matched in every optimum, so only the rest is solved. If
    more than 1,000 rows and columns are left, `assign_sparse` solves it.

    Args:
        cost: ``(N, M)`` costs, no NaN; ``inf`` forbids a pair.
        limit: Largest cost of a match.

    Returns:
        The assignment.
    """
    allowed = cost <= _rounded_down(limit, cost.dtype)  # (N, M)
    choices_of_row = np.count_nonzero(allowed, axis=1)
    choices_of_column = np.count_nonzero(allowed, axis=0)
    column_of = np.full(len(cost), -1, np.intp)

    single = np.flatnonzero(choices_of_row == 1)
    only_column = np.argmax(allowed[single], axis=1) if len(single) else single
    mutual = choices_of_column[only_column] == 1
    column_of[single[mutual]] = only_column[mutual]
    choices_of_row[single[mutual]] = 0
    choices_of_column[only_column[mutual]] = 0

    rows, columns = np.flatnonzero(choices_of_row), np.flatnonzero(choices_of_column)
    if len(rows):
        solve = assign_sparse if len(rows) + len(columns) > MAX_DENSE else _solve
        chosen = solve(cost[np.ix_(rows, columns)], limit)
        matched = chosen >= 0
        column_of[rows[matched]] = columns[chosen[matched]]
    return _assignment(column_of, cost.shape[1])


def _rounded_down(limit: float, dtype: np.dtype[np.floating]) -> np.floating:
    """Return the largest number of ``dtype`` that is not above ``limit``, to compare costs with as in float64."""
    rounded: np.floating = dtype.type(limit)
    if rounded > np.float64(limit):
        rounded = np.nextafter(rounded, dtype.type(-np.inf))
    return rounded


def _solve(cost: NDArray[np.floating], limit: float) -> IntArray:
    """Return the column of each row, -1 for none."""
    import lap

    _, chosen, _ = lap.lapjv(cost.astype(np.float64), extend_cost=True, cost_limit=limit)
    return np.asarray(chosen, np.intp)


def _assignment(column_of: IntArray, column_count: int) -> Assignment:
    """Return the assignment in which row i is matched with column ``column_of[i]``, -1 for none."""
    rows = np.flatnonzero(column_of >= 0)
    free = np.ones(column_count, bool)
    free[column_of[rows]] = False
    return Assignment(rows, column_of[rows], np.flatnonzero(column_of < 0), np.flatnonzero(free))
