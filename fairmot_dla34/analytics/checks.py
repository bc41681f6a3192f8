"""Checks of names and points that lines, zones and the ground plane share."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..config import is_number, shown
from ..errors import InvalidInputError
from ..messages import UNSAFE

Point = tuple[float, float]

_LONGEST_NAME = 80
_FORMULA = "=+-@"
_LARGEST_PX = 1e6  # far beyond any image; keeps products of coordinates exact enough


def check_name(what: str, name: object) -> str:
    """Return a name that can be shown and written in one cell of a table.

    Raises:
        InvalidInputError: It is not a text of 1 to 80 visible characters without spaces at its ends, or starts as a
            formula does.
    """
    if not isinstance(name, str) or not 1 <= len(name) <= _LONGEST_NAME or name != name.strip() or UNSAFE.search(name):
        raise InvalidInputError(
            f"{what} is {shown(name)}; expected 1 to {_LONGEST_NAME} visible characters, such as 'door'."
        )
    if name[0] in _FORMULA:
        raise InvalidInputError(
            f"{what} is {shown(name)}; expected a name that does not start with one of {' '.join(_FORMULA)}, because "
            "a spreadsheet would read it as a formula."
        )
    return name


def check_point(what: str, point: object, unit: str = "px") -> Point:
    """Return two coordinates as floats.

    Raises:
        InvalidInputError: It is not a pair of finite numbers of at most a million.
    """
    pair = point.tolist() if isinstance(point, np.ndarray) else point
    if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
        raise InvalidInputError(f"{what} is {shown(point)}; expected two numbers, x and y in {unit}.")
    for value in pair:
        if not is_number(value) or abs(value) > _LARGEST_PX:
            raise InvalidInputError(
                f"{what} has the coordinate {shown(value)}; expected finite numbers of {unit}, at most 1,000,000."
            )
    return float(pair[0]), float(pair[1])


def check_points(what: str, points: object, smallest: int, unit: str = "px") -> tuple[Point, ...]:
    """Return at least ``smallest`` points as pairs of floats.

    Raises:
        InvalidInputError: There are fewer, more than 1,000, or one is not a pair of finite numbers.
    """
    rows = points.tolist() if isinstance(points, np.ndarray) else points
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise InvalidInputError(f"{what} is {shown(points)}; expected at least {smallest} points, each x and y.")
    if not smallest <= len(rows) <= 1000:
        raise InvalidInputError(f"{what} has {len(rows)} points; expected at least {smallest} and at most 1000.")
    return tuple(check_point(f"{what}, point {number}", row, unit) for number, row in enumerate(rows, 1))


def distance(a: Point, b: Point) -> float:
    """Return the distance between two points."""
    return math.hypot(b[0] - a[0], b[1] - a[1])
