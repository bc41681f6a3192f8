"""Writer of a plain table of tracks in CSV, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator

from .scene import Scene

_HEADER = ("frame", "time_s", "track_id", "label", "x1", "y1", "x2", "y2", "score", "filled")
_ROWS = 10_000  # written at a time


def write_table(scene: Scene) -> Iterator[bytes]:
    """Yield the parts of the table: one line per track and frame; frames from 1, times in seconds, corners in px.

    A time that the results do not state follows from the frame rate of the video; without one the cell is empty.
    """
    results = scene.results
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_HEADER)
    for row in range(len(results)):
        writer.writerow(
            (
                results.frames[row],
                _time(scene, row),
                results.ids[row],
                scene.label(row),
                *(f"{value:.2f}" for value in results.boxes[row]),
                f"{results.scores[row]:.4f}",
                int(results.filled[row]),
            )
        )
        if row % _ROWS == _ROWS - 1:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _time(scene: Scene, row: int) -> str:
    time_s = float(scene.results.times[row])
    if math.isnan(time_s) and scene.video is not None:
        time_s = (int(scene.results.frames[row]) - 1) / scene.video.frame_rate
    return "" if math.isnan(time_s) else f"{time_s:.6f}"
