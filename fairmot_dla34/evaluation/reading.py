"""Read one MOT text file; whatever is wrong is an error that names the line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import TrackFileError

_FEWEST, _MOST = 7, 10  # columns: up to the confidence; up to the last 3D coordinate
_FAR = 2.0**53  # beyond it not every whole number has a float64
_FORMAT = "frame,id,left,top,width,height,confidence[,class,...]"


@dataclass(frozen=True)
class MotRows:
    """The rows of one file, checked, in its order.

    Attributes:
        path: The file.
        lines: ``(N,)`` line number of each row, from 1.
        values: ``(N, C)`` the columns, C from 7 to 10.
    """

    path: Path
    lines: NDArray[np.int64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def frames(self) -> NDArray[np.int64]:
        """``(N,)`` from 1."""
        return self.values[:, 0].astype(np.int64)

    @property
    def ids(self) -> NDArray[np.int64]:
        """``(N,)`` from 0."""
        return self.values[:, 1].astype(np.int64)

    @property
    def boxes(self) -> NDArray[np.float64]:
        """``(N, 4)`` left, top, width, height, image px."""
        return self.values[:, 2:6]

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """``(N,)`` whether column 7 of ground truth is not 0 (TrackEval cuts a fraction off): only such boxes count."""
        flagged: NDArray[np.bool_] = np.trunc(self.values[:, 6]) != 0
        return flagged

    @property
    def column_8(self) -> NDArray[np.float64]:
        """``(N,)`` the class in MOT16, MOT17 and MOT20, else -1 or a 3D coordinate; -1 where there is no column 8."""
        return self.values[:, 7] if self.values.shape[1] > 7 else np.full(len(self), -1.0)

    def require(self, good: NDArray[np.bool_], expected: Callable[[int], str]) -> None:
        """Check a condition on every row.

        Args:
            good: ``(N,)``.
            expected: Says what is wrong with a row, given its index.

        Raises:
            TrackFileError: For the first row where the condition fails.
        """
        if not good.all():
            row = int(np.argmin(good))
            raise line_error(self.path, int(self.lines[row]), expected(row))


def line_error(path: Path, line: int, text: str) -> TrackFileError:
    """Return the error to raise for a line of a file."""
    return TrackFileError(f"{path}, line {line}: {text}")


def read_rows(path: Path) -> MotRows:
    """Read a MOT text file of ground truth or results.

    Windows line ends, blank lines, spaces around values and a comma at the end of a line are accepted.

    Raises:
        TrackFileError: The file cannot be read, or a line is not a box of a track.
    """
    lines, values = _parsed(path)
    columns = len(values[0]) if values else _FEWEST
    rows = MotRows(path, np.array(lines, np.int64), np.array(values, np.float64).reshape(-1, columns))
    _check_values(rows)
    _check_ids(rows)
    return rows


def _parsed(path: Path) -> tuple[list[int], list[list[float]]]:
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
            f"{path} cannot be read ({error.strerror}); check that it is there and readable."
        ) from error
    return lines, values


def _numbers(path: Path, number: int, line: str) -> list[float]:
    cells = line.strip().removesuffix(",").split(",")
    try:
        return [float(cell) for cell in cells]
    except ValueError as error:
        raise line_error(path, number, f"{_reason(error)}; expected numbers separated by commas: {_FORMAT}.") from error


def _reason(error: ValueError) -> str:
    return f"{str(error).rpartition(': ')[2]} is not a number"


def _check_columns(path: Path, number: int, values: list[list[float]]) -> None:
    count, first = len(values[-1]), len(values[0])
    if not _FEWEST <= count <= _MOST:
        raise line_error(path, number, f"{count} columns; expected {_FEWEST} to {_MOST}: {_FORMAT}.")
    if count != first:
        raise line_error(
            path,
            number,
            f"{count} columns where the lines above have {first}; complete it, or remove it if it was cut off.",
        )


def _check_values(rows: MotRows) -> None:
    values = rows.values
    frame, identity, width, height = (values[:, column] for column in (0, 1, 4, 5))
    rows.require(
        np.logical_and.reduce(np.isfinite(values), axis=1),
        lambda _: f"NaN or infinity; expected finite numbers: {_FORMAT}.",
    )
    rows.require(
        _whole(frame) & (frame >= 1), lambda row: f"frame {frame[row]:g}; expected a whole number from 1: {_FORMAT}."
    )
    rows.require(
        _whole(identity) & (identity >= 0),
        lambda row: f"id {identity[row]:g}; expected a whole number from 0. Detections without ids cannot be scored.",
    )
    rows.require(
        (width > 0) & (height > 0),
        lambda row: f"width {width[row]:g}, height {height[row]:g}; expected both above 0: {_FORMAT}.",
    )


def _whole(numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    whole: NDArray[np.bool_] = (numbers % 1 == 0) & (np.abs(numbers) < _FAR)
    return whole


def _check_ids(rows: MotRows) -> None:
    """An id stands for one person, so it is in a frame once."""
    order = np.lexsort((rows.lines, rows.ids, rows.frames))
    again = np.zeros(len(rows), bool)
    same = (np.diff(rows.frames[order]) == 0) & (np.diff(rows.ids[order]) == 0)
    again[order[1:][same]] = True

    def told(row: int) -> str:
        both = (rows.frames == rows.frames[row]) & (rows.ids == rows.ids[row])
        first = rows.lines[np.flatnonzero(both)[0]]
        return (
            f"id {rows.ids[row]} is in frame {rows.frames[row]} a second time, after line {first}; remove one of them."
        )

    rows.require(~again, told)
