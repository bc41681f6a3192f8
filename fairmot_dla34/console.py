"""How commands speak: logs and errors on stderr, exit codes, the summary as text."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from .errors import FairMOTError
from .values import TrackingSummary

EXIT_ERROR, EXIT_INTERRUPTED = 1, 130


def guarded(action: Callable[[], None]) -> int:
    """Run ``action``; turn what can go wrong into one line on stderr.

    Returns:
        The exit code: 0 ok, 1 a FairMOT error, 130 interrupted.
    """
    try:
        action()
    except FairMOTError as error:
        print(f"fairmot_dla34: {error}", file=sys.stderr)
        return EXIT_ERROR
    except KeyboardInterrupt:
        print("fairmot_dla34: interrupted; what was written up to here is closed and valid.", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return EXIT_ERROR
    return 0


def log_to_stderr(*, verbose: bool) -> None:
    """Show this package's log on stderr, as a command's user reads it."""
    logger = logging.getLogger("fairmot_dla34")
    if not logger.handlers:
        handler = _StderrHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
        logger.propagate = False
    logger.setLevel(logging.DEBUG if verbose else logging.INFO)


class _StderrHandler(logging.Handler):
    """Writes to what is stderr at the time of the message, as it may have been replaced since."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message."""
        try:
            print(self.format(record), file=sys.stderr)
        except (OSError, ValueError):  # closed
            self.handleError(record)


def summary_text(summary: TrackingSummary) -> str:
    """Return the summary as a person reads it."""
    notes = {"corrupt ones left out": summary.frames_skipped, "left out to keep up": summary.frames_dropped}
    left_out = ", ".join(f"{count} {why}" for why, count in notes.items() if count)
    frames = f"{summary.frames} frames ({left_out})" if left_out else f"{summary.frames} frames"
    stages = ", ".join(
        f"{name} {seconds / max(summary.frames, 1) * 1e3:.1f}" for name, seconds in summary.stage_seconds.items()
    )
    rate = summary.frames_per_second
    lines = [
        f"{summary.source}: {frames}, {summary.track_ids} ids, {rate:.2f} frames/s",
        f"network: {summary.backend}",
        f"ms per frame, stages overlap: {stages}",
        *(f"wrote {path}" for path in summary.paths),
    ]
    return "\n".join(lines)
