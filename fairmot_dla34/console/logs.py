"""Log of the package on stderr, one message per line."""

from __future__ import annotations

import logging
import sys

from ..messages import plain_line


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
