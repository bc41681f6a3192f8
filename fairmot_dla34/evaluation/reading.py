"""Reader of MOT text files; every error in a line names the line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import TrackFileError
from .mot_rows import MotRows, line_error

_MIN_COLUMNS, _MAX_COLUMNS = 7, 10  # up to the confidence, up to the last 3D coordinate
_MAX_WHOLE = 2.0**53  # beyond it, not every whole number is a float64
_FORMAT = "frame,id,left,top,width,height,confidence[,class,...]"


def read_rows(path: Path) -> MotRows:
    """Read a MOT text file of ground truth or results.

    Windows line ends, blank lines, spaces around values and a comma at the end of a line are accepted.

    Raises:
        TrackFileError: The file cannot be read, or a line is not a box of a track.
    """
    lines, values = _parse(path)
    columns = len(values[0]) if values else _MIN_COLUMNS
    rows = MotRows(path, np.array(lines, np.int64), np.array(values, np.float64).reshape(-1, columns))
    _check_values(rows)
    _check_ids(rows)
    return rows


def _parse(path: Path) -> tuple[list[int], list[list[float]]]:
    """Return the line number and the values of every line that is not blank."""
    lines: list[int] = []
    values: list[list[float]] = []
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    lines.append(number)
                    values.append(_numbers(path, number, line))
                    _check_columns(path, number, values)
    except UnicodeDecodeError as error:
        raise TrackFileError(f"{path} is not a text file ({error}); expected lines of {_FORMAT}.") from error
    except OSError as error:
        raise TrackFileError(
            f"{path} cannot be read ({error.strerror}); check that it exists and is readable."
        ) from error
    return lines, values


def _numbers(path: Path, number: int, line: str) -> list[float]:
    cells = line.strip().removesuffix(",").split(",")
    try:
        return [float(cell) for cell in cells]
    except ValueError as error:
        cell = str(error).rpartition(": ")[2]
        text = f"{cell} is not a number; expected numbers separated by commas: {_FORMAT}."
        raise line_error(path, number, text) from error


def _check_columns(path: Path, number: int, values: list[list[float]]) -> None:
    count, expected = len(values[-1]), len(values[0])
    if not _MIN_COLUMNS <= count <= _MAX_COLUMNS:
        raise line_error(path, number, f"{count} columns; expected {_MIN_COLUMNS} to {_MAX_COLUMNS}: {_FORMAT}.")
    if count != expected:
        raise line_error(
            path,
            number,
            f"{count} columns; expected {expected} as above. Complete the line, or remove it if it is cut off.",
        )


def _check_values(rows: MotRows) -> None:
    values = rows.values
    frame, track_id, width, height = (values[:, column] for column in (0, 1, 4, 5))
    rows.require(
        np.logical_and.reduce(np.isfinite(values), axis=1),
        lambda _: f"NaN or infinity; expected finite numbers: {_FORMAT}.",
    )
    rows.require(
        _is_whole(frame) & (frame >= 1), lambda row: f"frame {frame[row]:g}; expected a whole number from 1: {_FORMAT}."
    )
    rows.require(
        _is_whole(track_id) & (track_id >= 0),
        lambda row: f"id {track_id[row]:g}; expected a whole number from 0. Detections without ids cannot be scored.",
    )
    rows.require(
        (width > 0) & (height > 0),
        lambda row: f"width {width[row]:g}, height {height[row]:g}; expected both above 0: {_FORMAT}.",
    )


def _is_whole(numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    whole: NDArray[np.bool_] = (numbers % 1 == 0) & (np.abs(numbers) < _MAX_WHOLE)
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
