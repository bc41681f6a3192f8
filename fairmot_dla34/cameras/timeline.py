"""Index and time of a camera's frames, continued over its connections."""

from __future__ import annotations

import math

from ..values import Frame

_JUMP_S = 5.0  # stamps of a live stream that advance this much more than the arrivals have jumped
_SHORTEST_STEP_S = 0.001
_HELD_S = (1.0, 10.0)  # a frame was held back by at least the first; more than the second is a clock that runs slow


class Timeline:
    """Places the frames of all connections of a camera on one time axis; both index and time always increase.

    Within a connection, the steps are those of the source. The first frame of the next connection has the next index,
    and the time of the last frame plus the seconds between both arrivals. No frames are invented for the gap.
    """

    def __init__(self) -> None:
        """Start before the first frame."""
        self._connection: int | None = None
        self._source_index, self._source_s = 0, 0.0
        self._index, self._time_s, self._received_s = -1, 0.0, 0.0
        self._held_s = 0.0  # by which the latest frame arrived later than its time stamp and earlier frames show

    def place(self, frame: Frame, *, connection: int, received_s: float, is_live: bool) -> Frame:
        """Return a frame with its index and time on the axis.

        Args:
            frame: Frame with the index and time of its source.
            connection: Number of the connection that it came from.
            received_s: Arrival on the monotonic clock.
            is_live: Whether frames arrive in real time, so that arrivals show wrong jumps of the time stamps.
        """
        arrival_step_s = max(_SHORTEST_STEP_S, received_s - self._received_s)
        held_s = 0.0
        if self._connection is None:
            index, time_s = int(frame.index), float(frame.time_s)
        elif connection != self._connection:
            # FFmpeg returns the last frame before a silence only when it gives up waiting: not a part of the gap.
            arrived_late_s = self._held_s if self._held_s > _HELD_S[0] else 0.0
            index, time_s = self._index + 1, self._time_s + arrival_step_s + arrived_late_s
        else:
            step_s = frame.time_s - self._source_s
            if step_s <= 0 or (is_live and step_s > arrival_step_s + _JUMP_S):
                step_s = arrival_step_s
            if is_live:
                held_s = min(max(0.0, self._held_s + arrival_step_s - step_s), _HELD_S[1])
            index, time_s = self._index + max(1, int(frame.index) - self._source_index), self._time_s + step_s
        if self._index >= 0:
            time_s = max(time_s, math.nextafter(self._time_s, math.inf))  # a step may be too short for a float
        self._connection, self._received_s, self._held_s = connection, received_s, held_s
        self._source_index, self._source_s = int(frame.index), float(frame.time_s)
        self._index, self._time_s = index, time_s
        return Frame(index, time_s, frame.image)
