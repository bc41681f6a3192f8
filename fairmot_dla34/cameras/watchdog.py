"""Finds connections that hang, by the time of their last frame, and bounds the threads that are left behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

MAX_THREADS_LEFT = 3  # of one camera; each keeps a decoder and its memory


@dataclass(frozen=True)
class Limits:
    """Longest waits for a camera, in seconds.

    Attributes:
        connect_s: For each of FFmpeg's two steps to connect.
        packet_s: For the next packet of a URL.
        open_s: For a source to open, with the search for the host's name.
        first_frame_s: For the first intact frame of an open source. Cameras with smart codecs send a key frame every 10
            to 20 s only.
        frame_s: For the next intact frame.
    """

    connect_s: float = 10.0
    packet_s: float = 5.0
    open_s: float = 35.0
    first_frame_s: float = 30.0
    frame_s: float = 15.0


class Watchdog:
    """Time by which a connection must show that it works; neither threads nor a clock of its own.

    Attributes:
        paused: Whether the consumer of a frame works, so that no further one can arrive.
    """

    def __init__(self, limits: Limits) -> None:
        """Watch nothing yet.

        Args:
            limits: Longest waits.
        """
        self._limits = limits
        self._since_s = 0.0
        self._limit_s = 0.0
        self._waits_for = ""
        self.paused = False

    def connecting(self, now_s: float) -> None:
        """Note that a source is being opened."""
        self._expect("the source does not open", now_s, self._limits.open_s)

    def opened(self, now_s: float) -> None:
        """Note that a source was opened."""
        self._expect("no frame arrived", now_s, self._limits.first_frame_s)

    def frame(self, now_s: float) -> None:
        """Note that a frame arrived, or that the consumer of one is ready for the next."""
        self._expect("no frame arrived", now_s, self._limits.frame_s)

    def pause(self) -> None:
        """Note that the consumer of a frame works: until the next call, no frame can arrive."""
        self.paused = True

    @property
    def due_s(self) -> float | None:
        """Time at which the connection hangs, unless it shows something before; None: it cannot hang now."""
        return None if self.paused else self._since_s + self._limit_s

    def hang(self, now_s: float) -> str:
        """Return the reason why a connection counts as hanging, or an empty text."""
        if self.due_s is None or now_s < self.due_s:
            return ""
        return f"{self._waits_for} for {self._limit_s:g} s"

    def _expect(self, waits_for: str, now_s: float, limit_s: float) -> None:
        self._waits_for, self._since_s, self._limit_s, self.paused = waits_for, now_s, limit_s, False


class _Left(Protocol):
    @property
    def is_alive(self) -> bool: ...


class ThreadsLeft:
    """Connections whose threads were left behind, because nothing can end a call inside a library from outside."""

    def __init__(self) -> None:
        """Start with none."""
        self._left: list[_Left] = []

    def __len__(self) -> int:
        self._left = [connection for connection in self._left if connection.is_alive]
        return len(self._left)

    def add(self, connection: _Left) -> None:
        """Count a connection until its thread ends.

        Args:
            connection: Connection that was abandoned.
        """
        self._left.append(connection)

    @property
    def refusal(self) -> str:
        """Reason why no further connection may be tried now, or an empty text."""
        if len(self) < MAX_THREADS_LEFT:
            return ""
        return f"{MAX_THREADS_LEFT} connections hang inside the decoder or driver; no other is tried until one ends"
