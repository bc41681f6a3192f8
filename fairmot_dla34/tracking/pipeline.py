"""A source, the network and the association at work at the same time, each on a frame of its own."""

from __future__ import annotations

import atexit
from collections.abc import Generator, Iterable, Iterator
from itertools import cycle
from types import TracebackType
from typing import TYPE_CHECKING

from .prefetch import Ahead
from ..errors import InvalidInputError
from .session import NetworkImage, Session
from ..values import Detections, Frame, FrameResult
from ..video import Source

if TYPE_CHECKING:
    from typing_extensions import Self

# Frames that are ready before the network asks for one, and its results before they are asked for: two, so that one
# slow step does not hold up the network.
_DEPTH = 2
_READER_PATIENCE_S = 0.5  # for a decoder; not for a server that has fallen silent, which FFmpeg waits for up to 15 s


def takes_newest(source: Source, newest_frame: bool | None) -> bool:
    """Tell whether a source's frames are left out where the network is slower.

    Args:
        source: The source.
        newest_frame: What the user says; None: yes for a live source.

    Raises:
        InvalidInputError: It was asked for where frames cannot be read ahead.
    """
    if newest_frame and not source.reads_ahead:
        raise InvalidInputError(
            "newest_frame is True for an iterable of images; expected a video, a camera or a stream, which can be read"
            " while the network runs: leave it out, and yield the newest image yourself."
        )
    return source.is_live if newest_frame is None else newest_frame


class Pipeline:
    """Hands out a source's frames with their results, in order; to be used as a context manager and read once.

    A thread reads and letterboxes, one runs the network, and who takes the results associates. A caller's iterable is
    read by who takes the results, one image a result and with no thread: it may reuse its array, belong to its thread,
    or wait for the result before it goes on.

    With ``newest``, frames that come while the network is busy are left out but for the newest, and no result waits
    for another: results lag by one pass of the network and the time to the frame before it, however slow it is.

    Args:
        session: Of this video.
        source: Open; it is closed with the pipeline.
        newest: What `takes_newest` says.
    """

    def __init__(self, session: Session, source: Source, *, newest: bool) -> None:
        self._session = session
        self._source = source
        self._newest = newest
        self._reader: Ahead[Frame] | Ahead[tuple[Frame, NetworkImage]] | None = None
        self._network: Ahead[tuple[Frame, Detections]] | None = None
        self._detected: Iterable[tuple[Frame, Detections]] = ()

    @property
    def frames_dropped(self) -> int:
        """Frames left out so far because a newer one was there."""
        return self._reader.dropped if self._reader else 0

    def __enter__(self) -> Self:
        atexit.register(self.close)  # a generator left open: the network may not run while its library is torn down
        frames = self._decode()
        if not self._source.reads_ahead:
            self._detected = self._detect(self._letterbox(frames, buffers=1))
        elif self._newest:
            self._reader = newest = Ahead(frames, name="fairmot_dla34 reader", newest=True)
            prepared = self._letterbox(newest, buffers=1)  # in the network's thread: not for frames left out
            self._detected = self._network = Ahead(self._detect(prepared), name="fairmot_dla34 network", depth=1)
        else:
            prepared = self._letterbox(frames, buffers=_DEPTH + 1)  # those ahead, and the one in the network
            self._reader = ahead = Ahead(prepared, name="fairmot_dla34 reader", depth=_DEPTH)
            self._detected = self._network = Ahead(self._detect(ahead), name="fairmot_dla34 network", depth=_DEPTH)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[tuple[Frame, FrameResult]]:
        """Hand out each frame with its tracks.

        Raises:
            FairMOTError: As the source, the network and the association raise it, behind the frames before it.
        """
        for frame, detections in self._detected:
            yield frame, self._session.associate(frame, detections)

    def close(self) -> None:
        """Stop the threads and close the source; safe to call twice.

        The network's thread is waited for, as its library must not be torn down under it: one pass at most. The
        reader's may be inside FFmpeg, waiting for a server; it is then left behind, and closes the source itself when
        it comes back (see `Source.close`).
        """
        self._source.close()
        if self._reader:
            self._reader.close(_READER_PATIENCE_S)
        if self._network:
            self._network.close()
        atexit.unregister(self.close)

    def _decode(self) -> Generator[Frame]:
        frames = iter(self._source)
        while True:
            with self._session.clock("decode"):
                frame = next(frames, None)
            if frame is None:
                return
            yield frame

    def _letterbox(self, frames: Iterable[Frame], *, buffers: int) -> Generator[tuple[Frame, NetworkImage]]:
        ring = cycle([self._session.new_buffer() for _ in range(buffers)])
        for frame in frames:
            yield frame, self._session.letterbox(frame.image, next(ring))

    def _detect(self, prepared: Iterable[tuple[Frame, NetworkImage]]) -> Generator[tuple[Frame, Detections]]:
        for frame, image in prepared:
            yield frame, self._session.infer(image)
