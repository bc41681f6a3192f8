"""Parsers of results in JSON Lines and CSV, as arrays that the checks of MOT text accept."""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import is_number, is_whole, shown
from ..errors import TrackFileError
from ..evaluation.mot_rows import MotRows, line_error
from ..evaluation.reading import check_rows
from ..video.regular_files import read_regular

_MAX_BYTES = 1 << 30
_MAX_ROWS = 3_000_000  # as in MOT text
_MAX_CLASS = 2**31 - 1
_JSON_LINE = '{"frame", "time_s", "tracks": [{"id", "box", "score", ...}]}'
_REQUIRED = ("frame", "id", "x1", "y1", "x2", "y2", "score")
_CSV_LINE = "frame,time_s,id,x1,y1,x2,y2,score,age_frames,class_id,filled"


@dataclass(frozen=True, eq=False)
class ResultTable:
    """Rows of a results file, as in the file.

    Attributes:
        rows: Frame, id, left, top, width, height and score of each row, checked.
        class_ids: ``(N,)`` classes, from 0.
        times: ``(N,)`` seconds, NaN if not stated.
        filled: ``(N,)`` whether the row was interpolated.
        tracked_frames: ``(F,)`` numbers of all tracked frames, rising; None if the file does not state them.
        tracked_times: ``(F,)`` their seconds, NaN if not stated; None with ``tracked_frames``.
    """

    rows: MotRows
    class_ids: NDArray[np.int64]
    times: NDArray[np.float64]
    filled: NDArray[np.bool_]
    tracked_frames: NDArray[np.int64] | None
    tracked_times: NDArray[np.float64] | None = None


@dataclass
class _Columns:
    """Rows while they are collected."""

    path: Path
    lines: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))
    class_ids: array[int] = field(default_factory=lambda: array("q"))
    times: array[float] = field(default_factory=lambda: array("d"))
    filled: array[int] = field(default_factory=lambda: array("b"))

    def add(self, line: int, row: list[float], class_id: int, time_s: float, *, filled: bool) -> None:
        """Add frame, id, x1, y1, x2, y2 and score of one track."""
        if len(self.lines) >= _MAX_ROWS:
            raise line_error(self.path, line, f"too many boxes; expected at most {_MAX_ROWS}. Split the sequence.")
        frame, track_id, x1, y1, x2, y2, score = row
        self.lines.append(line)
        self.values.extend((frame, track_id, x1, y1, x2 - x1, y2 - y1, score))
        self.class_ids.append(class_id)
        self.times.append(time_s)
        self.filled.append(filled)

    def table(self, layout: str, frame_times: dict[int, float] | None = None) -> ResultTable:
        """Return the checked rows.

        Args:
            layout: Layout of a line, for messages.
            frame_times: Seconds of all tracked frames, by their number; None if the file does not state them.
        """
        values = np.array(self.values, np.float64).reshape(-1, 7)
        rows = MotRows(self.path, np.array(self.lines, np.int64), values)
        check_rows(rows, layout)
        return ResultTable(
            rows,
            np.array(self.class_ids, np.int64),
            np.array(self.times, np.float64),
            np.array(self.filled, bool),
            None if frame_times is None else np.array(sorted(frame_times), np.int64),
            None if frame_times is None else np.array([frame_times[frame] for frame in sorted(frame_times)]),
        )


def read_jsonl(path: Path) -> ResultTable:
    """Read results in JSON Lines, one object per frame.

    Raises:
        TrackFileError: The file cannot be read, or a line is not such an object.
    """
    columns = _Columns(path)
    seen: dict[int, int] = {}
    frame_times: dict[int, float] = {}
    for number, line in _lines(path, _JSON_LINE):
        frame, time_s, tracks = _json_frame(path, number, line)
        if seen.setdefault(frame, number) != number:
            text = f"frame {frame} is already in line {seen[frame]}; remove one of the two lines."
            raise line_error(path, number, text)
        frame_times[frame] = time_s
        for track in tracks:
            row, class_id = _json_track(path, number, track)
            columns.add(number, [frame, *row], class_id, time_s, filled=track.get("filled") is True)
    return columns.table(_JSON_LINE, frame_times)


