"""Deletes the oldest parts of one camera once they exceed an age or all parts exceed a size."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from .part_files import ForeignFileError, delete_files

if TYPE_CHECKING:
    from .clock import CameraClock
    from .keep import Keep
    from .part_records import PartRecord, PartRecords

logger = logging.getLogger(__name__)

_CLOCK_STEP_S = 60.0
_DOUBT_S = 3600.0  # a clock that is wrong for a moment is set right within this time


class Retention:
    """The parts of one camera that are complete, and the deletion of those beyond the limits.

    The order of the parts is that in which they were written, whatever the clock showed. If the clock is set forward by
    more than a minute, nothing is deleted by age for an hour (or for the age that is kept, if it is shorter).

    Args:
        records: Records of the camera.
        keep: Limits.
        clock: Clock for the age.
    """

    def __init__(self, records: PartRecords, keep: Keep, clock: CameraClock) -> None:
        self._records, self._keep, self._clock = records, keep, clock
        self._parts = deque(records.read_all())
        self._bytes = sum(part.bytes for part in self._parts)
        self._last = clock.monotonic(), clock.now().timestamp()
        self._doubted_until_s = self._last[0]
        self._has_failed = self._has_warned_of_size = False

    @property
    def bytes(self) -> int:
        """Size of the complete parts that are kept."""
        return self._bytes

    def add(self, part: PartRecord) -> None:
        """Add a part that is complete."""
        self._parts.append(part)
        self._bytes += part.bytes

    def sweep(self, open_bytes: int = 0) -> None:
        """Delete the parts beyond the limits; an error is logged once, and the deletion tried again in the next call.

        Args:
            open_bytes: Size of the part that is being written, which is never deleted.
        """
        for part in self._too_old():
            if not self._delete(part, "its age"):
                return
        limit = self._keep.bytes
        if limit is None:
            return
        while self._parts and self._bytes + open_bytes > limit:
            if not self._delete(self._parts[0], "the total size"):
                return
        if open_bytes > limit and not self._has_warned_of_size:
            self._has_warned_of_size = True
            logger.warning(
                "The part in %s that is being written has %d bytes, and keep is %d: it is kept until the next part"
                " begins. Choose a shorter segment, or keep more.",
                self._records.output_dir,
                open_bytes,
                limit,
            )

    def _too_old(self) -> list[PartRecord]:
        """Return the parts that are older than the limit, the oldest first."""
        age_s = self._keep.age_s
        now_s = self._trusted_now_s()
        if age_s is None or now_s is None:
            return []
        ends_s, latest_s = [], now_s
        for part in reversed(self._parts):  # a part is not younger than the ones after it
            latest_s = min(latest_s, part.started_s if part.ended_s is None else part.ended_s)
            ends_s.append(latest_s)
        count = sum(now_s - end_s > age_s for end_s in ends_s)
        return list(self._parts)[:count]

    def _trusted_now_s(self) -> float | None:
        """Return the wall time, Unix time in seconds; None while it is doubted because it was set forward."""
        monotonic_s, now_s = self._clock.monotonic(), self._clock.now().timestamp()
        step_s = (now_s - self._last[1]) - (monotonic_s - self._last[0])
        self._last = monotonic_s, now_s
        if step_s > _CLOCK_STEP_S:
            doubt_s = min(_DOUBT_S, self._keep.age_s or _DOUBT_S)
            self._doubted_until_s = monotonic_s + doubt_s
            logger.warning(
                "The clock was set forward by %.0f s; no part is deleted by age for %.0f s.", step_s, doubt_s
            )
        return None if monotonic_s < self._doubted_until_s else now_s

    def _delete(self, part: PartRecord, reason: str) -> bool:
        """Delete the oldest part; return whether to go on."""
        try:
            delete_files(self._records.output_dir, part.files)
            self._records.forget(part)
        except ForeignFileError as error:
            logger.warning("Part %s is kept, and has to be deleted by hand: %s.", part.name, error)
        except OSError as error:
            level = logging.DEBUG if self._has_failed else logging.WARNING
            self._has_failed = True
            logger.log(level, "Part %s cannot be deleted (%s); it is tried again every minute.", part.name, error)
            return False
        else:
            self._has_failed = False
            logger.debug("Part %s was deleted because of %s.", part.name, reason)
        self._parts.popleft()
        self._bytes -= part.bytes
        return True
