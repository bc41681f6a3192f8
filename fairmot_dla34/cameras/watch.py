"""Tracks the people of several cameras on one network, for as long as the cameras run."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from queue import SimpleQueue

from ..backends.cpus import usable_cpus
from ..closing import ClosedOnExit
from ..config import shown
from ..errors import FairMOTError, InvalidInputError, OutOfMemoryError, StateError
from ..messages import counted
from ..tracking.detector import Detector
from ..tracking.model import FairMOT
from ..video.locations import is_live_location
from .camera import Camera
from .channel import Channel
from .clock import CameraClock, SystemClock
from .network_threads import NetworkThreads
from .reader import CameraReader
from .result import CameraResult, ResultWriter
from .status import CameraStatus, State

__all__ = ["CameraResult", "ResultWriter", "Watch", "streams_for"]

logger = logging.getLogger(__name__)

_OUTPUTS_TIMEOUT_S = 10.0  # to complete the files of all cameras; a disk that hangs must not hold up `close`


def streams_for(cameras: int, threads: int | None = None) -> int:
    """Return the number of images that the network should process at the same time for a number of cameras.

    One camera has one frame in the network at a time, and all threads work on it. Several cameras have a stream each,
    up to one stream per thread: threads that work on different images do not wait for each other.

    Args:
        cameras: Number of cameras.
        threads: CPU threads of the network; None: as many as this process may use.
    """
    return max(1, min(cameras, usable_cpus() if threads is None else threads))


class Watch(ClosedOnExit):
    """Tracks several cameras on one network; a context manager and an iterator of `CameraResult`, used once.

    Each camera is read in a thread of its own, and its newest frame waits for the network: `Schedule` decides whose
    frame is next. Another thread per camera associates and writes, so that a slow output holds up its own camera only.
    A frame of a camera or a stream that is replaced by a newer one is counted as dropped. A file is read at its own
    frame rate or slower, and no frame of it is left out.

    Args:
        model: The model. The caller closes it, after this. With `streams_for` its ``streams`` suit the cameras.
        cameras: Cameras with different names.
        outputs: Function that returns the outputs of a camera; None: no outputs. They are opened when tracking starts,
            and closed when the camera ends. An error of an output ends the outputs of that camera only.
        give_up_after_s: Seconds without a frame after which a camera ends; None: never.
        clock: Clock of the readers; None: the system's.

    Raises:
        InvalidInputError: There is no camera, two have one name, or an argument is of the wrong type.
    """

    def __init__(
        self,
        model: FairMOT,
        cameras: Iterable[Camera],
        *,
        outputs: Callable[[Camera], ResultWriter] | None = None,
        give_up_after_s: float | None = None,
        clock: CameraClock | None = None,
    ) -> None:
        if not isinstance(model, FairMOT):
            raise InvalidInputError(f"model is a {type(model).__name__}; expected a FairMOT.")
        if outputs is not None and not callable(outputs):
            raise InvalidInputError(
                f"outputs is {shown(outputs)}; expected a function from a Camera to its outputs, or None."
            )
        clock = clock or SystemClock()
        self._outputs = outputs
        self._network = NetworkThreads(
            Detector(model.backend), streams=model.backend.info.streams, clock=clock, failed=self._stop
        )
        self._readers: dict[Channel, CameraReader] = {}
        self._results: SimpleQueue[tuple[Channel, CameraResult] | None] = SimpleQueue()
        self._returned: dict[Channel, SimpleQueue[None]] = {}  # an entry when the caller is done with a result
        self._lock = threading.Lock()  # held while the rest is changed
        self._open: set[Channel] = set()  # whose threads run
        self._error: BaseException | None = None
        self._started = self._stopped = self._iterated = False
        for camera in _checked(cameras):
            channel = Channel(camera, model, clock)
            self._network.add(channel)
            self._returned[channel] = SimpleQueue()
            self._readers[channel] = CameraReader(
                camera,
                partial(self._network.offer, channel, waits=not is_live_location(camera.source)),
                clock=clock,
                give_up_after_s=give_up_after_s,
                changed=partial(self._note_state, channel),
            )

    def __iter__(self) -> Iterator[CameraResult]:
        """Yield the results as they come, in the order of each camera, until all cameras have ended.

        One result of each camera waits for the caller; meanwhile its frames are held back, and those of a camera or a
        stream dropped.

        Raises:
            StateError: The watch was started or closed before.
            FairMOTError: An output cannot be opened, or the network failed: a `BackendError` or an `OutOfMemoryError`.
        """
        self._claim()
        self._iterated = True
        return self._iterate()

    def run(self) -> None:
        """Track until all cameras have ended; the results go to the outputs only.

        Raises:
            StateError: The watch was started or closed before.
            FairMOTError: An output cannot be opened, or the network failed: a `BackendError` or an `OutOfMemoryError`.
        """
        self._claim()
        for _ in self._iterate():
            pass

    def status(self) -> list[CameraStatus]:
        """Return the state of every camera, in the order in which they were given; valid at any time."""
        return [self._status_of(channel, reader) for channel, reader in self._readers.items()]

    def close(self) -> None:
        """Stop all threads and complete all outputs; safe to call twice, in any state and from any thread.

        This waits for the frames in the network and for the outputs, up to 10 s if a disk hangs.
        """
        self._started = True
        self._stop()
        try:
            for reader in self._readers.values():
                reader.stop()
            for reader in self._readers.values():
                reader.close()
        finally:
            self._network.join()
            self._join_channels()
            atexit.unregister(self.close)

    def _claim(self) -> None:
        with self._lock:
            if self._started:
                raise StateError("This Watch was started or closed before; make a new one.")
            self._started = True

    def _iterate(self) -> Generator[CameraResult]:
        try:
            self._start()
            while (item := self._results.get()) is not None:
                channel, result = item
                yield result
                del item, result  # an image, while this thread waits
                self._returned[channel].put(None)
        finally:
            self.close()
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None  # its traceback holds this frame: a reference cycle would keep images alive

    def _start(self) -> None:
        atexit.register(self.close)  # the network must not run while its library is torn down
        self._open = set(self._readers)
        try:
            for channel in self._readers:
                channel.start(self._outputs, emit=self._emit, done=self._network.note_done, ended=self._note_end)
            self._network.start()
        except RuntimeError as error:
            if isinstance(error, FairMOTError):
                raise
            raise OutOfMemoryError(
                f"The threads for {counted(len(self._readers), 'camera')} cannot be started ({error}); expected room"
                " for three threads for each camera: raise the limits of this process."
            ) from error
        for reader in self._readers.values():
            try:
                reader.start()
            except StateError:
                if not self._stopped:
                    raise
                return  # `close` was called in another thread

    def _stop(self, error: BaseException | None = None) -> None:
        """Wake all threads, which then end."""
        with self._lock:
            if not self._stopped:
                self._error = error
            self._stopped = True
        self._network.stop()
        for channel, returned in self._returned.items():
            returned.put(None)
            channel.finish()
        self._results.put(None)

    def _join_channels(self) -> None:
        end_s = time.monotonic() + _OUTPUTS_TIMEOUT_S
        late = [channel for channel in self._readers if not channel.join(max(0.0, end_s - time.monotonic()))]
        if late:
            names = ", ".join(channel.camera.name for channel in late)
            logger.warning("The outputs of %s hang and are left behind: %s.", counted(len(late), "camera"), names)

    def _note_state(self, channel: Channel) -> None:
        """Note the end of a camera; called in a thread of its reader."""
        if self._readers[channel].status().state is State.ENDED:
            self._network.note_last_frame(channel)

    def _emit(self, channel: Channel, result: CameraResult) -> None:
        """Pass a result to the caller, and wait until it is done with it."""
        if self._iterated and not self._stopped:
            self._results.put((channel, result))
            self._returned[channel].get()

    def _note_end(self, channel: Channel, error: BaseException | None) -> None:
        """Note the end of a camera's thread; after the last one, everything ends."""
        with self._lock:
            self._open.discard(channel)
            last = not self._open
        if error is not None or last:
            self._stop(error)

    def _status_of(self, channel: Channel, reader: CameraReader) -> CameraStatus:
        status = reader.status()
        return replace(
            status,
            dropped=self._network.dropped(channel),
            lag_s=channel.lag_s,
            people=channel.people,
            last_error=channel.output_error or status.last_error,
            outputs_failing=bool(channel.output_error),
            parts=channel.totals.parts,
            part_bytes=channel.totals.bytes,
            kept_bytes=channel.totals.kept_bytes,
        )


def _checked(cameras: Iterable[Camera]) -> list[Camera]:
    """Return the cameras.

    Raises:
        InvalidInputError: There is none, one is not a `Camera`, or two have one name.
    """
    with suppress(TypeError):
        cameras = list(cameras)
    if not isinstance(cameras, list) or not all(isinstance(camera, Camera) for camera in cameras):
        raise InvalidInputError(f"cameras is {shown(cameras)}; expected Camera objects, such as [Camera('door', url)].")
    if not cameras:
        raise InvalidInputError("cameras is empty; expected one Camera at least.")
    names = [camera.name.casefold() for camera in cameras]  # on some systems, files of both names are the same
    for camera in cameras:
        if names.count(camera.name.casefold()) > 1:
            raise InvalidInputError(f"Two cameras have the name {camera.name!r}; expected a different name for each.")
    return cameras
