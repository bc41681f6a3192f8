"""Cameras on the loopback, RTSP and motion JPEG, with faults; and the measurement of how a reader gets over one."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from clips import index_of, numbered_image
from mjpeg_server import jpeg, part, serving_mjpeg
from rtsp_server import RtspServer

from fairmot_dla34.cameras.camera import Camera
from fairmot_dla34.cameras.reader import CameraFrame, CameraReader
from fairmot_dla34.cameras.status import CameraStatus
from fairmot_dla34.cameras.watchdog import Limits
from fairmot_dla34.video import Source, open_source

if TYPE_CHECKING:
    from typing_extensions import Self

    from fairmot_dla34 import Frame

SECRET = "hunter2"  # noqa: S105 (not a real one)
IMAGES = 50  # their numbers are sent again and again
SIZE, OTHER_SIZE = (160, 96), (224, 128)
STEADY_FRAMES = 12
_NO_SUCH_BOUNDARY = b"\n--no such thing\r\n" * 64

# Modes of a camera. The first five end its connections.
STOPPED, DROPPED, RESIZED, REFUSING, UNAUTHORIZED = "stopped", "dropped", "resized", "refuse", "unauthorized"
SILENT, GARBAGE, HANGING, SERVING = "silent", "garbage", "hanging", "serve"


class FaultyCamera:
    """A camera whose mode changes while it is watched; the same port over all restarts."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.port = 0
        self.size = SIZE
        self.hangs = False  # the decoder of the current connection, not of the next one
        self.released = threading.Event()

    def open(self, camera: Camera, limits: Limits) -> Source:
        """Open the camera with a decoder that may hang."""
        return HangingSource(open_source(camera.source, url_timeout_s=(limits.connect_s, limits.packet_s)), self)

    def start(self) -> None:
        """Switch it on."""
        raise NotImplementedError

    def stop(self) -> None:
        """Switch it off: its port refuses connections."""
        raise NotImplementedError

    def set_mode(self, mode: str) -> None:
        """Begin a fault of a camera that is on, or end it with ``serve``."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        raise NotImplementedError

    def begin(self, mode: str) -> None:
        if mode in {STOPPED, DROPPED, RESIZED}:
            self.stop()
            self.size = OTHER_SIZE if mode == RESIZED else SIZE
            if mode != STOPPED:
                self.start()
        elif mode == HANGING:
            self.hangs = True
        else:
            self.set_mode(mode)

    def repair(self, mode: str) -> None:
        if mode == STOPPED:
            self.start()
        elif mode not in {DROPPED, RESIZED, HANGING}:
            self.set_mode(SERVING)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


class HangingSource(Source):
    """A source whose decoder hangs as soon as the camera's ``hangs`` is set; neither `stop` nor `close` wakes it."""

    def __init__(self, source: Source, camera: FaultyCamera) -> None:
        super().__init__(source.name, native_rate=source.native_rate, native_count=None)
        self.is_live = source.is_live
        self._source, self._camera = source, camera

    def _describe(self) -> str:
        return self._source.name

    def _read_frames(self) -> Generator[Frame]:
        for frame in self._source:
            if self._camera.hangs:
                self._camera.hangs = False
                self._camera.released.wait()
            yield frame
        self._end_early(self._source.end_reason, self._source.ended)

    def _release(self) -> None:
        self._source.close()


class RtspCamera(FaultyCamera):
    """H.264 over RTSP; each connection starts between two key frames, like that of a real camera."""

    server: RtspServer | None = None
    server_first = 3

    def start(self) -> None:
        rate = Fraction(self.rate)
        self.server = RtspServer(
            IMAGES, rate, port=self.port, endless=True, first=self.server_first, size=self.size, pause_s=1 / self.rate
        )
        self.port = self.server.port
        self.server.__enter__()

    def stop(self) -> None:
        if self.server is not None:
            self.server.__exit__()
            self.server = None

    def set_mode(self, mode: str) -> None:
        assert self.server is not None
        self.server.mode = mode
        if mode in {REFUSING, UNAUTHORIZED}:
            self.server.drop()

    @property
    def url(self) -> str:
        return f"rtsp://admin:{SECRET}@127.0.0.1:{self.port}/live?key={SECRET}"


class MjpegCamera(FaultyCamera):
    """Motion JPEG over HTTP."""

    mode = STOPPED
    stack: ExitStack | None = None

    def start(self) -> None:
        self.mode, self.stack = SERVING, ExitStack()
        url = self.stack.enter_context(
            serving_mjpeg(10**9, 1 / self.rate, make_part=self._part, port=self.port, status=self._status)
        )
        self.port = int(url.rpartition(":")[2].partition("/")[0])

    def stop(self) -> None:
        self.mode = STOPPED
        if self.stack is not None:
            self.stack.close()
            self.stack = None

    def set_mode(self, mode: str) -> None:
        self.mode = mode

    @property
    def url(self) -> str:
        return f"http://admin:{SECRET}@127.0.0.1:{self.port}/live?key={SECRET}"

    def _part(self, index: int) -> bytes:
        while self.mode == SILENT:
            time.sleep(0.01)
        if self.mode == GARBAGE:
            return _NO_SUCH_BOUNDARY
        if self.mode != SERVING:
            raise ConnectionResetError
        return part(jpeg(index % IMAGES, self.size))

    def _status(self) -> int:
        while self.mode == SILENT:
            time.sleep(0.01)
        return {UNAUTHORIZED: 401, REFUSING: 503}.get(self.mode, 200)


