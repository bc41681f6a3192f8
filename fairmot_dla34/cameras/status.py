"""States of a camera, and the values that status lines and metrics show of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(str, Enum):
    """State of a camera.

    `CONNECTING` lasts until the first frame arrives. `WAITING` is the pause before the next attempt. `ENDED` is final:
    the camera was closed, its file is finished, or it was given up.
    """

    NEW = "new"
    CONNECTING = "connecting"
    RUNNING = "running"
    WAITING = "waiting"
    ENDED = "ended"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class CameraStatus:
    """State of one camera at one moment.

    Attributes:
        name: Name of the camera.
        state: State of its connection.
        source: Source without user, password, query and fragment.
        frames: Frames received so far.
        dropped: Frames that a newer one replaced before the network was free, or that exceeded ``max_fps``.
        corrupt: Damaged frames that were skipped.
        lag_s: Seconds from the arrival of the latest tracked frame to its result; None before the first.
        reconnects: Connections that delivered frames, without the first of them.
        people: Tracks in the latest result; None before the first.
        last_error: Reason of the latest fault, without secrets; empty if there was none.
        last_frame_age_s: Seconds since the latest frame arrived; None before the first.
        retry_in_s: Seconds until the next attempt in state `WAITING`; otherwise None.
        threads_left: Threads left behind because a decoder or driver hangs in them.
    """

    name: str
    state: State
    source: str = ""
    frames: int = 0
    dropped: int = 0
    corrupt: int = 0
    lag_s: float | None = None
    reconnects: int = 0
    people: int | None = None
    last_error: str = ""
    last_frame_age_s: float | None = None
    retry_in_s: float | None = None
    threads_left: int = 0
