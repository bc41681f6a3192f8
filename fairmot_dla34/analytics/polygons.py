"""Geometry of simple polygons: containment, distance to the edge, and where steps meet the edge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .checks import Point

Floats = NDArray[np.float64]

_GRID = 48  # points per side at which the widest place of a polygon is searched


class Polygon:
    """A polygon without holes; it may be concave.

    Args:
        points: K corners in order, image px.

    Attributes:
        starts: ``(K, 2)`` first ends of the edges.
        ends: ``(K, 2)`` second ends of the edges.
    """

    def __init__(self, points: tuple[Point, ...]) -> None:
        self.starts: Floats = np.array(points, np.float64)
        self.ends: Floats = np.roll(self.starts, -1, axis=0)

    @property
    def area_px2(self) -> float:
        """Area, px^2."""
        (x1, y1), (x2, y2) = self.starts.T, self.ends.T
        return float(abs((x1 * y2 - x2 * y1).sum()) / 2)

    def contains(self, points: Floats) -> NDArray[np.bool_]:
        """Return for ``(N, 2)`` points whether each is inside, by the number of edges to its right.

        Points exactly on the edge belong to one side; of two polygons with a common edge, to exactly one of them.
        """
        x, y = points[:, :1], points[:, 1:]
        (x1, y1), (x2, y2) = self.starts.T, self.ends.T
        spans = (y1 > y) != (y2 > y)  # (N, K)
        height = np.where(y2 == y1, 1.0, y2 - y1)
        right = x < x1 + (y - y1) / height * (x2 - x1)
        return np.asarray((spans & right).sum(axis=1) % 2 == 1)

    def edge_distance(self, points: Floats) -> Floats:
        """Return the ``(N,)`` distances of ``(N, 2)`` points from the nearest edge, px."""
        edges = self.ends - self.starts  # (K, 2)
        offset = points[:, None] - self.starts  # (N, K, 2)
        part = np.clip((offset * edges).sum(axis=2) / (edges**2).sum(axis=1), 0.0, 1.0)
        away = offset - part[:, :, None] * edges
        return np.asarray(np.sqrt((away**2).sum(axis=2).min(axis=1)))

    def inner_radius(self) -> float:
        """Return about the largest distance from the edge that a point inside can have, px."""
        low, high = self.starts.min(axis=0), self.starts.max(axis=0)
        share = (np.arange(_GRID) + 0.5) / _GRID
        x, y = np.meshgrid(*(low[axis] + share * (high[axis] - low[axis]) for axis in (0, 1)))
        points = np.stack([x.ravel(), y.ravel()], axis=1)
        inside = points[self.contains(points)]
        return float(self.edge_distance(inside).max()) if len(inside) else 0.0

    def meets(self, start: Point, end: Point) -> list[float]:
        """Return the shares of a step, from 0 to 1 in ascending order, at which it meets the edge."""
        step = np.subtract(end, start)
        edges = self.ends - self.starts
        offset = self.starts - np.array(start)
        across = step[0] * edges[:, 1] - step[1] * edges[:, 0]
        parallel = across == 0
        across = np.where(parallel, 1.0, across)
        share = (offset[:, 0] * edges[:, 1] - offset[:, 1] * edges[:, 0]) / across
        along = (offset[:, 0] * step[1] - offset[:, 1] * step[0]) / across
        hit = ~parallel & (share >= 0) & (share <= 1) & (along >= 0) & (along <= 1)
        return [float(value) for value in np.sort(share[hit])]


def crossing_edges(points: tuple[Point, ...]) -> tuple[int, int] | None:
    """Return the numbers, from 1, of two edges of a polygon that cross or touch; None if there are none.

    Edges that follow one another share a corner; they touch if the second goes back along the first.
    """
    corners = np.array(points, np.float64)
    ends = np.roll(corners, -1, axis=0)
    last = len(points) - 1
    for first, (a, b) in enumerate(zip(corners, ends, strict=True)):
        if first < last and _folds(a, b, ends[first + 1]):
            return first + 1, first + 2
        others = slice(first + 2, last if first == 0 else last + 1)
        touching = np.flatnonzero(_touch(a, b, corners[others], ends[others]))
        if len(touching):
            return first + 1, first + 3 + int(touching[0])
        if first == 0 and _folds(b, a, corners[last]):
            return 1, last + 1
    return None


def _folds(a: Floats, b: Floats, c: Floats) -> bool:
    """Return whether the way from a to b and on to c goes back along itself."""
    return bool(_turn(a, b, c) == 0 and np.dot(a - b, c - b) > 0)


def _turn(a: Floats, b: Floats, c: Floats) -> Floats:
    """Return the sign of the turn at b on the way from a to c: -1, 0 or 1. The shapes are ``(2,)`` or ``(N, 2)``."""
    turn = (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])
    return np.asarray(np.sign(turn))


def _touch(a: Floats, b: Floats, c: Floats, d: Floats) -> NDArray[np.bool_]:
    """Return for ``(N, 2)`` ends c and d whether the segments c-d have a point in common with the segment a-b."""
    turns = (_turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b))
    crossing = (turns[0] * turns[1] < 0) & (turns[2] * turns[3] < 0)
    for turn, p, q, r in ((turns[0], a, b, c), (turns[1], a, b, d), (turns[2], c, d, a), (turns[3], c, d, b)):
        crossing |= (turn == 0) & _between(p, q, r)
    return np.asarray(crossing)


def _between(p: Floats, q: Floats, r: Floats) -> NDArray[np.bool_]:
    """Return whether r, on the line through p and q, is between them."""
    return np.asarray(((np.minimum(p, q) <= r) & (r <= np.maximum(p, q))).all(axis=-1))
