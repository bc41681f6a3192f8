"""Reader of MOT text files of bounded size; every error in a line names the line."""

from __future__ import annotations

import os
from array import array
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import TrackFileError
from .mot_rows import MotRows, line_error

_MIN_COLUMNS, _MAX_COLUMNS = 7, 10  # up to the confidence, up to the last 3D coordinate
_MAX_WHOLE = 2.0**53  # beyond it, not every whole number is a float64
_MAX_PX = 1e9  # areas of larger boxes lose whole pixels in float64
_MAX_LINES = 3_000_000  # four times the largest sequence of MOTChallenge; bounds memory at 0.5 GB a file
_MAX_LINE_CHARS = 1000
_MAX_BYTES = _MAX_LINES * 200
_FORMAT = "frame,id,left,top,width,height,confidence[,class,...]"


def read_rows(path: Path) -> MotRows:
    """Read a MOT text file of ground truth or results.

    The line ends of any system, blank lines, spaces around values and a comma at the end of a line are accepted.

    Raises:
        TrackFileError: The file cannot be read or is too large, or a line is not a box of a track.
    """
    lines, values, columns = _parse(path)
    rows = MotRows(path, np.array(lines, np.int64), np.array(values, np.float64).reshape(-1, columns))
    check_rows(rows)
    return rows


def check_rows(rows: MotRows, layout: str = _FORMAT) -> None:
    """Check the values of rows, and that no frame has an id twice.

    Args:
        rows: Rows of a file, which may have another format than MOT text.
        layout: Columns or fields of the file, for messages.

    Raises:
        TrackFileError: A row is not a box of a track; the error names its line.
    """
    _check_values(rows, layout)
    _check_ids(rows)


def _parse(path: Path) -> tuple[array[int], array[float], int]:
    """Return the line number of every line that is not blank, the values of all, and the number of columns."""
    lines, values, columns = array("q"), array("d"), 0
    try:
        with path.open(encoding="utf-8-sig") as file:
            _check_size(path, os.fstat(file.fileno()).st_size)
            number = 0
            while line := file.readline(_MAX_LINE_CHARS + 1):
                number += 1
                _check_line(path, number, line)
                if line.strip():
                    cells = _numbers(path, number, line)
                    columns = columns or len(cells)
                    _check_columns(path, number, len(cells), columns)
                    lines.append(number)
                    values.extend(cells)
    except UnicodeDecodeError as error:
        raise TrackFileError(
            f"{path} is not a text file in UTF-8 ({error.reason} at byte {error.start}); expected lines of {_FORMAT}. "
            "Save it as UTF-8."
        ) from error
    except OSError as error:
        raise TrackFileError(
            f"{path} cannot be read ({error.strerror}); check that it exists and is readable."
        ) from error
    return lines, values, columns or _MIN_COLUMNS


def _check_size(path: Path, size: int) -> None:
    if size > _MAX_BYTES:
        raise TrackFileError(
            f"{path} has {size} bytes; expected at most {_MAX_BYTES}, {_MAX_LINES} lines of {_FORMAT}. Split the "
            "sequence, or name another file."
        )


def _check_line(path: Path, number: int, line: str) -> None:
    if len(line) > _MAX_LINE_CHARS:
        text = f"over {_MAX_LINE_CHARS} characters; expected numbers separated by commas: {_FORMAT}."
        raise line_error(path, number, text)
    if number > _MAX_LINES:
        text = f"too many lines; expected at most {_MAX_LINES}, with one box each. Split the sequence."
        raise line_error(path, number, text)


def _numbers(path: Path, number: int, line: str) -> list[float]:
    cells = line.strip().removesuffix(",").split(",")
    try:
        values = [float(cell) for cell in cells]
    except ValueError as error:
        raise _not_a_number(path, number, str(error).rpartition(": ")[2]) from error
    if "_" in line:  # Python reads 1_0 as 10
        raise _not_a_number(path, number, repr(next(cell for cell in cells if "_" in cell)))
    return values


def _not_a_number(path: Path, number: int, cell: str) -> TrackFileError:
    return line_error(path, number, f"{cell} is not a number; expected numbers separated by commas: {_FORMAT}.")


def _check_columns(path: Path, number: int, count: int, expected: int) -> None:
    if not _MIN_COLUMNS <= count <= _MAX_COLUMNS:
        raise line_error(path, number, f"{count} columns; expected {_MIN_COLUMNS} to {_MAX_COLUMNS}: {_FORMAT}.")
    if count != expected:
        raise line_error(
            path,
            number,
            f"{count} columns; expected {expected} as above. Complete the line, or remove it if it is cut off.",
        )


def _check_values(rows: MotRows, layout: str) -> None:
    values = rows.values
    frame, track_id, width, height = (values[:, column] for column in (0, 1, 4, 5))
    rows.require(
        np.logical_and.reduce(np.isfinite(values), axis=1),
        lambda _: f"NaN or infinity; expected finite numbers: {layout}.",
    )
    rows.require(
        _is_whole(frame) & (frame >= 1), lambda row: f"frame {frame[row]:g}; expected a whole number from 1: {layout}."
    )
    rows.require(
        _is_whole(track_id) & (track_id >= 0),
        lambda row: (
            f"id {track_id[row]:g}; expected a whole number from 0, below 2^53. Boxes without ids cannot be scored."
        ),
    )
    rows.require(
        np.logical_and.reduce(np.abs(values[:, 2:6]) <= _MAX_PX, axis=1),
        lambda row: (
            f"box {', '.join(f'{value:g}' for value in values[row, 2:6])}; expected left, top, width and height in px, "
            f"none beyond {_MAX_PX:g}."
        ),
    )
    rows.require(
        (width > 0) & (height > 0),
        lambda row: f"width {width[row]:g}, height {height[row]:g}; expected both above 0: {layout}.",
    )


def _is_whole(numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    whole: NDArray[np.bool_] = (np.abs(numbers) < _MAX_WHOLE) & (numbers % 1 == 0)
    return whole


def _check_ids(rows: MotRows) -> None:
    """Check that no frame has an id twice."""
    order = np.lexsort((rows.lines, rows.ids, rows.frames))
    repeated = np.zeros(len(rows), bool)
    same = (np.diff(rows.frames[order]) == 0) & (np.diff(rows.ids[order]) == 0)
    repeated[order[1:][same]] = True

    def message(row: int) -> str:
        both = (rows.frames == rows.frames[row]) & (rows.ids == rows.ids[row])
        first = rows.lines[np.flatnonzero(both)[0]]
        return (
            f"id {rows.ids[row]} is already in frame {rows.frames[row]}, in line {first}; remove one of the two lines."
        )

    rows.require(~repeated, message)
