"""State machine of one camera, driven by events and their times; it has neither threads nor a clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .faults import Fault, Remedy
from .status import State
from .watchdog import Limits, Watchdog

if TYPE_CHECKING:
    from .backoff import Backoff

STEADY_FRAMES = 10  # of one connection, after which the waits start again with the shortest one


class Lifecycle:
    """States of a camera. Times are seconds on one monotonic clock.

    Attributes:
        state: Current state.
        attempt: Number of the current attempt to connect, from 1; 0 if there is none. Events of earlier ones are
            ignored.
        attempts: Number of attempts so far.
        connections: Number of attempts that delivered frames.
        frames: Number of frames so far.
        last_error: Reason of the latest fault, or an empty text.
        last_fault: The latest fault, or None.
        last_frame_s: Arrival of the latest frame, or None.
        retry_s: Time of the next attempt in state `WAITING`, or None.
    """

    def __init__(
        self, backoff: Backoff, *, limits: Limits, give_up_after_s: float | None = None, retries: bool = True
    ) -> None:
        """Start in state `NEW`.

        Args:
            backoff: Waits between attempts.
            limits: Longest waits for a connection.
            give_up_after_s: Seconds without a frame after which the camera ends; None: never.
            retries: Whether a fault is followed by another attempt; otherwise it ends the camera.
        """
        self.state = State.NEW
        self.attempt = self.attempts = self.connections = self.frames = 0
        self.last_error = ""
        self.last_fault: Fault | None = None
        self.last_frame_s: float | None = None
        self.retry_s: float | None = None
        self._backoff, self._give_up_after_s, self._retries = backoff, give_up_after_s, retries
        self._watchdog = Watchdog(limits)
        self._heard_s = 0.0  # start, latest frame, or end of the work on it
        self._frames_of_attempt = 0

    def start(self, now_s: float) -> None:
        """Start the first attempt, in state `NEW` only."""
        if self.state is State.NEW:
            self._heard_s = now_s
            self._connect(now_s)

    def close(self) -> None:
        """End in any state."""
        self.state, self.attempt, self.retry_s = State.ENDED, 0, None

    def opened(self, attempt: int, now_s: float) -> None:
        """Note that the source of an attempt is open."""
        if attempt == self.attempt:
            self._watchdog.opened(now_s)

    def frame(self, attempt: int, now_s: float) -> bool:
        """Note the arrival of a frame; return False if its attempt is not the current one and the frame is void."""
        if not attempt or attempt != self.attempt:
            return False
        if self.state is State.CONNECTING:
            self.state = State.RUNNING
            self.connections += 1
        self.frames += 1
        self._frames_of_attempt += 1
        if self._frames_of_attempt == STEADY_FRAMES:
            self._backoff.reset()
        self.last_frame_s = self._heard_s = now_s
        self._watchdog.pause()
        return True

    def taken(self, attempt: int, now_s: float) -> None:
        """Note that the consumer of the latest frame is ready for the next."""
        if attempt and attempt == self.attempt:
            self._heard_s = now_s
            self._watchdog.frame(now_s)

    def fault(self, attempt: int, fault: Fault, now_s: float) -> None:
        """Note the end of an attempt; those of earlier attempts change nothing."""
        if not attempt or attempt != self.attempt:
            return
        if not self._retries:
            fault = Fault(fault.reason, Remedy.END)
        self.last_fault = fault
        self.last_error = fault.reason or self.last_error
        if fault.remedy is Remedy.END:
            self.close()
        else:
            slowly = fault.remedy is Remedy.RETRY_SLOWLY
            self._pause(now_s + (self._backoff.next_access_s() if slowly else self._backoff.next_s()))

    def poll(self, now_s: float, refusal: str = "") -> None:
        """Do what is due: end an attempt that hangs, start the next one, or give up.

        Args:
            now_s: Current time.
            refusal: Reason why no connection may be made now, or an empty text.
        """
        if self.state in {State.NEW, State.ENDED}:
            return
        if self._give_up_s is not None and now_s >= self._give_up_s:
            reason = f"no frame for {self._give_up_after_s:g} s"
            self.last_error = f"{reason}: {self.last_error}" if self.last_error else reason
            self.last_fault = Fault(self.last_error, Remedy.END)
            self.close()
            return
        if self.attempt and (hang := self._watchdog.hang(now_s)):
            self.fault(self.attempt, Fault(hang), now_s)
        if self.retry_s is None or now_s < self.retry_s:
            return
        if refusal:
            self.last_error = refusal
            self._pause(now_s + self._backoff.next_s())
        else:
            self._connect(now_s)

    @property
    def due_s(self) -> float | None:
        """Time at which `poll` has something to do if nothing happens before; None: never."""
        if self.state in {State.NEW, State.ENDED}:
            return None
        own_s = self._watchdog.due_s if self.attempt else self.retry_s
        return min((time_s for time_s in (own_s, self._give_up_s) if time_s is not None), default=None)

    @property
    def _give_up_s(self) -> float | None:
        if self._give_up_after_s is None or (self.attempt and self._watchdog.paused):
            return None
        return self._heard_s + self._give_up_after_s

    def _connect(self, now_s: float) -> None:
        self.attempts += 1
        self.attempt, self.state, self.retry_s = self.attempts, State.CONNECTING, None
        self._frames_of_attempt = 0
        self._watchdog.connecting(now_s)

    def _pause(self, retry_s: float) -> None:
        self.attempt, self.state, self.retry_s = 0, State.WAITING, retry_s