def _json_frame(path: Path, number: int, line: str) -> tuple[int, float, list[dict[str, Any]]]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        text = f"not JSON ({error}); expected {_JSON_LINE}. Complete the line, or remove it if it is cut off."
        raise line_error(path, number, text) from error
    fields = value if isinstance(value, dict) else {}
    frame, tracks, time_s = fields.get("frame"), fields.get("tracks"), fields.get("time_s", math.nan)
    if not is_whole(frame, 1, 2**53):
        raise line_error(path, number, f"frame {shown(frame)}; expected a whole number from 1: {_JSON_LINE}.")
    if "time_s" in fields and not is_number(time_s):
        raise line_error(path, number, f"time_s {shown(time_s)}; expected a finite number of seconds: {_JSON_LINE}.")
    if not isinstance(tracks, list) or not all(isinstance(track, dict) for track in tracks):
        raise line_error(path, number, f"tracks {shown(tracks)}; expected a list of objects: {_JSON_LINE}.")
    return frame, float(time_s), tracks


def _json_track(path: Path, number: int, track: dict[str, Any]) -> tuple[list[float], int]:
    """Return id, corners and score, and the class."""
    box, class_id = track.get("box"), track.get("class_id", 0)
    if not isinstance(box, list) or len(box) != 4 or not all(map(is_number, box)):
        raise line_error(path, number, f"box {shown(box)}; expected 4 finite numbers, x1, y1, x2 and y2 in px.")
    for name in ("id", "score"):
        if not is_number(track.get(name)):
            raise line_error(path, number, f"{name} {shown(track.get(name))}; expected a finite number: {_JSON_LINE}.")
    if not is_whole(class_id, 0, _MAX_CLASS):
        raise line_error(path, number, f"class_id {shown(class_id)}; expected a whole number from 0.")
    return [float(track["id"]), *map(float, box), float(track["score"])], class_id


def read_csv(path: Path) -> ResultTable:
    """Read results in CSV, whose first line names the columns, in any order.

    Raises:
        TrackFileError: The file cannot be read, a column is missing, or a line is not a result.
    """
    lines = _lines(path, _CSV_LINE)
    if not lines:
        raise TrackFileError(f"{path} is empty; expected a first line with the names of the columns: {_CSV_LINE}.")
    first, header = lines[0]
    names = [name.strip() for name in header.split(",")]
    missing = [name for name in _REQUIRED if names.count(name) != 1]
    if missing:
        raise line_error(path, first, f"no single column {missing[0]}; expected the names of the columns: {_CSV_LINE}.")
    columns = _Columns(path)
    for number, line in lines[1:]:
        cells = line.split(",")
        if len(cells) != len(names):
            text = f"{len(cells)} columns; expected {len(names)} as in line {first}. Complete the line, or remove it."
            raise line_error(path, number, text)
        values = dict(zip(names, cells, strict=True))
        row = [_number(path, number, name, values[name]) for name in _REQUIRED]
        class_id = _number(path, number, "class_id", values.get("class_id", "0"), _is_class)
        time_s = _number(path, number, "time_s", values["time_s"]) if values.get("time_s", "").strip() else math.nan
        filled = _number(path, number, "filled", values.get("filled", "0"), lambda value: value in (0, 1))
        columns.add(number, row, int(class_id), time_s, filled=bool(filled))
    return columns.table(_CSV_LINE)


def _is_class(value: float) -> bool:
    return value % 1 == 0 and 0 <= value <= _MAX_CLASS


def _number(path: Path, number: int, name: str, cell: str, is_valid: Callable[[float], bool] = math.isfinite) -> float:
    try:
        value = float(cell) if "_" not in cell else math.nan  # Python reads 1_0 as 10
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and is_valid(value)):
        raise line_error(path, number, f"{name} {shown(cell)}; expected a number: {_CSV_LINE}.")
    return value


def _lines(path: Path, expected: str) -> list[tuple[int, str]]:
    """Return the lines that are not blank with their numbers."""
    try:
        text = read_regular(path, _MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TrackFileError(
            f"{path} is not text in UTF-8 (byte {error.start}); expected lines of {expected}."
        ) from error
    except OSError as error:
        reason = error.strerror or error
        raise TrackFileError(f"{path} cannot be read ({reason}); expected lines of {expected}.") from error
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
