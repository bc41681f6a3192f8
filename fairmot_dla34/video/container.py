"""Video files and network streams, decoded by PyAV (FFmpeg)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from ..values import Frame
from . import probing
from .conversion import BgrConverter
from .losses import Losses
from .names import hide_secrets, stem_of, url_name
from .rotation import UPRIGHT, orientation_of, turn
from .source import Source
from .timing import Clock

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    import av

_URL_TIMEOUT_S = (15.0, 15.0)  # to connect, to wait for the next packet: a dead server is an error, not a hang
_MISSING_TOLERATED = 0.02  # containers count some frames that are never shown (edit lists, a last partial group)


class ContainerSource(Source):
    """A video file or a network stream."""

    def __init__(self, where: Path | str, *, frame_rate: float | None = None, frame_stride: int = 1) -> None:
        """Open the container and find its video.

        Args:
            where: Path of a file, or a URL.
            frame_rate: Overrides the rate stated.
            frame_stride: Hand out every n-th frame.

        Raises:
            SourceError: FFmpeg cannot open it, or it holds no video.
            InvalidInputError: The frame rate or the stride is not a number above 0.
        """
        self._is_url = isinstance(where, str)
        self.is_live = isinstance(where, str) and not where.lower().startswith("http")
        self._shown = hide_secrets(where) if isinstance(where, str) else str(where)
        self._container = self._open(where)
        try:
            self._stream = _video_of(self._container, self._shown)
            rate = probing.frame_rate_of(self._stream)
            self._duration_s = probing.duration_of(self._container, self._stream)
            count = probing.frame_count_of(self._stream, self._duration_s, rate)
            super().__init__(
                url_name(where) if isinstance(where, str) else stem_of(where),
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

    def _open(self, where: Path | str) -> av.container.InputContainer:
        import av

        begin_s = time.monotonic()
        try:
            if isinstance(where, Path):
                return _open_input(str(where.absolute()))
            options = {"rtsp_transport": "tcp"} if where.lower().startswith("rtsp") else {}
            return _open_input(where, options=options, timeout=_URL_TIMEOUT_S)
        except (av.FFmpegError, OSError, ValueError) as error:
            if isinstance(where, Path):
                raise SourceError(_why_no_file(where, error)) from error
            reason = getattr(error, "strerror", None) or type(error).__name__
            if time.monotonic() - begin_s >= _URL_TIMEOUT_S[0]:  # FFmpeg gives several errors for PyAV's interruption
                reason = f"no answer in {_URL_TIMEOUT_S[0]:g} s"
            raise SourceError(
                f"{self._shown} cannot be opened ({reason}); expected a running stream:"
                " check the address, user and network, and write / ? # in a password as %2F %3F %23."
            ) from None  # FFmpeg's text repeats the URL with its password

    def _describe(self) -> str:
        return self._shown

    def _frames(self) -> Generator[Frame]:
        clock, to_bgr = Clock(self.native_rate), BgrConverter()
        index, time_s, size, orientation = -1, 0.0, (0, 0), UPRIGHT
        for picture, lost in self._pictures():
            if self._closed:
                return
            index += 1 + lost
            time_s = clock.tell(self._seconds(picture), 1 + lost)
            if size != (picture.width, picture.height):  # not for each: PyAV keeps a frame whose side data was read
                size, orientation = (picture.width, picture.height), orientation_of(picture)
            if self._wanted(index):
                stored = to_bgr.convert(picture)
                shown_s = index / self.native_rate if self._rate_given and not self._is_url else time_s
                yield Frame(index, shown_s, turn(stored, orientation))
        if index >= 0:
            self._check_complete(index, time_s)

    def _pictures(self) -> Iterator[tuple[av.VideoFrame, int]]:
        """Yield each sound picture with the number of frames lost just before it."""
        import av

        losses, shown = Losses(), 0
        for packet in self._packets():
            if packet is not None and packet.size and not packet.is_discard:
                losses.packet(self._seconds(packet))
            try:
                decoded = self._stream.decode(packet)
            except av.FFmpegError as error:
                if packet is not None and packet.size:  # else the decoder's last word at the end, which is no frame
                    self._skip(shown + losses.pending, error.strerror)
                    losses.report(self._seconds(packet))
                continue
            for picture in decoded:
                stamp_s = self._seconds(picture)
                if picture.is_corrupt:
                    self._skip(shown + losses.pending, "the decoder had to make up a part of it")
                    losses.report(stamp_s)
                    continue
                lost, silent = losses.before(stamp_s)
                for _ in range(silent):
                    self._skip(shown, "the decoder gave no picture")
                shown += 1 + lost
                yield picture, lost

    def _packets(self) -> Iterator[av.Packet[av.VideoStream] | None]:
        """Yield the video's packets, then one that is empty or None to draw out the decoder."""
        import av

        try:
            yield from self._container.demux(self._stream)
            if self.is_live:
                self._end_early("the server stopped sending")
        except (av.FFmpegError, OSError) as error:
            reason = f"reading failed ({error.strerror})"
            if isinstance(error, av.error.ExitError):  # PyAV's clock ran out
                reason = f"no data came for {_URL_TIMEOUT_S[1]:g} s"
            self._end_early(reason)
            yield None

    def _seconds(self, item: av.VideoFrame | av.Packet[av.VideoStream]) -> float | None:
        """When a picture is shown, in seconds on the stream's own clock, or None where it has no stamp.

        AVI stores the order of decoding only; what FFmpeg then gives as presentation stamps runs back and forth, while
        its decoding stamps, as they come out with the pictures, are the times of display.
        """
        stamp = item.dts if self._container.format.name == "avi" else item.pts
        return None if stamp is None or item.time_base is None else float(stamp * item.time_base)

    def _check_complete(self, last_index: int, last_s: float) -> None:
        """Warn if the container promised clearly more than came."""
        expected = self._stream.frames
        if expected:
            short = last_index + 1 < expected - max(1, _MISSING_TOLERATED * expected)
        else:  # the duration is not that of the pictures alone: a second of grace
            short = self._duration_s is not None and last_s < self._duration_s - max(1.0, 2 / self.native_rate)
        if short:
            promised = f"{expected} frames" if expected else f"{self._duration_s:.1f} s"
            self._end_early(f"it promises {promised} and has {last_index + 1} frames, {last_s:.1f} s; it may be cut")

    def _release(self) -> None:
        self._container.close()


