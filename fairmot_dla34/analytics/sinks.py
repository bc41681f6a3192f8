"""Outputs of an analysis: events as JSON Lines, counts per minute as CSV, and the heat map as an image."""

from __future__ import annotations

import csv
import io
import json
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from ..closing import ClosedOnExit
from ..errors import OutputError, StateError
from ..files import append_whole, output_error
from ..outputs import TextSink
from ..outputs.paths import create_file
from .crowd import MinuteCounts, ZoneCounts
from .heat_image import heat_png

if TYPE_CHECKING:
    from pathlib import Path as FilePath

    from ..values import Frame, FrameResult
    from .config import AnalyticsConfig
    from .live import LiveAnalysis
    from .motion import Path


class _AnalysisText(TextSink):
    """A text file with the news of an analysis; at the end, also those that `LiveAnalysis.finish` brings.

    Args:
        path: File to write.
        live: Analysis of the run.
    """

    def __init__(self, path: FilePath, live: LiveAnalysis) -> None:
        self._live = live
        super().__init__(path)

    def format(self, result: FrameResult) -> str:
        """Return the lines that became certain with the latest result."""
        del result  # the analysis has it
        return self._news()

    def close(self) -> None:
        """Write the last lines and close the file; safe to call twice.

        Raises:
            OutputError: They cannot be written, or the file was deleted, moved, replaced or changed.
        """
        if self._file.closed:
            return
        try:
            if self._live.finished:
                self._append(self._news())
        finally:
            super().close()

    @abstractmethod
    def _news(self) -> str:
        """Return the lines that became certain since the last call."""


class EventSink(_AnalysisText):
    """JSON Lines, one object per event, written when the event is certain: ``{"event", "time_s", "frame", "id", …}``.

    ``event`` is ``crossing``, ``enter``, ``leave`` or ``path``, the end of a walk.
    """

    def _news(self) -> str:
        events: list[dict[str, Any]] = [
            event.to_dict() for event in self._live.events if not isinstance(event, MinuteCounts)
        ]
        events += map(_path_event, self._live.paths)
        return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events)


class CountSink(_AnalysisText):
    """Comma-separated values with a header, one row per minute, written when the minute is complete."""

    def __init__(self, path: FilePath, live: LiveAnalysis) -> None:
        self.header = _csv_line(count_columns(live.config))
        super().__init__(path, live)

    def _news(self) -> str:
        rows = [event.cells() for event in self._live.events if isinstance(event, MinuteCounts)]
        return "".join(_csv_line([cell for _, cell in row]) for row in rows)


class HeatSink(ClosedOnExit):
    """The heat map over the first frame, a PNG that is written at the end of the run.

    Args:
        path: File to write.
        live: Analysis of the run.

    Raises:
        OutputError: The file cannot be created.
    """

    def __init__(self, path: FilePath, live: LiveAnalysis) -> None:
        self.path = path
        self._live = live
        self._file = create_file(path)

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Do nothing: the analysis has the result.

        Raises:
            StateError: The sink is closed.
        """
        del frame, result
        if self._file.closed:
            raise StateError(f"{self.path} is closed; write every result before close().")

    def close(self) -> None:
        """Write the image; safe to call twice.

        Raises:
            OutputError: It cannot be written, or the file was deleted, moved, replaced or changed.
        """
        if self._file.closed:
            return
        try:
            heat = self._live.analysis.heat
            if heat is not None:
                self._file.check_whole()
                append_whole(self._file, heat_png(heat, self._live.image))
            self._file.check_in_place()
        except OutputError:
            raise
        except OSError as error:
            raise output_error(self.path, error) from error
        finally:
            self._file.close()


def count_columns(config: AnalyticsConfig) -> list[str]:
    """Return the columns of the counts per minute, in order."""
    row = MinuteCounts(
        0.0,
        60.0,
        lines={line.name: dict.fromkeys(line.directions, 0) for line in config.lines},
        zones={zone.name: ZoneCounts() for zone in config.zones},
    )
    return [column for column, _ in row.cells()]


def _path_event(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = {
        "event": "path",
        "time_s": round(path.times_s[-1], 3),
        "id": path.track_id,
        "started_s": round(path.times_s[0], 3),
        "duration_s": round(path.duration_s, 3),
        "length_px": round(path.length_px, 1),
    }
    return values if path.length_m is None else values | {"length_m": round(path.length_m, 2)}


def _csv_line(cells: list[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
