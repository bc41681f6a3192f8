"""Retry policy and ceilings of a download: size, total time and lowest rate."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ...errors import DownloadError

DEFAULT_MAX_BYTES = 1_000_000_000  # of a file whose length the registry does not state


class TransientError(Exception):
    """A failed transfer that another attempt may complete.

    Attributes:
        retry_after_s: Seconds that the server asks to wait before the next attempt, or None.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class RetryPolicy:
    """Timeouts and attempts of a download.

    Attributes:
        attempts: Number of transfers before the download fails; each one resumes the last.
        connect_timeout_s: Longest wait for a connection, in seconds.
        read_timeout_s: Longest wait for the next bytes, in seconds.
        backoff_s: Pause between the first two attempts, in seconds; doubled after each further attempt.
        slowest_bytes_per_s: Lowest rate over ``read_timeout_s``; a slower transfer is ended and resumed.
        longest_retry_after_s: Longest pause that a server may ask for with Retry-After; a longer one is an error.
        total_s: Longest time of all attempts together, in seconds.
    """

    attempts: int = 5
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 30.0
    backoff_s: float = 1.0
    slowest_bytes_per_s: float = 1024.0
    longest_retry_after_s: float = 120.0
    total_s: float = 3600.0


class DownloadLimits:
    """Ceilings of one download, over all its attempts.

    Args:
        max_bytes: Length that the file may have.
        total_s: Seconds from now until the download must have ended.
    """

    def __init__(self, max_bytes: int, total_s: float) -> None:
        self._max_bytes = max_bytes
        self._total_s = total_s
        self._end_s = time.monotonic() + total_s

    @property
    def seconds_left(self) -> float:
        """Seconds until the download must have ended."""
        return max(0.0, self._end_s - time.monotonic())

    def check_bytes(self, count: int, url: str) -> None:
        """Check the number of bytes announced or received.

        Raises:
            DownloadError: They are more than the file may have.
        """
        if count > self._max_bytes:
            raise DownloadError(
                f"{url} sends at least {count} bytes; expected at most {self._max_bytes}. Check the URL and "
                "$FAIRMOT_DLA34_MIRROR, or download the file yourself and pass its path."
            )

    def check_time(self, url: str) -> None:
        """Check the time since the download started.

        Raises:
            DownloadError: It is over. The bytes received are kept.
        """
        if not self.seconds_left:
            raise DownloadError(
                f"{url} was not downloaded in {self._total_s:g} s; the next try resumes. Set $FAIRMOT_DLA34_MIRROR to "
                "a nearer server, or download the file yourself and pass its path."
            )


class RateCheck:
    """Lowest rate of a transfer, measured over windows of time.

    Args:
        slowest_bytes_per_s: Rate below which the transfer is ended.
        window_s: Length of a window in seconds.
    """

    def __init__(self, slowest_bytes_per_s: float, window_s: float) -> None:
        self._slowest, self._window_s = slowest_bytes_per_s, window_s
        self._start_s = time.monotonic()
        self._bytes = 0

    def add(self, count: int, now_s: float) -> None:
        """Count bytes received at a time of `time.monotonic`.

        Raises:
            TransientError: Too few bytes arrived in the window that ends now.
        """
        self._bytes += count
        seconds = now_s - self._start_s
        if seconds < self._window_s:
            return
        if self._bytes < self._slowest * seconds:
            raise TransientError(f"only {self._bytes} bytes arrived in {seconds:.0f} s")
        self._start_s, self._bytes = now_s, 0
