"""Source of frames from video files and network streams, decoded by PyAV (FFmpeg)."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from ..origin import Origin
from ..values import Frame
from . import container_opening, probing
from .background import run_in_background
from .conversion import BgrConverter
from .decoding import Decoded, ImageDecoder
from .lookahead import Lookahead
from .names import file_name, redact_url, url_identity, url_name
from .packets import PacketReader
from .rotation import UPRIGHT, orientation_of, rotate
from .source import Source
from .timing import Clock

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

logger = logging.getLogger(__name__)

_REPORTED_JUMP_S = 3600.0  # shorter gaps are pauses of a recording
_MISSING_TOLERATED = 0.02  # containers count some frames that are not shown (edit lists, a last partial group)


class ContainerSource(Source):
    """A video file or a network stream."""

    _jumped = False

    def __init__(
        self,
        location: Path | str,
        *,
        frame_rate: float | None = None,
        frame_stride: int = 1,
        url_timeout_s: tuple[float, float] | None = None,
    ) -> None:
        """Open the container and find its video.

        Args:
            location: Path of a file, or a URL.
            frame_rate: Frames per second, instead of the stated rate.
            frame_stride: Use every n-th frame.
            url_timeout_s: Longest waits of a URL, in seconds: to connect, and for the next packet; None: 15 s each.

        Raises:
            SourceError: FFmpeg cannot open it, or it contains no video.
            InvalidInputError: The frame rate or the stride is out of its range.
        """
        self._is_url = isinstance(location, str)
        self._location = location
        self._shown = redact_url(location) if isinstance(location, str) else str(location)
        opened_s = time.monotonic()
        limits_s = url_timeout_s or container_opening.URL_TIMEOUT_S
        self._container = container_opening.open_container(location, shown=self._shown, timeout_s=limits_s)
        measuring = False
        try:
            self._stream = container_opening.video_of(self._container, shown=self._shown)
            scheme = location.partition("://")[0].lower() if isinstance(location, str) else ""
            self._is_timed = not scheme or probing.has_time_stamps(self._container, is_http=scheme.startswith("http"))
            self.is_live = bool(scheme) and not (scheme.startswith("http") and self._is_timed)
            waits = scheme or self._container.format.name == "hls"
            timeout_s = limits_s[1] if waits else None
            self._packets = PacketReader(
                self._container, self._stream, timeout_s=timeout_s, is_live=self.is_live, opened_s=opened_s
            )
            rate = probing.frame_rate_of(self._stream)
            if not self._is_timed:
                measuring = True
                rate = run_in_background(
                    self._packets.measure, discard=lambda _: self._container.close(), name="fairmot_dla34 opener"
                ).frame_rate
                measuring = False
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
            if not measuring:  # after an interruption, the thread that still reads from the container closes it
                self._container.close()
            raise

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
        decoder = ImageDecoder(self._container, self._stream, self._packets, self._skip_frame, is_timed=self._is_timed)
        decoded = Lookahead(iter(decoder))
        for item in decoded:
            if self.closed:
                return
            image = item.image
            index += 1 + item.lost
            time_s = clock.next_time(self._checked_stamp(clock, item, decoded, index), 1 + item.lost)
            if size != (image.width, image.height):  # not for each frame: PyAV keeps one whose side data was read
                size, orientation = (image.width, image.height), orientation_of(image)
            if self._is_selected(index):
                stored = to_bgr.convert(image)
                shown_s = index / self.native_rate if self._rate_given and not self._is_url else time_s
                yield Frame(index, shown_s, rotate(stored, orientation))
                del stored  # two images, while this thread waits for the next
            del item, image
        if self._packets.end_reason:
            self._end_early(self._packets.end_reason, self._packets.ended)
        elif index >= 0:
            self._check_complete(index, time_s)

    def _checked_stamp(self, clock: Clock, item: Decoded, decoded: Lookahead[Decoded], index: int) -> float | None:
        """Return the stamp of an image, or None if it is damaged: out of line with those before and after it."""
        jump_s = clock.jump(item.stamp_s)
        if not jump_s:
            return item.stamp_s
        following = decoded.peek()
        if following is None or not clock.jump(following.stamp_s):
            return None
        if jump_s > _REPORTED_JUMP_S and not self._jumped:
            logger.log(
                self.log_level,
                "%s: the time stamps jump ahead by %.0f s at frame %d; the times of the results keep this gap.",
                self._shown,
                jump_s,
                index,
            )
            self._jumped = True
        return item.stamp_s

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
            reason = f"its container states {stated}, but only {read} could be read; it may be truncated"
            self._end_early(reason, "lost" if self._is_url else "end")

    def stop(self) -> None:
        """Ask the thread that reads to end, also if it finds only damaged packets, without an end."""
        self._packets.stopped = True
        super().stop()

    def _release(self) -> None:
        """Close the container."""
        self._packets.close()
        self._container.close()
