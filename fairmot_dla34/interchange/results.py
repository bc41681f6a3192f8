"""Reader of the results files that `track` writes: MOT text, JSON Lines and CSV, with the same checks for all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..config import check_path
from ..errors import TrackFileError
from ..evaluation.mot_rows import MotRows, line_error
from ..evaluation.reading import read_rows
from .table_results import ResultTable, read_csv, read_jsonl

_EXPECTED = "a results file of track: .txt (MOT), .jsonl or .csv"
_MAX_FRAMES = 10_000_000  # 92 hours at 30 frames/s


@dataclass(frozen=True, eq=False)
class TrackResults:
    """Tracks of one video, ordered by frame, then as in the file.

    Attributes:
        path: File they were read from.
        lines: ``(N,)`` line number of each row, from 1.
        frames: ``(N,)`` frame numbers, from 1.
        ids: ``(N,)`` track ids, from 0.
        boxes: ``(N, 4)`` float64 xyxy, image px, unclipped.
        scores: ``(N,)`` scores as stated.
        class_ids: ``(N,)`` classes, from 0; 0 if the file states none.
        times: ``(N,)`` seconds from the first frame; NaN if the file states none.
        filled: ``(N,)`` whether the row was interpolated in a gap.
        tracked_frames: ``(F,)`` numbers of the frames that were tracked, rising, also of those without tracks as far
            as the file shows them.
        tracked_times: ``(F,)`` seconds of ``tracked_frames``, NaN if not stated; None unless the file states every
            tracked frame.
    """

    path: Path
    lines: NDArray[np.int64]
    frames: NDArray[np.int64]
    ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    class_ids: NDArray[np.int64]
    times: NDArray[np.float64]
    filled: NDArray[np.bool_]
    tracked_frames: NDArray[np.int64]
    tracked_times: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.frames)

    def line_error(self, row: int, text: str) -> TrackFileError:
        """Return an error that names the line of a row."""
        return line_error(self.path, int(self.lines[row]), text)


def read_results(path: str | PathLike[str]) -> TrackResults:
    """Read a results file; its suffix decides the format: ``.txt`` (MOT text), ``.jsonl`` or ``.csv``.

    MOT text and CSV have no line for a frame without tracks. Frames between the first and the last one count as
    tracked, in steps of the largest stride that fits all of them.

    Raises:
        InvalidInputError: ``path`` is neither text nor a path object.
        TrackFileError: The file is of another kind, cannot be read, or has a line that is not a result; the error names
            the line.
    """
    check_path("results", path, _EXPECTED)
    file = Path(path)
    suffix = file.suffix.casefold()
    if file.name.casefold().endswith(".kitti.txt"):
        raise TrackFileError(f"{file} is KITTI text, which has no box size in MOT's columns; expected {_EXPECTED}.")
    if suffix == ".txt":
        table = _from_mot(read_rows(_checked(file)))
    elif suffix in {".jsonl", ".csv"}:
        table = (read_jsonl if suffix == ".jsonl" else read_csv)(_checked(file))
    else:
        raise TrackFileError(f"{file} ends in {suffix or 'no suffix'}; expected {_EXPECTED}.")
    rows = table.rows
    rows.require(
        rows.frames <= _MAX_FRAMES,
        lambda row: f"frame {rows.frames[row]}; expected at most {_MAX_FRAMES}. Remove the line.",
    )
    order = np.argsort(rows.frames, kind="stable")
    corners = np.concatenate([rows.boxes[:, :2], rows.boxes[:, :2] + rows.boxes[:, 2:]], axis=1)
    frames = rows.frames[order]
    return TrackResults(
        file,
        rows.lines[order],
        frames,
        rows.ids[order],
        corners[order],
        rows.values[order, 6],
        table.class_ids[order],
        table.times[order],
        table.filled[order],
        _evenly_spaced(frames) if table.tracked_frames is None else table.tracked_frames,
        table.tracked_times,
    )


def _checked(path: Path) -> Path:
    """Return the path if it leads to a file."""
    if not path.is_file():
        state = "is not a file" if path.exists() else "does not exist"
        raise TrackFileError(f"{path} {state}; expected {_EXPECTED}: check the spelling.")
    return path


def _from_mot(rows: MotRows) -> ResultTable:
    column = rows.column_8
    rows.require(
        (column % 1 == 0) & (column >= -1) & (column < 2**31),
        lambda row: f"class {column[row]:g} in column 8; expected a whole number from 0, or -1 for none.",
    )
    count = len(rows)
    times, filled = np.full(count, math.nan), np.zeros(count, bool)
    return ResultTable(rows, np.maximum(column, 0).astype(np.int64), times, filled, None)


def _evenly_spaced(frames: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the frames from the first to the last one in steps of the largest stride that fits all of them."""
    if not len(frames):
        return frames
    present = np.unique(frames)
    stride = int(np.gcd.reduce(np.diff(present))) if len(present) > 1 else 1
    return np.arange(present[0], present[-1] + 1, stride)
