"""Assignment of problems too large for a dense solver: few choices per row and column, solved on a sparse graph.

A dense solver needs ``8 (N + M)^2`` bytes and, if thousands of boxes overlap each other, minutes. Here time and memory
grow with the number of choices. The result is exact if there are at most ``MAX_PAIRS`` choices, or if no row or column
has more than ``MAX_CHOICES``, as with people who are not stacked on one another.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.intp]

MAX_CHOICES = 16  # people who overlap one person by more than the limits, in the densest crowds
MAX_PAIRS = 60_000  # choices in all that are solved exactly; up to 1.2 s in the worst of many artificial cases


def assign_sparse(cost: NDArray[np.floating], limit: float) -> IntArray:
    """Return the column of each row, -1 for none, so that the sum of (cost - limit) over the pairs is smallest.

    If there are more than 60,000 choices, those of a row or column beyond 16 are not all considered: only the 16
    cheapest (more with fewer rows and columns), and one that differs from row to row: if all are equally good, every
    row still finds a column.

    Args:
        cost: ``(N, M)`` costs, N, M > 0, no NaN; ``inf`` forbids a pair.
        limit: Largest cost of a match.
    """
    import lap

    row_count, column_count = cost.shape
    rows, columns = np.nonzero(_choices(cost, limit))
    gains = np.minimum(cost[rows, columns].astype(np.float64) - limit, 0)

    # A square problem in which everything can be matched: row i with its own dummy column M + i, column j with its own
    # dummy row N + j, both at the price of no match; and if i and j are matched, their dummies with each other.
    every_row, every_column = np.arange(row_count), np.arange(column_count)
    graph_rows = np.concatenate([rows, every_row, row_count + every_column, row_count + columns])
    graph_columns = np.concatenate([columns, column_count + every_row, every_column, column_count + rows])
    size = row_count + column_count
    prices = np.concatenate([gains, np.zeros(size + len(rows))])
    prices -= prices.min()
    order = np.lexsort((graph_columns, graph_rows))
    starts = np.concatenate([[0], np.cumsum(np.bincount(graph_rows, minlength=size))])
    _, chosen, _ = lap.lapmod(size, prices[order], starts.astype(np.int32), graph_columns[order].astype(np.int32))
    column_of = np.array(chosen[:row_count], np.intp)
    column_of[column_of >= column_count] = -1
    return column_of


def _choices(cost: NDArray[np.floating], limit: float) -> NDArray[np.bool_]:
    """Return ``(N, M)`` whether each pair is considered."""
    allowed = cost <= limit
    if np.count_nonzero(allowed) <= MAX_PAIRS:
        return allowed
    count = max(MAX_CHOICES, MAX_PAIRS // sum(cost.shape))
    crowded_rows = np.flatnonzero(np.count_nonzero(allowed, axis=1) > count)
    crowded_columns = np.flatnonzero(np.count_nonzero(allowed, axis=0) > count)
    kept = np.zeros_like(allowed)
    kept[crowded_rows[:, None], _cheapest(cost[crowded_rows], count)] = True
    kept[_cheapest(cost.T[crowded_columns], count), crowded_columns[:, None]] = True
    every_row = np.arange(len(cost))
    kept[every_row, every_row % cost.shape[1]] = True
    free_row, free_column = np.ones(len(cost), bool), np.ones(cost.shape[1], bool)
    free_row[crowded_rows], free_column[crowded_columns] = False, False
    kept |= free_row[:, None] | free_column
    kept &= allowed
    return kept


def _cheapest(cost: NDArray[np.floating], count: int) -> IntArray:
    """Return the columns ``(N, count)`` of the lowest costs in each row; all columns if there are fewer."""
    return np.argpartition(cost, min(count, cost.shape[1]) - 1, axis=1)[:, :count]
