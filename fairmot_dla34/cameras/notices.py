"""Reports faults of a camera to the log: each change once, and no more often than a log of months can hold."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..messages import counted
from .faults import Remedy
from .status import State

if TYPE_CHECKING:
    from .faults import Fault
    from .lifecycle import Lifecycle

logger = logging.getLogger(__name__)

_QUIET_S = 600.0  # at most one warning of a camera in this time; refused access and the end are always reported


class Notices:
    """Messages about one camera: one when it is lost, one when it runs again, and one at its end."""

    def __init__(self, name: str) -> None:
        """Start with a new camera.

        Args:
            name: Name of the camera.
        """
        self._name = name
        self._state = State.NEW
        self._fault: Fault | None = None
        self._connections = 0
        self._lost_s: float | None = None  # start of the current outage
        self._reported_s: float | None = None  # time of the latest warning
        self._is_reported = False  # whether the current outage is in the log
        self._access_reported = False
        self._unreported = 0  # outages since the latest warning

    def update(self, life: Lifecycle, now_s: float) -> bool:
        """Log what changed since the last call, and return whether the state changed.

        Args:
            life: State machine of the camera.
            now_s: Current time.
        """
        if life.connections != self._connections:
            self._connections = life.connections
            self._running(life, now_s)
        if life.last_fault is not self._fault:
            self._fault = life.last_fault
            if self._fault is not None and life.state is not State.ENDED:
                self._lost(self._fault, life, now_s)
        if life.state is self._state:
            return False
        self._state = life.state
        if life.state is State.ENDED:
            self._ended()
        return True

    def _running(self, life: Lifecycle, now_s: float) -> None:
        if self._lost_s is not None and self._is_reported:
            logger.info("Camera %s runs again after %.1f s.", self._name, now_s - self._lost_s)
        elif life.connections == 1:
            logger.info("Camera %s runs.", self._name)
        self._lost_s, self._is_reported, self._access_reported = None, False, False

    def _lost(self, fault: Fault, life: Lifecycle, now_s: float) -> None:
        starts = self._lost_s is None
        if starts:
            self._lost_s = now_s
        if fault.remedy is Remedy.RETRY_SLOWLY:
            if not self._access_reported:
                self._access_reported = self._is_reported = True
                logger.warning("Camera %s: %s It is tried again every 5 minutes.", self._name, fault.reason)
            return
        if not starts:
            logger.debug("Camera %s, attempt %d: %s", self._name, life.attempts, fault.reason)
        elif self._reported_s is not None and now_s - self._reported_s < _QUIET_S:
            self._unreported += 1
        else:
            what = "is lost and is connected again" if life.connections else "does not run yet and is tried again"
            more = f" {counted(self._unreported, 'earlier fault')} only counted." if self._unreported else ""
            logger.warning("Camera %s %s: %s.%s", self._name, what, fault.reason.rstrip("."), more)
            self._reported_s, self._unreported, self._is_reported = now_s, 0, True

    def _ended(self) -> None:
        if self._fault is not None and self._fault.remedy is Remedy.END and self._fault.reason:
            logger.warning("Camera %s has ended: %s.", self._name, self._fault.reason.rstrip("."))
        else:
            logger.info("Camera %s has ended.", self._name)
