"""Times at which outputs are tried again after an error, with one message at its start and one at its end."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .clock import CameraClock

logger = logging.getLogger(__name__)

_FIRST_S, _LONGEST_S = 60.0, 600.0
_STABLE_S = 10.0  # a full disk takes a few bytes more before it is full again


class Outage:
    """State of the outputs of one camera: written, or to be tried again at a time.

    Args:
        camera_name: Name of the camera, for messages.
        clock: Clock for the pauses: a minute at first, then twice the last one, at most ten minutes.

    Attributes:
        reason: The latest failure; empty if outputs are written.
    """

    def __init__(self, camera_name: str, clock: CameraClock) -> None:
        self._camera_name, self._clock = camera_name, clock
        self.reason = ""
        self._pause_s = _FIRST_S
        self._retry_s: float | None = None
        self._written_since_s: float | None = None
        self._left_out = 0

    @property
    def is_due(self) -> bool:
        """True if outputs that failed are to be tried again now."""
        return self._retry_s is not None and self._clock.monotonic() >= self._retry_s

    @property
    def is_active(self) -> bool:
        """True from the first failure until outputs were written for ten seconds."""
        return self._retry_s is not None

    def failed(self, error: Exception) -> None:
        """Take note of a failure, and log the first one."""
        self.reason = str(error)
        if self._retry_s is None:
            logger.error(
                "Camera %s: %s Tracking goes on, and writing is tried again every few minutes.",
                self._camera_name,
                error,
            )
        else:
            logger.debug("Camera %s: %s", self._camera_name, error)
            self._pause_s = min(2 * self._pause_s, _LONGEST_S)
        self._retry_s = self._clock.monotonic() + self._pause_s
        self._written_since_s = None

    def left_out(self) -> None:
        """Count a result that is not written."""
        self._left_out += 1

    def written(self, *, complete: bool = False) -> None:
        """Take note of a result that every output has.

        Args:
            complete: Whether the part was also completed without an error.
        """
        if self._retry_s is None:
            return
        now_s = self._clock.monotonic()
        if self._written_since_s is None:
            self._written_since_s = now_s
        if complete or now_s - self._written_since_s >= _STABLE_S:
            logger.warning(
                "Camera %s: outputs are written again; %d results were left out.", self._camera_name, self._left_out
            )
            self.reason, self._retry_s, self._pause_s, self._left_out = "", None, _FIRST_S, 0
