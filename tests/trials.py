"""Hostile trials: runs them, counts tries and survivals by kind, and classifies what was not survived.

A trial survives if the package does what it promises: the right result, or one clear error of its own tree.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pytest


class HangError(AssertionError):
    """A trial did not end within its time."""


class CrashError(AssertionError):
    """A process was killed by the system, as after a segmentation fault."""


class TracebackError(AssertionError):
    """A user would see a traceback: an exception that is not of the package's tree."""


@dataclass
class Trials:
    """Counts the trials of one test; the fixture ``trials`` makes it and fails the test if one was not survived.

    Attributes:
        record: Function that stores the kind of a try, and the kind of its failure or "".
        failures: Descriptions of the trials not survived.
    """

    record: Callable[[str, str], None]
    failures: list[str] = field(default_factory=list)

    @contextmanager
    def __call__(self, kind: str, name: object = "") -> Iterator[None]:
        """Run the body as one try of a kind; an error in it is counted, and the test goes on with the next try.

        Args:
            kind: Row of the table, such as "checkpoint, damaged".
            name: Description of this try, shown if it fails.
        """
        failure = ""
        try:
            yield
        except (HangError, subprocess.TimeoutExpired) as error:
            failure = self._fail("hangs", kind, name, error)
        except CrashError as error:
            failure = self._fail("crashes", kind, name, error)
        except TracebackError as error:
            failure = self._fail("tracebacks", kind, name, error)
        except (AssertionError, pytest.fail.Exception) as error:
            failure = self._fail("wrong results", kind, name, error)
        except Exception as error:  # noqa: BLE001 (of any kind: a user would see its traceback)
            failure = self._fail("tracebacks", kind, name, error)
        self.record(kind, failure)

    def _fail(self, failure: str, kind: str, name: object, error: BaseException) -> str:
        self.failures.append(f"{kind} ({name}): {failure}: {type(error).__name__}: {str(error)[:2000]}")
        return failure


@dataclass(frozen=True)
class Ended:
    """A process that has ended.

    Attributes:
        code: Exit code; negative: the signal that killed it.
        stdout: Its standard output.
        stderr: Its standard error.
        seconds: Wall seconds it ran.
        peak_bytes: Largest resident memory, up to the last 0.02 s.
    """

    code: int
    stdout: str
    stderr: str
    seconds: float
    peak_bytes: int


def run_python(
    *arguments: str | Path,
    timeout_s: float = 120,
    memory_bytes: int | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Ended:
    """Run Python in a process of its own.

    Args:
        arguments: Arguments of the interpreter.
        timeout_s: Seconds after which the process counts as hanging.
        memory_bytes: Limit of its address space.
        cwd: Working directory.
        env: Environment variables beside those of this process.

    Raises:
        HangError: The process ran longer than ``timeout_s``.
        CrashError: A signal killed it.
        TracebackError: It printed a traceback.
    """

    def limit_memory() -> None:
        if memory_bytes is not None:
            resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))

    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        start_s = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            preexec_fn=limit_memory,  # noqa: PLW1509 (no other threads run here)
        )
        try:
            code, peak_bytes = _wait(process, start_s + timeout_s)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        ended = Ended(code, _text(stdout), _text(stderr), time.monotonic() - start_s, peak_bytes)
    if ended.code < 0:
        raise CrashError(f"killed by signal {-ended.code}: {ended.stderr[-1500:]}")
    if "Traceback (most recent call last)" in ended.stderr:
        raise TracebackError(ended.stderr[-1500:])
    return ended


def run_command(
    *arguments: str | Path,
    timeout_s: float = 120,
    memory_bytes: int | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Ended:
    """Run the command ``fairmot_dla34`` as `run_python` runs Python."""
    command = ("-m", "fairmot_dla34", *arguments)
    return run_python(*command, timeout_s=timeout_s, memory_bytes=memory_bytes, cwd=cwd, env=env)


def expect_one_line_error(ended: Ended, *words: str, code: int = 1) -> None:
    """Assert that a command ended with one line on stderr that contains ``words``, and with an exit code."""
    lines = [line for line in ended.stderr.splitlines() if line.startswith("fairmot_dla34")]
    assert ended.code == code, f"exit code {ended.code}, expected {code}: {ended.stderr[-1500:]}"
    assert len(lines) == 1, ended.stderr[-1500:]
    assert len(lines[0]) <= 320
    assert lines[0].isprintable(), lines[0]
    for word in words:
        assert word in lines[0], f"{word!r} is not in {lines[0]!r}"


def _wait(process: subprocess.Popen[bytes], deadline_s: float) -> tuple[int, int]:
    """Wait for a process; return its exit code and its largest resident memory in bytes."""
    peak_bytes = 0
    while time.monotonic() < deadline_s:
        peak_bytes = _peak_bytes(process.pid) or peak_bytes
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, peak_bytes or usage.ru_maxrss * 1024
        time.sleep(0.02)
    raise HangError(f"{process.args!r} still runs")


def _peak_bytes(pid: int) -> int:
    """Return the largest resident memory of a running process so far; 0 if the system does not show it.

    The figure of `os.wait4` includes the memory that the process shared with its parent before it started its program.
    """
    try:
        found = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="backslashreplace")
