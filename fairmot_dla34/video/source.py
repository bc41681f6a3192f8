"""What every video source has in common."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..config import DEFAULT_FRAME_RATE, check_frame_rate
from ..errors import InvalidInputError, SourceError, StateError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from types import TracebackType

    from typing_extensions import Self

    from ..values import Frame

_LONGEST_STRIDE = 10**9
_LOGGER = logging.getLogger(__name__)


class Source(ABC):
    """A video that is read once, frame by frame, in constant memory. Use it as a context manager.

    Another thread than the one that opened it may read it, and any may close it.

    Attributes:
        name: Names the output files; safe as a file name.
        frame_rate: Frames per second of the frames handed out, after the stride.
        native_rate: Frames per second of the source itself, before the stride.
        frame_count: Number of frames expected to be handed out, or None where unknown.
        frames_skipped: Corrupt frames left out so far.
        truncated: The stream ended with an error, or before the container said it would.
        is_live: Frames come in their own time, whether they are read or not.
        reads_ahead: Frames may be read before they are asked for, in another thread.
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
            name: File-name safe name.
            native_rate: Frames per second the source states, or None.
            native_count: Frames the source states, or None.
            frame_rate: The caller's word on the source's own rate (before the stride), which overrides it.
            frame_stride: Hand out every n-th frame.

        Raises:
            InvalidInputError: The frame rate or the stride is not a number above 0.
        """
        stride: object = frame_stride
        if isinstance(stride, bool) or not isinstance(stride, int) or not 1 <= stride <= _LONGEST_STRIDE:
            raise InvalidInputError(
                f"frame_stride is {frame_stride!r}; expected a whole number >= 1, 1 for all frames."
            )
        rate = native_rate or DEFAULT_FRAME_RATE
        if frame_rate is not None:
            rate = check_frame_rate(frame_rate)
        self.name = name
        self.frame_rate = rate / frame_stride
        self.frame_count = None if native_count is None else -(-native_count // frame_stride)
        self.frames_skipped = 0
        self.truncated = False
        self.native_rate = rate
        self._rate_given = frame_rate is not None
        self._stride = frame_stride
        self._started = self._closed = False
        self._in_use = threading.Lock()  # held while a frame is read, and while what is open is closed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        """Hand out the frames, once.

        Raises:
            StateError: The source was read before, or closed.
            SourceError: Not one frame could be read.
            InvalidInputError: An image of an iterable is not a BGR picture.
        """
        if self._started:
            raise StateError(f"Source {self.name!r} was read or closed before; a source is read once: open it again.")
        self._started = True
        return self._read()

    def close(self) -> None:
        """Let go of the file, the connection or the camera; safe to call twice, and from any thread.

        A decoder whose container is closed under it crashes the process. Where another thread is inside, perhaps for
        seconds because a server has fallen silent, this returns at once, and that thread lets go when it comes out.
        """
        self._started = self._closed = True
        if self._in_use.acquire(blocking=False):
            try:
                self._release()
            finally:
                self._in_use.release()

    def _read(self) -> Iterator[Frame]:
        good = 0
        frames = self._frames()
        try:
            while (frame := self._next(frames)) is not None:
                good += 1
                yield frame
        finally:
            with self._using():
                frames.close()
        if not good:
            skipped = f" ({self.frames_skipped} corrupt)" if self.frames_skipped else ""
            raise SourceError(
                f"{self._describe()} has no frame that can be read{skipped}; expected at least one:"
                " check that it plays in a video player."
            )

    def _next(self, frames: Generator[Frame]) -> Frame | None:
        with self._using():
            frame = None if self._closed else next(frames, None)
        if self._closed:
            raise StateError(f"Source {self.name!r} was closed while it was read; close it after the last frame.")
        return frame

    @contextmanager
    def _using(self) -> Iterator[None]:
        try:
            with self._in_use:
                yield
        finally:
            if self._closed:  # by another thread, while this one was inside
                self.close()

    def _skip(self, index: int, reason: object) -> None:
        """Count a corrupt frame; the first one is named in the log."""
        if self.frames_skipped == 0:
            _LOGGER.warning(
                "%s: frame %d is corrupt and was left out (%s); the rest is read, further ones are only counted.",
                self._describe(),
                index,
                reason,
            )
        self.frames_skipped += 1

    def _end_early(self, reason: str) -> None:
        """Note, once, that the stream ended before its end."""
        if not self.truncated and not self._closed:
            _LOGGER.warning("%s ended early: %s; what came before it is kept.", self._describe(), reason)
        self.truncated = True

    def _wanted(self, index: int) -> bool:
        return index % self._stride == 0

    @abstractmethod
    def _frames(self) -> Generator[Frame]:
        """Yield the frames whose index the stride wants; return soon once `_closed`."""

    @abstractmethod
    def _describe(self) -> str:
        """Name the source in a message, without credentials."""

    def _release(self) -> None:  # noqa: B027 (not every source holds something)
        """Close what is open."""
