"""Reads one camera in threads, and connects it again after every fault."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..closing import ClosedOnExit
from ..config import is_number, shown
from ..errors import InvalidInputError, OutOfMemoryError, StateError
from ..video import open_source
from ..video.locations import is_live_location
from .backoff import Backoff
from .clock import SystemClock
from .connection import Connection
from .faults import Fault, Remedy, name_of
from .lifecycle import Lifecycle
from .notices import Notices
from .pacing import Pacer
from .status import CameraStatus, State
from .timeline import Timeline
from .watchdog import Limits, ThreadsLeft

if TYPE_CHECKING:
    from datetime import datetime

    from ..values import Frame
    from ..video import Source
    from .camera import Camera
    from .clock import CameraClock

logger = logging.getLogger(__name__)

_CLOSE_S = 0.5
_BUSY_POLL_S = 1.0  # while the consumer works on a frame, no time is due


@dataclass(frozen=True, eq=False)
class CameraFrame:
    """A frame of a camera.

    Attributes:
        camera: The camera.
        frame: The frame. Its index and its time go on after a reconnect: the time by the gap, the index by one.
        received_s: Arrival on the monotonic clock of the reader, in seconds.
        wall_time: Arrival, aware, in UTC.
        connection: Number of the connection, 1 for the first that delivered frames.
        frame_rate: Frames per second that the source states or that were measured at its start.
    """

    camera: Camera
    frame: Frame
    received_s: float
    wall_time: datetime
    connection: int
    frame_rate: float


class CameraReader(ClosedOnExit):
    """Reads one camera until it is closed, given up, or at the end of its file.

    A thread supervises; another one, new for each connection, opens the source and reads it. `Lifecycle` decides.

    Args:
        camera: The camera.
        deliver: Function that takes each frame; called in a thread of this reader, and must return soon.
        clock: Clock for times and waits; None: the system's.
        open: Function that opens the camera's source; None: that of its URL, index or path.
        give_up_after_s: Seconds without a frame after which the camera ends; None: never.
        limits: Longest waits for a connection.
        changed: Function without arguments that is called after each change of state, in a thread of this reader.

    Raises:
        InvalidInputError: ``give_up_after_s`` is not a number above 0.
    """

    def __init__(
        self,
        camera: Camera,
        deliver: Callable[[CameraFrame], object],
        *,
        clock: CameraClock | None = None,
        open: Callable[[Camera], Source] | None = None,  # noqa: A002 (the verb of sources)
        give_up_after_s: float | None = None,
        limits: Limits | None = None,
        changed: Callable[[], object] | None = None,
    ) -> None:
        if give_up_after_s is not None and (not is_number(give_up_after_s) or give_up_after_s <= 0):
            raise InvalidInputError(
                f"give_up_after_s is {shown(give_up_after_s)}; expected a number of seconds above 0, or None for never."
            )
        limits = limits or Limits()
        self.camera = camera
        self._deliver, self._changed = deliver, changed or (lambda: None)
        self._clock = clock or SystemClock()
        self._open = open or (lambda camera: _open_source(camera, limits))
        self._state = threading.Condition()  # held while anything below is used
        self._life = Lifecycle(
            Backoff(), limits=limits, give_up_after_s=give_up_after_s, retries=is_live_location(camera.source)
        )
        self._notices = Notices(camera.name)
        self._timeline, self._pacer = Timeline(), Pacer()
        self._connection: Connection | None = None  # the current one
        self._latest: Connection | None = None
        self._left = ThreadsLeft()
        self._running = 0  # latest connection that delivered frames
        self._corrupt = 0  # of earlier connections
        self._delivering = threading.Lock()  # frames are delivered one at a time, in order
        self._supervisor = threading.Thread(target=self._supervise, name="fairmot_dla34 supervisor", daemon=True)

    def start(self) -> None:
        """Start reading; the camera need not be there yet.

        Raises:
            StateError: It was started or closed before.
        """
        with self._state:
            if self._life.state is not State.NEW:
                raise StateError(f"Camera {self.camera.name} was started or closed before; make another reader for it.")
            self._life.start(self._clock.monotonic())
            try:
                self._supervisor.start()
            except RuntimeError as error:
                self._life.close()
                raise OutOfMemoryError(
                    f"Camera {self.camera.name} cannot be read ({error}); expected room for two threads for each"
                    " camera: raise the limits of this process."
                ) from error

    def stop(self) -> None:
        """Begin to close, and return at once; several readers close faster if this is called on all of them first."""
        with self._state:
            self._life.close()
            self._state.notify_all()

    def close(self) -> None:
        """Stop reading in any state; safe to call twice and from any thread.

        It waits at most half a second for the threads. A thread that hangs inside a decoder or a driver is left behind,
        and delivers nothing any more.
        """
        self.stop()
        deadline_s = time.monotonic() + _CLOSE_S
        current = threading.current_thread()
        if self._supervisor is not current and self._supervisor.ident is not None:
            self._supervisor.join(_CLOSE_S)
        latest = self._latest
        if latest is not None:
            latest.join(max(0.0, deadline_s - time.monotonic()))

    def status(self) -> CameraStatus:
        """Return the state; the values of the network (dropped, lag, people) are not set."""
        with self._state:
            life, now_s = self._life, self._clock.monotonic()
            return CameraStatus(
                self.camera.name,
                life.state,
                source=self.camera.redacted,
                frames=life.frames,
                corrupt=self._corrupt + (self._connection.corrupt if self._connection else 0),
                reconnects=max(0, life.connections - 1),
                last_error=life.last_error,
                last_frame_age_s=None if life.last_frame_s is None else max(0.0, now_s - life.last_frame_s),
                retry_in_s=None if life.retry_s is None else max(0.0, life.retry_s - now_s),
                threads_left=len(self._left),
            )

    def opened(self, connection: Connection) -> None:
        """Note that the source of a connection is open; called by the connection."""
        with self._state:
            self._life.opened(connection.number, self._clock.monotonic())
            self._pacer = Pacer()

    def frame(self, connection: Connection, frame: Frame, source: Source) -> None:
        """Deliver a frame, unless its connection was abandoned; called by the connection."""
        if not source.is_live:
            wait_s = self._pacer.wait_s(frame.time_s, self._clock.monotonic())
            if wait_s and self._clock.wait(connection.abandoned, wait_s):
                return
        with self._delivering:
            with self._state:
                received_s = self._clock.monotonic()
                if not self._life.frame(connection.number, received_s):
                    return
                number = self._life.connections
                placed = self._timeline.place(frame, connection=number, received_s=received_s, is_live=source.is_live)
                if number != self._running:  # each notification wakes the supervisor
                    self._running = number
                    self._state.notify_all()
            item = CameraFrame(self.camera, placed, received_s, self._clock.now(), number, float(source.frame_rate))
            fault = self._fault_of_delivery(item)
        with self._state:
            self._life.taken(connection.number, self._clock.monotonic())
            if fault is not None:
                self._life.fault(connection.number, fault, self._clock.monotonic())
                self._state.notify_all()

    def finished(self, connection: Connection, fault: Fault) -> None:
        """Note the end of a connection; called by the connection."""
        with self._state:
            self._life.fault(connection.number, fault, self._clock.monotonic())
            self._state.notify_all()

    def _supervise(self) -> None:
        ended = False
        while not ended:
            with self._state:
                now_s = self._clock.monotonic()
                self._life.poll(now_s, self._left.refusal)
                self._follow(now_s)
                changed = self._notices.update(self._life, now_s)
                ended = self._life.state is State.ENDED
                if not changed:
                    due_s = self._life.due_s
                    self._clock.wait(self._state, _BUSY_POLL_S if due_s is None else max(0.0, due_s - now_s))
            if changed:
                self._changed()

    def _follow(self, now_s: float) -> None:
        """Abandon the connection if its attempt is over, and make that of a new attempt."""
        connection = self._connection
        if connection is not None and connection.number != self._life.attempt:
            connection.abandon()
            self._corrupt += connection.corrupt
            self._left.add(connection)
            self._connection = None
        if self._life.attempt and self._connection is None:
            number = self._life.attempt
            self._connection = self._latest = Connection(number, lambda: self._open(self.camera), self)
            try:
                self._connection.start()
            except RuntimeError as error:
                self._life.fault(number, Fault(f"no thread can be started ({error})"), now_s)

    def _fault_of_delivery(self, item: CameraFrame) -> Fault | None:
        try:
            self._deliver(item)
        except Exception as error:  # a fault of this camera does not end the others
            logger.debug("Camera %s: a frame was not taken.", self.camera.name, exc_info=True)
            return Fault(f"its frames cannot be processed ({name_of(error)})", Remedy.END)
        return None


def _open_source(camera: Camera, limits: Limits) -> Source:
    return open_source(camera.source, url_timeout_s=(limits.connect_s, limits.packet_s))
