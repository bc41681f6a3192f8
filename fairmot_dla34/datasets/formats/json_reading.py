"""Checked access to values of JSON files: every error names the file and the place in it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...config import is_number, shown
from ...errors import DatasetError
from .reading import MAX_PX, read_text


def read_json(path: Path, expected: str) -> dict[str, Any]:
    """Read a JSON file that holds one object.

    Raises:
        DatasetError: It is not such a file.
    """
    return parse_object(read_text(path, expected), path, "", expected)


def parse_object(text: str, path: Path, place: str, expected: str) -> dict[str, Any]:
    """Parse a JSON object.

    Args:
        text: The JSON.
        path: Its file, for messages.
        place: Place in the file, such as ", line 3".
        expected: What the object is, for messages.

    Raises:
        DatasetError: It is not a JSON object.
    """
    value = parse_json(text, path, expected, place)
    if not isinstance(value, dict):
        raise DatasetError(f"{path}{place} is {shown(value)}; expected {expected}.")
    return value


def parse_json(text: str, path: Path, expected: str, place: str = "") -> Any:
    """Parse JSON of any kind.

    Args:
        text: The JSON.
        path: Its file, for messages.
        expected: Description of a valid value, for messages.
        place: Place in the file, such as ", line 3".

    Raises:
        DatasetError: It is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path}{place} is not JSON ({error}); expected {expected}.") from error


def objects(value: Any, path: Path, place: str) -> list[dict[str, Any]]:
    """Return a value that must be a list of objects.

    Raises:
        DatasetError: It is not.
    """
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise DatasetError(f"{path}{place} is {shown(value)}; expected a list of objects.")
    return value


def box(value: Any, path: Path, place: str) -> list[float]:
    """Return a box of left, top, width and height as xyxy.

    Raises:
        DatasetError: It is not four finite numbers of px, or a side is negative.
    """
    valid = isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 4
    numbers = value if valid and all(is_number(item) for item in value) else []
    if not numbers or not all(-MAX_PX <= number <= MAX_PX for number in numbers) or min(numbers[2:]) < 0:
        raise DatasetError(
            f"{path}{place}: box {shown(value)}; expected left, top, width and height in px, none beyond {MAX_PX:g} and"
            " no negative size."
        )
    left, top, width, height = map(float, numbers)
    return [left, top, left + width, top + height]


def area_share(part: Sequence[float], whole: Sequence[float]) -> float:
    """Return the area of an xyxy box as a share of another's, 1 if that has no area."""
    areas = [(area[2] - area[0]) * (area[3] - area[1]) for area in (part, whole)]
    return areas[0] / areas[1] if areas[1] > 0 else 1.0


def flag(value: Any) -> bool:
    """Return whether a value of a label file is set: 1, 1.0 or true."""
    return is_number(value) and math.isfinite(value) and value != 0 if not isinstance(value, bool) else value
