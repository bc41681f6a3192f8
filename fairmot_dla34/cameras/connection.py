"""One attempt to connect to a camera: opens its source and reads it in a thread."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Protocol

from .faults import Fault, fault_of_end, fault_of_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..values import Frame
    from ..video import Source

_THREAD_NAME = "fairmot_dla34 camera"  # one of those that an exit of the interpreter waits for


class Listener(Protocol):
    """Receiver of what a connection does; called in its thread."""

    def opened(self, connection: Connection) -> None:
        """Note that the source is open."""

    def frame(self, connection: Connection, frame: Frame, source: Source) -> None:
        """Take a frame."""

    def finished(self, connection: Connection, fault: Fault) -> None:
        """Note the end; called once."""


class Connection:
    """An attempt to connect, with a daemon thread of its own.

    Attributes:
        number: Number of the attempt.
        abandoned: Set when nobody waits for this connection any more; it then ends as soon as the library returns.
        corrupt: Damaged frames so far.
    """

    def __init__(self, number: int, open_source: Callable[[], Source], listener: Listener) -> None:
        """Prepare the attempt.

        Args:
            number: Number of the attempt.
            open_source: Function that opens the source.
            listener: Receiver of frames and of the end.
        """
        self.number = number
        self.abandoned = threading.Event()
        self.corrupt = 0
        self._open, self._listener = open_source, listener
        self._source: Source | None = None
        self._finished = False
        self._thread = threading.Thread(target=self._run, name=_THREAD_NAME, daemon=True)

    def start(self) -> None:
        """Start the thread.

        Raises:
            RuntimeError: The system has no thread left.
        """
        self._thread.start()

    def abandon(self) -> None:
        """Leave the thread behind; the source is closed as soon as the library that holds it returns."""
        self.abandoned.set()
        source = self._source
        if source is not None:
            source.stop()

    def join(self, timeout_s: float) -> None:
        """Wait for the end of the thread, unless it is the current one."""
        if self._thread is not threading.current_thread() and self._thread.ident is not None:
            self._thread.join(timeout_s)

    @property
    def is_alive(self) -> bool:
        """True while the thread reads or hangs."""
        return not self._finished and self._thread.is_alive()

    def _run(self) -> None:
        try:
            fault = self._read()
        except Exception as error:  # noqa: BLE001 (also errors of other libraries and of sources from outside)
            fault = fault_of_error(error)
        self._source = None  # its decoder: the reader keeps its latest connection
        self._finished = True
        self._listener.finished(self, fault)

    def _read(self) -> Fault:
        source = self._open()
        with source:
            self._source = source
            source.log_level = logging.DEBUG  # the reader reports the end, and counts damage
            if self.abandoned.is_set():
                return Fault("")
            self._listener.opened(self)
            for frame in source:
                self.corrupt = source.frames_skipped
                self._listener.frame(self, frame, source)
                del frame  # an image, while this thread waits for the next
                if self.abandoned.is_set():
                    return Fault("")
            self.corrupt = source.frames_skipped
            return fault_of_end(source)
