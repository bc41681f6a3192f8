"""Runs a blocking call in a daemon thread, so that Ctrl-C takes effect while a library waits for a device or server."""

from __future__ import annotations

import atexit
import contextlib
import sys
import threading
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")
_POLL_S = 0.2  # Windows does not interrupt a wait without a time limit
_EXIT_PAUSE_S = 0.25  # FFmpeg calls PyAV back every 0.1 s while it waits
_FFMPEG_THREADS = frozenset({"fairmot_dla34 opener", "fairmot_dla34 reader", "fairmot_dla34 camera"})


class _ExitPause:
    """Gives threads that wait inside FFmpeg the time to end while the interpreter is finalized.

    PyAV's callback takes Python's global lock. Python ends a daemon thread that asks for it during finalization; a
    thread that asks for it later, when the interpreter is gone, crashes the process (PyAV 18, one exit in twenty).
    `__del__` of a global runs in between.
    """

    needed = False

    def __del__(self, sleep: Callable[[float], None] = time.sleep, pause_s: float = _EXIT_PAUSE_S) -> None:
        if self.needed:
            sleep(pause_s)


_exit_pause = _ExitPause()
# A module that is alive is cleared during finalization; a namespace that only the threads left refer to is not.
_this_module = sys.modules[__name__]


@atexit.register
def _find_threads_left() -> None:
    """Note whether threads are left, just before the interpreter is finalized."""
    _exit_pause.needed = any(thread.name in _FFMPEG_THREADS for thread in threading.enumerate())


def run_in_background(
    action: Callable[[], _T], *, discard: Callable[[_T], object], name: str, timeout_s: float | None = None
) -> _T:
    """Return the result of a call that runs in a daemon thread.

    If the wait is interrupted or takes too long, the thread is left behind: the call cannot be stopped from outside. A
    result that it returns later is discarded.

    Args:
        action: Call that may block.
        discard: Function that closes a result nobody waits for any more.
        name: Thread name, shown in tracebacks.
        timeout_s: Longest wait in seconds; None: until the call returns.

    Raises:
        TimeoutError: The call took longer than ``timeout_s``.
        BaseException: The error of the call, or the interruption of the wait.
    """
    ready: SimpleQueue[tuple[list[_T], BaseException | None]] = SimpleQueue()
    abandoned = threading.Event()

    def discard_result() -> None:
        with contextlib.suppress(Empty):
            for result in ready.get_nowait()[0]:
                discard(result)

    def run() -> None:
        try:
            outcome: tuple[list[_T], BaseException | None] = ([action()], None)
        except BaseException as error:  # noqa: BLE001 (raised again in the waiting thread)
            outcome = ([], error)
        ready.put(outcome)
        if abandoned.is_set():
            discard_result()

    deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
    try:
        _start(threading.Thread(target=run, name=name, daemon=True))
        results, error = _wait(ready, deadline_s)
    except BaseException:
        abandoned.set()
        discard_result()  # returned just before the interruption
        raise
    if error is not None:
        try:
            raise error
        finally:
            del error  # the error's traceback holds this frame: a reference cycle
    return results[0]


def _start(thread: threading.Thread) -> None:
    """Start a thread; a Ctrl-C while it starts is raised as such.

    Python's threading may replace it by its own "release unlocked lock", if it strikes while a lock is restored.
    """
    try:
        thread.start()
    except RuntimeError as error:
        cause = error.__context__
        while cause is not None and not isinstance(cause, KeyboardInterrupt):
            cause = cause.__context__
        if cause is not None:
            raise cause from None
        raise


def _wait(ready: SimpleQueue[_T], deadline_s: float | None) -> _T:
    while True:
        with contextlib.suppress(Empty):
            return ready.get(timeout=_POLL_S)
        if deadline_s is not None and time.monotonic() >= deadline_s:
            raise TimeoutError
