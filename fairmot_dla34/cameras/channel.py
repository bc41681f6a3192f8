"""The second half of one camera's way: association, outputs and results, in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from ..errors import FairMOTError, OutOfMemoryError
from ..memory import is_lack_of_memory
from .result import CameraResult, ResultWriter
from .status import PartTotals

if TYPE_CHECKING:
    from ..tracking.model import FairMOT
    from ..tracking.session import Session
    from ..values import Detections
    from .camera import Camera
    from .clock import CameraClock
    from .reader import CameraFrame

logger = logging.getLogger(__name__)

_IDLE_S = 5.0  # between two calls of `ResultWriter.idle`


class Channel:
    """Associates the frames of one camera, writes them, and passes the results on, in order.

    Args:
        camera: The camera.
        model: Model that starts the tracking of a video.
        clock: Clock of the readers.

    Attributes:
        camera: The camera.
        frames: Number of results so far.
        people: Number of tracks in the latest result; None before the first.
        lag_s: Seconds from the arrival of the latest frame to its result; None before the first.
        output_error: Reason why files are not written; empty while they are.
        totals: Number and size of the parts of the outputs.
    """

    def __init__(self, camera: Camera, model: FairMOT, clock: CameraClock) -> None:
        self.camera = camera
        self.frames = 0
        self.people: int | None = None
        self.lag_s: float | None = None
        self.output_error = ""
        self.totals = PartTotals()
        self._model = model
        self._clock = clock
        self._session: Session | None = None
        self._writer: ResultWriter | None = None
        self._ready: SimpleQueue[tuple[CameraFrame, Detections] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(
        self,
        outputs: Callable[[Camera], ResultWriter] | None,
        *,
        emit: Callable[[Channel, CameraResult], None],
        done: Callable[[Channel], None],
        ended: Callable[[Channel, BaseException | None], None],
    ) -> None:
        """Open the outputs and start the thread.

        Args:
            outputs: Function that returns the outputs of a camera; None: no outputs.
            emit: Called with each result, after it was written.
            done: Called after each frame.
            ended: Called at the end of the thread, after the outputs were closed, with the error that ended it.

        Raises:
            FairMOTError: The outputs cannot be opened.
            RuntimeError: The system has no thread left.
        """
        self._writer = outputs(self.camera) if outputs else None
        self._note_totals(self._writer)
        self._thread = threading.Thread(
            target=self._run, args=(emit, done, ended), name=f"fairmot_dla34 {self.camera.name}", daemon=True
        )
        try:
            self._thread.start()
        except RuntimeError:
            self._close_outputs()
            raise

    def put(self, frame: CameraFrame, detections: Detections) -> None:
        """Pass a frame with its detections to the thread."""
        self._ready.put((frame, detections))

    def finish(self) -> None:
        """End the thread after the frames that were passed to it."""
        self._ready.put(None)

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread; return whether it has ended."""
        if self._thread is None or self._thread.ident is None or self._thread is threading.current_thread():
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(
        self,
        emit: Callable[[Channel, CameraResult], None],
        done: Callable[[Channel], None],
        ended: Callable[[Channel, BaseException | None], None],
    ) -> None:
        failure = None
        try:
            while (item := self._next()) is not None:
                result = self._associate(*item)
                del item
                self._write(result)
                emit(self, result)
                del result  # an image, while this thread waits
                done(self)
        except BaseException as error:  # noqa: BLE001 (raised again in the consumer thread)
            failure = error
        finally:
            self._close_outputs()
            ended(self, failure)

    def _associate(self, frame: CameraFrame, detections: Detections) -> CameraResult:
        if self._session is None:
            self._session = self._model.session(frame.frame_rate)
        result = self._session.associate(frame.frame, detections)
        self.frames += 1
        self.people = len(result.tracks)
        self.lag_s = lag_s = max(0.0, self._clock.monotonic() - frame.received_s)
        return CameraResult(
            frame.camera, frame.frame, result, frame.wall_time, detections, frame.connection, frame.frame_rate, lag_s
        )

    def _next(self) -> tuple[CameraFrame, Detections] | None:
        """Wait for the next frame; None at the end. Meanwhile the outputs do what is due without a frame."""
        while True:
            with suppress(Empty):
                return self._ready.get(timeout=None if self._writer is None else _IDLE_S)
            self._call_outputs(lambda writer: writer.idle())

    def _write(self, result: CameraResult) -> None:
        self._call_outputs(lambda writer: writer.write(result))

    def _call_outputs(self, call: Callable[[ResultWriter], None]) -> None:
        if self._writer is None:
            return
        try:
            call(self._writer)
            self.output_error = getattr(self._writer, "error", "")
            self._note_totals(self._writer)
        except Exception as error:
            if is_lack_of_memory(error):
                raise
            self._report(error)
            self._close_outputs()

    def _close_outputs(self) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            return
        try:
            writer.close()
        except Exception as error:  # noqa: BLE001 (the other cameras go on)
            if not self.output_error:
                self._report(error)
        self._note_totals(writer)

    def _note_totals(self, writer: ResultWriter | None) -> None:
        self.totals = getattr(writer, "totals", self.totals)

    def _report(self, error: Exception) -> None:
        """Keep the reason why writing ends, and log it once."""
        self.output_error = str(error) or type(error).__name__
        message = "Camera %s: writing has ended, tracking goes on: %s"
        known = isinstance(error, FairMOTError | OSError) and not isinstance(error, OutOfMemoryError)
        logger.error(message, self.camera.name, self.output_error, exc_info=None if known else error)