@dataclass
class Watched:
    """What a reader delivers, without the images: a long run fits in memory."""

    received_s: list[float] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    indices: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    damaged: int = 0

    def take(self, item: CameraFrame) -> None:
        image = item.frame.image
        number = index_of(image)
        expected = numbered_image(number, image.shape[1], image.shape[0])
        self.damaged += bool(np.abs(image.astype(int) - expected).mean() > 12)  # grey, black or smeared
        self.times_s.append(item.frame.time_s)
        self.indices.append(item.frame.index)
        self.numbers.append(number)
        self.sizes.append((image.shape[1], image.shape[0]))
        self.received_s.append(item.received_s)

    def captured_s(self, start: int, end: int) -> list[float]:
        """Return when some frames of one connection were sent: their time stamps, moved by the shortest delay."""
        delay_s = min(self.received_s[i] - self.times_s[i] for i in range(start, end))
        return [self.times_s[i] + delay_s for i in range(start, end)]


@dataclass(frozen=True)
class Recovery:
    """How a reader got over a fault.

    Attributes:
        error: Error that the status showed during the fault.
        outage_s: Seconds from the last frame before the fault to the first one after it.
        recovery_s: Seconds from the end of the fault to the first frame after it.
        lost: Frames that were not delivered: those between the last one before the fault and the first one after it.
        status: Status at the end.
        watched: All frames.
    """

    error: str
    outage_s: float
    recovery_s: float
    lost: int
    status: CameraStatus
    watched: Watched


def measure(
    camera: FaultyCamera,
    mode: str,
    fault_s: float,
    *,
    limits: Limits,
    starts_without: bool = False,
    steady: int = STEADY_FRAMES,
) -> Recovery:
    """Watch a camera, begin a fault, end it after a time, and wait until the camera runs again.

    Args:
        camera: Camera that is off.
        mode: The fault.
        fault_s: Seconds for which it lasts.
        limits: Waits of the reader.
        starts_without: Whether the camera is off when the reader starts.
        steady: Frames to wait for, before the fault and after it. FFmpeg collects some frames while it opens a stream
            and returns them at once; the count of lost frames needs those that follow.

    Raises:
        AssertionError: It does not run again within a minute after the fault.
    """
    watched = Watched()
    with ExitStack() as stack:
        camera.start()
        stack.callback(camera.stop)
        stack.callback(camera.released.set)
        if starts_without:
            camera.stop()
        reader = stack.enter_context(
            CameraReader(
                Camera("door", camera.url),
                watched.take,
                limits=limits,
                open=(lambda opened: camera.open(opened, limits)) if mode == HANGING else None,
            )
        )
        began_s = time.monotonic()
        reader.start()
        if not starts_without:
            wait_until(lambda: len(watched.received_s) >= steady)
            began_s = time.monotonic()
            camera.begin(mode)
        time.sleep(fault_s)
        error = reader.status().last_error
        camera.repair(mode)
        repaired_s = time.monotonic()
        wait_until(lambda: _gap_after(watched, began_s, starts_without, steady) is not None)
        first = _gap_after(watched, began_s, starts_without, steady) or 0
        status = reader.status()
    before_s = watched.received_s[first - 1] if first else began_s
    outage_s = watched.received_s[first] - before_s
    seen_s = watched.captured_s(0, first)[-1] if first else began_s
    unseen_s = watched.captured_s(first, len(watched.indices))[0] - seen_s
    return Recovery(
        error=error or status.last_error,
        outage_s=outage_s,
        recovery_s=watched.received_s[first] - max(repaired_s, before_s),
        lost=max(0, round(unseen_s * camera.rate) - 1),
        status=status,
        watched=watched,
    )


def _gap_after(watched: Watched, began_s: float, starts_without: bool, steady: int) -> int | None:
    """Return the position of the first frame after the outage, once enough frames followed it."""
    received = watched.received_s[:]
    if starts_without:
        return 0 if len(received) >= steady else None
    gaps = [
        (later - earlier, number)
        for number, (earlier, later) in enumerate(itertools.pairwise(received), 1)
        if later > began_s
    ]
    longest = max(gaps, default=(0.0, 0))
    return longest[1] if longest[0] > 0.3 and len(received) - longest[1] >= steady else None


def wait_until(check: Callable[[], object], longest_s: float = 60.0) -> None:
    """Wait until a check returns something true.

    Raises:
        AssertionError: It does not in ``longest_s`` seconds.
    """
    deadline_s = time.monotonic() + longest_s
    while not check():
        assert time.monotonic() < deadline_s, "the camera does not run again"
        time.sleep(0.02)
