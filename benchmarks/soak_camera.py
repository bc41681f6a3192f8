"""A camera for the soak of `watch`: it fails in many ways, and its time passes as fast as the computer allows."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from fairmot_dla34.cameras.camera import Camera
from fairmot_dla34.cameras.reader import CameraFrame, CameraReader
from fairmot_dla34.cameras.watchdog import Limits
from fairmot_dla34.errors import SourceAccessError, SourceError
from fairmot_dla34.values import Detections, Frame
from fairmot_dla34.video import Source

START = datetime(2026, 10, 10, tzinfo=timezone.utc)
SIZES = ((96, 64), (128, 96))
RATE = 10.0
_POLL_S = 0.0005
_ROUNDING_S = 0.01
_EMBEDDING = 16
_LONGEST_S = 20.0  # real time; a test that waits longer has failed


class SoakClock:
    """A `CameraClock` that the soak advances; its wall time may be set."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.offset_s = 0.0

    def monotonic(self) -> float:
        """Return the simulated seconds."""
        return self.seconds

    def now(self) -> datetime:
        """Return the simulated wall time."""
        return START + timedelta(seconds=self.seconds + self.offset_s)

    def wait(self, waited: threading.Event | threading.Condition, seconds: float | None) -> bool:
        """Wait until an event is set, a condition is notified or the time is over; of a condition, also shorter."""
        if isinstance(waited, threading.Condition):  # in a loop, notifications between two waits are lost
            return waited.wait(_POLL_S)
        deadline_s = None if seconds is None else self.seconds + seconds
        while deadline_s is None or self.seconds < deadline_s:
            if waited.wait(_POLL_S):
                return True
        return False


class SoakSource(Source):
    """One connection: yields a frame for each time that `send` is called."""

    is_live = True

    def __init__(self, clock: SoakClock, size: tuple[int, int], reading: SimpleQueue[SoakSource]) -> None:
        super().__init__("door", native_rate=RATE, native_count=None)
        self._clock = clock
        self._image: NDArray[np.uint8] = np.random.default_rng(0).integers(0, 255, (*size[::-1], 3), np.uint8)
        self._commands: SimpleQueue[str] = SimpleQueue()
        self._reading = reading  # gets this object when it is read

    def send(self, command: str) -> None:
        """Yield a frame (``frame``), fail (``error``), or end (``end``)."""
        self._commands.put(command)

    def _read_frames(self) -> Generator[Frame]:
        start_s, index = self._clock.seconds, 0
        self._reading.put(self)
        while (command := self._commands.get()) != "end":
            if command == "error":
                raise SourceError("The connection broke.")
            yield Frame(index, self._clock.seconds - start_s, self._image)
            index += 1
        self._end_early("the connection was closed", "lost")

    def _describe(self) -> str:
        return "camera of the soak"


@dataclass
class Fault:
    """One fault.

    Attributes:
        kind: ``end``, ``error``, ``silent`` (no frame comes) or ``hang`` (the decoder does not return either).
        failures: Attempts to connect that fail afterwards.
        refused: Whether these fail because of the password.
        away_s: Seconds for which they go on failing.
        resized: Whether the camera has another size afterwards.
    """

    kind: str = "end"
    failures: int = 0
    refused: bool = False
    away_s: float = 0.0
    resized: bool = False


FAULTS = (
    Fault("end"),
    Fault("error", failures=3),
    Fault("silent"),
    Fault("end", resized=True),
    Fault("hang"),
    Fault("error", failures=1, refused=True),
    Fault("end", away_s=7200.0),
)


class SoakCamera:
    """A `CameraReader` with such sources; `frame` and `fault` are called in turn by one thread.

    Args:
        clock: The clock.
        interval_s: Longest time between two frames.
    """

    def __init__(self, clock: SoakClock, interval_s: float) -> None:
        self.clock = clock
        self._frames: SimpleQueue[CameraFrame] = SimpleQueue()
        self._opened: SimpleQueue[SoakSource] = SimpleQueue()
        self._hung: list[SoakSource] = []
        self._fault = Fault()
        self._failures, self._back_s = 0, 0.0
        self._size = 0
        limits = Limits(frame_s=2 * interval_s, first_frame_s=2 * interval_s)
        camera = Camera("door", "rtsp://camera.invalid/1")
        self.reader = CameraReader(camera, self._frames.put, clock=clock, open=self._open, limits=limits)
        self._silence_s = 2 * interval_s
        self.reader.start()
        self._source = self._opened.get(timeout=_LONGEST_S)

    def frame(self, after_s: float) -> CameraFrame:
        """Return the next frame, some seconds after the one before."""
        self.clock.seconds += after_s
        self._source.send("frame")
        return self._frames.get(timeout=_LONGEST_S)

    def fault(self, fault: Fault, idle: object = None) -> None:
        """Begin a fault, and return once the camera is connected again; ``idle`` is called meanwhile."""
        self._fault, self._failures, self._back_s = fault, fault.failures, self.clock.seconds + fault.away_s
        self._size ^= fault.resized
        source = self._source
        if fault.kind in {"end", "error"}:
            source.send(fault.kind)
        else:
            self.clock.seconds += self._silence_s
        deadline_s = time.monotonic() + _LONGEST_S
        while self._opened.empty():
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"the camera does not come back after {fault}: {self.reader.status()}")
            retry_in_s = self.reader.status().retry_in_s
            self.clock.seconds += 0.0 if retry_in_s is None else retry_in_s + _ROUNDING_S
            if callable(idle):
                idle()
            time.sleep(2 * _POLL_S)
        self._source = self._opened.get()
        if fault.kind == "hang":
            self._hung.append(source)
        elif fault.kind == "silent":
            source.send("end")
        if len(self._hung) > 1:
            self._hung.pop(0).send("end")

    def close(self) -> None:
        """End all threads."""
        self.reader.close()
        for source in (*self._hung, self._source):
            source.send("end")

    def _open(self, camera: Camera) -> Source:
        if self._failures > 0 or self.clock.seconds < self._back_s:
            self._failures -= 1
            if self._fault.refused:
                raise SourceAccessError(f"{camera.redacted} refuses access (401).")
            raise SourceError(f"{camera.redacted} cannot be opened (connection refused).")
        return SoakSource(self.clock, SIZES[self._size], self._opened)


class People:
    """Detections of people who come and go: over a month, thousands of different ones.

    Args:
        seed: Seed of their places and embeddings.
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._embeddings = self._random.standard_normal((0, _EMBEDDING))

    def change(self) -> None:
        """Replace all people by other ones."""
        self._embeddings = self._random.standard_normal((int(self._random.integers(0, 6)), _EMBEDDING))

    def detections(self, frame: Frame) -> Detections:
        """Return the detections of a frame."""
        height, width = frame.image.shape[:2]
        count = len(self._embeddings)
        x = (np.arange(count) * 16 + 4 * frame.time_s) % width
        boxes = np.stack([x, np.full(count, 0.2 * height), x + 12, np.full(count, 0.8 * height)], axis=1)
        boxes += self._random.normal(0, 0.3, boxes.shape)
        return Detections(boxes, self._random.uniform(0.5, 0.9, count), self._embeddings)
