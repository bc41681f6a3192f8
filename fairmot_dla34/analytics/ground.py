"""The plane people walk on: from image px to metres, by a homography from four or more points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidInputError
from .checks import check_points

Floats = NDArray[np.float64]

# Smallest singular value of the eight unknowns, relative to the largest, and of the homography itself, with coordinates
# normalised to a spread of 1. Four points on a line give about 1e-17; four points of a long corridor still give 1e-3.
_DEGENERATE = 1e-6


@dataclass(frozen=True, eq=False)
class GroundPlane:
    """A homography from the image to the ground.

    Attributes:
        matrix: ``(3, 3)`` from homogeneous image px to homogeneous metres; the last coordinate is positive on the side
            of the horizon where the points are.
        error_m: Root of the mean square distance between the given points and their places by the homography; 0 with
            four points.
    """

    matrix: Floats
    error_m: float

    @classmethod
    def from_points(cls, image_points: Any, metres: Any) -> GroundPlane:
        """Make the plane from points on the ground, such as the corners of a marking.

        Args:
            image_points: N >= 4 points, image px.
            metres: Their N places on the ground, m, with axes and origin of the caller's choice.

        Raises:
            InvalidInputError: There are fewer than four points, the numbers differ, three of four points are on one
                line, or the orders of the points do not fit each other.
        """
        image = np.array(check_points("Ground, image", image_points, 4))
        ground = np.array(check_points("Ground, metres", metres, 4, "m"))
        if len(image) != len(ground):
            raise InvalidInputError(
                f"Ground has {len(image)} points in the image and {len(ground)} in metres; expected a place in metres "
                "for each point of the image."
            )
        matrix = _homography(image, ground)
        scale = matrix[2] @ np.column_stack([image, np.ones(len(image))]).T
        if scale.min() < 0 < scale.max():
            raise InvalidInputError(
                "Ground: no camera can see the points in this arrangement; expected the points of the image and of the "
                "ground in the same order. Check that both lists go round in the same direction."
            )
        plane = cls(matrix if scale[0] > 0 else -matrix, 0.0)
        error_m = float(np.sqrt(((plane.to_metres(image) - ground) ** 2).sum(axis=1).mean()))
        return cls(plane.matrix, error_m)

    def to_metres(self, points: Floats) -> Floats:
        """Return the places on the ground of ``(N, 2)`` image points, ``(N, 2)`` m; NaN at and above the horizon."""
        places = np.column_stack([points, np.ones(len(points))]) @ self.matrix.T
        scale = np.where(places[:, 2:] > 0, places[:, 2:], np.nan)
        metres: Floats = places[:, :2] / scale
        return metres


def _homography(image: Floats, ground: Floats) -> Floats:
    """Return the matrix by the direct linear transform with normalised points (Hartley and Zisserman, 4.4)."""
    a, b = _normalisation(image), _normalisation(ground)
    x, y = _apply(a, image).T
    u, v = _apply(b, ground).T
    one, zero = np.ones_like(x), np.zeros_like(x)
    rows = [[x, y, one, zero, zero, zero, -u * x, -u * y, -u], [zero, zero, zero, x, y, one, -v * x, -v * y, -v]]
    equations = np.array(rows).transpose(0, 2, 1).reshape(-1, 9)
    _, singular, vectors = np.linalg.svd(equations, full_matrices=len(equations) < 9)
    matrix = vectors[-1].reshape(3, 3)
    spread = np.linalg.svd(matrix, compute_uv=False)
    if singular[7] < _DEGENERATE * singular[0] or spread[2] < _DEGENERATE * spread[0]:
        raise InvalidInputError(
            "Ground: too many of the points are on one line or at one place; expected four points of which no three "
            "are on a line, such as the corners of a rectangle on the floor."
        )
    result: Floats = np.linalg.inv(b) @ matrix @ a
    return result


def _normalisation(points: Floats) -> Floats:
    """Return the ``(3, 3)`` matrix that moves the mean of points to 0 and their spread to 1."""
    mean = points.mean(axis=0)
    spread = float(np.sqrt(((points - mean) ** 2).mean())) or 1.0
    return np.array([[1 / spread, 0, -mean[0] / spread], [0, 1 / spread, -mean[1] / spread], [0, 0, 1]])


def _apply(matrix: Floats, points: Floats) -> Floats:
    return np.asarray(points @ matrix[:2, :2].T + matrix[:2, 2])
