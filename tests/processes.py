"""Real processes that a test starts and stops."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def python_process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start Python as a terminal would: with Ctrl-C at work even where this process was started without it."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (no threads here)
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
