"""Base class of video sources: life cycle, thread safety, and the count of damaged frames."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeVar

from ..closing import ClosedOnExit
from ..config import DEFAULT_FRAME_RATE, check_frame_rate, check_frame_stride
from ..errors import SourceError, StateError
from ..origin import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from ..values import Frame

logger = logging.getLogger(__name__)

_T = TypeVar("_T")


class Source(ClosedOnExit, ABC):
    """A video that is read once, frame by frame, in constant memory. Use it as a context manager.

    Subclasses implement `_read_frames` and `_describe`, and `_release` if they hold a file or a device. Any thread may
    read or close a source, not only the one that opened it.

    Attributes:
        name: Name of the output files; safe as a file name.
        frame_rate: Frames per second after the stride.
        frame_stride: Every n-th frame is used.
        native_rate: Frames per second of the source itself, before the stride.
        frame_count: Number of frames expected after the stride, or None if unknown.
        frames_skipped: Corrupt frames skipped so far.
        truncated: Whether the stream ended with an error, or before the end its container states.
        ended: How reading ended: ``end``; for a camera or a URL also ``lost`` (the connection closed or broke) or
            ``stalled`` (nothing arrived any more). A live stream has no end of its own: closed by its server, it is
            ``lost``.
        end_reason: Cause of an early end, without credentials; empty if there was none.
        log_level: Level of the log at which damage and an early end are reported; a caller that reports them itself
            lowers it.
        is_live: Whether frames arrive in real time, whether they are read or not.
        reads_ahead: Whether frames may be read before they are asked for, in another thread.
    """

    is_live = False
    reads_ahead = True

    def __init__(
        self,
        name: str,
        *,
        native_rate: float | None,
        native_count: int | None,
        frame_rate: float | None = None,
        frame_stride: int = 1,
    ) -> None:
        """Keep what is known before the first frame.

        Args:
            name: Name of the output files.
            native_rate: Frames per second the source states, or None.
            native_count: Number of frames the source states, or None.
            frame_rate: The caller's value of the source's own rate (before the stride), which overrides it.
            frame_stride: Use every n-th frame.

        Raises:
            InvalidInputError: The frame rate or the stride is out of its range.
        """
        check_frame_stride(frame_stride)
        rate = native_rate or DEFAULT_FRAME_RATE
        if frame_rate is not None:
            rate = check_frame_rate(frame_rate)
        self.name = name
        self.frame_rate = rate / frame_stride
        self.frame_stride = frame_stride
        self.frame_count = None if native_count is None else -(-native_count // frame_stride)
        self.frames_skipped = 0
        self.truncated = False
        self.ended = "end"
        self.end_reason = ""
        self.log_level = logging.WARNING
        self.native_rate = rate
        self._rate_given = frame_rate is not None
        self._started = self._closed = False
        self._in_use = threading.Lock()  # held while a frame is read, and while `_release` runs

    def __iter__(self) -> Iterator[Frame]:
        """Read the frames, once.

        Raises:
            StateError: The source was read before, or closed.
            SourceError: Not one frame could be read.
            InvalidInputError: An item of an iterable is not a BGR image.
        """
        if self._started:
            raise StateError(f"Source {self.name!r} was read or closed before; a source is read once: open it again.")
        self._started = True
        return self._read()

    @property
    def origin(self) -> Origin:
        """Identity of the source: its name, what distinguishes it from others, and the files that it reads."""
        shown = self._describe()
        return Origin(self.name, f"{type(self).__qualname__} {shown}", shown)

    @property
    def closed(self) -> bool:
        """True once `close` was called; `_read_frames` returns soon afterwards."""
        return self._closed

    def close(self) -> None:
        """Release the file, the connection or the camera; safe to call twice, and from any thread.

        A decoder whose container is closed while it decodes crashes the process. If another thread is decoding, which
        takes seconds if a server sends nothing, this returns at once, and that thread releases the source when it is
        done.
        """
        self.stop()
        if self._in_use.acquire(blocking=False):
            try:
                self._release()
            finally:
                self._in_use.release()

    def stop(self) -> None:
        """Ask the thread that reads to end and to release the source; unlike `close`, it never waits for a driver."""
        self._started = self._closed = True

    @abstractmethod
    def _read_frames(self) -> Generator[Frame]:
        """Yield the frames for which `_is_selected` is true; called once, by the iteration over the source."""

    @abstractmethod
    def _describe(self) -> str:
        """Return the name of the source in messages, without credentials."""

    def _release(self) -> None:
        """Close the file or device; called once or more, never while `_read_frames` runs."""

    def _is_selected(self, index: int) -> bool:
        """Return whether the stride selects the frame at a 0-based position in the source."""
        return index % self.frame_stride == 0

    def _skip_frame(self, index: int, reason: object) -> None:
        """Count a corrupt frame, and log the first one.

        Args:
            index: Position of the frame in the source, 0-based.
            reason: Cause, for the log.
        """
        if self.frames_skipped == 0:
            logger.log(
                self.log_level,
                "%s: frame %d is corrupt and was skipped (%s). Reading continues; further ones are only counted.",
                self._describe(),
                index,
                reason,
            )
        self.frames_skipped += 1

    def _end_early(self, reason: str, ended: str = "end") -> None:
        """Mark the stream as truncated, and log it once.

        Args:
            reason: Cause, for the log.
            ended: Value of the attribute ``ended``: ``lost`` or ``stalled`` for a live source.
        """
        if not self.truncated and not self._closed:
            logger.log(self.log_level, "%s ended early: %s. The frames before it are kept.", self._describe(), reason)
            self.ended, self.end_reason = ended, reason
        self.truncated = True

    def _read(self) -> Iterator[Frame]:
        good = 0
        frames = self._read_frames()
        try:
            while (frame := self._next(frames)) is not None:
                good += 1
                yield frame
                del frame  # an image, while this thread waits for the next
        finally:
            self._exclusively(frames.close)
        if not good:
            skipped = f" ({self.frames_skipped} corrupt)" if self.frames_skipped else ""
            raise SourceError(
                f"{self._describe()} has no frame that can be read{skipped}; expected at least one:"
                " check that it plays in a video player."
            )

    def _next(self, frames: Generator[Frame]) -> Frame | None:
        frame = self._exclusively(lambda: None if self._closed else next(frames, None))
        if self._closed:
            raise StateError(f"Source {self.name!r} was closed while it was read; close it after the last frame.")
        return frame

    def _exclusively(self, action: Callable[[], _T]) -> _T:
        """Run an action while no other thread reads or closes the source.

        It is not a context manager made from a generator: a Ctrl-C between its start and the body would leave the lock
        held, and the end of the read, which needs it, would wait for ever.
        """
        try:
            with self._in_use:
                return action()
        finally:
            if self._closed:  # by another thread, while this one was reading
                self.close()
