"""Reads label files of normalised boxes: ``class cx cy w h`` of YOLO, ``class id cx cy w h`` of FairMOT."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..values import NO_IDENTITY
from .image_header import ImageHeader
from .reading import line_error, read_text

_MAX_CENTRE = 1.0  # image sizes by which a centre may be outside the image
_MAX_SIDE = 3.0  # image sizes
_MAX_WHOLE = 2.0**53
WITH_IDS = "class id cx cy w h"
YOLO = "class cx cy w h [track]"
AREAS = "cx cy w h"


@dataclass(frozen=True)
class LabelRow:
    """A line of a label file.

    Attributes:
        line: Its number, from 1.
        class_id: Class, as stated.
        identity: Identity, `NO_IDENTITY` if unknown.
        box: Centre and size as shares of the image.
    """

    line: int
    class_id: int
    identity: int
    box: Sequence[float]

    def xyxy(self, header: ImageHeader) -> list[float]:
        """Return the box in px of an image."""
        centre_x, centre_y, width, height = self.box
        return [
            (centre_x - width / 2) * header.width,
            (centre_y - height / 2) * header.height,
            (centre_x + width / 2) * header.width,
            (centre_y + height / 2) * header.height,
        ]


def read_rows(path: Path, layout: str) -> list[LabelRow]:
    """Read a label file.

    Args:
        path: The file; an empty one has no rows.
        layout: `WITH_IDS`, `YOLO` or `AREAS`: the columns of a line, separated by spaces, tabs or a comma.

    Raises:
        DatasetError: The file is not text, or a line is not a box in or near the image.
    """
    rows = []
    for number, line in enumerate(read_text(path, f"lines of {layout}").split("\n"), 1):
        cells = line.replace(",", " ").split()
        if cells:
            rows.append(_row(path, number, cells, layout))
    return rows


def _row(path: Path, number: int, cells: list[str], layout: str) -> LabelRow:
    columns = {WITH_IDS: (6,), YOLO: (5, 6), AREAS: (4,)}[layout]
    if len(cells) not in columns:
        hint = " Polygons and key points cannot be read." if layout == YOLO and len(cells) > 6 else ""
        expected = " or ".join(map(str, columns))
        raise line_error(path, number, f"{len(cells)} columns; expected {expected}: {layout}.{hint}")
    try:
        values = [float(cell) for cell in cells]
    except ValueError as error:
        cell = str(error).rpartition(": ")[2]
        raise line_error(path, number, f"{cell} is not a number; expected {layout}.") from None
    if not all(map(math.isfinite, values)):
        raise line_error(path, number, f"NaN or infinity; expected finite numbers: {layout}.")
    class_id, identity, box = _split(values, layout)
    if not _is_whole(class_id, 0):
        raise line_error(path, number, f"class {class_id:g}; expected a whole number from 0: {layout}.")
    if not _is_whole(identity, NO_IDENTITY):
        raise line_error(path, number, f"id {identity:g}; expected a whole number, or -1 for none: {layout}.")
    _check_box(path, number, box, layout)
    return LabelRow(number, int(class_id), int(identity), box)


def _split(values: list[float], layout: str) -> tuple[float, float, list[float]]:
    """Return class, identity and box."""
    if layout == WITH_IDS:
        return values[0], values[1], values[2:]
    if layout == AREAS:
        return 0, NO_IDENTITY, values
    return values[0], values[5] if len(values) == 6 else NO_IDENTITY, values[1:5]


def _is_whole(value: float, smallest: int) -> bool:
    return value.is_integer() and smallest <= value < _MAX_WHOLE if isinstance(value, float) else value >= smallest


def _check_box(path: Path, number: int, box: Sequence[float], layout: str) -> None:
    """Check that a box is normalised. Boxes of FairMOT may leave the image; one in px is far outside."""
    centre_x, centre_y, width, height = box
    text = ", ".join(f"{value:g}" for value in box)
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        expected = f"a width and height above 0 and at most {_MAX_SIDE:g}, as shares of the image"
        raise line_error(path, number, f"box {text}; expected {expected}.")
    if not all(-_MAX_CENTRE <= centre <= 1 + _MAX_CENTRE for centre in (centre_x, centre_y)):
        raise line_error(
            path, number, f"box {text}; expected shares of the image's width and height, from 0 to 1: {layout}."
        )
