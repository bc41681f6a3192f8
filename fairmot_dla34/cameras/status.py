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
class PartTotals:
    """Complete parts of one camera's outputs; the part that is being written is not among them.

    Attributes:
        parts: Parts completed since the start.
        bytes: Size of these parts when they were completed.
        kept_bytes: Size of the parts in the output directory, with those of earlier runs; None without `Keep`.
    """

    parts: int = 0
    bytes: int = 0
    kept_bytes: int | None = None


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
        outputs_failing: Whether an output cannot be written now, as on a full disk; ``last_error`` is the reason.
        parts: Parts of the outputs completed since the start.
        part_bytes: Size of these parts when they were completed.
        kept_bytes: Size of the complete parts in the output directory, with those of earlier runs; None if no limit
            deletes old parts.
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
    outputs_failing: bool = False
    parts: int = 0
    part_bytes: int = 0
    kept_bytes: int | None = None
