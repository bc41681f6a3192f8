"""Source of frames from video files and network streams, decoded by PyAV (FFmpeg)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from ..values import Frame
from . import probing
from .conversion import BgrConverter
from .lost_frames import LostFrameCounter
from .names import file_name, redact_url, url_name
from .rotation import UPRIGHT, orientation_of, rotate
from .source import Source
from .timing import Clock

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    import av

_URL_TIMEOUT_S = (15.0, 15.0)  # to connect, and to wait for the next packet: a dead server is an error, not a hang
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
            InvalidInputError: The frame rate or the stride is not a number above 0.
        """
        self._is_url = isinstance(location, str)
        self.is_live = isinstance(location, str) and not location.lower().startswith("http")
        self._shown = redact_url(location) if isinstance(location, str) else str(location)
        self._container = self._open(location)
        try:
            self._stream = _video_of(self._container, self._shown)
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

    def _open(self, location: Path | str) -> av.container.InputContainer:
        import av

        started_s = time.monotonic()
        try:
            if isinstance(location, Path):
                return _open_input(str(location.absolute()))
            options = {"rtsp_transport": "tcp"} if location.lower().startswith("rtsp") else {}
            return _open_input(location, options=options, timeout=_URL_TIMEOUT_S)
        except (av.FFmpegError, OSError, ValueError) as error:
            if isinstance(location, Path):
                raise SourceError(_file_error(location, error)) from error
            reason = getattr(error, "strerror", None) or type(error).__name__
            if time.monotonic() - started_s >= _URL_TIMEOUT_S[0]:  # FFmpeg's error for a timeout varies
                reason = f"no answer in {_URL_TIMEOUT_S[0]:g} s"
            raise SourceError(
                f"{self._shown} cannot be opened ({reason}); expected a running stream."
                " Check the URL, user and network, and write / ? # in a password as %2F %3F %23."
            ) from None  # FFmpeg's text repeats the URL with its password

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
            if size != (image.width, image.height):  # not for each: PyAV keeps a frame whose side data was read
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
                reason = f"no data arrived for {_URL_TIMEOUT_S[1]:g} s"
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


def _video_of(container: av.container.InputContainer, shown: str) -> av.VideoStream:
    if not container.streams.video:
        raise SourceError(f"{shown} contains no video stream; expected a video that plays in a video player.")
    return container.streams.video[0]


def _file_error(path: Path, error: Exception) -> str:
    """Return the message for a file that cannot be opened: the reason and a remedy."""
    reason = getattr(error, "strerror", None) or type(error).__name__
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as failure:
        return f"{path} cannot be read ({failure.strerror}); expected a video file: check its permissions."
    if not head:
        return f"{path} is empty, 0 bytes; expected a video file: copy or record it again."
    if head[4:8] in {b"ftyp", b"mdat", b"moov", b"free", b"wide"}:
        return (
            f"{path} is an mp4 whose index ('moov') is missing or damaged, as an interrupted recording or copy leaves"
            " it; expected a complete file. Copy it again, or repair it with a tool such as untrunc."
        )
    return f"{path} is not a video ({reason}); expected a file that plays in a video player, such as mp4, mkv or avi."


def _open_input(location: str, **options: Any) -> av.container.InputContainer:
    """Open for reading, also if metadata is not UTF-8: PyAV 19 always accepts it, earlier releases need an option."""
    import av

    if int(av.__version__.partition(".")[0]) < 19:
        options["metadata_errors"] = "replace"
    container: av.container.InputContainer = av.open(location, "r", **options)
    return container
