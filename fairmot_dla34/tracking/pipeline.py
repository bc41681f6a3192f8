"""The pipeline of one video: source, network and association process different frames at the same time."""

from __future__ import annotations

import atexit
from collections.abc import Generator, Iterable, Iterator
from itertools import cycle

from ..closing import ClosedOnExit
from ..values import Detections, Frame, FrameResult
from ..video import Source
from .detector import NetworkImage
from .prefetch import Prefetcher
from .session import Session

# Frames that are ready before the network asks for one, and results before the consumer asks for them: two, so that one
# slow step does not hold up the network.
_DEPTH = 2
_READER_TIMEOUT_S = 0.5  # enough for a decoder, not for a silent server, which FFmpeg waits for up to 15 s


class Pipeline(ClosedOnExit):
    """Yields a source's frames with their results, in order; a context manager that is read once.

    One thread reads and letterboxes, one runs the network, and the consumer thread associates. Both start with the
    iteration, in the body of the ``with`` statement, so that `close` follows a Ctrl-C at any moment. A caller's
    iterable is read in the consumer thread, one image per result: it may reuse its array, belong to its thread, or wait
    for a result before it continues.

    With ``newest``, only the newest of the frames that arrive while the network is busy is kept, and no result waits
    for another: results lag by one pass of the network and the time to the frame before it, however slow it is.

    Args:
        session: Session of this video.
        source: Open source; it is closed with the pipeline.
        newest: Leave frames out while the network is busy.
    """

    def __init__(self, session: Session, source: Source, *, newest: bool) -> None:
        self._session = session
        self._detector = session.detector
        self._source = source
        self._newest = newest
        self._reader: Prefetcher[Frame] | Prefetcher[tuple[Frame, NetworkImage]] | None = None
        self._network: Prefetcher[tuple[Frame, Detections]] | None = None
        self._detected: Iterable[tuple[Frame, Detections]] = ()

    @property
    def frames_dropped(self) -> int:
        """Number of frames left out so far because a newer one had arrived."""
        return self._reader.dropped if self._reader else 0

    def _start(self) -> None:
        atexit.register(self.close)  # a generator left open: the network must not run while its library is torn down
        frames = self._decode()
        if not self._source.reads_ahead:
            self._detected = self._detect(self._letterbox(frames, buffers=1))
        elif self._newest:
            self._reader = newest = Prefetcher(frames, name="fairmot_dla34 reader", newest=True)
            prepared = self._letterbox(newest, buffers=1)  # in the network's thread: none for frames left out
            self._network = Prefetcher(self._detect(prepared), name="fairmot_dla34 network", depth=1)
        else:
            prepared = self._letterbox(frames, buffers=_DEPTH + 1)  # frames that wait, and the one in the network
            self._reader = ahead = Prefetcher(prepared, name="fairmot_dla34 reader", depth=_DEPTH)
            self._network = Prefetcher(self._detect(ahead), name="fairmot_dla34 network", depth=_DEPTH)
        if self._reader and self._network:
            self._reader.start()
            self._detected = self._network.start()

    def __iter__(self) -> Iterator[tuple[Frame, FrameResult]]:
        """Yield each frame with its tracks.

        Raises:
            FairMOTError: An error of the source, the network or the association, after the frames before it.
        """
        for frame, detections in self.detections():
            yield frame, self._session.associate(frame, detections)

    def detections(self) -> Iterator[tuple[Frame, Detections]]:
        """Return an iterator over each frame with its detections, in place of the iteration over tracks.

        Raises:
            FairMOTError: An error of the source or the network, after the frames before it.
        """
        self._start()
        return iter(self._detected)

    def close(self) -> None:
        """Stop the threads and close the source; safe to call twice.

        This waits for the network's thread, one pass at most, because its library must not be torn down while it runs.
        The reader's thread may wait for a server inside FFmpeg; it is then left behind, and closes the source itself
        when it returns (see `Source.close`).
        """
        try:
            self._source.close()
            if self._reader:
                self._reader.close(_READER_TIMEOUT_S)
        finally:  # also after a Ctrl-C while the reader is waited for
            if self._network:
                self._network.close()
        atexit.unregister(self.close)

    def _decode(self) -> Generator[Frame]:
        frames = iter(self._source)
        while True:
            with self._session.times.measure("decode"):
                frame = next(frames, None)
            if frame is None:
                return
            yield frame

    def _letterbox(self, frames: Iterable[Frame], *, buffers: int) -> Generator[tuple[Frame, NetworkImage]]:
        ring = cycle([self._detector.new_buffer() for _ in range(buffers)])
        for frame in frames:
            yield frame, self._detector.letterbox(frame.image, next(ring), self._session.times)

    def _detect(self, prepared: Iterable[tuple[Frame, NetworkImage]]) -> Generator[tuple[Frame, Detections]]:
        for frame, image in prepared:
            yield frame, self._detector.infer(image, self._session.times)