def _video_of(container: av.container.InputContainer, shown: str) -> av.VideoStream:
    if not container.streams.video:
        raise SourceError(f"{shown} holds no video stream; expected a video that plays in a video player.")
    return container.streams.video[0]


def _why_no_file(path: Path, error: Exception) -> str:
    """Say why a file was not opened, and what to do."""
    reason = getattr(error, "strerror", None) or type(error).__name__
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as failure:
        return f"{path} cannot be read ({failure.strerror}); expected a video file this user may read: check it."
    if not head:
        return f"{path} is empty, 0 bytes; expected a video file: copy or record it again."
    if head[4:8] in {b"ftyp", b"mdat", b"moov", b"free", b"wide"}:
        return (
            f"{path} is an mp4 whose index ('moov') is missing or damaged, as an interrupted recording or copy leaves"
            " it; expected a complete file: copy it again, or repair it with a tool such as untrunc."
        )
    return f"{path} is not a video ({reason}); expected a file that plays in a video player, such as mp4, mkv or avi."


def _open_input(where: str, **options: Any) -> av.container.InputContainer:
    """Open for reading, also where a title is not UTF-8: PyAV 19 always does, the ones before must be told."""
    import av

    if int(av.__version__.partition(".")[0]) < 19:
        options["metadata_errors"] = "replace"
    container: av.container.InputContainer = av.open(where, "r", **options)
    return container
