"""Functions that tests run on a Ray cluster; workers import them by name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from fairmot_dla34.errors import InvalidInputError

TEST_PATHS = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])


def square(number: int) -> int:
    return number * number


def threads_of(number: int) -> str | None:
    return os.environ.get("OMP_NUM_THREADS")


def fail_at_two(number: int) -> int:
    if number == 2:
        raise InvalidInputError("number is 2; expected another one.")
    return number


class Unpicklable(Exception):  # noqa: N818
    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} and {second}")


def fail_strangely(number: int) -> int:
    raise Unpicklable(number, 1)


def die_once(item: tuple[int, str]) -> int:
    """Kill the worker process the first time that an item is run."""
    number, folder = item
    mark = Path(folder) / f"{number}"
    if number == 1 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die_always(number: int) -> int:
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def slow(item: tuple[int, str]) -> int:
    """Write a file when it starts, and one when it ends or is interrupted; take 2 seconds."""
    number, folder = item
    (Path(folder) / f"{number}.started").write_text(str(os.getpid()))
    for _ in range(20):
        time.sleep(0.1)
    (Path(folder) / f"{number}.done").touch()
    return number


def endless(item: tuple[int, str]) -> int:
    number, folder = item
    (Path(folder) / f"{number}.started").write_text(str(os.getpid()))
    while True:
        time.sleep(0.1)


def endless_after_first(item: tuple[int, str]) -> int:
    """Return for item 0; for others run until an interruption, and write a file then."""
    number, folder = item
    if number == 0:
        return number
    try:
        return endless(item)
    finally:
        (Path(folder) / f"{number}.interrupted").touch()
