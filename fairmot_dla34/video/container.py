"""Source of frames from video files and network streams, decoded by PyAV (FFmpeg)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..origin import Origin
from ..values import Frame
from . import container_opening, probing
from .conversion import BgrConverter
from .lost_frames import LostFrameCounter
from .names import file_name, redact_url, url_identity, url_name
from .rotation import UPRIGHT, orientation_of, rotate
from .source import Source
from .timing import Clock

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    import av

_MISSING_TOLERATED = 0.02  # containers count some frames that are not shown (edit lists, a last partial group)


class ContainerSource(Source):
    """A video file or a network stream."""

    def __init__(self, location: Path | str, *, frame_rate: float | None = None, frame_stride: int = 1) -> None:
        """Open the container and find its video.

        Args:
            location: Path of a file, or a URL.
            frame_rate: Frames per second, instead of the stated rate.
            frame_stride: Use every n-th frame.

        Raises:
            SourceError: FFmpeg cannot open it, or it contains no video.
            InvalidInputError: The frame rate or the stride is out of its range.
        """
        self._is_url = isinstance(location, str)
        self._location = location
        self.is_live = isinstance(location, str) and not location.lower().startswith("http")
        self._shown = redact_url(location) if isinstance(location, str) else str(location)
        self._container = container_opening.open_container(location, shown=self._shown)
        try:
            self._stream = container_opening.video_of(self._container, shown=self._shown)
            rate = probing.frame_rate_of(self._stream)
            self._duration_s = probing.duration_of(self._container, self._stream)
            count = probing.frame_count_of(self._stream, self._duration_s, rate)
            super().__init__(
                url_name(location) if isinstance(location, str) else file_name(location),
                native_rate=rate,
                native_count=count,
                frame_rate=frame_rate,
                frame_stride=frame_stride,
            )
        except BaseException:
            self._container.close()
            raise
        # Threads over slices only: threads over frames report a corrupt packet several packets late.
        self._stream.thread_type = "SLICE"

    @property
    def origin(self) -> Origin:
        """Identity: the file, or the URL with its query, by which the cameras of one server may differ."""
        if isinstance(self._location, str):
            return Origin(self.name, url_identity(self._location), self._shown)
        return Origin(self.name, f"file {self._location.resolve()}", self._shown, (self._location,))

    def _describe(self) -> str:
        """Return the path, or the URL without credentials."""
        return self._shown

    def _read_frames(self) -> Generator[Frame]:
        """Yield the selected frames in order of display; corrupt ones are skipped and counted."""
        clock, to_bgr = Clock(self.native_rate), BgrConverter()
        index, time_s, size, orientation = -1, 0.0, (0, 0), UPRIGHT
        for image, lost in self._images():
            if self.closed:
                return
            index += 1 + lost
            time_s = clock.next_time(self._seconds(image), 1 + lost)
            if size != (image.width, image.height):  # not for each frame: PyAV keeps one whose side data was read
                size, orientation = (image.width, image.height), orientation_of(image)
            if self._is_selected(index):
                stored = to_bgr.convert(image)
                shown_s = index / self.native_rate if self._rate_given and not self._is_url else time_s
                yield Frame(index, shown_s, rotate(stored, orientation))
        if index >= 0:
            self._check_complete(index, time_s)

    def _images(self) -> Iterator[tuple[av.VideoFrame, int]]:
        """Yield each intact image with the number of frames lost just before it."""
        import av

        losses, shown = LostFrameCounter(), 0
        for packet in self._packets():
            if packet is not None and packet.size and not packet.is_discard:
                losses.add_packet(self._seconds(packet))
            try:
                decoded = self._stream.decode(packet)
            except av.FFmpegError as error:
                if packet is not None and packet.size:  # else the error is that of the empty packet at the end
                    self._skip_frame(shown + losses.pending, error.strerror)
                    losses.add_loss(self._seconds(packet))
                continue
            for image in decoded:
                stamp_s = self._seconds(image)
                if image.is_corrupt:
                    self._skip_frame(shown + losses.pending, "the decoder concealed errors in it")
                    losses.add_loss(stamp_s)
                    continue
                lost, silent = losses.settle_before(stamp_s)
                for _ in range(silent):
                    self._skip_frame(shown, "the decoder returned no image")
                shown += 1 + lost
                yield image, lost

    def _packets(self) -> Iterator[av.Packet[av.VideoStream] | None]:
        """Yield the video's packets, then one that is empty or None to flush the decoder."""
        import av

        try:
            yield from self._container.demux(self._stream)
            if self.is_live:
                self._end_early("the server stopped sending")
        except (av.FFmpegError, OSError) as error:
            reason = f"reading failed ({error.strerror})"
            if isinstance(error, av.error.ExitError):  # PyAV's timeout
                reason = f"no data arrived for {container_opening.URL_TIMEOUT_S[1]:g} s"
            self._end_early(reason)
            yield None

    def _seconds(self, item: av.VideoFrame | av.Packet[av.VideoStream]) -> float | None:
        """Return the display time in seconds on the stream's own clock, or None without a stamp.

        AVI stores the order of decoding only. The presentation stamps that FFmpeg derives jump back and forth; its
        decoding stamps, as decoded images carry them, are the times of display.
        """
        stamp = item.dts if self._container.format.name == "avi" else item.pts
        return None if stamp is None or item.time_base is None else float(stamp * item.time_base)

    def _check_complete(self, last_index: int, last_s: float) -> None:
        """Mark the stream as truncated if clearly less was read than the container states."""
        expected = self._stream.frames
        if expected:
            short = last_index + 1 < expected - max(1, _MISSING_TOLERATED * expected)
        else:  # the duration includes more than the frames: one second is tolerated
            short = self._duration_s is not None and last_s < self._duration_s - max(1.0, 2 / self.native_rate)
        if short:
            stated = f"{expected} frames" if expected else f"{self._duration_s:.1f} s"
            read = f"{last_index + 1} frames, {last_s:.1f} s"
            self._end_early(f"its container states {stated}, but only {read} could be read; it may be truncated")

    def _release(self) -> None:
        """Close the container."""
        self._container.close()
