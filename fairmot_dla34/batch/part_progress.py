"""The progress of a job in a small file of its temporary folder, so that the driver can show it with any engine."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from ..closing import ClosedOnExit
from ..files import make_folder, output_error

PROGRESS_FILE = "progress"
_INTERVAL_S = 1.0
_MAX_BYTES = 100


class PartProgress(ClosedOnExit):
    """Writes ``<frames done> <frames in all, 0 if unknown>`` to a file, at most once a second.

    Args:
        path: The file; its folder is created.

    Raises:
        OutputError: The folder cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._total, self._done = path, 0, 0
        self._written_s = time.monotonic()
        try:
            make_folder(path.parent)
        except OSError as error:
            raise output_error(path.parent, error) from error

    def started(self, _name: str, total: int | None) -> PartProgress:
        """Take the number of frames; see the argument ``progress`` of `TrackingJob`."""
        self._total = total or 0
        return self

    def update(self, n: int = 1) -> None:
        """Add frames that are done."""
        self._done += n
        now_s = time.monotonic()
        if now_s - self._written_s >= _INTERVAL_S:
            self._written_s = now_s
            with contextlib.suppress(OSError):  # the progress is not worth an error
                self._path.write_text(f"{self._done} {self._total}")

    def close(self) -> None:
        """Do nothing: the job removes the folder."""


def read_progress(path: Path) -> tuple[int, int]:
    """Return the frames done and the frames in all that a file states; 0 for what is unknown."""
    try:
        with path.open("rb") as file:
            done, total = map(int, file.read(_MAX_BYTES).split())
    except (OSError, ValueError):  # not written yet, or removed with its folder
        return 0, 0
    return done, total
