"""Reader of MOTChallenge's ``gt.txt`` as arrays; every error names the line."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..values import NO_IDENTITY
from .reading import MAX_PX, line_error, read_text

_MIN_COLUMNS, _MAX_COLUMNS = 6, 10
_COLUMNS_3D = 10  # MOT15: columns 8 to 10 are a position in the world, in m
_MAX_WHOLE = 2.0**53
PERSON = 1
FORMAT = "frame,id,left,top,width,height[,confidence[,class[,visibility]]]"


@dataclass(frozen=True, eq=False)
class TruthRows:
    """Rows of a ground truth file, ordered by frame, then as in the file.

    Attributes:
        path: The file.
        lines: ``(N,)`` line numbers, from 1.
        frames: ``(N,)`` frame numbers, as stated.
        ids: ``(N,)`` identities; `NO_IDENTITY` where unknown.
        boxes: ``(N, 4)`` float64 xyxy, image px.
        confidences: ``(N,)``; 0 if the row does not count; 1 if there is no such column.
        class_ids: ``(N,)`` classes of MOTChallenge; 1, a pedestrian, if there is no such column or it is -1.
        visibilities: ``(N,)`` visible shares, 1 if not stated.
    """

    path: Path
    lines: NDArray[np.int64]
    frames: NDArray[np.int64]
    ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    confidences: NDArray[np.float64]
    class_ids: NDArray[np.int64]
    visibilities: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.lines)


def read_truth(path: Path) -> TruthRows:
    """Read a ground truth file of 6 to 9 columns, or of 10 as in MOT15, whose last three are a position in 3D.

    Rows may be in any order; commas, tabs or spaces separate the values.

    Raises:
        DatasetError: The file cannot be read, or a line is not a box.
    """
    lines, table = _parse(path, read_text(path, f"lines of {FORMAT}"))
    _check(path, lines, np.logical_and.reduce(np.isfinite(table), axis=1), "NaN or infinity; expected finite numbers")
    frames, ids = table[:, 0], table[:, 1]
    _check(path, lines, _is_whole(frames) & (frames >= 0), "frame {0:g}; expected a whole number", table)
    _check(path, lines, _is_whole(ids) & (ids >= NO_IDENTITY), "id {1:g}; expected a whole number or -1", table)
    near = np.logical_and.reduce(np.abs(table[:, 2:6]) <= MAX_PX, axis=1)
    _check(path, lines, near, f"box {{2:g}}, {{3:g}}, {{4:g}}, {{5:g}}; expected px, none beyond {MAX_PX:g}", table)
    _check(
        path,
        lines,
        np.logical_and.reduce(table[:, 4:6] >= 0, axis=1),
        "size {4:g} x {5:g}; expected no negative number",
        table,
    )
    order = np.argsort(frames, kind="stable")
    table, count, columns = table[order], len(table), table.shape[1]
    has_class = 8 <= columns < _COLUMNS_3D
    classes = table[:, 7] if has_class else np.full(count, PERSON)
    _check(path, lines[order], _is_whole(classes) & (classes >= -1), "class {7:g}; expected a whole number", table)
    visibilities = table[:, 8] if columns == 9 else np.ones(count)
    return TruthRows(
        path,
        lines[order],
        table[:, 0].astype(np.int64),
        table[:, 1].astype(np.int64),
        np.concatenate([table[:, 2:4], table[:, 2:4] + table[:, 4:6]], axis=1),
        table[:, 6] if columns > 6 else np.ones(count),
        np.where(classes < 0, PERSON, classes).astype(np.int64),
        np.where(visibilities < 0, 1.0, visibilities),  # -1: not stated
    )


def _parse(path: Path, text: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    lines, values, columns = array("q"), array("d"), 0
    for number, line in enumerate(text.split("\n"), 1):
        cells = line.replace(",", " ").split()
        if not cells:
            continue
        columns = columns or len(cells)
        if len(cells) != columns or not _MIN_COLUMNS <= columns <= _MAX_COLUMNS or _empty_cell(line):
            expected = f"{columns} columns as above" if len(cells) != columns else f"numbers: {FORMAT}"
            raise line_error(path, number, f"{len(cells)} values; expected {expected}. Correct or remove the line.")
        try:
            values.extend(map(float, cells))
        except ValueError:
            cell = next(cell for cell in cells if not _is_number(cell))
            raise line_error(path, number, f"{cell!r} is not a number; expected {FORMAT}.") from None
        lines.append(number)
    return np.array(lines, np.int64), np.array(values, np.float64).reshape(-1, columns or _MIN_COLUMNS)


def _empty_cell(line: str) -> bool:
    return any(not cell.strip() for cell in line.strip().removesuffix(",").split(","))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_whole(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    whole: NDArray[np.bool_] = (np.abs(values) < _MAX_WHOLE) & (values % 1 == 0)
    return whole


def _check(
    path: Path,
    lines: NDArray[np.int64],
    condition: NDArray[np.bool_],
    message: str,
    table: NDArray[np.float64] | None = None,
) -> None:
    """Raise an error about the first line of the file that does not meet a condition."""
    if not condition.all():
        wrong = np.flatnonzero(~condition)
        row = int(wrong[np.argmin(lines[wrong])])
        values = () if table is None else tuple(table[row].tolist())
        raise line_error(path, int(lines[row]), f"{message.format(*values)}: {FORMAT}.")
