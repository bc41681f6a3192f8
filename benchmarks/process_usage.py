"""Waits for a process and returns what it cost (Linux)."""

from __future__ import annotations

import os
import resource
import subprocess


def wait_for_usage(process: subprocess.Popen[bytes]) -> resource.struct_rusage:
    """Wait for the end of a process, whose stderr is a pipe, and return its use of CPU and memory.

    Linux counts the memory of the process that started it as its own.

    Raises:
        RuntimeError: The process fails; the text is what it wrote to stderr.
    """
    errors = process.stderr.read().decode() if process.stderr else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(errors)
    return usage
