"""Signals of a command: Ctrl-C, SIGTERM and SIGHUP raise `StopRequest` in the main thread; others can be ignored."""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import sys
import threading
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType, TracebackType
    from typing import Any

# A repetition within this time is the same request: `timeout` signals its child, then the whole process group.
REPEAT_S = 1.0
# Longest wait for a C function that signals do not interrupt, such as the compilation of a network or a name lookup.
UNINTERRUPTED_S = 4.0
DEFERRED_S = 60.0  # the same within `StopDeferred`: a training step on a CPU takes up to half a minute
_DISCARDED_S = 0.05  # pause before a request that Python discarded is repeated

_STOP_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class StopRequest(KeyboardInterrupt):
    """A signal asked the command to end.

    Args:
        number: Number of the signal.
        repeated: An earlier signal asked for it already, and the clean-up that it started is to end.

    Attributes:
        outcome: What became of the results, for the message to the user; whoever saves them sets it.
    """

    outcome = "everything written so far is closed and valid"

    def __init__(self, number: int, *, repeated: bool = False) -> None:
        super().__init__(f"signal {number}")
        self.number = number
        self.repeated = repeated


def restore_handler(number: int) -> None:
    """Restore the program's handler of a signal after a library in C has replaced it, as Paddle does for SIGTERM.

    Outside the main thread do nothing: Python sets handlers there only.
    """
    handler = signal.getsignal(number)
    if handler is not None and threading.current_thread() is threading.main_thread():
        signal.signal(number, handler)


@contextlib.contextmanager
def signal_ignored(name: str) -> Iterator[None]:
    """Ignore a signal that would end the process, until a handler is set in the context and again after that.

    Outside the main thread, and on a system that does not have the signal, there is no effect.

    Args:
        name: Name of the signal, such as ``SIGUSR1``.
    """
    number = getattr(signal, name, None)
    if number is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(number, signal.SIG_DFL if previous is None else previous)


class StopDeferred:
    """A context manager that is not interrupted: a stop signal of `StopSignals` raises at its end.

    A second signal, a second later or more, raises at once. Without `StopSignals`, or outside the main thread, the
    context has no effect.
    """

    # Of the process, as signal handlers are: the number of contexts the main thread is in, and the signal that waits.
    _depth = _waiting = 0

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            StopDeferred._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if threading.current_thread() is threading.main_thread():
            StopDeferred._depth -= 1
            if StopDeferred._waiting and not StopDeferred._depth:
                number, StopDeferred._waiting = StopDeferred._waiting, 0
                raise StopRequest(number)

    @classmethod
    def hold(cls, number: int) -> bool:
        """Keep a signal for the end of the context; return False outside one, or if another signal waits already."""
        if not cls._depth or cls._waiting:
            cls._waiting = 0
            return False
        cls._waiting = number
        return True

    @classmethod
    def is_active(cls) -> bool:
        """Return whether the main thread is in a context."""
        return cls._depth > 0

    @classmethod
    def reset(cls) -> None:
        """Leave all contexts, as when a command starts."""
        cls._depth = cls._waiting = 0


class StopSignals:
    """Makes stop signals raise `StopRequest` in the main thread, from `start` to `stop`.

    Signals that the process ignores, such as SIGHUP under ``nohup``, stay ignored. A repetition within a second is
    ignored; a later one raises again, which ends the clean-up in progress. If the first one arrives in a C function
    that does not return, ``exit_now`` is called from another thread after four seconds, or after a minute within
    `StopDeferred`.

    Args:
        exit_now: Function that ends the process, called with the number of the signal.

    Attributes:
        received: Number of the first signal received; 0 before one.
        exit_code: Exit code of an error that is reported already, which a later signal does not change; otherwise None.
    """

    def __init__(self, exit_now: Callable[[int], None]) -> None:
        self.received = 0
        self.exit_code: int | None = None
        self._exit_now = exit_now
        self._raised_s = -REPEAT_S
        self._is_handled = False
        self._handled: SimpleQueue[None] = SimpleQueue()  # no Event: a handler may interrupt a handler
        self._previous: dict[int, Any] = {}
        self._previous_hook = sys.unraisablehook
        self._previous_wakeup = -1
        self._pipe: tuple[int, int] | None = None

    def start(self) -> None:
        """Install the handlers; outside the main thread do nothing."""
        if threading.current_thread() is not threading.main_thread():
            return
        StopDeferred.reset()
        self._previous_hook = sys.unraisablehook
        sys.unraisablehook = self._raise_again
        for number in _STOP_SIGNALS:
            handler = signal.getsignal(number)
            if handler not in {signal.SIG_IGN, None}:  # None: set by C code, and cannot be restored
                self._previous[number] = handler
                signal.signal(number, self._handle)
        with contextlib.suppress(OSError, RuntimeError, ValueError):  # the process may open no file or thread
            self._start_watch()

    def stop(self) -> None:
        """Restore the earlier handlers; safe to call twice and after a `start` that was interrupted."""
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            signal.set_wakeup_fd(self._previous_wakeup)
            os.close(pipe[1])  # ends the thread, which closes the other end
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous.clear()
        sys.unraisablehook = self._previous_hook

    def _handle(self, number: int, _: FrameType | None) -> None:
        self._is_handled = True
        self._handled.put(None)
        repeated, self.received = self.received != 0, self.received or number
        now_s = time.monotonic()
        if now_s - self._raised_s >= REPEAT_S:
            self._raised_s = now_s
            if not StopDeferred.hold(number):
                raise StopRequest(number, repeated=repeated)

    def _raise_again(self, unraisable: sys.UnraisableHookArgs) -> None:
        """Repeat a request that was raised in a finaliser or a callback, where Python discards exceptions."""
        if isinstance(unraisable.exc_value, StopRequest):
            number = unraisable.exc_value.number
            repeat = threading.Timer(_DISCARDED_S, self._send_again, (number,))  # not in this hook, which discards too
            repeat.daemon = True
            repeat.start()
        else:
            self._previous_hook(unraisable)

    def _send_again(self, number: int) -> None:
        if number in self._previous:  # not at the end of the command
            self._raised_s = -REPEAT_S
            _thread.interrupt_main(signal.Signals(number))

    def _start_watch(self) -> None:
        reading, writing = self._pipe = os.pipe()
        os.set_blocking(writing, False)
        self._previous_wakeup = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, args=(reading,), name="fairmot_dla34 signals", daemon=True).start()

    def _watch(self, reading: int) -> None:
        """End the process if the main thread does not handle the first signal in time."""
        with open(reading, "rb", buffering=0) as numbers:
            while number := numbers.read(1):
                if number[0] in self._previous and not self._is_handled_in_time():
                    self._exit_now(number[0])

    def _is_handled_in_time(self) -> bool:
        """Wait for the main thread to handle a signal; return whether it does."""
        if self._waits_for_handler(UNINTERRUPTED_S):
            return True
        return StopDeferred.is_active() and self._waits_for_handler(DEFERRED_S - UNINTERRUPTED_S)

    def _waits_for_handler(self, longest_s: float) -> bool:
        if not self._is_handled:
            with contextlib.suppress(Empty):
                self._handled.get(timeout=longest_s)
        return self._is_handled
