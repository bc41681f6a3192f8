"""Python processes that a test starts, signals and stops."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def python_process(*arguments: str, stdout: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[str]]:
    """Start Python with the default action on Ctrl-C, which a parent process may have switched off."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (no other threads run here)
    )
    try:
        yield process
    finally:
        process.kill()
        with contextlib.suppress(ValueError):  # the test has read its streams already
            process.communicate()
