"""Functions that worker processes run in tests of engines, and an engine that runs items in this process."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from fairmot_dla34.errors import SourceError
from fairmot_dla34.files import replaced_file


def squared(number: int) -> int:
    """Return the square; 13 is an error of the package, and 14 one of Python."""
    if number == 13:
        raise SourceError("13 cannot be read.")
    if number == 14:
        raise ZeroDivisionError("14")
    return number * number


def killed_until(item: tuple[Path, int]) -> int:
    """Count the calls in a file and kill this process until there were more than a number; return the calls."""
    path, most = item
    with path.open("a") as file:
        file.write("x")
    calls = len(path.read_text())
    if calls <= most:
        os.kill(os.getpid(), signal.SIGKILL)
    return calls


def killed_by_sigterm(_: int) -> None:
    """Send SIGTERM to this process, and go on."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(3600)


def process_of(seconds: float) -> int:
    """Wait, and return the id of this process."""
    time.sleep(seconds)
    return os.getpid()


def awaited(item: tuple[Path, float]) -> int:
    """Write the id of this process to a file, and wait."""
    path, seconds = item
    path.write_text(f"{os.getpid()}")
    return process_of(seconds)


def written_for_ever(item: tuple[Path, bool]) -> None:
    """Write a file and never complete it, or wait until another process does that."""
    path, writes = item
    if not writes:
        while not list(path.parent.glob("*.tmp")):
            time.sleep(0.01)
        return
    with replaced_file(path):
        time.sleep(3600)


def unpicklable(_: int) -> Any:
    """Return what no other process can read."""
    return lambda: None


def odd_error(_: int) -> None:
    """Raise an exception that cannot be pickled."""

    class LocalError(Exception):
        pass

    raise LocalError("odd")


def is_running(process: int) -> bool:
    """Return whether a process runs: it exists and is no zombie."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


class SerialEngine:
    """Runs items in this process, in order.

    Args:
        stop_before: Index of the item before which a Ctrl-C arrives; None: never.
    """

    def __init__(self, stop_before: int | None = None) -> None:
        self.workers = self.threads = 1
        self.ran: list[Any] = []
        self._stop_before = stop_before

    def check(self) -> None:
        """Do nothing."""

    def run(
        self, function: Callable[[Any], Any], items: Sequence[Any], *, on_start: Callable[[int], None] | None = None
    ) -> Iterator[tuple[int, Any | BaseException]]:
        for index, item in enumerate(items):
            if on_start is not None:
                on_start(index)
                if index == self._stop_before:
                    raise KeyboardInterrupt
                self.ran.append(item)
            try:
                value = function(item)
            except Exception as error:  # noqa: BLE001 (the contract of engines)
                yield index, error
            else:
                yield index, value

    def close(self) -> None:
        """Do nothing."""
