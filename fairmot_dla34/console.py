"""Console conventions of all commands: logs, errors and progress on stderr, exit codes, the summary as text."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from .guard import guarded
from .messages import plain_line
from .progress import ProgressBar, ProgressLines

if TYPE_CHECKING:
    from .values import TrackingSummary

__all__ = ["guarded", "log_to_stderr", "progress_bar", "summary_text"]


def log_to_stderr(*, verbose: bool) -> None:
    """Show this package's log on stderr, one message per line."""
    logger = logging.getLogger("fairmot_dla34")
    if not logger.handlers:
        handler = _StderrHandler()
        handler.setFormatter(_PlainFormatter())
        logger.addHandler(handler)
        logger.propagate = False
    logger.setLevel(logging.DEBUG if verbose else logging.INFO)


class _PlainFormatter(logging.Formatter):
    """Formats a record as its message, on one line without control characters; a traceback follows it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the base class's name)
        """Return the message."""
        return plain_line(record.getMessage(), limit=None)


class _StderrHandler(logging.Handler):
    """Writes to the stderr of the time of the message, which may have been replaced since the start."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message."""
        try:
            print(self.format(record), file=sys.stderr)
        except (OSError, ValueError):  # closed
            self.handleError(record)


def progress_bar(
    name: str,
    total: int | None = None,
    *,
    enabled: bool = True,
    unit: str = "frame",
    unit_scale: bool = False,
    initial: int = 0,
) -> ProgressBar:
    """Start a display of units done, units per second and, if the total is known, the remaining time.

    A terminal gets a bar. Another stderr, such as a log file, gets a line every `progress.INTERVAL_S` seconds.

    Args:
        name: Text before the bar.
        total: Units in all, or None if unknown.
        enabled: False for no display.
        unit: Name of one unit.
        unit_scale: Show numbers with SI prefixes, such as 79.5M.
        initial: Units done before the bar starts.

    Returns:
        The bar, a context manager; call its ``update(n)`` after ``n`` units, 1 by default.
    """
    if enabled and not _is_terminal():
        return ProgressLines(name, total, unit=unit, unit_scale=unit_scale, initial=initial)
    from tqdm import tqdm

    return tqdm(
        total=total,
        initial=initial,
        desc=plain_line(name),
        unit=unit,
        unit_scale=unit_scale,
        file=sys.stderr,
        disable=not enabled,
        dynamic_ncols=True,
    )


def _is_terminal() -> bool:
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:  # closed
        return False


def summary_text(summary: TrackingSummary) -> str:
    """Return the summary of a run as text for a person."""
    notes = {"corrupt ones left out": summary.frames_skipped, "left out to keep up": summary.frames_dropped}
    left_out = ", ".join(f"{count} {why}" for why, count in notes.items() if count)
    frames = f"{summary.frames} frames ({left_out})" if left_out else f"{summary.frames} frames"
    stages = ", ".join(
        f"{name} {seconds / max(summary.frames, 1) * 1e3:.1f}" for name, seconds in summary.stage_seconds.items()
    )
    rate = summary.frames_per_second
    ended = "" if summary.ended == "end" else f", ended: {summary.ended}"
    lines = [
        f"{summary.source}: {frames}, {summary.track_ids} ids, {rate:.2f} frames/s{ended}",
        f"network: {summary.backend}",
        f"ms per frame, stages overlap: {stages}",
        *(f"wrote {path}" for path in summary.paths),
    ]
    return "\n".join(lines)
